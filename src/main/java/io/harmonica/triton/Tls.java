package io.harmonica.triton;

import io.grpc.netty.shaded.io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.shaded.io.netty.handler.ssl.SslContext;
import io.grpc.netty.shaded.io.netty.handler.ssl.SslContextBuilder;
import io.harmonica.AtomicFile;
import io.harmonica.HarmonicaException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import javax.net.ssl.SSLException;

/**
 * How to encrypt a connection, and who must prove what to whom. All files are PEM.
 *
 * @param ca certificates to trust; empty: those that Java trusts
 * @param certificate our own with its chain, for servers that ask for one (mutual TLS)
 * @param key the certificate's, unencrypted PKCS#8
 */
public record Tls(Optional<Path> ca, Optional<Path> certificate, Optional<Path> key) {
  public static final Tls DEFAULT = new Tls(Optional.empty(), Optional.empty(), Optional.empty());

  public Tls {
    if (certificate.isPresent() != key.isPresent()) {
      throw new IllegalArgumentException(
          "%s without %s: our own certificate and its key go together"
              .formatted(
                  certificate.isPresent() ? "--tls-cert" : "--tls-key",
                  certificate.isPresent() ? "--tls-key" : "--tls-cert"));
    }
  }

  /** Reads the files. */
  SslContext context() {
    SslContextBuilder context = GrpcSslContexts.forClient();
    if (ca.isPresent()) {
      byte[] trusted = bytes("--tls-ca", ca.get());
      usable(
          () -> context.trustManager(new ByteArrayInputStream(trusted)),
          "--tls-ca %s holds no certificate in PEM".formatted(ca.get()));
    }
    if (certificate.isPresent()) {
      byte[] own = bytes("--tls-cert", certificate.get());
      byte[] secret = bytes("--tls-key", key.orElseThrow());
      usable(
          () -> context.keyManager(new ByteArrayInputStream(own), new ByteArrayInputStream(secret)),
          "--tls-cert %s and --tls-key %s are no certificate and its unencrypted PKCS#8 key in PEM"
              .formatted(certificate.get(), key.get()));
    }
    try {
      return context.build();
    } catch (SSLException e) {
      throw new HarmonicaException("TLS cannot be set up: " + e.getMessage(), e);
    }
  }

  private static void usable(Runnable use, String otherwise) {
    try {
      use.run();
    } catch (IllegalArgumentException e) {
      // Without the cause: it may quote what it could not read, and that may be a key.
      throw new HarmonicaException(otherwise + ": give other files");
    }
  }

  private static byte[] bytes(String option, Path file) {
    try {
      return Files.readAllBytes(file);
    } catch (IOException e) {
      throw new HarmonicaException(
          "cannot read %s %s: %s".formatted(option, file, AtomicFile.reason(e)), e);
    }
  }
}
