package io.harmonica.cli;

import io.harmonica.HarmonicaException;
import io.harmonica.triton.Connection;
import io.harmonica.triton.Fleet;
import io.harmonica.triton.FleetListener;
import io.harmonica.triton.Headers;
import io.harmonica.triton.Retry;
import io.harmonica.triton.ServerOptions;
import io.harmonica.triton.SharedMemory;
import io.harmonica.triton.Tls;
import io.harmonica.triton.TritonRuntime;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.BiConsumer;

/** The options of all commands that talk to Triton servers. */
final class TritonOptions {
  static final String SERVERS = "HOST:PORT[,...]";

  private static final List<String> NAMES =
      List.of(
          "deadline",
          "picture-deadline",
          "attempts",
          "tls",
          "tls-ca",
          "tls-cert",
          "tls-key",
          "header-file",
          "keep-alive",
          "max-message",
          "shared-memory",
          "per-server");

  private TritonOptions() {}

  /** Declares the options after {@code --triton}. */
  static OptionList declare(OptionList options) {
    return options
        .value("deadline", "SECONDS", "on Triton: the longest that one call may take (default 60)")
        .value(
            "picture-deadline",
            "SECONDS",
            "on Triton: the longest that a picture may take, retries included (default: none)")
        .value(
            "attempts",
            "N",
            "on Triton: how often all servers are tried before a step fails (default 4)")
        .flag("tls", "encrypt, and trust the CAs that Java trusts")
        .value("tls-ca", "FILE", "encrypt, and trust these CA certificates (PEM)")
        .value("tls-cert", "FILE", "our certificate, for servers that ask for one (PEM)")
        .value("tls-key", "FILE", "its key (PEM, without a passphrase)")
        .value(
            "header-file",
            "FILE",
            "headers for every call, lines 'Name: value', such as 'authorization: Bearer ...'")
        .value("keep-alive", "SECONDS", "ask a silent server whether it is there (default: never)")
        .value("max-message", "MIB", "the largest answer to accept (default 2047)");
  }

  /** The same, and what concerns trajectories only. */
  static OptionList declareForTrajectories(OptionList options) {
    return declare(options)
        .value(
            "shared-memory",
            "auto|on|off",
            "on Triton: tensors in memory shared with a server on this host (default auto: where"
                + " that works)")
        .value(
            "per-server",
            "N",
            "on Triton: calls at one server at a time, the others in flight wait (default: no limit)");
  }

  static void refuseAll(Arguments arguments, String where) {
    NAMES.forEach(name -> arguments.refuse(name, where));
  }

  static ServerOptions of(Arguments arguments, Console console) {
    ServerOptions options =
        seconds(arguments, "deadline")
            .map(ServerOptions::new)
            .orElse(ServerOptions.DEFAULTS)
            .withConnection(connection(arguments))
            .withRetry(
                Retry.DEFAULTS.withAttempts(
                    arguments.integer("attempts", 1, 100).orElse(Retry.DEFAULTS.attempts())))
            .withListener(notes(console))
            .withSharedMemory(sharedMemory(arguments))
            .withPerServer(
                arguments
                    .integer("per-server", 1, 4096)
                    .orElse(ServerOptions.DEFAULTS.perServer()));
    return seconds(arguments, "picture-deadline").map(options::withPictureDeadline).orElse(options);
  }

  /** Does something at each server of {@code --triton} by its address, those that are away too. */
  static void atEach(
      Arguments arguments, Console console, BiConsumer<String, TritonRuntime> something) {
    try (Fleet fleet = Fleet.connect(arguments.requiredText("triton"), of(arguments, console))) {
      fleet.servers().forEach(something);
    }
  }

  private static SharedMemory sharedMemory(Arguments arguments) {
    return arguments
        .choice("shared-memory", List.of("auto", "on", "off"))
        .map(choice -> SharedMemory.valueOf(choice.toUpperCase(Locale.ROOT)))
        .orElse(SharedMemory.AUTO);
  }

  private static Connection connection(Arguments arguments) {
    Connection connection = Connection.PLAIN;
    Tls tls =
        new Tls(arguments.path("tls-ca"), arguments.path("tls-cert"), arguments.path("tls-key"));
    if (arguments.has("tls") || !tls.equals(Tls.DEFAULT)) {
      connection = connection.withTls(tls);
    }
    if (arguments.has("header-file")) {
      connection = connection.withHeaders(Headers.read(arguments.requiredPath("header-file")));
    }
    if (arguments.has("keep-alive")) {
      connection = connection.withKeepAlive(seconds(arguments, "keep-alive").orElseThrow());
    }
    if (arguments.has("max-message")) {
      connection =
          connection.withMaxMessageBytes(arguments.requiredInteger("max-message", 1, 2047) << 20);
    }
    return connection;
  }

  private static Optional<Duration> seconds(Arguments arguments, String option) {
    return arguments
        .decimal(option, 0.001, 86_400)
        .map(seconds -> Duration.ofMillis(Math.round(seconds * 1000)));
  }

  private static FleetListener notes(Console console) {
    return new FleetListener() {
      @Override
      public void onFailover(String from, String to, HarmonicaException fault) {
        console.note("going on at " + to + ": " + fault.getMessage());
      }
    };
  }
}
