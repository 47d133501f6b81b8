package io.harmonica.compare;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ReportTableTest {

  @Test
  void of_alignsColumns() {
    String table =
        ReportTable.of(
            Reports.of(Reports.reference(), Reports.entry("taylor-3", 0.6667, 2.82, 2.75, 33.08)));
    assertThat(table)
        .isEqualTo(
            """
            variant      CUR  theory  speedup        (95 %)  realised  p50 ms  PSNR dB   SSIM
            none       0.0 %    1.00     1.00  0.97 .. 1.02   100.0 %   800.0     same  0.950
            taylor-3  66.7 %    2.82     2.75  2.72 .. 2.77    97.5 %   290.9     33.1  0.950
            """);
  }

  @Test
  void of_staysWithinAHundredColumns() {
    String name = "a-router-with-a-name-that-goes-on";
    assertThat(
            ReportTable.of(
                    Reports.of(Reports.reference(), Reports.entry(name, 0.99, 12.34, 10.21, 100.1)))
                .lines())
        .allSatisfy(line -> assertThat(line).hasSizeLessThanOrEqualTo(100))
        .anySatisfy(line -> assertThat(line).startsWith("a-router-with-a-na.. "));
  }
}
