package io.harmonica.triton;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.harmonica.HarmonicaException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Keys in every form that openssl writes, with certificates that it made of them. */
class PemKeyTest {
  private static final String SELF_SIGNED =
      "req -x509 -days 2 -subj /CN=us -key own.key -out own.crt";

  @TempDir Path folder;

  /** Lines of openssl, in the folder. */
  private void openssl(String... lines) throws Exception {
    for (String line : lines) {
      Process process =
          new ProcessBuilder("bash", "-c", "openssl " + line)
              .directory(folder.toFile())
              .redirectErrorStream(true)
              .start();
      String said = new String(process.getInputStream().readAllBytes());
      assertThat(process.waitFor()).as(line + ": " + said).isZero();
    }
  }

  private Tls tls(String key) {
    return new Tls(
        Optional.empty(), Optional.of(folder.resolve("own.crt")), Optional.of(folder.resolve(key)));
  }

  /** What is in the file's first block, and how openssl makes it of {@code own.key}. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          BEGIN PRIVATE KEY     | genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out own.key | pkey -in own.key -out form.key
          BEGIN RSA PRIVATE KEY | genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out own.key | rsa -traditional -in own.key -out form.key
          BEGIN PRIVATE KEY     | genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out own.key | pkey -in own.key -out form.key
          BEGIN EC PRIVATE KEY  | genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out own.key | ec -in own.key -out form.key
          BEGIN EC PRIVATE KEY  | genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-521 -out own.key | ec -no_public -in own.key -out form.key
          BEGIN EC PARAMETERS   | ecparam -genkey -name prime256v1 -out own.key | ecparam -genkey -name prime256v1 -out unused; cp own.key form.key
          """)
  void everyForm_isRead(String begins, String made, String formed) throws Exception {
    openssl(made, SELF_SIGNED, formed);
    assertThat(Files.readString(folder.resolve("form.key"))).startsWith("-----" + begins);
    assertThatCode(() -> tls("form.key").context()).doesNotThrowAnyException();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "pkcs8 -topk8 -v2 aes256 -passout pass:s3cr3t -in own.key -out form.key",
        "rsa -traditional -aes256 -passout pass:s3cr3t -in own.key -out form.key"
      })
  void encryptedKey_isRefused_andTheLineThatWeGiveMendsIt(String formed) throws Exception {
    openssl("genpkey -algorithm RSA -out own.key", SELF_SIGNED, formed);
    String remedy =
        "openssl pkcs8 -topk8 -nocrypt -in %s -out KEY.pem".formatted(folder.resolve("form.key"));
    assertThatThrownBy(() -> tls("form.key").context())
        .isInstanceOf(HarmonicaException.class)
        .hasMessageStartingWith("`tlsKey` " + folder.resolve("form.key") + " is encrypted")
        .hasMessageContaining("`" + remedy + "`");
    openssl(remedy.replaceFirst("openssl ", "") + " -passin pass:s3cr3t");
    assertThatCode(() -> tls("KEY.pem").context()).doesNotThrowAnyException();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "genpkey -algorithm RSA -out other.key", // of the same kind
        "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out other.key"
      })
  void keyOfAnotherCertificate_isToldBeforeConnecting(String other) throws Exception {
    openssl("genpkey -algorithm RSA -out own.key", SELF_SIGNED, other);
    assertThatThrownBy(
            () -> Connection.PLAIN.withTls(tls("other.key")).open(Address.parse("127.0.0.1:1")))
        .isInstanceOf(HarmonicaException.class)
        .hasMessageStartingWith("`tlsKey` " + folder.resolve("other.key") + " is not the key of")
        .hasMessageContainingAll("`tlsCert` " + folder.resolve("own.crt"), "(CN=us)");
  }

  @Test
  void otherKinds_areRefused_withoutAWordOfThem() throws Exception {
    openssl(
        "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out own.key",
        SELF_SIGNED,
        "genpkey -algorithm ED25519 -out ed.key");
    assertThatThrownBy(() -> tls("ed.key").context())
        .hasMessageContainingAll("is no key that can be read here (PRIVATE KEY)", "RSA or EC")
        .hasNoCause();
    assertThatThrownBy(() -> tls("own.crt").context())
        .hasMessageContaining("holds no private key in PEM, found [CERTIFICATE]");
    String half =
        Files.readString(folder.resolve("own.key")).replaceAll("\\R[A-Za-z0-9+/=]{9,63}\\R", "\n");
    Files.writeString(folder.resolve("half.key"), half);
    assertThatThrownBy(() -> tls("half.key").context())
        .hasMessageContaining("is no key that can be read here")
        .hasNoCause();
  }

  @Test
  void chain_comesWithCommentsBetween() throws Exception {
    TestCertificates.in(folder).sign("own");
    openssl("x509 -text -in own.crt -out text.crt");
    String own = "Bag Attributes\r\n  a-b: 1\r\n" + Files.readString(folder.resolve("text.crt"));
    String authority = Files.readString(folder.resolve("ca.crt"));
    Files.writeString(folder.resolve("own.crt"), own + authority);
    assertThatCode(() -> tls("own.key").context()).doesNotThrowAnyException();
    Files.writeString(folder.resolve("own.crt"), authority + own);
    assertThatThrownBy(() -> tls("own.key").context())
        .hasMessageContaining("is not the key of the first certificate");
  }
}
