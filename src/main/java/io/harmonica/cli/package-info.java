/**
 * The command line: thin commands over the other packages. Read {@link io.harmonica.cli.Harmonica}
 * and {@link io.harmonica.cli.Command} first.
 */
package io.harmonica.cli;
