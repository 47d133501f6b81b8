package io.harmonica.results;

import io.harmonica.router.Policy;
import io.harmonica.router.TargetSpeedup;
import java.util.function.Function;

/** What the results compare, in the order of the page's rows. */
enum Method {
  SDT_LEARNED("sdt-learned", "SDT+IEPO, learned weights", "--objective sdt --reuse learned"),
  SDT_LEARNED_EXCHANGE(SDT_LEARNED),
  SDT_LINEAR("sdt-linear", "SDT+IEPO, linear forecast", "--objective sdt --reuse linear"),
  SDT_LAST("sdt-last", "SDT+IEPO, plain reuse", "--objective sdt --reuse last"),
  SDT_LAST_EXCHANGE(SDT_LAST),
  SDT_NO_IEPO(
      "sdt-no-iepo", "SDT without IEPO, plain reuse", "--objective sdt --no-iepo --reuse last"),
  LTC("ltc", "Learning-to-Cache, plain reuse", "--objective ltc --reuse last"),
  TAYLOR_2("taylor-2", "Taylor, second order", target -> target.taylor(2)),
  TAYLOR_1("taylor-1", "Taylor, first order", target -> target.taylor(1)),
  FORA("fora", "FORA", TargetSpeedup::fora),
  DELTA_DIT("delta-dit", "Δ-DiT", TargetSpeedup::deltaDit),
  RANDOM("random", "random", target -> target.random(0)),
  FEWER_STEPS("fewer-steps", "fewer steps", null, null, null);

  /** What files call it. */
  final String id;

  /** What the page calls it. */
  final String title;

  /** The options of {@code bin/harmonica train}; null where nothing is trained. */
  final String training;

  /** The method whose training goes on with an exchange; null where it starts anew. */
  final Method before;

  private final Function<TargetSpeedup, Policy> policy;

  Method(String id, String title, String training) {
    this(id, title, training, null, null);
  }

  Method(Method before) {
    this(
        before.id + "-exchange",
        before.title + ", exchange",
        before.training + " --exchange 1",
        before,
        null);
  }

  Method(String id, String title, Function<TargetSpeedup, Policy> policy) {
    this(id, title, null, null, policy);
  }

  Method(
      String id,
      String title,
      String training,
      Method before,
      Function<TargetSpeedup, Policy> policy) {
    this.id = id;
    this.title = title;
    this.training = training;
    this.before = before;
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
