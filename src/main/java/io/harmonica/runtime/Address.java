package io.harmonica.runtime;

import io.harmonica.HarmonicaException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A server's {@code HOST:PORT}; an IPv6 host stands in brackets. */
record Address(String host, int port) {
  private static final Pattern FORM =
      Pattern.compile("(?:\\[([0-9a-fA-F:.%]+)]|([^\\[\\]:/\\s]+)):(\\d{1,5})");

  static Address parse(String text) {
    Matcher form = FORM.matcher(text);
    int port = form.matches() ? Integer.parseInt(form.group(3)) : 0;
    if (port < 1 || port > 65535) {
      throw new HarmonicaException(
          "Triton address '%s' is not HOST:PORT: give the server's gRPC port, such as localhost:8001"
              .formatted(text));
    }
    return new Address(form.group(1) != null ? form.group(1) : form.group(2), port);
  }

  /** This address, once its host name is known to resolve; gRPC would log a stack trace first. */
  Address resolved() {
    try {
      InetAddress.getByName(host);
      return this;
    } catch (UnknownHostException e) {
      throw new HarmonicaException(
          "Triton server %s cannot be reached (unknown host): correct the address".formatted(this),
          e);
    }
  }

  @Override
  public String toString() {
    return (host.contains(":") ? "[" + host + "]" : host) + ":" + port;
  }
}
