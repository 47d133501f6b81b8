package io.harmonica.cli;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/**
 * Where a command prints.
 *
 * @param out results
 * @param err progress, notes and errors
 */
record Console(PrintStream out, PrintStream err) {

  /** The process's own streams, in UTF-8 whatever the locale says. */
  static Console standard() {
    return new Console(utf8(FileDescriptor.out), utf8(FileDescriptor.err));
  }

  /** Prints what the library has to tell, its properties as options. */
  void note(String text) {
    err.println("note: " + Flags.in(text));
  }

  private static PrintStream utf8(FileDescriptor descriptor) {
    OutputStream stream = new FileOutputStream(descriptor);
    return new PrintStream(stream, true, StandardCharsets.UTF_8);
  }
}
