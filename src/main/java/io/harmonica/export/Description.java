package io.harmonica.export;

import io.harmonica.model.CacheBytes;
import io.harmonica.model.Denoiser;
import io.harmonica.model.Pruned;
import io.harmonica.model.Resolution;
import io.harmonica.model.Unconditional;
import io.harmonica.origin.Model;
import io.harmonica.repository.Manifest;
import io.harmonica.repository.ManifestNoise;
import io.harmonica.repository.ManifestText;
import io.harmonica.repository.Program;
import io.harmonica.repository.SamplerForm;
import io.harmonica.router.Router;
import io.harmonica.sampler.Sampling;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Describes an export to its clients: what the manifest says of the model and its routers. */
record Description(
    Model model,
    ExportOptions options,
    Numbers numbers,
    Configs configs,
    Sampling sampling,
    Optional<SkipLayers> skipLayers) {

  /**
   * What clients must know of the model.
   *
   * @param picture size that finished pictures are resized and cropped to
   * @param digest of the checkpoint
   */
  Manifest manifest(
      Optional<DecoderEngine> decoder,
      List<TextEngines> texts,
      Optional<Resolution> picture,
      Optional<String> digest,
      List<Router> routers) {
    Denoiser denoiser = model.denoiser();
    Denoiser.Interface io = denoiser.io();
    CacheBytes bytes = numbers.cacheBytes(denoiser);
    Manifest manifest =
        new Manifest(
                Manifest.FORMAT,
                options.modelName(),
                denoiser.architecture(),
                io.channels(),
                io.outputChannels(),
                io.height(),
                io.width(),
                decoder
                    .map(engine -> engine.autoencoder().decoder().pixelsPerElement())
                    .orElse(io.pixelsPerElement()),
                picture.map(size -> new Manifest.Size(size.height(), size.width())).orElse(null),
                io.classes(),
                io.unconditional() == Unconditional.NONE ? false : null,
                io.text().map(takes -> ManifestText.of(takes, encoders(texts))).orElse(null),
                sampling.sampler(),
                io.origin().spacing().toString(),
                Manifest.samplerSpacing(sampling),
                io.origin().guidanceChannels(),
                io.defaultGuidance() == io.unconditional().defaultGuidance()
                    ? null
                    : (Double) io.defaultGuidance(),
                options.maxBatch(),
                options.precision().word(),
                Pruned.of(denoiser).orElse(null),
                digest.orElse(null),
                ManifestNoise.of(sampling.noising()),
                model.denoiser().branchNames(),
                bytes.branches(),
                bytes.streams(),
                bytes.lives().isEmpty() ? null : bytes.lives().toString(),
                decoder
                    .map(engine -> new Manifest.Decoder(configs.decoderName(), engine.tile()))
                    .orElse(null),
                options.stepsPerRequest(),
                SamplerForm.of(sampling.noising()).toString(),
                !configs.conditions().isEmpty(),
                skipLayers.map(SkipLayers::blocks).orElse(null),
                model.flops(),
                Map.of(),
                Map.of())
            .withUncached(Program.DEFAULT_STEPS);
    for (Router router : routers) {
      manifest = manifest.with(router);
    }
    return manifest;
  }

  private List<ManifestText.Encoder> encoders(List<TextEngines> texts) {
    return texts.stream()
        .map(
            text ->
                new ManifestText.Encoder(
                    configs.textEncoderName(text),
                    text.place().number(),
                    text.place().tokens(),
                    text.place().width(),
                    text.place().row(),
                    text.place().column(),
                    text.place().pooled(),
                    text.place().from()))
        .toList();
  }
}
