package io.harmonica.cli;

import io.harmonica.features.FeatureNetwork;
import io.harmonica.features.FeatureStatistics;
import java.nio.file.Path;
import java.util.List;
import org.apache.commons.cli.Options;

/** {@code harmonica features}: statistics of a folder of pictures, for Fréchet distances to it. */
final class FeaturesCommand implements Command {
  @Override
  public String name() {
    return "features";
  }

  @Override
  public String summary() {
    return "write what a network sees in a folder of pictures, to compare sets with";
  }

  @Override
  public List<String> usage() {
    return List.of("--features MODEL.onnx --pictures DIR --out STATS.json");
  }

  @Override
  public Options options() {
    return new OptionList()
        .value(
            "features",
            "MODEL.onnx",
            "the network: input 'pictures' fp32 [n, 3, h, w] in [-1, 1], output 'features' fp32 [n,"
                + " width]")
        .value("pictures", "DIR", "folder of PNG files of one size; its sheet.png does not count")
        .value("out", "STATS.json", "the file to write: mean and covariance of the features")
        .options();
  }

  @Override
  public List<String> examples() {
    return List.of(
        "bin/harmonica features --features export/shapes-features/model.onnx --pictures /tmp/pictures"
            + " --out /tmp/stats.json");
  }

  @Override
  public int run(Arguments arguments, Console console) {
    Path out = arguments.requiredPath("out");
    Path pictures = arguments.requiredPath("pictures");
    try (FeatureNetwork network = FeatureNetwork.open(arguments.requiredPath("features"))) {
      FeatureStatistics statistics = FeatureStatistics.of(network, pictures);
      statistics.write(out);
      if (!statistics.fullRank()) {
        console.note(
            ("%d pictures for %d features: a distance to so few says more of their number than"
                    + " of the pictures, expected more than %d")
                .formatted(statistics.count(), statistics.width(), statistics.width()));
      }
      console
          .out()
          .printf(
              "wrote %s: %s, %d features each%n",
              out, RouterCommands.counted(statistics.count(), "picture"), statistics.width());
    }
    return CommandRunner.DONE;
  }
}
