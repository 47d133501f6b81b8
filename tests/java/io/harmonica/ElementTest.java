package io.harmonica;

import static org.assertj.core.api.Assertions.assertThat;

import ai.onnxruntime.OnnxJavaType;
import io.harmonica.repository.proto.DataType;
import java.util.Arrays;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ElementTest {
  @Test
  void constants_areTritonsDataTypes() {
    assertThat(Arrays.stream(Element.values()).map(type -> "TYPE_" + type))
        .containsExactlyElementsOf(
            Arrays.stream(DataType.values())
                .filter(type -> type != DataType.UNRECOGNIZED)
                .map(DataType::name)
                .toList());
  }

  @Test
  void bytes_areThoseOfOnnxRuntime() {
    Map.of(
            Element.BOOL, OnnxJavaType.BOOL,
            Element.UINT8, OnnxJavaType.UINT8,
            Element.INT8, OnnxJavaType.INT8,
            Element.INT16, OnnxJavaType.INT16,
            Element.INT32, OnnxJavaType.INT32,
            Element.INT64, OnnxJavaType.INT64,
            Element.FP16, OnnxJavaType.FLOAT16,
            Element.FP32, OnnxJavaType.FLOAT,
            Element.FP64, OnnxJavaType.DOUBLE,
            Element.BF16, OnnxJavaType.BFLOAT16)
        .forEach((type, there) -> assertThat(type.bytes(3)).isEqualTo(3L * there.size));
  }

  @Test
  void of_anUnknownName_isInvalid() {
    assertThat(Element.of("FP32")).isEqualTo(Element.FP32);
    assertThat(Element.of("FP8")).isEqualTo(Element.INVALID);
  }
}
