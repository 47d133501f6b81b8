package io.harmonica.triton;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** An HTTP proxy on loopback that tunnels to one address, whatever it is asked for, or to none. */
final class ConnectProxy implements AutoCloseable {
  private final ServerSocket listener;
  private final String target;
  private final List<String> asked = new CopyOnWriteArrayList<>();

  private ConnectProxy(String target) throws IOException {
    this.listener = new ServerSocket(0, 16, InetAddress.getLoopbackAddress());
    this.target = target;
    start(this::accept);
  }

  static ConnectProxy to(String address) throws IOException {
    return new ConnectProxy(address);
  }

  /** As a company's does for hosts that it does not know. */
  static ConnectProxy forbidding() throws IOException {
    return new ConnectProxy("");
  }

  int port() {
    return listener.getLocalPort();
  }

  /** The first lines of what clients sent. */
  List<String> asked() {
    return asked;
  }

  private void accept() throws IOException {
    while (true) {
      Socket client = listener.accept();
      start(() -> serve(client));
    }
  }

  private void serve(Socket client) throws IOException {
    asked.add(head(client.getInputStream()).lines().findFirst().orElse(""));
    if (target.isEmpty()) {
      answer(client, "403 Forbidden");
      client.close();
      return;
    }
    Address to = Address.parse(target);
    Socket server = new Socket(to.host(), to.port());
    answer(client, "200 Connection established");
    start(() -> client.getInputStream().transferTo(server.getOutputStream()));
    server.getInputStream().transferTo(client.getOutputStream());
  }

  /** Up to the empty line: what follows belongs to the tunnel. */
  private static String head(InputStream in) throws IOException {
    StringBuilder head = new StringBuilder();
    for (int b = in.read(); b >= 0 && head.indexOf("\r\n\r\n") < 0; b = in.read()) {
      head.append((char) b);
      if (head.indexOf("\r\n\r\n") >= 0) {
        break;
      }
    }
    return head.toString();
  }

  private static void answer(Socket client, String status) throws IOException {
    String text = "HTTP/1.1 " + status + "\r\n\r\n";
    client.getOutputStream().write(text.getBytes(StandardCharsets.ISO_8859_1));
  }

  private interface Work {
    void run() throws IOException;
  }

  private static void start(Work work) {
    Thread thread =
        new Thread(
            () -> {
              try {
                work.run();
              } catch (IOException e) {
                // the connection or this proxy was closed
              }
            });
    thread.setDaemon(true);
    thread.start();
  }

  @Override
  public void close() throws IOException {
    listener.close();
  }
}
