package io.harmonica.runtime;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.harmonica.HarmonicaException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The regions that one server has been shown: each trajectory has one for itself, and hands it on
 * to a later one.
 *
 * <p>All are unregistered and deleted by {@link #close}, or else when the process ends in good
 * order (Ctrl-C does); after a crash by the next client's first.
 */
final class Regions implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Regions.class);
  private static final int UNREGISTER_TRIES = 40;
  private static final int UNREGISTER_PAUSE_MILLIS = 50;

  /** What a server offers for regions; every method throws what gRPC throws. */
  interface Server {
    void register(Region region);

    void unregister(String name);

    /** Names of all that it has, whoever's they are. */
    Set<String> registered();
  }

  private final Path folder;
  private final Server server;
  private final List<Region> idle = new ArrayList<>();
  private final Set<Region> busy = new LinkedHashSet<>();
  private final Set<String> unwanted = new LinkedHashSet<>(); // deleted, but still registered
  private Thread onExit;
  private boolean closed;

  Regions(Path folder, Server server) {
    this.folder = folder;
    this.server = server;
  }

  /**
   * A region for one trajectory.
   *
   * @throws StatusRuntimeException if the server cannot have it
   * @throws HarmonicaException if memory is short
   */
  synchronized Region acquire(long sizeBytes) {
    if (closed) {
      throw new IllegalStateException("runtime is closed");
    }
    begin();
    for (Iterator<Region> regions = idle.iterator(); regions.hasNext(); ) {
      Region region = regions.next();
      if (region.sizeBytes() >= sizeBytes) {
        regions.remove();
        busy.add(region);
        return region;
      }
    }
    idle.forEach(this::retire); // all too small
    idle.clear();
    unregisterUnwanted();
    Region region = Region.create(folder, sizeBytes);
    try {
      server.register(region);
    } catch (RuntimeException e) {
      region.close();
      throw e;
    }
    busy.add(region);
    return region;
  }

  /** Once, before the first region: what crashed clients left goes. */
  private void begin() {
    if (onExit == null) {
      unwanted.addAll(Region.sweep(folder));
      onExit = new Thread(this::end, "harmonica-regions");
      java.lang.Runtime.getRuntime().addShutdownHook(onExit);
    }
  }

  /**
   * Forgets on the server the regions of clients that are gone. Only when a region of ours was
   * registered: then its {@code /dev/shm} is ours, and what has no file there has no owner.
   */
  synchronized void sweepServer() {
    for (String name : server.registered()) {
      if (name.startsWith(Region.PREFIX) && !Files.exists(folder.resolve(name))) {
        unwanted.add(name);
      }
    }
    unregisterUnwanted();
  }

  /**
   * Takes a region back.
   *
   * @param reusable false where the server may still write to it
   */
  synchronized void release(Region region, boolean reusable) {
    if (!busy.remove(region)) {
      return; // closed meanwhile
    }
    if (reusable) {
      idle.add(region);
    } else {
      retire(region);
      unregisterUnwanted();
    }
  }

  private void retire(Region region) {
    unwanted.add(region.name());
    region.close();
  }

  /** What the server still uses stays for the next time: it says so right after big answers. */
  private void unregisterUnwanted() {
    unwanted.removeIf(
        name -> {
          try {
            server.unregister(name);
            return true;
          } catch (StatusRuntimeException e) {
            if (e.getStatus().getCode() == Status.Code.UNAVAILABLE) {
              return true; // the server is gone, and its registrations with it
            }
            LOG.atDebug()
                .addKeyValue("region", name)
                .log("not unregistered yet: {}", e.getMessage());
            return false;
          }
        });
  }

  @Override
  public void close() {
    end();
    synchronized (this) {
      if (onExit != null) {
        try {
          java.lang.Runtime.getRuntime().removeShutdownHook(onExit);
        } catch (IllegalStateException e) {
          return; // the process ends: its hook does the same
        }
      }
    }
  }

  private synchronized void end() {
    closed = true;
    idle.forEach(this::retire);
    busy.forEach(this::retire);
    idle.clear();
    busy.clear();
    for (int i = 0; i < UNREGISTER_TRIES; i++) {
      unregisterUnwanted();
      if (unwanted.isEmpty()) {
        return;
      }
      try {
        wait(UNREGISTER_PAUSE_MILLIS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      }
    }
    LOG.atWarn()
        .addKeyValue("regions", unwanted.size())
        .log("shared memory is still registered at the server, until a client of ours comes again");
  }
}
