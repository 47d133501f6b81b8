package io.harmonica.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.harmonica.Element;
import io.harmonica.HarmonicaException;
import io.harmonica.Timesteps;
import io.harmonica.repository.proto.DataType;
import io.harmonica.repository.proto.ModelConfig;
import io.harmonica.repository.proto.ModelInput;
import io.harmonica.runtime.EmbeddedRuntime;
import io.harmonica.runtime.Tensor;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class TimestepInputTest {
  private static final Timesteps DECIMAL = new Timesteps(List.of(1000.0, 937.5, 750.0));

  private static ModelConfig taking(DataType type) {
    ModelInput input = ModelInput.newBuilder().setName("timestep").setDataType(type).build();
    return ModelConfig.newBuilder().setName("flow").addInput(input).build();
  }

  @Test
  void decimals_goToAModelThatTakesThem_eachInItsRows() {
    try (EmbeddedRuntime runtime =
            EmbeddedRuntime.open(Path.of("tests/repositories/format-1/repository"));
        Tensor tensor =
            TimestepInput.of(runtime, taking(DataType.TYPE_FP32), DECIMAL).tensor(1, 2, 2)) {
      assertThat(tensor.type()).isEqualTo(Element.FP32);
      assertThat(tensor.shape()).containsExactly(4, 1);
      float[] values = new float[4];
      tensor.floats().get(values);
      assertThat(values).containsExactly(937.5f, 937.5f, 750, 750);
    }
  }

  @Test
  void decimals_areRefused_byAModelThatTakesWholeNumbers() {
    try (EmbeddedRuntime runtime =
        EmbeddedRuntime.open(Path.of("tests/repositories/format-1/repository"))) {
      ModelConfig whole = taking(DataType.TYPE_INT64);
      assertThatThrownBy(() -> TimestepInput.of(runtime, whole, DECIMAL))
          .isInstanceOf(HarmonicaException.class)
          .hasMessage(
              "model flow takes whole timesteps, not [1000, 937.5, 750]: use a sampler or router"
                  + " that was made for it");
      try (Tensor tensor =
          TimestepInput.of(runtime, whole, Timesteps.of(List.of(7, 0))).tensor(0, 1, 2)) {
        assertThat(tensor.type()).isEqualTo(Element.INT64);
      }
    }
  }
}
