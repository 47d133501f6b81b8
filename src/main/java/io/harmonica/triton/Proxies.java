package io.harmonica.triton;

import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.List;
import java.util.Optional;

/** Finds the proxy that Java's settings put between this process and a server: gRPC heeds them. */
final class Proxies {
  private Proxies() {}

  /** The proxy's {@code HOST:PORT}, chosen as gRPC's {@code ProxyDetectorImpl} chooses it. */
  static Optional<String> to(Address server) {
    ProxySelector selector = ProxySelector.getDefault();
    if (selector == null) {
      return Optional.empty();
    }
    List<Proxy> found;
    try {
      found =
          selector.select(new URI("https", null, server.host(), server.port(), null, null, null));
    } catch (URISyntaxException | IllegalArgumentException e) {
      return Optional.empty(); // gRPC goes straight then, too
    }
    return found.stream()
        .findFirst()
        .filter(proxy -> proxy.type() != Proxy.Type.DIRECT)
        .map(Proxy::address)
        .filter(InetSocketAddress.class::isInstance)
        .map(InetSocketAddress.class::cast)
        .map(address -> address.getHostString() + ":" + address.getPort());
  }
}
