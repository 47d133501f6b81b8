package io.harmonica.triton;

import io.harmonica.HarmonicaException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A server's {@code HOST:PORT}; an IPv6 host stands in brackets.
 *
 * @param name of the host as it was given; its certificate is for that
 */
record Address(String host, int port, String name) {
  private static final Pattern FORM =
      Pattern.compile("(?:\\[([0-9a-fA-F:.%]+)]|([^\\[\\]:/,\\s]+)):(\\d{1,5})");

  Address(String host, int port) {
    this(host, port, host);
  }

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

  /** The servers of a list {@code a:8001,b:8001}, those behind one name of DNS each for itself. */
  static List<Address> all(String list) {
    Set<Address> servers = new LinkedHashSet<>();
    for (String text : list.split(",", -1)) {
      servers.addAll(parse(text.strip()).each());
    }
    return List.copyOf(servers);
  }

  /**
   * This server, or where its name has several addresses, the server at each of them: a headless
   * Service of Kubernetes names all of its pods so. A host's IPv4 and IPv6 addresses are no two
   * servers, nor is this host's loopback.
   */
  private List<Address> each() {
    InetAddress[] found = lookUp();
    List<InetAddress> alike =
        Arrays.stream(found).filter(one -> one.getClass() == found[0].getClass()).toList();
    if (alike.size() <= 1 || found[0].isLoopbackAddress()) {
      return List.of(this);
    }
    return alike.stream().map(one -> new Address(one.getHostAddress(), port, name)).toList();
  }

  /**
   * This address, once its host name is known to resolve, here or at the proxy; gRPC would log a
   * stack trace first.
   */
  Address resolved() {
    lookUp();
    return this;
  }

  /** What the name leads to; nothing where only a proxy can tell. */
  private InetAddress[] lookUp() {
    try {
      return InetAddress.getAllByName(host);
    } catch (UnknownHostException e) {
      if (Proxies.to(this).isPresent()) {
        return new InetAddress[0];
      }
      throw new HarmonicaException(
          "Triton server %s cannot be reached (unknown host): correct the address".formatted(this),
          e);
    }
  }

  /** The name with the port, as TLS and HTTP/2 want it. */
  String authority() {
    return (name.contains(":") ? "[" + name + "]" : name) + ":" + port;
  }

  @Override
  public String toString() {
    return (host.contains(":") ? "[" + host + "]" : host) + ":" + port;
  }
}
