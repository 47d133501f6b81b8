package io.harmonica.generate;

import io.harmonica.router.Schedule.Output;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.IntFunction;
import java.util.function.IntUnaryOperator;

/**
 * Which calls to run again to have lost branch outputs back, exactly as they were.
 *
 * <p>An output that branch b gave at step s depends on the sample x_s, the step's timestep and
 * conditions, and on what step s itself reused. Running the current step in full instead of reusing
 * the lost output would compute b from another hidden state and another timestep, and end in
 * another picture; and so would running step s with every branch computed, where its route reused
 * some. So step s runs again along its own route, from x_s, which the trajectory keeps for as long
 * as any output of s may be asked for, and with the same reused outputs: those that are still
 * there, and for the others the steps that computed them, in turn. That ends, as step 0 reuses
 * nothing. Where the step computes everything, as with every step that the policies store from,
 * this is that one step in full. The sampler takes no part: every x_s is known, and its history
 * untouched.
 *
 * <p>A stretch of several steps in one request runs again as a whole, for the same reason: of the
 * samples in it only the first is known here.
 *
 * @param first the step with which the call begins that takes a step
 * @param reads what the call that begins with a step reuses
 */
record Replay(IntUnaryOperator first, IntFunction<Set<Output>> reads) {

  /** The calls to run again, in order, by their first steps. */
  List<Integer> calls(Set<Output> lost, Set<Output> there) {
    Set<Integer> calls = new TreeSet<>();
    lost.forEach(output -> collect(output, there, calls));
    return List.copyOf(calls);
  }

  /** The calls whose samples must be kept while some outputs are live: all may be lost at once. */
  Set<Integer> keeps(Set<Output> live) {
    return new HashSet<>(calls(live, Set.of()));
  }

  private void collect(Output lost, Set<Output> there, Set<Integer> calls) {
    int call = first.applyAsInt(lost.step());
    if (!calls.add(call)) {
      return;
    }
    for (Output read : reads.apply(call)) {
      if (!there.contains(read)) {
        collect(read, there, calls);
      }
    }
  }

  /** Takes out of a map what no live output may need. */
  void forget(Map<Integer, float[]> samples, Set<Output> live) {
    samples.keySet().retainAll(keeps(live));
  }
}
