/**
 * Offers the command line: thin commands over the other packages.
 *
 * <p>Read {@link io.harmonica.cli.Harmonica} first, then {@link io.harmonica.cli.Command}.
 */
package io.harmonica.cli;
