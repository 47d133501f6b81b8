package io.harmonica.triton;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpc.Server;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.harmonica.HarmonicaException;
import io.harmonica.repository.proto.ModelConfig;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Java's proxy settings between a client and servers; this Java's own, so one test at a time. */
class ProxiesTest {
  private static final String SERVER = "triton.invalid:8001"; // RFC 2606: a name that no DNS knows
  private static final ServerOptions PATIENT = new ServerOptions(Duration.ofSeconds(20));

  @AfterEach
  void forget() {
    for (String name : new String[] {"https.proxyHost", "https.proxyPort", "http.nonProxyHosts"}) {
      System.clearProperty(name);
    }
  }

  private static String proxy(int port) {
    System.setProperty("https.proxyHost", "127.0.0.1");
    System.setProperty("https.proxyPort", Integer.toString(port));
    return "Triton server " + SERVER + " through the proxy 127.0.0.1:" + port + ", ";
  }

  @Test
  void proxyThatTunnels_leadsToServersThatOnlyItKnows() throws Exception {
    Server server =
        NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
            .addService(
                new StubServer() {
                  @Override
                  ModelConfig config(String model) {
                    return ModelConfig.newBuilder().setName(model).build();
                  }
                })
            .build()
            .start();
    try (ConnectProxy proxy = ConnectProxy.to("127.0.0.1:" + server.getPort())) {
      proxy(proxy.port());
      try (TritonRuntime runtime = TritonRuntime.connect(SERVER, PATIENT)) {
        assertThat(runtime.config("m").getName()).isEqualTo("m");
      }
      try (Fleet fleet = Fleet.connect(SERVER, PATIENT)) {
        assertThat(fleet.servers()).containsOnlyKeys(SERVER);
      }
      assertThat(proxy.asked()).containsOnly("CONNECT triton.invalid:8001 HTTP/1.1");
    } finally {
      server.shutdownNow();
    }
  }

  @Test
  void proxyThatForbids_isNamed_withTheWayAroundIt() throws Exception {
    try (ConnectProxy proxy = ConnectProxy.forbidding()) {
      String start = proxy(proxy.port());
      assertThatThrownBy(() -> TritonRuntime.connect(SERVER, PATIENT))
          .isInstanceOf(HarmonicaException.class)
          .hasMessageStartingWith(start + "which Java's settings name, ")
          .hasMessageContainingAll("403", "add triton.invalid to -Dhttp.nonProxyHosts");
      assertThat(proxy.asked()).isNotEmpty();
    }
  }

  @Test
  void proxyThatIsAway_isNamed() throws Exception {
    int port;
    try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = free.getLocalPort();
    }
    String start = proxy(port);
    assertThatThrownBy(() -> TritonRuntime.connect(SERVER, PATIENT))
        .hasMessageStartingWith(start)
        .hasMessageContaining("cannot be reached (connection refused)");
  }

  @Test
  void serverThatTheSettingsExcept_isReachedStraight() throws Exception {
    proxy(1);
    System.setProperty("http.nonProxyHosts", "triton.invalid");
    assertThatThrownBy(() -> TritonRuntime.connect(SERVER, PATIENT))
        .hasMessage(
            "Triton server %s cannot be reached (unknown host): correct the address", SERVER);
    assertThat(Proxies.to(Address.parse("10.1.2.3:8001"))).contains("127.0.0.1:1");
    assertThat(Proxies.to(Address.parse("[2001:db8::1]:8001"))).contains("127.0.0.1:1");
    System.clearProperty("http.nonProxyHosts");
    assertThat(Proxies.to(Address.parse("127.0.0.1:8001"))).isEmpty(); // Java's own exception
  }
}
