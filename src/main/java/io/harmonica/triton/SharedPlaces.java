package io.harmonica.triton;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.harmonica.HarmonicaException;
import io.harmonica.runtime.Plan;
import io.harmonica.triton.proto.SystemSharedMemoryRegisterRequest;
import io.harmonica.triton.proto.SystemSharedMemoryStatusRequest;
import io.harmonica.triton.proto.SystemSharedMemoryUnregisterRequest;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Finds out whether a server shares memory with this process, and gives trajectories theirs. */
final class SharedPlaces implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(SharedPlaces.class);
  private static final int UNREGISTER_SECONDS = 2;

  /** What a server answers that does not find a region of ours, or knows of no regions at all. */
  private static final Set<Status.Code> REFUSALS =
      EnumSet.of(
          Status.Code.INVALID_ARGUMENT,
          Status.Code.INTERNAL,
          Status.Code.NOT_FOUND,
          Status.Code.PERMISSION_DENIED,
          Status.Code.UNKNOWN,
          Status.Code.UNIMPLEMENTED);

  private final TritonRuntime runtime;
  private final SharedMemory wanted;
  private final TritonFaults faults;
  private final Regions regions = new Regions(Region.FOLDER, new Registrations());
  private volatile boolean found;
  private volatile boolean refused;
  private volatile boolean warned;

  SharedPlaces(TritonRuntime runtime, SharedMemory wanted, TritonFaults faults) {
    this.runtime = runtime;
    this.wanted = wanted;
    this.faults = faults;
  }

  /** A place for a trajectory; empty where its tensors are to travel. */
  Optional<SharedSession> of(Supplier<Plan> plan) {
    if (wanted == SharedMemory.OFF || refused) {
      return Optional.empty();
    }
    Layout layout = Layout.of(plan.get());
    if (layout.sizeBytes() == 0) {
      return Optional.empty();
    }
    try {
      Region region = regions.acquire(layout.sizeBytes());
      if (!found) {
        found = true;
        sweepServer();
      }
      return Optional.of(new SharedSession(runtime, layout, regions, region));
    } catch (StatusRuntimeException e) {
      if (TritonFaults.isBroken(e) || !REFUSALS.contains(e.getStatus().getCode())) {
        throw faults.ofCall(e, "");
      }
      if (wanted == SharedMemory.ON) {
        throw faults.noSharedMemory(e);
      }
      refused = true; // another host, another user, or a server without: not worth a word
      LOG.atDebug().addKeyValue("server", e.getStatus()).log("tensors travel over the wire");
    } catch (HarmonicaException e) { // memory is short, for now
      if (wanted == SharedMemory.ON) {
        throw e;
      }
      if (!warned) {
        warned = true;
        LOG.warn("{}; until there is room, tensors travel over the wire", e.getMessage());
      }
    }
    return Optional.empty();
  }

  /** Whether trajectories get places; the server is asked the first time. */
  boolean areThere() {
    Plan some = new Plan(List.of(new Plan.Item("any", Layout.ALIGNMENT, 0, 0)));
    return !refused && (found || of(() -> some).map(SharedPlaces::given).orElse(false));
  }

  private static boolean given(SharedSession session) {
    session.close();
    return true;
  }

  /** The server went away, and what was registered there with it. */
  void forget() {
    regions.forget();
  }

  private void sweepServer() {
    try {
      regions.sweepServer();
    } catch (StatusRuntimeException e) {
      LOG.debug("cannot list the server's regions: {}", e.getMessage()); // others' litter stays
    }
  }

  private final class Registrations implements Regions.Server {
    @Override
    public void register(Region region) {
      runtime
          .stub()
          .systemSharedMemoryRegister(
              SystemSharedMemoryRegisterRequest.newBuilder()
                  .setName(region.name())
                  .setKey("/" + region.name())
                  .setByteSize(region.sizeBytes())
                  .build());
    }

    @Override
    public void unregister(String name) {
      runtime
          .stub()
          .withDeadlineAfter(UNREGISTER_SECONDS, TimeUnit.SECONDS)
          .systemSharedMemoryUnregister(
              SystemSharedMemoryUnregisterRequest.newBuilder().setName(name).build());
    }

    @Override
    public Set<String> registered() {
      return runtime
          .stub()
          .systemSharedMemoryStatus(SystemSharedMemoryStatusRequest.getDefaultInstance())
          .getRegionsMap()
          .keySet();
    }
  }

  @Override
  public void close() {
    regions.close();
  }
}
