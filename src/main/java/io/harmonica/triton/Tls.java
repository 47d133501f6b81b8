package io.harmonica.triton;

import io.grpc.netty.shaded.io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.shaded.io.netty.handler.ssl.SslContext;
import io.grpc.netty.shaded.io.netty.handler.ssl.SslContextBuilder;
import io.harmonica.AtomicFile;
import io.harmonica.HarmonicaException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.PrivateKey;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import javax.net.ssl.SSLException;

/**
 * How to encrypt a connection, and who must prove what to whom. All files are PEM.
 *
 * @param ca certificates to trust; empty: those that Java trusts
 * @param certificate our own with its chain, for servers that ask for one (mutual TLS)
 * @param key the certificate's, RSA or EC, without a passphrase: PKCS#8, PKCS#1 or SEC1
 */
public record Tls(Optional<Path> ca, Optional<Path> certificate, Optional<Path> key) {
  public static final Tls DEFAULT = new Tls(Optional.empty(), Optional.empty(), Optional.empty());

  public Tls {
    if (certificate.isPresent() != key.isPresent()) {
      throw new IllegalArgumentException(
          "%s without %s: our own certificate and its key go together"
              .formatted(
                  certificate.isPresent() ? "`tlsCert`" : "`tlsKey`",
                  certificate.isPresent() ? "`tlsKey`" : "`tlsCert`"));
    }
  }

  /** Reads the files. */
  SslContext context() {
    SslContextBuilder context = GrpcSslContexts.forClient();
    ca.ifPresent(file -> context.trustManager(certificates("`tlsCa`", file)));
    certificate.ifPresent(file -> present(context, file, key.orElseThrow()));
    try {
      return context.build();
    } catch (SSLException e) {
      throw new HarmonicaException("TLS cannot be set up: " + reason(e), e);
    }
  }

  /** The innermost cause, as of certificates that are no chain. */
  private static String reason(Throwable fault) {
    return fault.getCause() == null ? fault.getMessage() : reason(fault.getCause());
  }

  /** Has the connection show our certificate, once the key is known to be the certificate's. */
  private static void present(SslContextBuilder context, Path file, Path keyFile) {
    X509Certificate[] chain = certificates("`tlsCert`", file);
    String source = "`tlsKey` " + keyFile;
    PrivateKey own = PemKey.of(blocks("`tlsKey`", keyFile), source, keyFile.toString());
    if (!PemKey.fits(own, chain[0].getPublicKey())) {
      throw new HarmonicaException(
          "%s is not the key of the first certificate in `tlsCert` %s (%s): give the key that it was made with; the certificates of its CAs come after it"
              .formatted(source, file, chain[0].getSubjectX500Principal()));
    }
    context.keyManager(own, chain);
  }

  private static X509Certificate[] certificates(String option, Path file) {
    List<X509Certificate> found = new ArrayList<>();
    for (Pem block : blocks(option, file)) {
      if (block.label().endsWith("CERTIFICATE")) {
        try {
          found.add(
              (X509Certificate)
                  CertificateFactory.getInstance("X.509")
                      .generateCertificate(new ByteArrayInputStream(block.der())));
        } catch (CertificateException e) {
          throw new HarmonicaException(
              "%s %s holds a damaged certificate: give another file".formatted(option, file), e);
        }
      }
    }
    if (found.isEmpty()) {
      throw new HarmonicaException(
          "%s %s holds no certificate in PEM: give another file".formatted(option, file));
    }
    return found.toArray(X509Certificate[]::new);
  }

  private static List<Pem> blocks(String option, Path file) {
    return Pem.blocks(new String(bytes(option, file), StandardCharsets.ISO_8859_1));
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
