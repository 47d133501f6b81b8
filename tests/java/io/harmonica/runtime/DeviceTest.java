package io.harmonica.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.harmonica.HarmonicaException;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class DeviceTest {
  @Test
  void parse_takesNameAndOptions_withCommasOrSemicolons() {
    Device device = new Device("openvino", Map.of("precision", "f32"));
    assertThat(Device.parse("openvino,precision=f32")).isEqualTo(device);
    assertThat(Device.parse(" openvino ; precision = f32")).isEqualTo(device);
    assertThat(Device.parse("cpu")).isEqualTo(Device.CPU);
    assertThat(device.file()).isEmpty();
  }

  @Test
  void parse_leavesCommasInBraces() {
    String json = "{\"CPU\":{\"A\":\"1\",\"B\":\"2\"}}";
    assertThat(Device.parse("openvino,load_config=" + json + ",fallback=cpu").options())
        .isEqualTo(Map.of("load_config", json, "fallback", "cpu"));
  }

  @Test
  void parse_takesAPath() {
    Device device = Device.parse("/opt/x/libplugin.so,key=a=b");
    assertThat(device.file()).contains(Path.of("/opt/x/libplugin.so"));
    assertThat(device.options()).isEqualTo(Map.of("key", "a=b"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"cpu", "openvino,precision=f32,threads=1", "/a/libb.so,k=v", "libb.so"})
  void toString_isWhatParseReads(String text) {
    assertThat(Device.parse(text)).hasToString(text);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          openvio                | device 'openvio' is unknown, expected cpu, openvino, tensorrt-rtx or a plugin's file such as /opt/libplugin.so
          ''                     | device '' is unknown, expected cpu, openvino, tensorrt-rtx or a plugin's file such as /opt/libplugin.so
          openvino,fast          | device 'openvino,fast': 'fast' is no key=value pair, expected NAME[,KEY=VALUE...]
          openvino,=1            | device 'openvino,=1': '=1' is no key=value pair, expected NAME[,KEY=VALUE...]
          openvino,a=1,a=2       | device 'openvino,a=1,a=2' states a twice, expected once
          cpu,threads=1          | device cpu takes no options, found threads: its threads are those of `threads`
          """)
  void parse_ofWhatIsNone_saysWhatIs(String text, String message) {
    assertThatThrownBy(() -> Device.parse(text))
        .isInstanceOf(HarmonicaException.class)
        .hasMessage(message);
  }
}
