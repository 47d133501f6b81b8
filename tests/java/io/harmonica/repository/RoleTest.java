package io.harmonica.repository;

import static org.assertj.core.api.Assertions.assertThat;

import io.harmonica.repository.proto.ModelConfig;
import io.harmonica.repository.proto.ModelParameter;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RoleTest {

  /** A configuration of before roles: it says whose it is only. */
  private static ModelConfig old(String model, String name) {
    ModelParameter owner = ModelParameter.newBuilder().setStringValue(model).build();
    return ModelConfig.newBuilder().setName(name).putParameters(Manifest.PART_OF, owner).build();
  }

  @ParameterizedTest
  @CsvSource({
    "BLOCK, 00-04, c1cccccccc, ''",
    "STEP, '', c1cc, ''",
    "CALL, '', '', taylor-2",
    "TEXT, '', '', ''",
    "HEAD, '', '', ''",
  })
  void of_readsWhatParametersState_whateverTheName(
      Role.Kind kind, String blocks, String variant, String router) {
    Role role = new Role(kind, blocks, variant, router);
    ModelConfig config =
        old("dit", "dit-embed").toBuilder().putAllParameters(role.parameters("a-b")).build();
    assertThat(Role.of(config)).contains(role);
    assertThat(Role.owner(config)).contains("a-b");
    assertThat(Role.isPart(config, "a-b")).isTrue();
    assertThat(Role.isPart(config, "a")).isFalse();
  }

  /** Names as commit c587cf0 wrote them. */
  @ParameterizedTest
  @CsvSource({
    "dit, CALL, '', '', none",
    "dit-embed, EMBED, '', '', ''",
    "dit-condition, CONDITION, '', '', ''",
    "dit-head, HEAD, '', '', ''",
    "dit-ddim, SAMPLER, '', '', ''", // before it made other steps than DDIM's
    "dit-decoder, DECODER, '', '', ''",
    "dit-text-encoder, TEXT, '', '', ''",
    "dit-text-encoder-03, TEXT, '', '', ''",
    "dit-block03-c1, BLOCK, 03, c1, ''",
    "dit-block00-04-c123cccccc, BLOCK, 00-04, c123cccccc, ''",
    "dit-step-c11c, STEP, '', c11c, ''",
    "dit-taylor-2-route00, CALL, '', '', taylor-2",
    "dit-taylor-2-stretch12, CALL, '', '', taylor-2",
    "dit-none-stretch00, CALL, '', '', none",
    "dit-step-fast-route03, CALL, '', '', step-fast", // routers that are called as engines are
    "dit-block03-cc-route01, CALL, '', '', block03-cc",
    "dit-embed-route01, CALL, '', '', embed",
  })
  void of_readsTheName_whereNothingIsStated(
      String name, Role.Kind kind, String blocks, String variant, String router) {
    assertThat(Role.of(old("dit", name))).contains(new Role(kind, blocks, variant, router));
  }

  @Test
  void of_isEmpty_forModelsOfOthers() {
    ModelConfig foreign = ModelConfig.newBuilder().setName("dit-block03-c1").build();
    assertThat(Role.of(foreign)).isEmpty();
    assertThat(Role.owner(foreign)).isEmpty();
    assertThat(Role.of(old("dit", "resnet"))).isEmpty();
    assertThat(Role.of(old("dit", "dit-later-kind"))).isEmpty();
    ModelParameter later = ModelParameter.newBuilder().setStringValue("router-engine").build();
    ModelConfig.Builder config = old("dit", "dit-head").toBuilder();
    assertThat(Role.of(config.putParameters("harmonica_role", later).build())).isEmpty();
  }

  @Test
  void names_areMadeFromRoles() {
    assertThat(Names.engine("dit", Role.block("03", "cc").withVariant("c1")))
        .isEqualTo("dit-block03-c1");
    assertThat(Names.engine("dit", Role.of(Role.Kind.CONDITION))).isEqualTo("dit-condition");
    assertThat(Names.engine("dit", Role.condition("03"))).isEqualTo("dit-condition-03");
    assertThat(SamplerForm.LINEAR.engine("dit")).isEqualTo("dit-sampler");
    assertThat(SamplerForm.DDIM.engine("dit")).isEqualTo("dit-ddim");
  }
}
