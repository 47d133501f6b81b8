package io.harmonica.metrics;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.harmonica.AtomicFile;
import io.harmonica.HarmonicaException;
import io.harmonica.InvalidProperty;
import io.harmonica.Library;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;

/** Answers {@code GET /metrics} in Prometheus' text form, on a port of its own. */
public final class MetricsPort implements AutoCloseable {
  private final Shown shown = new Shown(new PrometheusMeterRegistry(PrometheusConfig.DEFAULT));
  private final HttpServer server;

  /** What is counted; apart from the port, which can thereby say that its library is missing. */
  private record Shown(PrometheusMeterRegistry registry) {
    Metrics metrics() {
      return new Metrics(registry);
    }

    byte[] text() {
      return registry.scrape().getBytes(StandardCharsets.UTF_8);
    }

    void close() {
      registry.close();
    }
  }

  private MetricsPort(InetSocketAddress address) throws IOException {
    server = HttpServer.create(address, 8);
    server.createContext("/metrics", this::answer);
    server.start();
  }

  /**
   * Opens a port.
   *
   * @param place {@code PORT}, on loopback, or {@code HOST:PORT} of an own address, such as {@code
   *     0.0.0.0:9400}; port 0 is any that is free
   */
  public static MetricsPort open(String place) {
    Library.PROMETHEUS.require();
    int colon = place.lastIndexOf(':');
    String port = place.substring(colon + 1);
    if (!port.matches("\\d{1,5}") || Integer.parseInt(port) > 65535) {
      throw new InvalidProperty(
          "metricsPort", "'%s' is not PORT or HOST:PORT: give one such as 9400".formatted(place));
    }
    try {
      InetAddress host =
          colon < 0
              ? InetAddress.getLoopbackAddress()
              : InetAddress.getByName(place.substring(0, colon));
      return new MetricsPort(new InetSocketAddress(host, Integer.parseInt(port)));
    } catch (IOException e) {
      throw new HarmonicaException(
          "cannot listen for metrics on %s: %s; choose another `metricsPort`"
              .formatted(place, AtomicFile.reason(e)),
          e);
    }
  }

  /** What this port shows. */
  public Metrics metrics() {
    return shown.metrics();
  }

  /** Where it listens. */
  public String url() {
    InetSocketAddress address = server.getAddress();
    return "http://%s:%d/metrics".formatted(address.getHostString(), address.getPort());
  }

  private void answer(HttpExchange exchange) throws IOException {
    try (exchange) {
      if (!exchange.getRequestURI().getPath().equals("/metrics")) {
        exchange.sendResponseHeaders(404, -1);
      } else if (!exchange.getRequestMethod().equals("GET")) {
        exchange.sendResponseHeaders(405, -1);
      } else {
        byte[] text = shown.text();
        exchange.getResponseHeaders().set("Content-Type", "text/plain; version=0.0.4");
        exchange.sendResponseHeaders(200, text.length);
        try (OutputStream body = exchange.getResponseBody()) {
          body.write(text);
        }
      }
    }
  }

  @Override
  public void close() {
    server.stop(0);
    shown.close();
  }
}
