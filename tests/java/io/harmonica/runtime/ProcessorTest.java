package io.harmonica.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ProcessorTest {
  @ParameterizedTest
  @CsvSource({
    "amd64, flags : fpu sse4_2 avx2 avx512f avx512_vnni amx_int8, true",
    "x86_64, flags : fpu avx2 avx_vnni, true",
    "amd64, flags : fpu sse4_2 avx2 avx512f avx512bw, false",
    "amd64, flags : not_avx_vnni, false",
    "amd64, '', false", // another system, which lists nothing
    "aarch64, Features : fp asimd asimddp, true"
  })
  void multipliesBytes_onX64WithVnniOnly(String architecture, String flags, boolean expected) {
    assertThat(Processor.multipliesBytes(architecture, flags)).isEqualTo(expected);
  }

  /** As wrong products would only show in the pictures. */
  @Test
  void description_saysWhereProductsOf8BitsAreTheSlowOnes() {
    assertThat(Backend.cpu().description().contains("8 bits"))
        .isEqualTo(!Processor.multipliesBytes());
  }
}
