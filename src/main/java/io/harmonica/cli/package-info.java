/**
 * Offers the command line: thin commands over the other packages.
 *
 * <p>Read {@link io.harmonica.cli.Harmonica} first, then {@code Command}.
 */
package io.harmonica.cli;
