package io.harmonica.generate;

import io.harmonica.picture.Latents;
import io.harmonica.picture.Pictures;
import io.harmonica.picture.Resize;
import io.harmonica.repository.Manifest;
import io.harmonica.repository.Names;
import io.harmonica.runtime.Runtime;
import io.harmonica.runtime.Tensor;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Makes pixels out of finished samples: decoder, where there is one, and final size. */
record Decoding(Runtime runtime, Manifest manifest) {

  Latents pixels(Latents latents) {
    Latents pixels = manifest.decoder() == null ? latents : decode(latents);
    Pictures.requirePixels(pixels);
    Manifest.Size size = manifest.picture();
    return size == null ? pixels : Resize.to(pixels, size.height(), size.width());
  }

  /** One picture at a time: a decoder takes much memory. */
  private Latents decode(Latents latents) {
    Tiles tiles = new Tiles(manifest.decoder().tile(), manifest.pixelsPerElement());
    List<Latents> pictures = new ArrayList<>();
    for (int i = 0; i < latents.count(); i++) {
      pictures.add(tiles.decode(latents.rows(i, i + 1), this::infer));
    }
    return Latents.of(pictures);
  }

  private Latents infer(Latents part) {
    String decoder = manifest.decoder().model();
    FloatBuffer values = FloatBuffer.wrap(part.values());
    try (Tensor input = runtime.tensor(values, 1, part.channels(), part.height(), part.width());
        Tensor output =
            runtime
                .infer(decoder, Map.of(Names.LATENTS, input), Set.of(Names.PIXELS))
                .get(Names.PIXELS)) {
      long[] shape = output.shape();
      float[] pixels = new float[Math.toIntExact(shape[1] * shape[2] * shape[3])];
      output.floats().get(pixels);
      return new Latents(pixels, 1, (int) shape[1], (int) shape[2], (int) shape[3]);
    }
  }
}
