package io.harmonica.runtime;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Set;

/**
 * What this machine's processor can do. On x64 without VNNI (Intel before Cascade Lake, AMD before
 * Zen 4) the instruction that multiplies 8 bits adds two products in 16 bits and cuts the sum off:
 * engines in int8 would compute something else, without a word.
 */
final class Processor {
  private static final Set<String> VNNI = Set.of("avx512_vnni", "avx_vnni");
  private static final boolean MULTIPLIES_BYTES =
      multipliesBytes(System.getProperty("os.arch"), flags(Path.of("/proc/cpuinfo")));

  private Processor() {}

  /** Whether the fast products of 8 bits are exact here. */
  static boolean multipliesBytes() {
    return MULTIPLIES_BYTES;
  }

  /**
   * The same for a machine.
   *
   * @param flags as Linux lists them; nothing of them where it cannot be asked
   */
  static boolean multipliesBytes(String architecture, String flags) {
    boolean x64 = architecture.equals("amd64") || architecture.equals("x86_64");
    return !x64 || Arrays.stream(flags.split("\\s+")).anyMatch(VNNI::contains);
  }

  private static String flags(Path cpuinfo) {
    try {
      return Files.readString(cpuinfo);
    } catch (IOException e) {
      return "";
    }
  }
}
