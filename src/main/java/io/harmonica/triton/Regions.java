package io.harmonica.triton;

import io.grpc.StatusRuntimeException;
import io.harmonica.HarmonicaException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
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
  private final Set<Region> forgotten = new HashSet<>(); // busy ones, not to be handed on
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
  Region acquire(long sizeBytes) {
    Optional<Region> idleOne = takeIdle(sizeBytes);
    if (idleOne.isPresent()) {
      return idleOne.get();
    }
    Region region = Region.create(folder, sizeBytes); // without the lock, as the server may be slow
    try {
      server.register(region);
      occupy(region);
    } catch (RuntimeException e) {
      region.close();
      throw e;
    }
    return region;
  }

  private synchronized Optional<Region> takeIdle(long sizeBytes) {
    requireOpen();
    begin();
    Optional<Region> found =
        idle.stream().filter(region -> region.sizeBytes() >= sizeBytes).findFirst();
    if (found.isPresent()) {
      idle.remove(found.get());
      busy.add(found.get());
      return found;
    }
    idle.forEach(this::retire); // all too small
    idle.clear();
    unregisterUnwanted();
    return found;
  }

  private synchronized void occupy(Region region) {
    requireOpen();
    busy.add(region);
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("runtime is closed");
    }
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
    if (reusable && !forgotten.remove(region)) {
      idle.add(region);
    } else {
      forgotten.remove(region);
      retire(region); // the server is told later: it may be silent now
    }
  }

  /** No region of now is handed on: the server went away, and may not know them any more. */
  synchronized void forget() {
    idle.forEach(this::retire);
    idle.clear();
    forgotten.addAll(busy);
  }

  private void retire(Region region) {
    unwanted.add(region.name());
    region.close();
  }

  /**
   * What the server still uses stays for the next time: it says so right after big answers.
   *
   * @return false where it does not answer at all
   */
  private boolean unregisterUnwanted() {
    for (String name : List.copyOf(unwanted)) {
      try {
        server.unregister(name);
        unwanted.remove(name);
      } catch (StatusRuntimeException e) {
        switch (e.getStatus().getCode()) {
          case UNAVAILABLE -> unwanted.remove(name); // it is gone, and its registrations with it
          case DEADLINE_EXCEEDED -> {
            return false;
          }
          default ->
              LOG.atDebug()
                  .addKeyValue("region", name)
                  .log("not unregistered yet: {}", e.getMessage());
        }
      }
    }
    return true;
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
      boolean answers = unregisterUnwanted();
      if (unwanted.isEmpty()) {
        return;
      }
      if (!answers) {
        break;
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
