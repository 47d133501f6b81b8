package io.harmonica.compare;

import io.harmonica.HarmonicaException;
import io.harmonica.InvalidProperty;
import io.harmonica.Library;
import io.harmonica.features.Features;
import io.harmonica.generate.Pipeline;
import io.harmonica.generate.PipelineBuilder;
import io.harmonica.generate.Request;
import io.harmonica.generate.Style;
import io.harmonica.model.Shows;
import io.harmonica.picture.Latents;
import io.harmonica.repository.Manifest;
import io.harmonica.repository.Role;
import io.harmonica.router.Router;
import io.harmonica.router.Savings;
import io.harmonica.triton.ServerOptions;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Variants that can be compared, ready to run.
 *
 * <p>Owns a pipeline for each place and model; variants of one model in one place share it.
 */
public final class Comparison implements AutoCloseable {
  private static final int RGB = 3;

  private final Map<List<String>, Pipeline> pipelines = new LinkedHashMap<>();
  private final List<Member> members = new ArrayList<>();
  private String runtimes; // as told at the beginning: a server may be gone at the end

  /** A variant with what it runs on; roles as told at the beginning, too. */
  private record Member(
      Setting setting, Pipeline pipeline, Optional<Router> router, Map<String, Role> roles) {

    /** FLOPs of one picture, NaN where none was made: guidance feeds the model two rows for it. */
    double flops(int passes) {
      double rows = pipeline.rows(setting.style());
      double saved = savings().map(s -> s.theoreticalSpeedup().orElseThrow()).orElse(1.0);
      long ofPass = pipeline.manifest().flops().full();
      return passes == 0 ? Double.NaN : rows * passes * ofPass / saved;
    }

    Optional<Savings> savings() {
      Manifest manifest = pipeline.manifest();
      return router.map(r -> Savings.of(r, manifest.flops(), manifest.cacheBytes()));
    }
  }

  /**
   * What to run.
   *
   * @param batch pictures of one request, where a variant does not say
   */
  public record Plan(Rounds rounds, Subjects subjects, int batch) {
    public Plan {
      if (batch < 1) {
        throw new InvalidProperty("batch", "%d must be at least 1".formatted(batch));
      }
    }
  }

  private Comparison() {}

  /**
   * Opens what the variants need. The first one is A.
   *
   * @throws HarmonicaException if one cannot be opened, or draws latents of another shape than A
   */
  public static Comparison open(List<Setting> settings, ServerOptions tritonOptions) {
    Library.HDR_HISTOGRAM.require();
    Library.DESCRIPTIVE_STATISTICS.require();
    Library.DISTRIBUTIONS.require();
    Comparison comparison = new Comparison();
    try {
      List<Setting> resolved = new ArrayList<>();
      for (Setting setting : settings) {
        resolved.add(comparison.resolved(setting, comparison.pipeline(setting, tritonOptions)));
      }
      for (Setting setting : VariantNames.named(resolved)) {
        Pipeline pipeline = comparison.pipeline(setting, tritonOptions);
        comparison.members.add(
            new Member(setting, pipeline, router(setting, pipeline), roles(setting, pipeline)));
      }
      comparison.requireOneShape();
      comparison.runtimes =
          comparison.pipelines.values().stream()
              .map(Pipeline::description)
              .distinct()
              .collect(Collectors.joining("; "));
      return comparison;
    } catch (RuntimeException e) {
      comparison.close();
      throw e;
    }
  }

  private Pipeline pipeline(Setting setting, ServerOptions tritonOptions) {
    return pipelines.computeIfAbsent(
        List.of(
            setting.place(),
            Boolean.toString(setting.served()),
            setting.model(),
            setting.stepsPerRequest().toString(),
            Boolean.toString(setting.whole()),
            setting.device().toString()),
        key -> {
          PipelineBuilder builder = Pipeline.builder(setting.model());
          setting.stepsPerRequest().ifPresent(builder::stepsPerRequest);
          if (setting.whole()) {
            builder.whole();
          }
          Pipeline pipeline =
              setting.served()
                  ? builder.triton(setting.place(), tritonOptions).open()
                  : builder.repository(Path.of(setting.place())).device(setting.device()).open();
          pipeline.statistics(); // what was counted before is where counting begins
          return pipeline;
        });
  }

  private static Optional<Router> router(Setting setting, Pipeline pipeline) {
    return pipeline.router(setting.style());
  }

  private static Map<String, Role> roles(Setting setting, Pipeline pipeline) {
    try {
      return pipeline.roles(setting.style());
    } catch (HarmonicaException e) {
      return Map.of(); // the variant's own requests will say it, to the variant's name
    }
  }

  /** With the steps and the guidance that it will take, so that they can be told. */
  private Setting resolved(Setting setting, Pipeline pipeline) {
    Style style = setting.style();
    if (style.steps().isEmpty()) {
      style =
          style.withSteps(
              router(setting, pipeline).map(Router::steps).orElse(Request.DEFAULT_STEPS));
    }
    if (style.guidance().isEmpty()) {
      style = style.withGuidance(pipeline.manifest().defaultGuidance());
    }
    return setting.withStyle(style);
  }

  private void requireOneShape() {
    for (Member member : members) {
      Manifest a = members.get(0).pipeline().manifest();
      Manifest other = member.pipeline().manifest();
      if (!shape(a).equals(shape(other))) {
        throw new HarmonicaException(
            "variants '%s' and '%s' cannot be compared: model %s draws latents %s, model %s %s; compare models of one latent shape"
                .formatted(
                    members.get(0).setting().name(),
                    member.setting().name(),
                    a.model(),
                    shape(a),
                    other.model(),
                    shape(other)));
      }
    }
  }

  /** Refuses samples that the variants' models do not start from. */
  public void requireStarts(Latents starts) {
    Manifest a = members.get(0).pipeline().manifest();
    List<Integer> own = List.of(starts.channels(), starts.height(), starts.width());
    if (!own.equals(shape(a))) {
      throw new HarmonicaException(
          "`latents` are %s a row, model %s takes %s".formatted(own, a.model(), shape(a)));
    }
  }

  private static List<Integer> shape(Manifest manifest) {
    return List.of(manifest.channels(), manifest.height(), manifest.width());
  }

  /** The variants' names, in their order. */
  public List<String> names() {
    return members.stream().map(member -> member.setting().name()).toList();
  }

  /** By what gates may call the variants. */
  public List<String> keysAndNames() {
    List<String> words = new ArrayList<>();
    for (int i = 0; i < members.size(); i++) {
      words.add(VariantNames.key(i));
    }
    names().stream().filter(name -> !words.contains(name)).forEach(words::add);
    return words;
  }

  /** What the variants' models are told of a picture; what A's is, if they differ. */
  public Shows shows() {
    return members.get(0).pipeline().manifest().shows();
  }

  /** Classes that every variant's model has: 0 to this, exclusive. */
  public int classes() {
    return members.stream().mapToInt(m -> m.pipeline().manifest().classes()).min().orElseThrow();
  }

  /** Fails where a judge cannot judge the pictures that a plan makes. */
  public void requireFits(Judge judge, Plan plan) {
    Manifest a = members.get(0).pipeline().manifest();
    if (a.decoder() == null) {
      judge.requireFits(a.channels(), a.height(), a.width(), plan.subjects());
    } else {
      int pixels = a.pixelsPerElement();
      Manifest.Size size =
          a.picture() == null
              ? new Manifest.Size(pixels * a.height(), pixels * a.width())
              : a.picture();
      judge.requireFits(RGB, size.height(), size.width(), plan.subjects());
    }
  }

  /** Fails where a variant could not make the pictures of a plan, whatever happens. */
  public void requireRuns(Plan plan) {
    variants(plan, () -> false).forEach(Generation::check);
  }

  private List<Generation> variants(Plan plan, BooleanSupplier stop) {
    return members.stream()
        .map(
            member ->
                new Generation(
                    member.setting().name(),
                    member.pipeline(),
                    member.setting().style(),
                    plan.subjects(),
                    plan.subjects().contents().map(contents -> contents.apply(member.pipeline())),
                    member.setting().batch().orElse(plan.batch()),
                    stop))
        .toList();
  }

  /** Runs the variants. */
  public Outcome run(Plan plan, Rounds.Listener listener, BooleanSupplier stop) {
    Outcome outcome = plan.rounds().run(variants(plan, stop), listener, stop);
    List<Measurement> judged = new ArrayList<>();
    for (int i = 0; i < members.size(); i++) {
      Pipeline pipeline = members.get(i).pipeline();
      Measurement own = outcome.measurements().get(i);
      boolean decodes = pipeline.manifest().decoder() != null;
      judged.add(decodes ? own.decodedBy(pipeline::decode) : own);
    }
    return outcome.withMeasurements(judged);
  }

  /**
   * What was measured of each variant, against what was measured of A.
   *
   * @param judge of their pictures, where there is one
   */
  public List<Report.Entry> entries(Plan plan, Outcome outcome, Optional<Judge> judge) {
    List<Optional<Features>> features =
        outcome.measurements().stream()
            .map(m -> judge.filter(j -> m.hasPixels()).map(j -> j.network().of(m.latents())))
            .toList();
    List<Setting> settings = members.stream().map(Member::setting).toList();
    Measurement a = outcome.measurements().get(0);
    double flopsOfA = members.get(0).flops(a.passes());
    return IntStream.range(0, members.size())
        .mapToObj(
            i -> {
              Member member = members.get(i);
              Measurement own = outcome.measurements().get(i);
              return new Report.Entry(
                  VariantNames.key(i),
                  member.setting(),
                  VariantNames.description(member.setting(), member.router(), settings),
                  own,
                  new Report.Saved(
                      member.savings().map(Savings::cur).orElse(0.0),
                      flopsOfA / member.flops(own.passes()),
                      member.router()),
                  new Report.ToA(
                      own.speedupTo(a, plan.rounds().seed()),
                      own.qualityTo(a),
                      features
                          .get(i)
                          .filter(f -> features.get(0).isPresent())
                          .map(f -> judge.get().of(f, features.get(0).get(), plan.subjects()))),
                  member.roles());
            })
        .toList();
  }

  /** What all variants have in common, in a few words. */
  public String common() {
    return VariantNames.common(members.stream().map(Member::setting).toList());
  }

  /** What computes, with versions. */
  public String runtimes() {
    return runtimes;
  }

  @Override
  public void close() {
    pipelines.values().forEach(Pipeline::close);
  }
}
