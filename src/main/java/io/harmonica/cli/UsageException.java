package io.harmonica.cli;

/** A command line that cannot be meant: exit code 2. */
final class UsageException extends RuntimeException {
  UsageException(String message) {
    super(message);
  }
}
