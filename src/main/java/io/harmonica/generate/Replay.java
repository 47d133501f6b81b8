package io.harmonica.generate;

import io.harmonica.router.Schedule;
import io.harmonica.router.Schedule.Output;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * Which steps to run again to have lost branch outputs back, exactly as they were.
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
 */
record Replay(Schedule schedule) {

  /** The steps to run again, in order. */
  List<Integer> steps(Set<Output> lost, Set<Output> there) {
    Set<Integer> steps = new TreeSet<>();
    lost.forEach(output -> collect(output.step(), there, steps));
    return List.copyOf(steps);
  }

  /** The steps whose samples must be kept while some outputs are live: all may be lost at once. */
  Set<Integer> keeps(Set<Output> live) {
    return new HashSet<>(steps(live, Set.of()));
  }

  private void collect(int step, Set<Output> there, Set<Integer> steps) {
    if (!steps.add(step)) {
      return;
    }
    for (Output read : reads(step)) {
      if (!there.contains(read)) {
        collect(read.step(), there, steps);
      }
    }
  }

  /** What a step reuses. */
  Set<Output> reads(int step) {
    Set<Output> reads = new HashSet<>();
    List<List<Integer>> perBranch = schedule.steps().get(step).reads();
    for (int b = 0; b < perBranch.size(); b++) {
      for (int from : perBranch.get(b)) {
        reads.add(new Output(b, from));
      }
    }
    return reads;
  }

  /** Takes out of a map what no live output may need. */
  void forget(Map<Integer, float[]> samples, Set<Output> live) {
    samples.keySet().retainAll(keeps(live));
  }
}
