package io.harmonica.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.harmonica.Checkpoints;
import io.harmonica.Timesteps;
import io.harmonica.Trees;
import io.harmonica.checkpoint.SafetensorsWriter.Floats;
import io.harmonica.generate.Pipeline;
import io.harmonica.generate.Request;
import io.harmonica.model.Unconditional;
import io.harmonica.repository.ConfigFile;
import io.harmonica.repository.Manifest;
import io.harmonica.repository.ManifestNoise;
import io.harmonica.repository.ManifestText;
import io.harmonica.router.Router;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ExportCommandTest {
  private static final String ROUTER = "export/shapes-dit/routers/fora-2.json";

  @TempDir Path folder;

  private Path repository() {
    return folder.resolve("models");
  }

  /** REPOSITORY stands for the target, DIR for the test's folder. */
  private Invocation run(String line) {
    List<String> args = new ArrayList<>();
    for (String word : line.strip().split(" +")) {
      args.add(
          word.replace("REPOSITORY", repository().toString()).replace("DIR", folder.toString()));
    }
    return Invocation.run(
        console -> HarmonicaExport.run(args.toArray(String[]::new), console.out(), console.err()));
  }

  private Manifest manifest(String model) {
    return Manifest.of(ConfigFile.read(repository().resolve(model)));
  }

  @Test
  void export_writesTheRepository_andSaysSo() {
    Invocation done =
        run("--checkpoint export/shapes-dit --router " + ROUTER + " --model-repository REPOSITORY");
    assertThat(done.err()).isEmpty();
    assertThat(done.code()).isZero();
    assertThat(done.out())
        .matches(
            "wrote shapes-dit: 29 models, 26\\.\\d MiB, DiT-10x192/4 fp32 with 1 router in "
                + repository()
                + "\n");
    assertThat(manifest("shapes-dit").routers()).containsOnlyKeys("fora-2");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          "sampler": "ddim" | "sampler": "euler"  | router fora-2 is for sampler euler, which is none of ddim, dpm-solver++, dpm-solver-2, dpm-solver-fast, flow-euler, iddpm, sa-solver
          "sampler": "ddim" | "sampler": "iddpm"  | sampler iddpm needs a learned variance
          [950,             | [951,               | router fora-2 is for timesteps [951, 900,
          """)
  void routerThatNoGenerationCouldFollow_isRefused(String was, String is, String message)
      throws IOException {
    String text = Files.readString(Path.of(ROUTER));
    assertThat(text).contains(was);
    Files.writeString(folder.resolve("router.json"), text.replace(was, is));
    Invocation refused =
        run(
            "--checkpoint export/shapes-dit --router DIR/router.json --model-repository"
                + " REPOSITORY");
    assertThat(refused.code()).isEqualTo(1);
    assertThat(refused.err()).startsWith("error: " + message).hasLineCount(1);
    assertThat(repository()).doesNotExist();
  }

  @Test
  void routerOfOtherWeights_isNoted() throws IOException {
    Path shipped = Path.of("export/shapes-dit/routers/trained-10-2.0x.json");
    Files.writeString(
        folder.resolve("router.json"),
        Files.readString(shipped)
            .replaceFirst("\"checkpoint\" *: *\"[0-9a-f]+\"", "\"checkpoint\": \"00ff\""));
    String export =
        "--checkpoint export/shapes-dit --model-repository REPOSITORY --force --router ";
    assertThat(run(export + shipped).err()).isEmpty();
    Invocation done = run(export + "DIR/router.json");
    assertThat(done.code()).isZero();
    assertThat(done.err())
        .startsWith(
            "note: router trained-10-2.0x was trained on weights with digest 00ff, these have ")
        .hasLineCount(1);
  }

  @Test
  void variantsThatRepeatWeights_areNoted_andHardLinksShareThem() throws IOException {
    String export =
        "--checkpoint export/shapes-dit --model-repository REPOSITORY --blocks-per-engine all"
            + " --force --router export/shapes-dit/routers/trained-10-2.0x.json";
    Invocation copied = run(export);
    assertThat(copied.err())
        .matches(
            "note: [\\d.]+ MiB of these are weights that variants of an engine have each; --hard-links .*\n");
    Invocation linked = run(export + " --hard-links");
    assertThat(linked.code()).isZero();
    assertThat(linked.err()).isEmpty();
    String computed = "c".repeat(20);
    Path data = repository().resolve("shapes-dit-step-" + computed + "/1/model.onnx.data");
    assertThat((int) Files.getAttribute(data, "unix:nlink")).isGreaterThan(2);
  }

  @Test
  void enginesOfBranches_areWritten_withThoseOfAnyRouter() {
    Invocation done =
        run(
            "--checkpoint tests/golden/dit --model-name dit --engines branch"
                + " --model-repository REPOSITORY");
    assertThat(done.code()).as(done.err()).isZero();
    for (String engine : List.of("block02.mlp", "reuse-attention-3", "run-hidden-1", "weights")) {
      assertThat(repository().resolve("dit-" + engine + "/1/model.onnx")).exists();
    }
  }

  @Test
  void options_reachTheExport() {
    Invocation done =
        run(
            "--checkpoint tests/golden/dit-facebook/model.pt --heads 2 --model-name my.model"
                + " --precision fp16 --platform tensorrt --blocks-per-engine 2 --max-batch 6"
                + " --model-repository REPOSITORY");
    assertThat(done.err())
        .startsWith("note: tests/golden/dit-facebook/model.pt does not say how it was trained")
        .hasLineCount(1);
    assertThat(done.code()).isZero();
    Manifest manifest = manifest("my.model");
    assertThat(manifest.precision()).isEqualTo("fp16");
    assertThat(manifest.maxBatch()).isEqualTo(6);
    assertThat(manifest.spacing()).isEqualTo("openai");
    assertThat(manifest.guidanceChannels()).isEqualTo(3);
    var block = ConfigFile.read(repository().resolve("my.model-block00-01-cccc"));
    assertThat(block.getBackend()).isEqualTo("tensorrt");

    assertThat(
            run("--checkpoint tests/golden/dit --blocks-per-engine all --force"
                    + " --model-repository REPOSITORY")
                .code())
        .isZero();
    assertThat(manifest("dit").guidanceChannels()).isEqualTo(4);
    assertThat(repository().resolve("dit-step-cccccc")).isDirectory();
    assertThat(repository().resolve("my.model")).isDirectory();
  }

  @Test
  void checkpointWithoutNullClass_saysSo_bySettingsOrByOption() {
    String files = "--checkpoint tests/resources/io/harmonica/generate/no-null-class/";
    String to = " --force --model-repository REPOSITORY";
    Invocation done = run(files + "classes.pt" + to);
    assertThat(done.code()).isZero();
    assertThat(done.err()) // heads and classes are in the file, what it predicts is not
        .endsWith(
            "assumed as facebookresearch/DiT: predicts noise, betas linear over 1000 timesteps (so not SiT, REPA and the like)\n")
        .hasLineCount(1);
    assertThat(manifest("classes").classes()).isEqualTo(3);
    assertThat(manifest("classes").unconditional()).isEqualTo(Unconditional.NONE);
    run(files + "one-class.pt" + to);
    assertThat(manifest("one-class").classes()).isEqualTo(1);
    assertThat(manifest("one-class").unconditional()).isEqualTo(Unconditional.NONE);
    String facebook = "--checkpoint tests/golden/dit-facebook/model.pt --heads 2" + to;
    run(facebook);
    assertThat(manifest("model").classes()).isEqualTo(10);
    assertThat(manifest("model").unconditional()).isEqualTo(Unconditional.NULL_CLASS);
    run(facebook + " --no-null-class");
    assertThat(manifest("model").classes()).isEqualTo(11);
    assertThat(manifest("model").unconditional()).isEqualTo(Unconditional.NONE);
  }

  @Test
  void checkpointOfFlowMatching_isOneLine_andWritesNothing() {
    for (String name : List.of("sit.pt", "repa.pt", "omegaconf.pt")) {
      Invocation refused =
          run(
              "--heads 2 --model-repository REPOSITORY --checkpoint"
                  + " tests/resources/io/harmonica/checkpoint/"
                  + name);
      assertThat(refused.code()).isEqualTo(1);
      assertThat(refused.err()).startsWith("error: ").contains("flow matching").hasLineCount(1);
      assertThat(repository()).doesNotExist();
    }
  }

  @Test
  void accelerator_isWritten_withWhatServersNeedForIt() {
    String export = "--checkpoint DIT --model-name dit --force --model-repository REPOSITORY ";
    String line = export.replace("DIT", Checkpoints.DIT.toString());
    Invocation tensorRt = run(line + "--accelerator tensorrt");
    assertThat(tensorRt.code()).isZero();
    assertThat(tensorRt.err())
        .startsWith("note: servers need an NVIDIA GPU and an onnxruntime backend with TensorRT,")
        .endsWith(" keeps it in the server's /tmp/harmonica-tensorrt\n")
        .hasLineCount(1);
    assertThat(ConfigFile.read(repository().resolve("dit-head")).hasOptimization()).isTrue();
    Invocation openVino = run(line + "--accelerator openvino --platform onnxruntime");
    assertThat(openVino.err())
        .isEqualTo(
            "note: servers need an onnxruntime backend that was built with OpenVINO, and refuse these engines else: unknown Execution Accelerator 'openvino'\n");
    Invocation none = run(line + "--accelerator none");
    assertThat(none.err()).isEmpty();
    assertThat(ConfigFile.read(repository().resolve("dit-head")).hasOptimization()).isFalse();
    Invocation both = run(line + "--accelerator tensorrt --platform tensorrt");
    assertThat(both.code()).isEqualTo(2);
    assertThat(both.err())
        .startsWith(
            "error: --accelerator tensorrt is for --platform onnxruntime, not for TensorRT's plans: give one of the two");
  }

  @Test
  void modelName_isTheCheckpointsOwn() {
    assertThat(dryRun("tests/golden/dit/")).contains("would write dit:");
    assertThat(dryRun("tests/golden/dit-facebook/model.pt --heads 2"))
        .contains("would write model:");
    Path pipeline = folder.resolve("My Pipeline!/transformer");
    Checkpoints.diffusers(
        pipeline, Checkpoints.config(Checkpoints.DIT), Checkpoints.tensors(Checkpoints.DIT));
    Invocation named =
        Invocation.run(
            console ->
                HarmonicaExport.run(
                    new String[] {
                      "--checkpoint", pipeline.toString(), "--model-repository", "x", "--dry-run"
                    },
                    console.out(),
                    console.err()));
    assertThat(named.out()).contains("would write My-Pipeline-:");
  }

  /** The folders that huggingface_hub makes. */
  @Test
  void modelName_inADownloadCache_isItsRepositorys() throws IOException {
    Path model = folder.resolve("models--some-org--Some.Model");
    Path snapshot = model.resolve("snapshots/0123abcd");
    Checkpoints.diffusers(
        snapshot.resolve("transformer"),
        Checkpoints.config(Checkpoints.DIT),
        Checkpoints.tensors(Checkpoints.DIT));
    Files.createDirectories(model.resolve("refs"));
    Files.writeString(model.resolve("refs/main"), "0123abcd");
    for (Path path : List.of(model, snapshot, snapshot.resolve("transformer"))) {
      assertThat(dryRun(path.toString())).contains("would write Some.Model:");
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "model_index.json",
        "scheduler/scheduler_config.json",
        "transformer/config.json",
        "vae/diffusion_pytorch_model.safetensors",
        "text_encoder/config.json",
        "tokenizer/tokenizer.json"
      })
  void pipelineFolder_withALinkWhoseTargetIsGone_isCalledThat(String file) throws IOException {
    PipelineFolder pipeline = PipelineFolder.in(folder.resolve("whole"));
    pipeline.withScheduler("'_class_name': 'DDIMScheduler', 'clip_sample': false");
    Path link = pipeline.path().resolve(file);
    Files.deleteIfExists(link);
    Files.createSymbolicLink(link, Path.of("../../../blobs/0123abcd"));
    Invocation refused = run("--checkpoint DIR/whole --model-repository REPOSITORY");
    assertThat(refused.code()).isEqualTo(1);
    assertThat(refused.err())
        .startsWith("error: " + link + " is a link to ../../../blobs/0123abcd, which is gone")
        .hasLineCount(1);
    assertThat(repository()).doesNotExist();
  }

  @Test
  void pipelineFolder_bringsItsScheduler() {
    PipelineFolder pipeline = PipelineFolder.in(folder.resolve("whole"));
    pipeline.withScheduler(
        "'_class_name': 'DDIMScheduler', 'clip_sample': false, 'beta_end': 0.01,"
            + " 'num_train_timesteps': 500");
    Invocation done = run("--checkpoint DIR/whole --model-repository REPOSITORY");
    assertThat(done.err()).isEmpty();
    Manifest manifest = manifest("whole");
    assertThat(manifest.sampler()).isEqualTo("ddim");
    assertThat(manifest.noise()).isEqualTo(new ManifestNoise(500, 1e-4, 0.01, null, null));
    Path router = folder.resolve("fora.json");
    Invocation policy =
        Invocation.of(
            ("policy fora --steps 5 --checkpoint " + pipeline.path() + " --out " + router)
                .split(" "));
    assertThat(policy.err()).isEmpty();
    assertThat(Router.read(router).sampler()).isEqualTo("ddim");
    assertThat(Router.read(router).timesteps())
        .isEqualTo(Timesteps.of(List.of(400, 300, 200, 100, 0)));
  }

  /** The scheduler draws as we do not: noise and prediction are its, the sampler is stated. */
  @Test
  void sampler_whereTheSchedulerIsNotFollowed_isTheStatedOne() {
    PipelineFolder pipeline = PipelineFolder.in(folder.resolve("euler"));
    pipeline.withScheduler(
        "'_class_name': 'EulerDiscreteScheduler', 'beta_schedule': 'scaled_linear', 'beta_start':"
            + " 0.00085, 'beta_end': 0.012, 'prediction_type': 'v_prediction',"
            + " 'timestep_spacing': 'trailing', 'use_karras_sigmas': true");
    String line = "--checkpoint DIR/euler --model-repository REPOSITORY";
    assertThat(run(line).err())
        .startsWith("error: ")
        .contains("scheduler EulerDiscreteScheduler draws as none of our samplers does; state a")
        .contains("--sampler, which then draws with this file's noise schedule: ddim, dpm-solver++")
        .hasLineCount(1);
    assertThat(repository()).doesNotExist();
    Invocation done = run(line + " --sampler dpm-solver++");
    assertThat(done.err()).isEmpty();
    Manifest manifest = manifest("euler");
    assertThat(manifest.format()).isEqualTo(Manifest.FORMAT);
    assertThat(manifest.sampler()).isEqualTo("dpm-solver++");
    assertThat(manifest.samplerSpacing()).isNull();
    assertThat(manifest.noise())
        .isEqualTo(new ManifestNoise(1000, 0.00085, 0.012, "scaled_linear", "v_prediction"));
    String policy = "policy fora --steps 5 --checkpoint " + pipeline.path() + " --out DIR/r.json";
    List<String> words = List.of(policy.replace("DIR", folder.toString()).split(" "));
    assertThat(Invocation.of(words.toArray(String[]::new)).err())
        .contains("scheduler EulerDiscreteScheduler draws as none of our samplers does");
    List<String> stated = new java.util.ArrayList<>(words);
    stated.addAll(List.of("--sampler", "ddim", "--spacing", "trailing"));
    assertThat(Invocation.of(stated.toArray(String[]::new)).err()).isEmpty();
    assertThat(Router.read(folder.resolve("r.json")).timesteps())
        .isEqualTo(Timesteps.of(List.of(999, 799, 599, 399, 199)));
  }

  @Test
  void sampler_isStatedForCheckpointsWithoutAScheduler_too() {
    String line = "--checkpoint tests/golden/dit --model-repository REPOSITORY --sampler ";
    assertThat(run(line + "iddpm").err()).isEmpty(); // it has a learned variance
    assertThat(manifest("dit").sampler()).isEqualTo("iddpm");
    assertThat(manifest("dit").format()).isEqualTo(Manifest.FORMAT);
    assertThat(run("--checkpoint export/shapes-dit --model-repository x --sampler iddpm").err())
        .startsWith("error: sampler iddpm needs a learned variance")
        .hasLineCount(1);
  }

  /** No engine makes its sampler's steps; the others keep their ensembles. */
  @Test
  void stepsPerRequest_leavesOutRoutersOfOtherSamplers() {
    for (String sampler : List.of("ddim", "sa-solver")) {
      String policy =
          "policy fora --steps 6 --checkpoint export/shapes-dit --out DIR/S.json --sampler S";
      String line = policy.replace("DIR", folder.toString()).replace("S.", sampler + ".");
      String[] words = line.replaceFirst(" S$", " " + sampler).split(" ");
      assertThat(Invocation.of(words).err()).isEmpty();
    }
    Invocation done =
        run(
            "--checkpoint export/shapes-dit --router DIR/ddim.json --router DIR/sa-solver.json"
                + " --blocks-per-engine all --steps-per-request 3 --model-repository REPOSITORY");
    assertThat(done.err())
        .isEqualTo(
            "note: router sa-solver is for none of the samplers ddim, dpm-solver++, flow-euler, so"
                + " its steps go one in a request\n");
    assertThat(done.code()).isZero();
    assertThat(repository().resolve("shapes-dit-ddim-stretch00")).isDirectory();
    assertThat(repository().resolve("shapes-dit-sa-solver-route00")).isDirectory();
    assertThat(repository().resolve("shapes-dit-sa-solver-stretch00")).doesNotExist();
    try (Pipeline far =
            Pipeline.builder("shapes-dit").repository(repository()).stepsPerRequest(3).open();
        Pipeline near = Pipeline.open(repository(), "shapes-dit")) {
      Request request = Request.of(List.of(1)).withRouter("sa-solver");
      assertThat(far.generate(request).latents().values())
          .containsExactly(near.generate(request).latents().values());
    }
  }

  @Test
  void pipelineFolder_withoutWhatIsSupported_isOneLine() {
    PipelineFolder.in(folder.resolve("flow"))
        .withScheduler("'_class_name': 'FlowMatchEulerDiscreteScheduler'");
    assertThat(run("--checkpoint DIR/flow --sampler ddim --model-repository REPOSITORY").err())
        .startsWith("error: ")
        .contains(
            "scheduler_config.json: scheduler FlowMatchEulerDiscreteScheduler is for models that were"
                + " trained on a flow, and this one was not")
        .hasLineCount(1);
    PipelineFolder.in(folder.resolve("unet")).without("transformer");
    assertThat(run("--checkpoint DIR/unet --model-repository REPOSITORY").err())
        .startsWith("error: ")
        .contains("is a pipeline by its model_index.json, but has no folder transformer")
        .hasLineCount(1);
    assertThat(repository()).doesNotExist();
  }

  @Test
  void pipelineFolder_thatIsNotWhole_isTold() {
    PipelineFolder.in(folder.resolve("whole"))
        .without("text_encoder")
        .without("tokenizer")
        .without("vae")
        .write(
            "model_index.json",
            "{'vae': ['diffusers', 'AutoencoderKL'], 'text_encoder': ['transformers', 'T5'], 'tokenizer': [null, null]}"
                .replace('\'', '"'));
    String line = "--checkpoint DIR/whole --force --model-repository REPOSITORY";
    Invocation done = run(line);
    assertThat(done.code()).isZero();
    assertThat(done.err())
        .isEqualTo(
            "note: %s/whole/model_index.json names vae, text_encoder, and beside it there is no such folder: going on without\n"
                .formatted(folder));
    assertThat(run(line + " --text-encoder none --vae tests/golden/vae").err()).isEmpty();
  }

  /** Each part has a tensor that its definition does not read, where it may mean nothing. */
  @Test
  void weightsThatAreNotRead_areNoted() {
    PipelineFolder.in(folder.resolve("whole"));
    more("transformer", "register_tokens", 0);
    more("vae", "loss.logvar", 1);
    Path t5 = Path.of("tests/golden/t5");
    Checkpoints.diffusers(
        folder.resolve("whole/t5"), Checkpoints.config(t5), Checkpoints.tensors(t5));
    more("t5", "classifier.bias", 1);
    String line =
        "--checkpoint DIR/whole --text-encoder DIR/whole/t5 --model-repository REPOSITORY";
    for (String dryRun : List.of(" --dry-run", "")) {
      Invocation done = run(line + dryRun);
      assertThat(done.code()).isZero();
      assertThat(done.err().lines())
          .satisfiesExactly(
              note -> assertThat(note).startsWith("note: ").contains("('register_tokens')"),
              note -> assertThat(note).startsWith("note: ").contains("('loss.logvar')"),
              note -> assertThat(note).startsWith("note: ").contains("('classifier.bias')"));
    }
  }

  private void more(String part, String name, int size) {
    Path path = folder.resolve("whole").resolve(part);
    Map<String, Floats> tensors = Checkpoints.tensors(path);
    tensors.put(name, Floats.of(new float[size], size));
    Checkpoints.diffusers(path, Checkpoints.config(path), tensors);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      textBlock =
          """
          tokenizer    |                                        | text encoder DIR/whole/text_encoder has no folder tokenizer beside it: name one with --tokenizer, or say --text-encoder none
          text_encoder |                                        | tokenizer DIR/whole/tokenizer has no use without a text encoder: name one with --text-encoder, or say --text-encoder none
          tokenizer    | tokenizer/tokenizer.json: {"model": {} | DIR/whole/tokenizer/tokenizer.json is no valid JSON
          text_encoder | text_encoder/config.json: {}           | DIR/whole/text_encoder holds no weights
          vae          | vae/config.json: {}                    | DIR/whole/vae holds no weights
          vae          | vae/diffusion_pytorch_model.safetensors: version https://git-lfs.github.com/spec/v1 | DIR/whole/vae/diffusion_pytorch_model.safetensors is only a pointer to the file, as Git LFS leaves it: fetch it by git lfs pull
          scheduler    | scheduler/scheduler_config.json: {     | scheduler_config.json
          scheduler    | model_index.json: {                    | DIR/whole/model_index.json cannot be read
          """)
  void pipelineFolder_withAPartThatIsDamaged_isOneLine_andWritesNothing(
      String part, String file, String message) {
    PipelineFolder pipeline =
        PipelineFolder.in(folder.resolve("whole"))
            .withScheduler("'_class_name': 'DPMSolverMultistepScheduler'")
            .without(part);
    if (file != null) {
      String[] words = file.split(": ", 2);
      pipeline.write(words[0], words[1]);
    }
    Invocation refused = run("--checkpoint DIR/whole --model-repository REPOSITORY");
    assertThat(refused.code()).isEqualTo(1);
    assertThat(refused.err())
        .startsWith("error: ")
        .contains(message.replace("DIR", folder.toString()))
        .hasLineCount(1);
    assertThat(repository()).doesNotExist();
  }

  @Test
  void pipelineFolder_bringsItsTextEncoder() {
    PipelineFolder.in(folder.resolve("whole"));
    Invocation done = run("--checkpoint DIR/whole --model-repository REPOSITORY");
    assertThat(done.err()).isEmpty();
    assertThat(manifest("whole").text())
        .isEqualTo(new ManifestText(120, 24, false, null, "whole-text-encoder", null, null, null));
    assertThat(repository().resolve("whole-text-encoder-00/1/model.onnx.data")).exists();
    Invocation without =
        run("--checkpoint DIR/whole --text-encoder none --force --model-repository REPOSITORY");
    assertThat(without.err()).isEmpty();
    assertThat(manifest("whole").text().encoder()).isNull();
    assertThat(repository().resolve("whole-text-encoder")).doesNotExist();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          --checkpoint tests/golden/pixart/alpha-256-like --text-encoder tests/golden/t5 --tokenizer tests/golden/t5/tokenizer | text encoder tests/golden/t5 embeds tokens 24 wide, and the transformer takes 20 (caption_channels)
          --checkpoint tests/golden/dit --text-encoder tests/golden/t5 --tokenizer tests/golden/t5/tokenizer | text encoder tests/golden/t5 has no use: a DiT-
          --checkpoint DIR/whole --text-encoder DIR/small   | has ids up to 239, and text encoder DIR/small a table of 200 tokens
          --checkpoint DIR/whole --tokenizer DIR/whole      | DIR/whole has neither tokenizer.json nor spiece.model
          --checkpoint tests/golden/dit --tokenizer DIR/x   | tokenizer DIR/x has no use without a text encoder: name one with --text-encoder
          --checkpoint tests/golden/dit --text-encoder tests/golden/t5 | text encoder tests/golden/t5 has no folder tokenizer beside it: name one with --tokenizer
          --checkpoint DIR/whole --text-encoder DIR/whole/transformer | holds no text encoder: model_type is '', expected a folder whose config.json has model_type t5
          """)
  void textEncoder_thatDoesNotFit_isOneLine(String line, String message) {
    PipelineFolder.in(folder.resolve("whole"));
    Path t5 = Path.of("tests/golden/t5");
    Map<String, Floats> weights = Checkpoints.tensors(t5);
    Floats table = weights.get("shared.weight");
    weights.put("shared.weight", Floats.of(Arrays.copyOf(table.data(), 200 * 24), 200, 24));
    Checkpoints.diffusers(
        folder.resolve("small"), Checkpoints.config(t5).put("vocab_size", 200), weights);
    PipelineFolder.copy(t5.resolve("tokenizer"), folder.resolve("tokenizer"));
    Invocation refused = run(line + " --model-repository REPOSITORY");
    assertThat(refused.code()).isEqualTo(1);
    assertThat(refused.err())
        .startsWith("error: ")
        .contains(message.replace("DIR", folder.toString()))
        .hasLineCount(1);
    assertThat(repository()).doesNotExist();
  }

  @Test
  void pipelineFolder_bringsItsAutoencoder() throws IOException {
    Path pipeline = Files.createDirectory(folder.resolve("pipeline"));
    Path pixArt = Path.of("tests/golden/pixart/alpha-1024-like");
    Path vae = Path.of("tests/golden/vae");
    Checkpoints.diffusers(
        pipeline.resolve("transformer"), Checkpoints.config(pixArt), Checkpoints.tensors(pixArt));
    Checkpoints.diffusers(
        pipeline.resolve("vae"), Checkpoints.config(vae), Checkpoints.tensors(vae));
    for (String checkpoint : List.of("DIR/pipeline", "DIR/pipeline/transformer")) {
      Invocation done =
          run(
              "--checkpoint "
                  + checkpoint
                  + " --resolution 64x90 --aspect-bins --text-tokens 9 --force"
                  + " --model-repository REPOSITORY");
      assertThat(done.err()).isEmpty();
      Manifest manifest = manifest("pipeline");
      assertThat(manifest.decoder()).isEqualTo(new Manifest.Decoder("pipeline-decoder", 64));
      assertThat(manifest.pixelsPerElement()).isEqualTo(2);
      assertThat(manifest.height()).isEqualTo(208 / 2); // the nearest bin of 256 x 256 pixels
      assertThat(manifest.width()).isEqualTo(288 / 2);
      assertThat(manifest.picture()).isEqualTo(new Manifest.Size(64, 90));
      assertThat(manifest.text()).isEqualTo(new ManifestText(9, 18, true));
      assertThat(manifest.sampler()).isEqualTo("dpm-solver++");
    }
  }

  private String dryRun(String checkpoint) {
    return run("--checkpoint " + checkpoint + " --model-repository REPOSITORY --dry-run").out();
  }

  @Test
  void dryRun_listsEveryModelWithItsSize_andWritesNothing() {
    Invocation done =
        run(
            "--checkpoint export/shapes-dit --router "
                + ROUTER
                + " --model-repository REPOSITORY --dry-run");
    assertThat(done.code()).isZero();
    assertThat(done.out().lines()).hasSize(31);
    assertThat(done.out())
        .containsPattern("(?m)^shapes-dit-block00-cc +1\\.\\d MiB$")
        .containsPattern("(?m)^shapes-dit-block00-11 +\\d\\.\\d KiB$")
        .containsPattern("(?m)^shapes-dit-fora-2-route01 +\\d\\.\\d KiB$")
        .containsPattern("would write shapes-dit: 29 models, 26\\.\\d MiB")
        .containsPattern(
            "a server that loads all holds 26\\.\\d MiB of weights, up to \\d+\\.\\d [KM]iB of cached outputs for each row in flight");
    assertThat(Trees.of(folder)).hasSize(1);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          2 | --model-repository REPOSITORY                                        | missing --checkpoint PATH
          2 | --checkpoint tests/golden/dit                                        | missing --model-repository
          2 | --checkpoint tests/golden/dit --model-repository REPOSITORY extra    | unexpected argument 'extra'
          2 | --checkpoint tests/golden/dit --model-repository REPOSITORY --precision fp4 | --precision is 'fp4', expected fp32|fp16
          2 | --checkpoint tests/golden/dit --model-repository REPOSITORY --precision bf16 | --precision bf16 needs --platform tensorrt: ONNX Runtime has no kernels
          2 | --checkpoint tests/golden/dit --model-repository REPOSITORY --precision int4-fp16 | --precision int4-fp16 needs --platform tensorrt: ONNX Runtime rounds activations to 8 bits
          2 | --checkpoint tests/golden/dit --model-repository REPOSITORY --precision fp8 --accelerator tensorrt | --precision fp8 needs --platform tensorrt: ONNX Runtime
          2 | --checkpoint tests/golden/dit --model-repository REPOSITORY --precision int4 --platform tensorrt | --ranges are missing: --precision int4 needs what harmonica calibrate with --moments all observed
          2 | --checkpoint tests/golden/dit --model-repository REPOSITORY --precision fp8 --platform tensorrt | --ranges are missing: --precision fp8 needs what harmonica calibrate observed
          2 | --checkpoint tests/golden/dit --model-repository REPOSITORY --platform cuda  | --platform is 'cuda', expected onnxruntime|tensorrt
          2 | --checkpoint tests/golden/dit --model-repository REPOSITORY --max-batch 0    | --max-batch is '0', expected a whole number in 1..65536
          2 | --checkpoint tests/golden/dit --model-repository REPOSITORY --blocks-per-engine 0 | --blocks-per-engine is '0', expected
          2 | --checkpoint tests/golden/dit --model-repository REPOSITORY --engines branch --blocks-per-engine 2 | --blocks-per-engine has no effect with --engines branch
          2 | --checkpoint tests/golden/dit --model-repository REPOSITORY --engines step | --engines is 'step', expected block|branch
          2 | --checkpoint tests/golden/dit --model-repository REPOSITORY --blocks-per-engine some | --blocks-per-engine is 'some', expected
          2 | --checkpoint tests/golden/dit --model-repository REPOSITORY --heads x        | --heads is 'x', expected
          2 | --checkpoint tests/golden/dit --model-repository REPOSITORY --heads 2 --architecture DiT-S/2 | --architecture and --heads exclude each other, expected one
          2 | --checkpoint tests/golden/dit --model-repository REPOSITORY --model-name a/b | --model-name 'a/b' must consist of
          2 | --checkpoint tests/golden/dit --model-repository REPOSITORY --model-name=    | --model-name '' must consist of
          1 | --checkpoint tests/resources/io/harmonica/model/qk_norm.pt --heads 2 --model-repository REPOSITORY | qk_norm.pt holds 4 weights that the transformer read here does not have
          1 | --checkpoint tests/resources/io/harmonica/model/qk_norm.pt --heads 2 --model-repository REPOSITORY --dry-run | qk_norm.pt holds 4 weights that
          1 | --checkpoint DIR/nothing --model-repository REPOSITORY                       | DIR/nothing
          1 | --checkpoint tests/golden/vae --model-repository REPOSITORY                  | field _class_name is 'AutoencoderKL'; supported: FluxTransformer2DModel, SD3Transformer2DModel, DiTTransformer2DModel and PixArtTransformer2DModel
          2 | --checkpoint tests/golden/pixart/alpha-256-like --resolution 64 --model-repository REPOSITORY | --resolution '64' is no size, expected HEIGHTxWIDTH in pixels
          1 | --checkpoint tests/golden/pixart/alpha-256-like --resolution 64x90 --model-repository REPOSITORY | --resolution 64x90 does not fit the model, which takes multiples of 16 pixels up to 4096; the nearest is 64x96
          1 | --checkpoint tests/golden/dit --resolution 64x96 --model-repository REPOSITORY | --resolution 64x96: a DiT has the size that it was trained for, here 64x64
          1 | --checkpoint tests/golden/dit --text-tokens 7 --model-repository REPOSITORY    | --text-tokens 7: a DiT takes class labels
          2 | --checkpoint tests/golden/pixart/alpha-256-like --aspect-bins --model-repository REPOSITORY | --aspect-bins has no effect without --resolution
          2 | --checkpoint tests/golden/pixart/alpha-256-like --resolution 64x96 --aspect-bins --model-repository REPOSITORY | --aspect-bins has no sizes for a model of 64 x 64 pixels
          1 | --checkpoint export/shapes-dit --vae tests/golden/vae --model-repository REPOSITORY | autoencoder tests/golden/vae decodes latents of 4 channels, and the model makes 3
          1 | --checkpoint tests/golden/dit --vae export/shapes-dit --model-repository REPOSITORY | export/shapes-dit holds no autoencoder: _class_name is 'DiTTransformer2DModel'
          1 | --checkpoint tests/golden/dit-facebook/model.pt --model-repository REPOSITORY | add --heads N
          1 | --checkpoint tests/golden/dit-facebook/model.pt --heads 3 --model-repository REPOSITORY | width 32 is not divisible by 3 heads
          1 | --checkpoint tests/golden/dit --heads 4 --model-repository REPOSITORY        | num_attention_heads is 2, --heads says 4
          1 | --checkpoint tests/golden/dit --architecture DiT-XL/2 --model-repository REPOSITORY | tests/golden/dit holds a DiT-3x32/2, not the --architecture DiT-XL/2
          1 | --checkpoint tests/golden/dit --architecture UNet --model-repository REPOSITORY | unknown architecture 'UNet'
          1 | --checkpoint tests/golden/dit --router DIR/none.json --model-repository REPOSITORY | cannot read router file DIR/none.json
          1 | --checkpoint tests/golden/dit --router tests/golden/dit/config.json --model-repository REPOSITORY | format is missing, expected "harmonica-router/1"
          1 | --checkpoint tests/golden/dit --router export/shapes-dit/routers/fora-2.json --model-repository REPOSITORY | router 'fora-2' is for model 'DiT-10x192/4', but this model is 'DiT-3x32/2'
          1 | --checkpoint export/shapes-dit --router export/shapes-dit/routers/fora-2.json --router export/shapes-dit/routers/fora-2.json --model-repository REPOSITORY | router name 'fora-2' is taken
          1 | --checkpoint tests/golden/dit --model-repository tests/golden/dit            | --model-repository tests/golden/dit holds no models, but bf16 and 8 more
          1 | --checkpoint tests/golden/dit --model-repository pom.xml                     | --model-repository pom.xml is a file
          1 | --checkpoint tests/golden/dit --model-repository tests/golden/dit --dry-run  | --model-repository tests/golden/dit holds no models, but bf16 and 8 more
          1 | --checkpoint tests/golden/dit --model-repository pom.xml --dry-run           | --model-repository pom.xml is a file
          1 | --checkpoint tests/golden/dit --model-repository pom.xml/models              | cannot write the repository pom.xml/models:
          """)
  void badInput_isOneLine_andWritesNothing(int code, String line, String message) {
    var before = Trees.of(Path.of("tests/golden/dit")).keySet();
    Invocation refused = run(line);
    assertThat(refused.code()).isEqualTo(code);
    assertThat(refused.out()).isEmpty();
    assertThat(refused.err())
        .startsWith("error: ")
        .contains(message.replace("DIR", folder.toString()))
        .hasLineCount(1);
    assertThat(Trees.of(folder)).hasSize(1);
    assertThat(Trees.of(Path.of("tests/golden/dit")).keySet()).isEqualTo(before);
  }

  @Test
  void truncatedCheckpoint_isOneLine_andWritesNothing() throws IOException {
    Path broken = Files.createDirectory(folder.resolve("broken"));
    String weights = "diffusion_pytorch_model.safetensors";
    Files.copy(Checkpoints.DIT.resolve("config.json"), broken.resolve("config.json"));
    byte[] whole = Files.readAllBytes(Checkpoints.DIT.resolve(weights));
    Files.write(broken.resolve(weights), Arrays.copyOf(whole, whole.length - 4));
    Invocation refused = run("--checkpoint DIR/broken --model-repository REPOSITORY");
    assertThat(refused.code()).isEqualTo(1);
    assertThat(refused.err()).startsWith("error: " + broken.resolve(weights)).hasLineCount(1);
    assertThat(repository()).doesNotExist();
  }
}
