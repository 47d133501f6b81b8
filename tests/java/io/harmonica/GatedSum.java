package io.harmonica;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.harmonica.origin.Model;
import io.harmonica.repository.Names;
import io.harmonica.repository.Role;
import io.harmonica.router.Reuse;
import io.harmonica.router.Router;
import io.harmonica.router.Run;
import io.harmonica.runtime.Runtime;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** A run over all blocks of the small DiT against what its branches add, each times its gate. */
public final class GatedSum {
  private static final String NAME = "sum";
  private static final int BATCH = 2;
  private static final int TOKENS = 16;
  private static final int WIDTH = 32;
  private static final int GATE_ATTENTION = 2; // rows of a block's modulation
  private static final int GATE_MLP = 5;

  private GatedSum() {}

  /** Step 0 computes all; step 1 reuses the branches, each alone, step 2 the run. */
  public static Router router(Model model) {
    List<String> branches = model.denoiser().branchNames();
    double[][] scores = new double[3][branches.size() + 1];
    java.util.Arrays.fill(scores[0], 1);
    scores[1][branches.size()] = 1;
    return new Router(
        NAME,
        model.denoiser().architecture(),
        "ddim",
        3,
        Timesteps.of(List.of(666, 333, 0)),
        0.5,
        branches,
        List.of(new Run(0, branches.size() - 1)),
        scores,
        Reuse.LAST,
        JsonNodeFactory.instance.objectNode());
  }

  /** Runs step 0 of that router, and compares. */
  public static void check(Runtime runtime, String model, List<String> branches) {
    float[] noise = new float[BATCH * 4 * 8 * 8];
    Random random = new Random(1);
    for (int i = 0; i < noise.length; i++) {
      noise[i] = (float) random.nextGaussian();
    }
    Map<String, Object> inputs =
        Map.of(
            Names.SAMPLE,
            noise,
            Names.TIMESTEP,
            new long[] {666, 666},
            Names.CLASS_LABEL,
            new long[] {3, 10});
    String condition = Names.engine(model, Role.of(Role.Kind.CONDITION));
    Map<String, float[]> modulation = Inference.run(runtime, condition, BATCH, inputs);
    Map<String, float[]> outputs =
        Inference.run(runtime, Names.route(model, NAME, 0), BATCH, inputs);
    String run = branches.get(0) + "-" + branches.get(branches.size() - 1);
    float[] sum = new float[BATCH * TOKENS * WIDTH];
    for (int b = 0; b < branches.size(); b++) {
      float[] output = outputs.get(branches.get(b));
      float[] rows = modulation.get("block%02d.modulation".formatted(b / 2));
      for (int i = 0; i < sum.length; i++) {
        int row = i / (TOKENS * WIDTH) * 6 + (b % 2 == 0 ? GATE_ATTENTION : GATE_MLP);
        sum[i] += rows[row * WIDTH + i % WIDTH] * output[i];
      }
    }
    double largest = Golden.difference(sum, new float[sum.length]);
    Golden.assertClose("run", outputs.get(run), sum, 1e-5 * Math.max(1, largest));
  }
}
