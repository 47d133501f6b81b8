package io.harmonica.triton;

import io.grpc.ManagedChannel;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * What a connection to a server is made of.
 *
 * @param tls empty: in clear
 * @param headers that go with every call
 * @param keepAlive how often to ask a silent server whether it is still there; empty: never, since
 *     Triton hangs up on clients that ask more often than its {@code
 *     --grpc-http2-min-recv-ping-interval-without-data} (5 minutes) says
 * @param maxMessageBytes the largest answer to accept
 */
public record Connection(
    Optional<Tls> tls, Headers headers, Optional<Duration> keepAlive, int maxMessageBytes) {

  /** In clear, without headers or keep-alive, answers as large as gRPC can have them. */
  public static final Connection PLAIN =
      new Connection(Optional.empty(), Headers.NONE, Optional.empty(), Integer.MAX_VALUE);

  private static final Duration KEEP_ALIVE_ANSWER = Duration.ofSeconds(20); // gRPC's own default

  public Connection {
    if (maxMessageBytes < 1) {
      throw new IllegalArgumentException(
          "largest message is %d bytes, expected more than 0".formatted(maxMessageBytes));
    }
    keepAlive.ifPresent(
        period -> {
          if (period.isNegative() || period.isZero()) {
            throw new IllegalArgumentException(
                "keep-alive is " + period + ", expected more than 0");
          }
        });
  }

  public Connection withTls(Tls other) {
    return new Connection(Optional.of(other), headers, keepAlive, maxMessageBytes);
  }

  public Connection withHeaders(Headers other) {
    return new Connection(tls, other, keepAlive, maxMessageBytes);
  }

  public Connection withKeepAlive(Duration period) {
    return new Connection(tls, headers, Optional.of(period), maxMessageBytes);
  }

  public Connection withMaxMessageBytes(int bytes) {
    return new Connection(tls, headers, keepAlive, bytes);
  }

  /** Opens a channel; it connects at the first call. */
  ManagedChannel open(Address address) {
    NettyChannelBuilder channel =
        NettyChannelBuilder.forAddress(address.host(), address.port())
            .maxInboundMessageSize(maxMessageBytes);
    if (tls.isPresent()) {
      // A certificate is for the name, not for the address that the name led to.
      channel.sslContext(tls.get().context()).overrideAuthority(address.authority());
    } else {
      channel.usePlaintext();
    }
    if (!headers.isEmpty()) {
      channel.intercept(headers.interceptor());
    }
    keepAlive.ifPresent(
        period ->
            channel
                .keepAliveTime(period.toNanos(), TimeUnit.NANOSECONDS)
                .keepAliveTimeout(KEEP_ALIVE_ANSWER.toNanos(), TimeUnit.NANOSECONDS));
    return channel.build();
  }
}
