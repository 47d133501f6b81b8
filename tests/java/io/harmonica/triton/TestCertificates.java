package io.harmonica.triton;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A certificate authority for tests, by openssl: PEM files in a folder. */
public record TestCertificates(Path folder) {

  /** Makes the authority. */
  public static TestCertificates in(Path folder) throws IOException, InterruptedException {
    Files.createDirectories(folder);
    TestCertificates made = new TestCertificates(folder);
    made.openssl(
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-subj",
        "/CN=Test CA",
        "-days",
        "30",
        "-keyout",
        made.text("ca.key"),
        "-out",
        made.text("ca.crt"));
    return made;
  }

  /** The authority's certificate. */
  public Path ca() {
    return folder.resolve("ca.crt");
  }

  public Path certificate(String name) {
    return folder.resolve(name + ".crt");
  }

  public Path key(String name) {
    return folder.resolve(name + ".key");
  }

  /** Makes {@code NAME.crt} and {@code NAME.key}, for localhost and 127.0.0.1. */
  public TestCertificates sign(String name) throws IOException, InterruptedException {
    return sign(name, "subjectAltName=DNS:localhost,IP:127.0.0.1", "20");
  }

  /** The same, which ended yesterday. */
  public TestCertificates signExpired(String name) throws IOException, InterruptedException {
    return sign(name, "subjectAltName=DNS:localhost,IP:127.0.0.1", "-1");
  }

  /** The same for another host. */
  public TestCertificates signForAnother(String name) throws IOException, InterruptedException {
    return sign(name, "subjectAltName=DNS:triton.example", "20");
  }

  private TestCertificates sign(String name, String extension, String days)
      throws IOException, InterruptedException {
    Path extensions = Files.writeString(folder.resolve(name + ".ext"), extension);
    openssl(
        "req",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-subj",
        "/CN=" + name,
        "-keyout",
        text(name + ".key"),
        "-out",
        text(name + ".csr"));
    openssl(
        "x509",
        "-req",
        "-in",
        text(name + ".csr"),
        "-CA",
        text("ca.crt"),
        "-CAkey",
        text("ca.key"),
        "-CAcreateserial",
        "-days",
        days,
        "-extfile",
        extensions.toString(),
        "-out",
        text(name + ".crt"));
    return this;
  }

  private String text(String file) {
    return folder.resolve(file).toString();
  }

  private void openssl(String... words) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of("openssl"));
    command.addAll(List.of(words));
    Path log = folder.resolve("openssl.log");
    int exit =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(log.toFile())
            .start()
            .waitFor();
    if (exit != 0) {
      throw new IllegalStateException(String.join(" ", command) + ": " + Files.readString(log));
    }
  }
}
