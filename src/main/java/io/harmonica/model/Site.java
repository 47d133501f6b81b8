package io.harmonica.model;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A tensor that linear maps of a branch read, several of them where it is that of q, k and v: what
 * is observed, and what has one scale.
 *
 * @param readers the maps that read it, in their order
 * @param in its channels
 * @param kind what makes it
 * @param source the name of the layer norm or linear map that it is made of; empty for {@link
 *     Kind#MODULATED}, {@link Kind#MADE} and {@link Kind#GIVEN}
 */
public record Site(List<Reader> readers, int in, Kind kind, String source) {

  /**
   * A linear map.
   *
   * @param weight its name
   * @param out its outputs
   */
  public record Reader(String weight, int out) {}

  /** What makes the tensor, which says where a factor for each of its channels can go. */
  public enum Kind {
    /** A layer norm without weights, then scaled and shifted: into its gain and the shift. */
    MODULATED,

    /** A layer norm with weights, the source: into these. */
    NORM,

    /** Attention, whose values a linear map makes, the source: into that one's outputs. */
    VALUES,

    /** A GELU of what a linear map makes, the source: the tensor has to be multiplied. */
    GELU,

    /** Another operation: as for {@link #GELU}. */
    MADE,

    /** None in the branch: a stream or text as it is. */
    GIVEN;

    /** Whether the weights of the source make it, so that a factor can go into these. */
    public boolean isOfWeights() {
      return this == NORM || this == VALUES;
    }
  }

  public Site {
    readers = List.copyOf(readers);
  }

  /** Names of all that reads it. */
  public List<String> weights() {
    return readers.stream().map(Reader::weight).toList();
  }

  /** The first weight's name: what it is called in files. */
  public String name() {
    return readers.get(0).weight();
  }

  /** Some by the weights that read them. */
  public static Map<String, Site> byWeight(List<Site> sites) {
    Map<String, Site> byWeight = new HashMap<>();
    sites.forEach(site -> site.weights().forEach(weight -> byWeight.put(weight, site)));
    return byWeight;
  }

  /** Of a model, in the order of a pass. */
  public static List<Site> of(Denoiser model) {
    return LinearWalk.of(model).sites();
  }
}
