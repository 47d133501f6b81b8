package io.harmonica.results;

import io.harmonica.router.Policy;
import io.harmonica.router.TargetSpeedup;
import java.util.function.Function;

/**
 * What the results compare, in the order of the page's rows. What starts from another's router
 * follows it.
 */
enum Method {
  TAYLOR_EXCHANGE(
      "taylor-exchange",
      "Taylor's table, exchanged, learned weights",
      "--reuse learned --init taylor --iterations 0 --exchange 3"),
  MODEL_EXCHANGE(
      "model-exchange",
      "whole steps as runs, exchanged, three learned weights",
      "--grain model --reuse learned-quadratic --init taylor --iterations 0 --exchange 1"),
  MIXED(
      "mixed",
      "Taylor's exchanged table, neighbours merged to runs, learned weights",
      "--reuse learned --init <taylor-exchange> --iterations 0 --merge"),
  FORA_EXCHANGE(
      "fora-exchange",
      "FORA's table, exchanged, plain reuse",
      "--reuse last --init fora --iterations 0 --exchange 3"),
  SDT_GAIN(
      "sdt-gain",
      "SDT+IEPO by gain, plain reuse, 250 iterations",
      "--reuse last" + Method.FROM_NOISE + "250",
      Method.SHORT),
  SDT_GAIN_TAYLOR(
      "sdt-gain-taylor",
      "SDT+IEPO by gain from Taylor's table, learned weights",
      "--reuse learned --init taylor --iterations 60",
      Method.SHORT),
  SDT_GAIN_EXCHANGE(
      "sdt-gain-exchange",
      "SDT+IEPO's table by gain, exchanged, learned weights",
      "--reuse learned --init <sdt-gain> --iterations 0 --exchange 3",
      Method.SHORT),
  SDT_TAYLOR(
      "sdt-taylor",
      "SDT+IEPO from Taylor's table, learned weights",
      "--lambda paper --reuse learned --init taylor --iterations 60",
      Method.SHORT),
  SDT_LAST_1000(
      "sdt-last-1000",
      "SDT+IEPO, plain reuse, 1000 iterations",
      "--lambda paper --reuse last" + Method.FROM_NOISE + "1000",
      Method.SHORT),
  SDT_LEARNED(
      "sdt-learned",
      "SDT+IEPO, learned weights",
      "--lambda paper --reuse learned" + Method.HUNDRED),
  SDT_LINEAR(
      "sdt-linear", "SDT+IEPO, linear forecast", "--lambda paper --reuse linear" + Method.HUNDRED),
  SDT_LAST("sdt-last", "SDT+IEPO, plain reuse", "--lambda paper --reuse last" + Method.HUNDRED),
  SDT_NO_IEPO(
      "sdt-no-iepo", "SDT without IEPO, plain reuse", "--no-iepo --reuse last" + Method.HUNDRED),
  LTC("ltc", "Learning-to-Cache, plain reuse", "--objective ltc --reuse last" + Method.HUNDRED),
  LTC_EXCHANGE_LEARNED(
      "ltc-exchange-learned",
      "Learning-to-Cache's table, exchanged, learned weights",
      "--reuse learned --init <ltc> --iterations 0 --exchange 3",
      Method.SHORT),
  LTC_EXCHANGE(
      "ltc-exchange",
      "Learning-to-Cache's table, exchanged, plain reuse",
      "--reuse last --init <ltc> --iterations 0 --exchange 3",
      Method.SHORT),
  TAYLOR_2("taylor-2", "Taylor, second order", target -> target.taylor(2)),
  TAYLOR_1("taylor-1", "Taylor, first order", target -> target.taylor(1)),
  FORA("fora", "FORA", TargetSpeedup::fora),
  DELTA_DIT("delta-dit", "Δ-DiT", TargetSpeedup::deltaDit),
  RANDOM("random", "random", target -> target.random(0)),
  FEWER_STEPS("fewer-steps", "fewer steps", null, Integer.MAX_VALUE, null);

  /** From HarmoniCa's random start, by steps that few iterations get somewhere with. */
  private static final String FROM_NOISE = " --init random --learning-rate 0.05 --iterations ";

  private static final String HUNDRED = FROM_NOISE + "100";

  /** Up to so many steps some are measured: beyond it takes them hours. */
  private static final int SHORT = 25;

  /** What files call it. */
  final String id;

  /** What the page calls it. */
  final String title;

  /**
   * The options of {@code bin/harmonica train}; null where nothing is trained. {@code <ID>} is an
   * earlier method's router of the same steps and budget.
   */
  final String training;

  /** Up to how many steps it is measured. */
  final int mostSteps;

  private final Function<TargetSpeedup, Policy> policy;

  Method(String id, String title, String training) {
    this(id, title, training, Integer.MAX_VALUE);
  }

  Method(String id, String title, String training, int mostSteps) {
    this(id, title, training, mostSteps, null);
  }

  Method(String id, String title, Function<TargetSpeedup, Policy> policy) {
    this(id, title, null, Integer.MAX_VALUE, policy);
  }

  Method(
      String id,
      String title,
      String training,
      int mostSteps,
      Function<TargetSpeedup, Policy> policy) {
    this.id = id;
    this.title = title;
    this.training = training;
    this.mostSteps = mostSteps;
    this.policy = policy;
  }

  /** The one of a name. */
  static Method of(String id) {
    return Choice.of("--methods", id, values(), method -> method.id);
  }

  boolean isFor(int steps) {
    return steps <= mostSteps;
  }

  boolean isTrained() {
    return training != null;
  }

  boolean exchanges() {
    return isTrained() && training.contains("--exchange");
  }

  /** The policy of a method that is one. */
  Policy policy(TargetSpeedup target) {
    return policy.apply(target);
  }
}
