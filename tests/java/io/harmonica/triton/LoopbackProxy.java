package io.harmonica.triton;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.Arrays;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * A TCP proxy on loopback that is as bad as a network can be: late in both directions, silent for a
 * while, or breaking connections off.
 */
public final class LoopbackProxy implements AutoCloseable {
  /** Some bytes and when they are due; none: the end. */
  private record Parcel(byte[] bytes, long dueNanos) {}

  private final ServerSocket listener;
  private final String host;
  private final int port;
  private final long delayNanos;
  private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
  private volatile long silentUntilNanos = System.nanoTime();

  private LoopbackProxy(String host, int port, Duration delay) throws IOException {
    this.host = host;
    this.port = port;
    this.delayNanos = delay.toNanos();
    this.listener = new ServerSocket(0, 16, InetAddress.getLoopbackAddress());
    start(this::accept);
  }

  /**
   * Opens a proxy. The server behind it may come and go.
   *
   * @param delay of each direction, so half of what a round trip takes longer
   */
  public static LoopbackProxy to(String address, Duration delay) throws IOException {
    Address target = Address.parse(address);
    return new LoopbackProxy(target.host(), target.port(), delay);
  }

  public String address() {
    return "127.0.0.1:" + listener.getLocalPort();
  }

  /** Passes nothing on for a while, then everything: a stall. */
  public void stall(Duration time) {
    silentUntilNanos = System.nanoTime() + time.toNanos();
  }

  /** Breaks all connections off at once (RST), as something does that forgot them. */
  public void reset() throws IOException {
    for (Socket socket : sockets) {
      breakOff(socket);
    }
  }

  private static void breakOff(Socket socket) throws IOException {
    if (!socket.isClosed()) {
      socket.setSoLinger(true, 0);
    }
    socket.close();
  }

  private static void start(Runnable work) {
    Thread thread = new Thread(work, "loopback-proxy");
    thread.setDaemon(true);
    thread.start();
  }

  private void accept() {
    try {
      while (true) {
        Socket client = listener.accept();
        try {
          join(client, new Socket(host, port));
        } catch (IOException e) {
          breakOff(client); // the server is away
        }
      }
    } catch (IOException e) {
      return; // closed
    }
  }

  private void join(Socket client, Socket server) throws IOException {
    for (Socket socket : new Socket[] {client, server}) {
      socket.setTcpNoDelay(true);
      sockets.add(socket);
    }
    pump(client, server);
    pump(server, client);
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
    sockets.remove(from);
    parcels.add(new Parcel(new byte[0], System.nanoTime() + delayNanos));
  }

  private void write(LinkedBlockingQueue<Parcel> parcels, Socket to) {
    try (OutputStream out = to.getOutputStream()) {
      while (true) {
        Parcel parcel = parcels.take();
        for (long wait = wait(parcel); wait > 0; wait = wait(parcel)) {
          TimeUnit.NANOSECONDS.sleep(wait);
        }
        if (parcel.bytes().length == 0) {
          return;
        }
        out.write(parcel.bytes());
      }
    } catch (IOException e) {
      return; // gone
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private long wait(Parcel parcel) {
    long now = System.nanoTime();
    return Math.max(parcel.dueNanos() - now, silentUntilNanos - now);
  }

  @Override
  public void close() throws IOException {
    listener.close();
    for (Socket socket : sockets) {
      socket.close();
    }
  }
}
