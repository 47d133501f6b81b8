package io.harmonica.torch;

import io.harmonica.HarmonicaException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.bytedeco.pytorch.global.torch;

/** Where libtorch computes: {@code cpu}, {@code cuda:0}, {@code cuda:1}, ... */
public final class Device {
  private static final Pattern NAME = Pattern.compile("cpu|cuda(?::(\\d{1,3}))?");

  private final String name;

  private Device(String name) {
    this.name = name;
  }

  /**
   * The device of that name, {@code cpu}, {@code cuda} or {@code cuda:N}, once libtorch is loaded
   * and the device is there.
   *
   * @throws IllegalArgumentException for another name
   * @throws HarmonicaException where libtorch or the device is missing
   */
  public static Device of(String name) {
    Matcher matcher = NAME.matcher(name);
    if (!matcher.matches()) {
      throw new IllegalArgumentException(
          "device is '%s', expected cpu, cuda or cuda:N".formatted(name));
    }
    Libtorch.load();
    if (name.equals("cpu")) {
      return new Device(name);
    }
    int index = matcher.group(1) == null ? 0 : Integer.parseInt(matcher.group(1));
    if (!Libtorch.hasNatives("-gpu")) {
      throw new HarmonicaException(
          "device %s needs libtorch for GPUs, and the class path has it for the CPU: build with the Maven profile torch-gpu (HARMONICA_TORCH=gpu, or ./mvnw package -Dtorch=gpu), or take cpu"
              .formatted(name));
    }
    int count = torch.cuda_is_available() ? torch.cuda_device_count() : 0;
    if (index >= count) {
      throw new HarmonicaException(
          "device %s is not there: CUDA finds %d GPUs%s; take cpu, or look at nvidia-smi"
              .formatted(name, count, count == 0 ? "" : " (cuda:0 is the first)"));
    }
    return new Device("cuda:" + index);
  }

  org.bytedeco.pytorch.Device torch() {
    return new org.bytedeco.pytorch.Device(name);
  }

  /** The name, a GPU's with its number. */
  @Override
  public String toString() {
    return name;
  }
}
