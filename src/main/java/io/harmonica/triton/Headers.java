package io.harmonica.triton;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.ForwardingClientCall.SimpleForwardingClientCall;
import io.grpc.ForwardingClientCallListener.SimpleForwardingClientCallListener;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.harmonica.AtomicFile;
import io.harmonica.HarmonicaException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Headers that go with every call, a bearer token for example. Their values are secrets: nothing
 * here prints them, and where a server quotes one in a fault, it is blotted out.
 */
public final class Headers {
  public static final Headers NONE = new Headers(Map.of());

  private static final String NAME = "[0-9a-z_.-]+";
  private static final int SHORTEST_SECRET = 4;

  private final Map<String, String> values;

  private Headers(Map<String, String> values) {
    this.values = values;
  }

  /**
   * Reads a file of lines {@code Name: value}, such as {@code authorization: Bearer ...}. Empty
   * lines and those that begin with # do not count.
   */
  public static Headers read(Path file) {
    List<String> lines;
    try {
      lines = Files.readAllLines(file);
    } catch (IOException e) {
      throw new HarmonicaException(
          "cannot read `headerFile` %s: %s".formatted(file, AtomicFile.reason(e)), e);
    }
    Map<String, String> values = new LinkedHashMap<>();
    for (int i = 0; i < lines.size(); i++) {
      String line = lines.get(i).strip();
      if (line.isEmpty() || line.startsWith("#")) {
        continue;
      }
      int colon = line.indexOf(':');
      String name = colon < 0 ? "" : line.substring(0, colon).strip().toLowerCase(Locale.ROOT);
      String value = line.substring(colon + 1).strip();
      // The line itself stays untold: it may be a token alone.
      if (!name.matches(NAME) || name.endsWith("-bin") || !value.matches("[ -~]+")) {
        throw new HarmonicaException(
            "`headerFile` %s:%d is no header, expected 'Name: value' in ASCII, such as 'authorization: Bearer ...'"
                .formatted(file, i + 1));
      }
      if (values.put(name, value) != null) {
        throw new HarmonicaException(
            "`headerFile` %s:%d states header %s again: keep one of them"
                .formatted(file, i + 1, name));
      }
    }
    return new Headers(values);
  }

  public boolean isEmpty() {
    return values.isEmpty();
  }

  /** The names alone. */
  @Override
  public String toString() {
    return "headers " + values.keySet();
  }

  /** Adds the headers to every call, and blots them out in what comes back. */
  ClientInterceptor interceptor() {
    return new ClientInterceptor() {
      @Override
      public <Q, A> ClientCall<Q, A> interceptCall(
          MethodDescriptor<Q, A> method, CallOptions options, Channel next) {
        return new SimpleForwardingClientCall<>(next.newCall(method, options)) {
          @Override
          public void start(Listener<A> listener, Metadata headers) {
            values.forEach(
                (name, value) ->
                    headers.put(Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER), value));
            super.start(blotting(listener), headers);
          }
        };
      }
    };
  }

  private <A> ClientCall.Listener<A> blotting(ClientCall.Listener<A> listener) {
    return new SimpleForwardingClientCallListener<>(listener) {
      @Override
      public void onClose(Status status, Metadata trailers) {
        boolean told = status.getDescription() != null && !values.isEmpty();
        super.onClose(
            told ? status.withDescription(blotted(status.getDescription())) : status, trailers);
      }
    };
  }

  /** A text without the values, nor the words of them: {@code Bearer} may be left out. */
  String blotted(String text) {
    String blotted = text;
    for (String value : values.values()) {
      for (String secret : List.of(value, value.substring(value.lastIndexOf(' ') + 1))) {
        if (secret.length() >= SHORTEST_SECRET) {
          blotted = blotted.replace(secret, "***");
        }
      }
    }
    return blotted;
  }
}
