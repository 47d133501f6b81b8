package io.harmonica.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.harmonica.runtime.Device;
import io.harmonica.sampler.Spacing;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SettingTest {
  private static final Map<String, String> COMMON =
      Map.of("model-repository", "/models", "model", "m", "steps", "20");

  private static Setting setting(String text) {
    return Setting.of(Setting.fields(text, "--b"), COMMON, "--b");
  }

  @Test
  void of_takesAWordAsARouter_andTheRestFromAll() {
    Setting setting = setting("fora-2");
    assertThat(setting.style().router()).isEqualTo("fora-2");
    assertThat(setting.style().steps()).hasValue(20);
    assertThat(setting.place()).isEqualTo("/models");
    assertThat(setting.served()).isFalse();
    assertThat(setting.model()).isEqualTo("m");
    assertThat(setting.name()).isEmpty();
    assertThat(setting("none").style().router()).isEqualTo("none");
  }

  @Test
  void of_takesAWordBeforePairs_asTheRouter() {
    assertThat(setting("none,steps=10")).isEqualTo(setting("router=none,steps=10"));
    assertThat(setting(" fora-2 , guidance=1")).isEqualTo(setting("guidance=1,router=fora-2"));
  }

  @Test
  void of_takesEveryField() {
    Setting setting =
        setting(
            "name=mine, router=r, steps=14,sampler=ddim,spacing=openai-ddim,guidance=4.5,batch=8,steps-per-request=7,"
                + "guidance-channels=3,true-cfg=2,model=other,triton=host:8001");
    assertThat(setting.name()).isEqualTo("mine");
    assertThat(setting.style().router()).isEqualTo("r");
    assertThat(setting.style().steps()).hasValue(14);
    assertThat(setting.style().spacing()).hasValue(Spacing.OPENAI_DDIM);
    assertThat(setting.style().guidance()).hasValue(4.5);
    assertThat(setting.style().guidanceChannels()).hasValue(3);
    assertThat(setting.style().trueCfg()).hasValue(2);
    assertThat(setting.batch()).hasValue(8);
    assertThat(setting.stepsPerRequest()).hasValue(7);
    assertThat(setting.model()).isEqualTo("other");
    assertThat(setting.served()).isTrue();
    assertThat(setting.place()).isEqualTo("host:8001"); // and not all the others' repository
    assertThat(Setting.of(setting.fields(), Map.of(), "").withName("mine")).isEqualTo(setting);
  }

  @Test
  void device_isOfThisProcess_andHasSemicolonsInAVariant() {
    Setting setting = setting("none,device=openvino;precision=f32;threads=1,steps=3");
    assertThat(setting.device()).isEqualTo(Device.parse("openvino,precision=f32,threads=1"));
    assertThat(setting.style().steps()).hasValue(3);
    assertThat(setting.fields()).containsEntry("device", "openvino;precision=f32;threads=1");
    assertThat(Setting.of(setting.fields(), Map.of(), "")).isEqualTo(setting);
    assertThat(setting("none").device()).isEqualTo(Device.CPU);
    Map<String, String> common =
        Map.of("model-repository", "/models", "model", "m", "device", "openvino");
    assertThat(Setting.of(Map.of(), common, "--a").device()).isEqualTo(Device.parse("openvino"));
    Map<String, String> served = Map.of("triton", "host:8001");
    assertThat(Setting.of(served, common, "--b").device()).isEqualTo(Device.CPU);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          stpes=14                         | --b: unknown field 'stpes', known: name, router, steps, sampler
          steps=0                          | --b: steps is '0', expected a whole number in 1..1000
          steps=many                       | --b: steps is 'many', expected a whole number in 1..1000
          batch=-1                         | --b: batch is '-1', expected a whole number in 1..65536
          steps-per-request=0              | --b: steps-per-request is '0', expected a whole number in 1..1000
          guidance=NaN                     | --b: guidance is 'NaN', expected a number in 0..1000
          true-cfg=-1                      | --b: true-cfg is '-1', expected a number in 0..1000
          steps=14,fora-2                  | --b: 'fora-2' is no key=value pair; a router's name alone comes first
          none,fora-2,steps=14             | --b: 'fora-2' is no key=value pair; a router's name alone comes first
          none,router=fora-2               | --b: states 'router' twice
          ,steps=14                        | --b: router is empty
          steps=14,steps=15                | --b: states 'steps' twice
          router=                          | --b: router is empty
          triton=a:1,model-repository=/m   | --b: state one of model-repository and triton
          """)
  void of_refusesWhatCannotBe(String text, String said) {
    assertThatThrownBy(() -> setting(text))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith(said);
  }

  @Test
  void of_asksForAModelAndAPlace() {
    assertThatThrownBy(() -> Setting.of(Map.of(), Map.of("model", "m"), "--a"))
        .hasMessage("--a: state one of model-repository and triton, here or for all variants");
    assertThatThrownBy(() -> Setting.of(Map.of(), Map.of("triton", "h:1"), "--a"))
        .hasMessage("--a: state its model, or `model`");
  }
}
