package io.harmonica.runtime;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.Arrays;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** A TCP proxy on loopback that delivers bytes later, in both directions, as a far network does. */
public final class DelayProxy implements AutoCloseable {
  /** Some bytes and when they are due; none: the end. */
  private record Parcel(byte[] bytes, long dueNanos) {}

  private final ServerSocket listener;
  private final String host;
  private final int port;
  private final long delayNanos;
  private final Queue<Socket> sockets = new ConcurrentLinkedQueue<>();

  private DelayProxy(String host, int port, Duration delay) throws IOException {
    this.host = host;
    this.port = port;
    this.delayNanos = delay.toNanos();
    this.listener = new ServerSocket(0, 16, InetAddress.getLoopbackAddress());
    start(this::accept);
  }

  /**
   * Opens a proxy.
   *
   * @param delay of each direction, so half of what a round trip takes longer
   */
  public static DelayProxy to(String address, Duration delay) throws IOException {
    Address target = Address.parse(address);
    return new DelayProxy(target.host(), target.port(), delay);
  }

  public String address() {
    return "127.0.0.1:" + listener.getLocalPort();
  }

  private static void start(Runnable work) {
    Thread thread = new Thread(work, "delay-proxy");
    thread.setDaemon(true);
    thread.start();
  }

  private void accept() {
    try {
      while (true) {
        Socket client = listener.accept();
        Socket server = new Socket(host, port);
        for (Socket socket : new Socket[] {client, server}) {
          socket.setTcpNoDelay(true);
          sockets.add(socket);
        }
        pump(client, server);
        pump(server, client);
      }
    } catch (IOException e) {
      return; // closed
    }
  }

  private void pump(Socket from, Socket to) {
    LinkedBlockingQueue<Parcel> parcels = new LinkedBlockingQueue<>();
    start(() -> read(from, parcels));
    start(() -> write(parcels, to));
  }

  private void read(Socket from, LinkedBlockingQueue<Parcel> parcels) {
    byte[] buffer = new byte[1 << 16];
    try (InputStream in = from.getInputStream()) {
      for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
        parcels.add(new Parcel(Arrays.copyOf(buffer, n), System.nanoTime() + delayNanos));
      }
    } catch (IOException e) {
      // the connection is gone: so it shall be on the other side
    }
    parcels.add(new Parcel(new byte[0], System.nanoTime() + delayNanos));
  }

  private static void write(LinkedBlockingQueue<Parcel> parcels, Socket to) {
    try (OutputStream out = to.getOutputStream()) {
      while (true) {
        Parcel parcel = parcels.take();
        if (parcel.bytes().length == 0) {
          return;
        }
        TimeUnit.NANOSECONDS.sleep(parcel.dueNanos() - System.nanoTime());
        out.write(parcel.bytes());
      }
    } catch (IOException e) {
      return; // gone
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void close() throws IOException {
    listener.close();
    for (Socket socket : sockets) {
      socket.close();
    }
  }
}
