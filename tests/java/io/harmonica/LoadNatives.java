package io.harmonica;

import io.harmonica.runtime.Backend;
import io.harmonica.text.Tokenizer;
import io.harmonica.torch.Device;
import java.nio.file.Path;

/**
 * A process of its own that loads a library with native code, and says in one line how that went.
 */
final class LoadNatives {
  private LoadNatives() {}

  public static void main(String[] args) {
    try {
      System.out.println("loaded " + load(args[0]));
    } catch (HarmonicaException e) {
      System.out.println("error: " + e.getMessage());
    }
  }

  private static Object load(String library) {
    return switch (library) {
      case "onnx" -> Backend.cpu().description();
      case "tokenizer" -> {
        try (Tokenizer tokenizer = Tokenizer.open(Path.of("tests/golden/t5/tokenizer"))) {
          yield tokenizer.size();
        }
      }
      default -> Device.of("cpu");
    };
  }
}
