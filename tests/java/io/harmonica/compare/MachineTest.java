package io.harmonica.compare;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class MachineTest {

  @Test
  void line_namesEverything() {
    Machine machine =
        new Machine("Some CPU", 2, 8L << 30, "Linux 6.1", "17.0.15", "ONNX Runtime 1.23.2");
    assertThat(machine.line())
        .isEqualTo("Some CPU, 2 cores, 8 GiB, Linux 6.1, JDK 17.0.15, ONNX Runtime 1.23.2");
  }

  @Test
  void here_findsThisMachine() {
    Machine machine = Machine.here("none");
    assertThat(machine.cpu()).isNotBlank();
    assertThat(machine.cores()).isEqualTo(Runtime.getRuntime().availableProcessors());
    assertThat(machine.memoryBytes()).isGreaterThan(Runtime.getRuntime().totalMemory());
    assertThat(machine.line()).contains(System.getProperty("os.name")).hasLineCount(1);
  }
}
