package io.harmonica.generate;

import io.harmonica.HarmonicaException;
import io.harmonica.model.Shows;
import io.harmonica.picture.Latents;
import io.harmonica.repository.Manifest;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;

/**
 * Waits a moment for other requests that are drawn alike, and draws them all as one trajectory: a
 * pass over several pictures costs less than a pass for each. Who waits, what it shows, from which
 * noise, and how it ends stays each request's own; one that fails is drawn again by itself, so that
 * it fails alone.
 *
 * <p>For several threads.
 */
final class Gathering {

  /** Draws a request, alone or of several. */
  interface Drawing {
    CompletableFuture<Result> draw(Request request, StepListener listener, Executor executor);
  }

  private final Manifest manifest;
  private final int most;
  private final long waitNanos;
  private final Drawing drawing;
  private final Map<Kind, Group> open = new HashMap<>(); // guarded by this

  /** What goes together. */
  private record Kind(Style style, Class<?> content, boolean negative) {}

  /** Requests that go together, once nobody joins any more. */
  private record Group(Kind kind, List<Gathered> members) {
    int pictures() {
      return members.stream().mapToInt(member -> member.request().count()).sum();
    }
  }

  /**
   * For a model.
   *
   * @param most pictures of a trajectory
   * @param waitNanos how long the first of them waits for others
   */
  Gathering(Manifest manifest, int most, long waitNanos, Drawing drawing) {
    this.manifest = manifest;
    this.most = most;
    this.waitNanos = waitNanos;
    this.drawing = drawing;
  }

  /** Whether there is room for others beside it. */
  boolean takes(Request request) {
    return request.count() < most;
  }

  /** Draws a request with others, on the executor of any of them. */
  void add(Gathered member) {
    Content content = member.request().content();
    boolean negative = content instanceof Content.Texts texts && texts.negative().isPresent();
    Kind kind = new Kind(member.request().style(), content.getClass(), negative);
    Group full = null;
    Group joined;
    synchronized (this) {
      joined = open.get(kind);
      if (joined != null && joined.pictures() + member.request().count() > most) {
        full = joined;
        joined = null;
      }
      if (joined == null) {
        Group begun = new Group(kind, new ArrayList<>());
        open.put(kind, begun);
        CompletableFuture.delayedExecutor(waitNanos, TimeUnit.NANOSECONDS)
            .execute(() -> end(begun));
        joined = begun;
      }
      joined.members().add(member);
      if (joined.pictures() < most) {
        joined = null;
      }
    }
    if (full != null) {
      begin(full);
    }
    if (joined != null) {
      end(joined);
    }
  }

  private void end(Group group) {
    boolean mine;
    synchronized (this) {
      mine = open.remove(group.kind(), group);
    }
    if (mine) {
      begin(group);
    }
  }

  /** Draws on the first executor that takes it: one may have been shut down meanwhile. */
  private void begin(Group group) {
    RejectedExecutionException fault = null;
    for (Gathered member : group.members()) {
      try {
        member.executor().execute(() -> draw(group, member.executor()));
        return;
      } catch (RejectedExecutionException e) {
        fault = e;
      }
    }
    for (Gathered member : group.members()) {
      member.fail(fault);
    }
  }

  private void draw(Group group, Executor executor) {
    List<Gathered> members = group.members().stream().filter(member -> !member.isOver()).toList();
    if (members.size() == 1) {
      alone(members.get(0), executor);
    } else if (!members.isEmpty()) {
      together(members, executor);
    }
  }

  private void alone(Gathered member, Executor executor) {
    CompletableFuture<Result> drawn = begun(member.request(), member.listener(), executor);
    member.onCancel(() -> drawn.cancel(true));
    drawn.whenComplete(
        (result, fault) -> {
          if (fault == null) {
            member.end(result);
          } else {
            member.fail(unwrapped(fault));
          }
        });
  }

  private void together(List<Gathered> members, Executor executor) {
    Request all;
    try {
      all =
          Request.of(Content.together(members.stream().map(this::content).toList()))
              .withStyle(members.get(0).request().style())
              .withLatents(Latents.of(members.stream().map(Gathered::noise).toList()));
    } catch (RuntimeException e) { // of one of them
      members.forEach(member -> alone(member, executor));
      return;
    }
    CompletableFuture<Result> drawn = begun(all, step -> tell(members, step), executor);
    for (Gathered member : members) {
      member.onCancel(
          () -> {
            if (members.stream().allMatch(Gathered::isOver)) {
              drawn.cancel(true);
            }
          });
    }
    drawn.whenComplete(
        (result, fault) -> {
          int first = 0;
          for (Gathered member : members) {
            int end = first + member.request().count();
            if (member.isOver()) {
              first = end;
              continue;
            }
            if (fault == null) {
              member.end(result, result.latents().rows(first, end));
            } else if (isOfOne(unwrapped(fault))) {
              alone(member, executor);
            } else {
              member.fail(unwrapped(fault));
            }
            first = end;
          }
        });
  }

  private CompletableFuture<Result> begun(
      Request request, StepListener listener, Executor executor) {
    try {
      return drawing.draw(request, listener, executor);
    } catch (RuntimeException e) { // no thread for it
      return CompletableFuture.failedFuture(e);
    }
  }

  /** Whether a fault is one picture's, as numbers that overflow are, and not the server's. */
  private static boolean isOfOne(Throwable fault) {
    return fault instanceof HarmonicaException known
        && known.kind() == HarmonicaException.Kind.MODEL;
  }

  /** Texts as the model takes them, so that they fit together. */
  private Content content(Gathered member) {
    Content content = member.request().content();
    if (content instanceof Content.Texts texts && manifest.shows() instanceof Shows.Text takes) {
      Optional<Embeddings> negative = texts.negative().map(some -> some.as(takes));
      return new Content.Texts(texts.positive().as(takes), negative);
    }
    return content;
  }

  /** Tells each of its own pictures; goes on while anybody does. */
  private boolean tell(List<Gathered> members, StepListener.Step step) {
    int size = manifest.channels() * manifest.height() * manifest.width();
    int drawn = step.latents().capacity() / size;
    int first = 0; // picture of all members
    boolean goesOn = false;
    for (Gathered member : members) {
      int end = first + member.request().count();
      int from = Math.max(first, step.firstPicture());
      int to = Math.min(end, step.firstPicture() + drawn);
      if (from < to && !member.isOver()) {
        int row = from - step.firstPicture();
        member.tell(
            new StepListener.Step(
                from - first,
                step.step(),
                step.steps(),
                step.timestep(),
                step.latents().slice(row * size, (to - from) * size).asReadOnlyBuffer(),
                rows(step.prediction(), row, to - from, drawn)));
      }
      goesOn |= !member.isOver();
      first = end;
    }
    return goesOn;
  }

  /** Those of some pictures, of both halves where guidance doubles them. */
  private FloatBuffer rows(FloatBuffer prediction, int from, int count, int pictures) {
    int size = manifest.outputChannels() * manifest.height() * manifest.width();
    int halves = prediction.capacity() / (pictures * size);
    FloatBuffer rows = FloatBuffer.allocate(halves * count * size);
    for (int half = 0; half < halves; half++) {
      rows.put(prediction.slice((half * pictures + from) * size, count * size));
    }
    return rows.flip().asReadOnlyBuffer();
  }

  private static Throwable unwrapped(Throwable fault) {
    return fault instanceof CompletionException && fault.getCause() != null
        ? fault.getCause()
        : fault;
  }
}
