package io.harmonica.onnx;

import io.harmonica.Element;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;

/**
 * The graph in front of all steps of a trajectory: it makes the rows of a pass out of pictures, two
 * for each where guidance acts on any, and everything that the steps take and no client should have
 * to give. It has no weights, and fails for noise or labels that would give a wrong picture.
 *
 * <p>For three pictures with guidance, rows 0 to 2 have the first half of a pass, rows 3 to 5 the
 * second; a label's second half is the null class, a text's first half the negative text (as {@code
 * sampler.Guidance} has it).
 */
public final class Beginning {
  /** Scale of guidance of each picture, fp32 (B, 1); up to 1 there is none. */
  public static final String GUIDANCE = "guidance";

  private final Graph graph = new Graph("begin");
  private final Nodes nodes = new Nodes(graph);
  private final boolean guides;
  private final boolean conditionalFirst;
  private final Value sample; // (B, C, H, W)
  private final Value pictures; // [1]: B
  private final Value total; // [1]: B or 2 B
  private final Value picture; // [B or 2 B], each row's
  private Value scale; // (B, 1)
  private Value guided; // bool (B, 1)

  /**
   * Begins with the noise.
   *
   * @param noise name of the input, fp32 (B, C, H, W)
   * @param guides whether there is anything for guidance to lead away from
   * @param conditionalFirst which half of a pass is the conditional one
   */
  public Beginning(String noise, long[] shape, boolean guides, boolean conditionalFirst) {
    this.guides = guides;
    this.conditionalFirst = conditionalFirst;
    this.sample = graph.input(noise, Element.FP32, shape);
    this.pictures = nodes.count(sample);
    Value zero = graph.zeroUnless(nodes.notFinite(sample), noise + " holds NaN or infinity");
    if (guides) {
      scale = graph.input(GUIDANCE, Element.FP32, 1);
      zero = nodes.op("Add", zero, unlessRefused(scale));
      guided = nodes.test("Greater", scale, nodes.number(1));
      Value any =
          graph.node(
              "ReduceMax",
              Element.INT64,
              List.of(graph.cast(guided, Element.INT64)),
              Graph.integer("keepdims", 0));
      Value times = nodes.op("Add", nodes.reshape(any, 1), graph.integers(1)); // 1 or 2
      total = nodes.op("Mul", pictures, times);
    } else {
      total = pictures;
    }
    Value all = nodes.op("Range", nodes.integer(0), scalar(total), nodes.integer(1));
    picture = nodes.op("Add", nodes.op("Mod", all, pictures), zero);
  }

  private Value unlessRefused(Value scale) {
    Value wrong = nodes.test("Or", nodes.notFinite(scale), below(scale, nodes.number(0)));
    return graph.zeroUnless(wrong, "guidance must be a number from 0");
  }

  private Value below(Value a, Value b) {
    return nodes.test("Less", a, b);
  }

  private Value scalar(Value one) {
    return nodes.op("Squeeze", one);
  }

  /** The sample of every row. */
  public void sample(String output, long... shape) {
    graph.output(output, nodes.gather(sample, picture), shape);
  }

  /**
   * Labels of 0 to {@code classes - 1}, int64 (B, 1), and as many null classes, {@code classes}.
   */
  public void labels(String input, String output, long classes) {
    Value label = graph.input(input, Element.INT64, 1);
    Value wrong =
        nodes.test(
            "Or",
            below(label, nodes.integer(0)),
            nodes.test("GreaterOrEqual", label, nodes.integer(classes)));
    String why = input + " must be 0.." + (classes - 1);
    Value all = nodes.op("Add", label, graph.zeroUnless(wrong, why)); // (B, 1)
    if (guides) {
      all = nodes.concat(0, all, nodes.expand(nodes.integer(classes), pictures, 1)); // (2 B, 1)
      all = nodes.rows(all, graph.integers(0), total);
    }
    graph.output(output, all, 1);
  }

  /**
   * What is told of texts, negative ones before the others.
   *
   * @param negative name of the input beside {@code input} that is told of those
   */
  public void texts(String input, String negative, String output, Element type, long... shape) {
    Value own = graph.input(input, type, shape);
    Value away = graph.input(negative, type, shape);
    Value both = nodes.concat(0, away, own); // (2 B, ...)
    Value twice = nodes.op("Mul", pictures, graph.integers(2));
    graph.output(output, nodes.rows(both, nodes.op("Sub", twice, total), twice), shape);
  }

  /** What is told of texts, without guidance. */
  public void texts(String input, String output, Element type, long... shape) {
    graph.output(output, nodes.gather(graph.input(input, type, shape), picture), shape);
  }

  /** The scale of guidance for a model that is told it, (B, 1), of a row for each picture. */
  public void scale(String output) {
    Value told = graph.input(GUIDANCE, Element.FP32, 1);
    graph.output(output, nodes.gather(told, nodes.op("Add", picture, unlessRefused(told))), 1);
  }

  /** The same fp32 numbers in every row. */
  public void constant(String output, float[] values, long... shape) {
    long[] one = new long[shape.length + 1];
    one[0] = 1;
    System.arraycopy(shape, 0, one, 1, shape.length);
    graph.output(output, nodes.expand(nodes.floats(values, one), total, shape), shape);
  }

  /** The same int64 number in every row. */
  public void constant(String output, long value) {
    ByteBuffer bytes = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(0, value);
    Value number = graph.inline("row " + value, Element.INT64, bytes, 1, 1);
    graph.output(output, nodes.expand(number, total, 1), 1);
  }

  /** Zeros, fp32. */
  public void zeros(String output, long... shape) {
    graph.output(output, nodes.expand(nodes.number(0), total, shape), shape);
  }

  /** The scale of every channel, (B or 2 B, C): 1 where guidance does not act. */
  public void scales(String output, int acting, int channels) {
    if (!guides) {
      float[] ones = new float[channels];
      Arrays.fill(ones, 1);
      constant(output, ones, channels);
      return;
    }
    Value own =
        nodes.gather(
            graph.node("Where", Element.FP32, List.of(guided, scale, nodes.number(1))), picture);
    Value scales = nodes.expand(own, total, acting);
    if (acting < channels) {
      Value ones = nodes.expand(nodes.number(1), total, channels - acting);
      scales = nodes.concat(1, scales, ones);
    }
    graph.output(output, scales, channels);
  }

  /**
   * For each row that of the pass which is its picture's with the condition, and without; where a
   * picture has no guidance, both are the first.
   */
  public void halves(String conditional, String unconditional) {
    Value second = nodes.op("Add", picture, nodes.op("Sub", total, pictures)); // [B or 2 B]
    Value with = conditionalFirst ? picture : second;
    Value without = with;
    if (guides) {
      Value acts = nodes.reshape(nodes.gather(guided, picture), -1);
      Value other = conditionalFirst ? second : picture;
      without = graph.node("Where", Element.INT64, List.of(acts, other, with));
    }
    graph.output(conditional, nodes.reshape(with, -1, 1), 1);
    graph.output(unconditional, nodes.reshape(without, -1, 1), 1);
  }

  public Graph graph() {
    return graph;
  }
}
