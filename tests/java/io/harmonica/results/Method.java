package io.harmonica.results;

import io.harmonica.router.Policy;
import io.harmonica.router.TargetSpeedup;
import java.util.function.Function;

/** What the results compare, in the order of the page's rows. */
enum Method {
  SDT_LEARNED("sdt-learned", "SDT+IEPO, learned weights", "--objective sdt --reuse learned"),
  SDT_LINEAR("sdt-linear", "SDT+IEPO, linear forecast", "--objective sdt --reuse linear"),
  SDT_LAST("sdt-last", "SDT+IEPO, plain reuse", "--objective sdt --reuse last"),
  SDT_NO_IEPO(
      "sdt-no-iepo", "SDT without IEPO, plain reuse", "--objective sdt --no-iepo --reuse last"),
  LTC("ltc", "Learning-to-Cache, plain reuse", "--objective ltc --reuse last"),
  TAYLOR_2("taylor-2", "Taylor, second order", target -> target.taylor(2)),
  TAYLOR_1("taylor-1", "Taylor, first order", target -> target.taylor(1)),
  FORA("fora", "FORA", TargetSpeedup::fora),
  DELTA_DIT("delta-dit", "Δ-DiT", TargetSpeedup::deltaDit),
  RANDOM("random", "random", target -> target.random(0)),
  FEWER_STEPS("fewer-steps", "fewer steps", null, null);

  /** What files call it. */
  final String id;

  /** What the page calls it. */
  final String title;

  /** The options of {@code bin/harmonica train}; null where nothing is trained. */
  final String training;

  private final Function<TargetSpeedup, Policy> policy;

  Method(String id, String title, String training) {
    this(id, title, training, null);
  }

  Method(String id, String title, Function<TargetSpeedup, Policy> policy) {
    this(id, title, null, policy);
  }

  Method(String id, String title, String training, Function<TargetSpeedup, Policy> policy) {
    this.id = id;
    this.title = title;
    this.training = training;
    this.policy = policy;
  }

  boolean isTrained() {
    return training != null;
  }

  /** The policy of a method that is one. */
  Policy policy(TargetSpeedup target) {
    return policy.apply(target);
  }
}
