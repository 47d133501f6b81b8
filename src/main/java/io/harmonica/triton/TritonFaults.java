package io.harmonica.triton;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.shaded.io.netty.handler.codec.http2.Http2Exception;
import io.harmonica.HarmonicaException;
import io.harmonica.runtime.Signature;
import io.harmonica.triton.Retry.Where;
import io.harmonica.triton.proto.RepositoryIndexResponse.ModelIndex;
import java.io.IOException;
import java.net.ConnectException;
import java.net.NoRouteToHostException;
import java.net.UnknownHostException;
import java.nio.channels.ClosedChannelException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;

/** Words for what goes wrong between this process and a Triton server: gRPC status to one line. */
final class TritonFaults {
  private final String server;
  private final Duration deadline;
  private final boolean encrypted;
  private final Address address;

  /**
   * Words about one server.
   *
   * @param encrypted whether the connection is to be
   */
  TritonFaults(Address address, Duration deadline, boolean encrypted) {
    this.encrypted = encrypted;
    this.address = address;
    this.server = "Triton server " + address;
    this.deadline = deadline;
  }

  /** The first call failed. */
  HarmonicaException ofConnecting(StatusRuntimeException e) {
    if (TlsFaults.isOne(e) || refuses(e)) {
      return ofCall(e, "");
    }
    return switch (e.getStatus().getCode()) {
      case UNIMPLEMENTED, INTERNAL, UNKNOWN -> notTriton(e);
      case UNAVAILABLE ->
          unreachable(e) ? down(e) : encrypted || isBroken(e) ? hungUp(e) : notTriton(e);
      default -> ofCall(e, "");
    };
  }

  /**
   * A call failed.
   *
   * @param model that it was about, empty for the server as a whole
   */
  HarmonicaException ofCall(StatusRuntimeException e, String model) {
    String call = model.isEmpty() ? "" : " while asked for model '" + model + "'";
    if (TlsFaults.isOne(e)) {
      return fault(e, TlsFaults.words(e), Where.NOWHERE);
    }
    if (refuses(e)) {
      return fault(
          e,
          "refused us%s (%s): give it the right token in `headerFile`".formatted(call, said(e)),
          Where.NOWHERE);
    }
    if (said(e).startsWith("Unable to find shared memory region")) {
      return fault(
          e,
          "no longer knows memory that it shared with us%s (%s): it was started again meanwhile; generate again"
              .formatted(call, said(e)),
          Where.ANYWHERE);
    }
    if (hasCause(e, ClosedChannelException.class)) { // gRPC calls it UNKNOWN
      return gone(e, call);
    }
    return switch (e.getStatus().getCode()) {
      case UNAVAILABLE -> unreachable(e) ? down(e) : gone(e, call);
      case DEADLINE_EXCEEDED ->
          fault(
              e,
              "gave no answer within the deadline of %s s%s: give it more time, or lighten its load"
                  .formatted(deadline.toMillis() / 1000.0, call));
      case CANCELLED -> fault(e, "was not waited for%s: the call was cancelled".formatted(call));
      case INVALID_ARGUMENT -> fault(e, "refused the request%s: %s".formatted(call, said(e)));
      default ->
          fault(
              e,
              "failed%s (%s): %s; the server's log has the details"
                  .formatted(call, e.getStatus().getCode(), said(e)));
    };
  }

  /** Whether it lacks a token; Triton's own {@code --grpc-restricted-protocol} says so in words. */
  private static boolean refuses(StatusRuntimeException e) {
    return switch (e.getStatus().getCode()) {
      case UNAUTHENTICATED, PERMISSION_DENIED -> true;
      case UNAVAILABLE -> said(e).startsWith("This protocol is restricted");
      default -> false;
    };
  }

  /** Whether the server answered that it has no such model, or has not loaded it. */
  boolean isAboutModel(StatusRuntimeException e) {
    return said(e).startsWith("Request for unknown model");
  }

  HarmonicaException noModel(StatusRuntimeException e, String model, List<ModelIndex> index) {
    List<String> names = index.stream().map(ModelIndex::getName).toList();
    if (!names.contains(model)) {
      return new ServerFault(
          Signature.unknownModel(server, model, names).getMessage(), e, Where.ELSEWHERE);
    }
    // An ensemble that did not load has no reason of its own: its parts have.
    return fault(
        e,
        "has model '%s' in its repository but not loaded: load it (--load-model, or the repository API), or mend it%s"
            .formatted(model, reason(index, name -> name.startsWith(model))),
        Where.ELSEWHERE);
  }

  HarmonicaException notReady(List<ModelIndex> index) {
    return new ServerFault(
        server
            + " is up but not ready: wait until its models are loaded, or mend them"
            + reason(index, name -> true),
        null,
        Where.ANYWHERE);
  }

  /** Why the first of some models did not load, as far as the server tells. */
  private static String reason(List<ModelIndex> index, Predicate<String> models) {
    return index.stream()
        .filter(entry -> models.test(entry.getName()) && !entry.getState().equals("READY"))
        .filter(entry -> !entry.getReason().isEmpty())
        .map(entry -> "; model '" + entry.getName() + "': " + entry.getReason())
        .findFirst()
        .orElse("");
  }

  /** The server cannot open a region, which shared memory was asked for. */
  HarmonicaException noSharedMemory(StatusRuntimeException e) {
    return fault(
        e,
        "cannot open shared memory of this process (%s): run both on one host, with one /dev/shm (ipc: host) and as one user, or use `sharedMemory` off"
            .formatted(said(e)),
        Where.ELSEWHERE);
  }

  HarmonicaException lacksOutputs(String model, Set<String> requested, Set<String> found) {
    return new HarmonicaException(
        HarmonicaException.Kind.SERVER,
        "%s answered for model '%s' with outputs %s instead of %s: see the server's log"
            .formatted(server, model, found, requested));
  }

  private HarmonicaException down(StatusRuntimeException e) {
    String why = said(e).contains("Connection refused") ? "connection refused" : said(e);
    return fault(
        e,
        "cannot be reached (%s): start it, or correct the address".formatted(why),
        Where.ANYWHERE);
  }

  private HarmonicaException gone(StatusRuntimeException e, String call) {
    return fault(
        e,
        "went away%s (%s): see its log, and start it again".formatted(call, said(e)),
        Where.ANYWHERE);
  }

  /** Servers that miss a certificate of ours often do not say so. */
  private HarmonicaException hungUp(StatusRuntimeException e) {
    String remedy =
        encrypted
            ? "hung up on TLS (%s): if it wants a certificate of ours, give one that its CA signed by `tlsCert` and `tlsKey`"
            : "hung up (%s): see whether it is up, and what stands between us";
    return fault(e, remedy.formatted(said(e)));
  }

  /** Surely, if it is not even HTTP/2; else it may be a gateway whose server is away. */
  private HarmonicaException notTriton(StatusRuntimeException e) {
    boolean perhaps =
        e.getStatus().getCode() == Status.Code.UNAVAILABLE && !hasCause(e, Http2Exception.class);
    return fault(
        e,
        "answers, but not as Triton's gRPC service (%s): give the gRPC port, by default 8001 (8000 is HTTP), and `tls` if it wants TLS"
            .formatted(said(e)),
        perhaps ? Where.ANYWHERE : Where.NOWHERE);
  }

  /**
   * Whether the connection broke, whatever status gRPC gives that. A service that does not
   * understand a client closes it instead.
   */
  static boolean isBroken(StatusRuntimeException e) {
    return hasCause(e, IOException.class);
  }

  /** Whether no connection came about, so the server never saw the call. */
  private static boolean unreachable(StatusRuntimeException e) {
    return hasCause(e, ConnectException.class)
        || hasCause(e, NoRouteToHostException.class)
        || hasCause(e, UnknownHostException.class);
  }

  private static boolean hasCause(Throwable fault, Class<? extends Throwable> type) {
    for (Throwable cause = fault.getCause(); cause != null; cause = cause.getCause()) {
      if (type.isInstance(cause)) {
        return true;
      }
    }
    return false;
  }

  /** What the server said, or else what broke the connection. */
  private static String said(StatusRuntimeException e) {
    Throwable cause = e.getCause();
    while (cause != null && cause.getCause() != null) {
      cause = cause.getCause();
    }
    if (cause != null && cause.getMessage() != null) {
      return cause.getMessage();
    }
    String description = e.getStatus().getDescription();
    return description != null ? description : e.getStatus().getCode().name();
  }

  private HarmonicaException fault(StatusRuntimeException e, String what) {
    return fault(e, what, Where.of(e.getStatus().getCode()));
  }

  private HarmonicaException fault(StatusRuntimeException e, String what, Where repeat) {
    Optional<String> proxy = mayComeFromBetween(e) ? Proxies.to(address) : Optional.empty();
    String words =
        proxy
            .map(
                between ->
                    "%s through the proxy %s, which Java's settings name, %s; to go without the proxy add %s to -Dhttp.nonProxyHosts in JAVA_OPTS"
                        .formatted(server, between, what, address.host()))
            .orElse(server + " " + what);
    return new ServerFault(words, e, repeat);
  }

  /** Whether a proxy, too, fails calls so. */
  private static boolean mayComeFromBetween(StatusRuntimeException e) {
    return switch (e.getStatus().getCode()) {
      case UNAVAILABLE, DEADLINE_EXCEEDED, UNKNOWN -> true;
      default -> false;
    };
  }
}
