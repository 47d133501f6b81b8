import io.harmonica.generate.Pipeline;
import io.harmonica.generate.Request;
import io.harmonica.generate.Result;
import io.harmonica.picture.Pictures;
import io.harmonica.picture.Png;
import java.awt.image.BufferedImage;
import java.nio.file.Path;
import java.util.List;

/** Draws a star and a heart. Arguments: a model repository, or HOST:PORT of Triton; a folder. */
public class DrawShapes {
  public static void main(String[] args) {
    // One pipeline serves many threads; close it when the service ends.
    try (Pipeline pipeline = open(args[0])) {
      Request request = Request.of(List.of(3, 4)).withRouter("taylor-2").withSeed(7);
      Result result =
          pipeline.generate(
              request,
              step -> {
                System.out.printf("step %d of %d%n", step.step() + 1, step.steps());
                return true; // false cancels: generate then throws a CancellationException
              });
      List<BufferedImage> pictures = Pictures.of(pipeline.decode(result.latents()));
      for (int i = 0; i < pictures.size(); i++) {
        Png.write(pictures.get(i), Path.of(args[1], "picture" + i + ".png"));
      }
      System.out.printf("%d pictures in %d ms%n", pictures.size(), result.elapsedNanos() / 1000000);
    }
  }

  private static Pipeline open(String place) {
    return place.contains(":")
        ? Pipeline.connect(place, "shapes-dit")
        : Pipeline.open(Path.of(place), "shapes-dit");
  }
}
