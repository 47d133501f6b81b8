package io.harmonica.triton;

import java.security.cert.CertPathBuilderException;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertificateException;
import java.security.cert.CertificateExpiredException;
import java.security.cert.CertificateNotYetValidException;
import java.util.Locale;
import javax.net.ssl.SSLException;

/** Words for a TLS connection that does not come about: what is wrong with whose certificate. */
final class TlsFaults {
  private TlsFaults() {}

  static boolean isOne(Throwable fault) {
    return find(fault, SSLException.class) != null;
  }

  static String words(Throwable fault) {
    CertificateExpiredException expired = find(fault, CertificateExpiredException.class);
    if (expired != null) {
      return "has an expired certificate (%s): renew it".formatted(expired.getMessage());
    }
    CertificateNotYetValidException early = find(fault, CertificateNotYetValidException.class);
    if (early != null) {
      return "has a certificate that is not valid yet (%s): set the clocks, or renew it"
          .formatted(early.getMessage());
    }
    if (find(fault, CertPathBuilderException.class) != null
        || find(fault, CertPathValidatorException.class) != null) {
      return "has a certificate of a CA that is not trusted here: name the CA's certificate by `tlsCa`";
    }
    CertificateException other = find(fault, CertificateException.class);
    if (other != null) {
      return "has a certificate that is not for it (%s): give the name that it was made for"
          .formatted(other.getMessage());
    }
    String said = String.valueOf(find(fault, SSLException.class).getMessage());
    String alert = said.toUpperCase(Locale.ROOT).replace(' ', '_');
    if (alert.contains("NOT_AN_SSL")) {
      return "does not speak TLS: leave out `tls` and its options, or give its TLS port";
    }
    if (alert.contains("CERTIFICATE") || alert.contains("UNKNOWN_CA")) {
      return "does not accept our certificate (%s): give one that its CA signed by `tlsCert` and `tlsKey`"
          .formatted(said);
    }
    return "does not agree on TLS (%s): see its log".formatted(said);
  }

  private static <T extends Throwable> T find(Throwable fault, Class<T> type) {
    for (Throwable cause = fault; cause != null; cause = cause.getCause()) {
      if (type.isInstance(cause)) {
        return type.cast(cause);
      }
    }
    return null;
  }
}
