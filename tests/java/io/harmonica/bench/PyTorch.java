package io.harmonica.bench;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A PyTorch process that waits while the Java side measures, and the other way round. */
public record PyTorch(Process process, PrintStream in, BufferedReader out, String version)
    implements AutoCloseable {

  /**
   * Starts a script with checkpoint, threads, batch and what else it takes; it answers each line
   * with nanoseconds.
   */
  public static PyTorch start(
      String python, String script, Path checkpoint, int batch, String... more) throws IOException {
    List<String> command = new ArrayList<>(List.of(python, script, checkpoint.toString()));
    command.add(Integer.toString(Runtime.getRuntime().availableProcessors()));
    command.add(Integer.toString(batch));
    command.addAll(List.of(more));
    Process process =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    BufferedReader out =
        new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    String ready = out.readLine();
    return new PyTorch(
        process,
        new PrintStream(process.getOutputStream(), true, StandardCharsets.UTF_8),
        out,
        ready);
  }

  public long nanos() throws IOException {
    return Long.parseLong(answer("").trim());
  }

  /** What the script answers to a line. */
  public String answer(String line) throws IOException {
    in.println(line);
    return out.readLine();
  }

  @Override
  public void close() {
    process.destroy();
  }
}
