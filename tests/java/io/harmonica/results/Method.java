package io.harmonica.results;

import io.harmonica.router.Policy;
import io.harmonica.router.TargetSpeedup;
import java.util.function.Function;

/** What the results compare, in the order of the page's rows. */
enum Method {
  TAYLOR_EXCHANGE(
      "taylor-exchange",
      "Taylor's table, exchanged, learned weights",
      "--reuse learned --init taylor --iterations 0 --exchange 3"),
  FORA_EXCHANGE(
      "fora-exchange",
      "FORA's table, exchanged, plain reuse",
      "--reuse last --init fora --iterations 0 --exchange 3"),
  SDT_LEARNED("sdt-learned", "SDT+IEPO, learned weights", "--reuse learned" + Method.LONG),
  SDT_LINEAR("sdt-linear", "SDT+IEPO, linear forecast", "--reuse linear" + Method.LONG),
  SDT_LAST("sdt-last", "SDT+IEPO, plain reuse", "--reuse last" + Method.LONG),
  SDT_NO_IEPO(
      "sdt-no-iepo", "SDT without IEPO, plain reuse", "--no-iepo --reuse last" + Method.LONG),
  LTC("ltc", "Learning-to-Cache, plain reuse", "--objective ltc --reuse last" + Method.LONG),
  TAYLOR_2("taylor-2", "Taylor, second order", target -> target.taylor(2)),
  TAYLOR_1("taylor-1", "Taylor, first order", target -> target.taylor(1)),
  FORA("fora", "FORA", TargetSpeedup::fora),
  DELTA_DIT("delta-dit", "Δ-DiT", TargetSpeedup::deltaDit),
  RANDOM("random", "random", target -> target.random(0)),
  FEWER_STEPS("fewer-steps", "fewer steps", null, null);

  /** From HarmoniCa's random start, by steps that 100 iterations get somewhere with. */
  private static final String LONG = " --init random --learning-rate 0.05 --iterations 100";

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
