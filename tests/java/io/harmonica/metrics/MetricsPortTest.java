package io.harmonica.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.harmonica.HarmonicaException;
import io.harmonica.runtime.Traffic;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MetricsPortTest {
  private static HttpResponse<String> get(String url) throws IOException, InterruptedException {
    return HttpClient.newHttpClient()
        .send(
            HttpRequest.newBuilder(URI.create(url)).build(), HttpResponse.BodyHandlers.ofString());
  }

  @Test
  void port_showsWhatWasCounted_inPrometheusForm() throws Exception {
    try (MetricsPort port = MetricsPort.open("0")) {
      assertThat(port.url()).matches("http://(localhost|127\\.0\\.0\\.1):[1-9]\\d*/metrics");
      Metrics metrics = port.metrics();
      metrics.pictures("dit", "fast", Metrics.Outcome.DONE, 3);
      metrics.pictures("dit", "fast", Metrics.Outcome.DONE, 2);
      metrics.pictures("dit", "fast", Metrics.Outcome.CANCELLED, 1);
      metrics.step("dit", "fast", 2, 6, 4, 1000, 250);
      metrics.latency("dit", Metrics.Part.STEP, 3_000_000);
      metrics.traffic("dit", new Traffic(10, 20, 30, 1, 2));
      HttpResponse<String> answer = get(port.url());
      assertThat(answer.headers().firstValue("Content-Type").orElseThrow())
          .startsWith("text/plain; version=0.0.4");
      assertThat(answer.body().lines())
          .contains(
              "# TYPE harmonica_pictures_total counter",
              "harmonica_pictures_total{model=\"dit\",outcome=\"done\",router=\"fast\"} 5.0",
              "harmonica_pictures_total{model=\"dit\",outcome=\"cancelled\",router=\"fast\"} 1.0",
              "harmonica_steps_total{model=\"dit\",router=\"fast\"} 2.0",
              "harmonica_branches_total{how=\"computed\",model=\"dit\",router=\"fast\"} 6.0",
              "harmonica_branches_total{how=\"reused\",model=\"dit\",router=\"fast\"} 4.0",
              "harmonica_flops_total{how=\"saved\",model=\"dit\",router=\"fast\"} 250.0",
              "harmonica_latency_seconds_count{model=\"dit\",part=\"step\"} 1",
              "harmonica_latency_seconds_bucket{model=\"dit\",part=\"step\",le=\"0.002\"} 0",
              "harmonica_latency_seconds_bucket{model=\"dit\",part=\"step\",le=\"0.005\"} 1",
              "harmonica_bytes_total{model=\"dit\",path=\"wire.sent\"} 10.0",
              "harmonica_bytes_total{model=\"dit\",path=\"wire.received\"} 20.0",
              "harmonica_bytes_total{model=\"dit\",path=\"shared_memory\"} 30.0",
              "harmonica_retries_total{model=\"dit\"} 1.0",
              "harmonica_failovers_total{model=\"dit\"} 2.0");
      assertThat(get(port.url() + "/other").statusCode()).isEqualTo(404);
    }
  }

  @Test
  void port_thatIsTaken_isNamedInOneLine() throws Exception {
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      String port = Integer.toString(taken.getLocalPort());
      assertThatThrownBy(() -> MetricsPort.open(port))
          .isInstanceOf(HarmonicaException.class)
          .hasMessageStartingWith("cannot listen for metrics on " + port)
          .hasMessageContaining("`metricsPort`");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "http", "65536", "localhost:", "-1", "9400/metrics"})
  void portThatIsNone_isRefused(String place) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> MetricsPort.open(place))
        .withMessage("`metricsPort` '%s' is not PORT or HOST:PORT: give one such as 9400", place);
  }
}
