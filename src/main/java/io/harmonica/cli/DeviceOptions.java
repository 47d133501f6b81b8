package io.harmonica.cli;

import io.harmonica.HarmonicaException;
import io.harmonica.runtime.Device;
import io.harmonica.runtime.EmbeddedRuntime;
import java.util.Optional;

/** The options of all commands that run a repository in this process. */
final class DeviceOptions {
  static final String DEVICE = "device";
  private static final String THREADS = "threads";

  private DeviceOptions() {}

  /** Declares the options after {@code --model-repository}. */
  static OptionList declare(OptionList options) {
    return options
        .value(
            DEVICE,
            "NAME[,KEY=VALUE...]",
            "what computes here: cpu (default), openvino, tensorrt-rtx, or the path of a plugin for"
                + " ONNX Runtime; `harmonica status` lists what this machine has")
        .value(THREADS, "N", "threads that compute here (default: one a processor)");
  }

  /** The device that is asked for, else the CPU. */
  static Device device(Arguments arguments) {
    try {
      return arguments.text(DEVICE).map(Device::parse).orElse(Device.CPU);
    } catch (HarmonicaException e) {
      throw new UsageException("--" + e.getMessage());
    }
  }

  /** Settles the threads of this process; to be called before anything is opened. */
  static void settleThreads(Arguments arguments) {
    Optional<Integer> threads = arguments.integer(THREADS, 1, 1024);
    threads.ifPresent(EmbeddedRuntime::useThreads);
  }

  static void refuseAll(Arguments arguments, String where) {
    arguments.refuse(DEVICE, where);
    arguments.refuse(THREADS, where);
  }
}
