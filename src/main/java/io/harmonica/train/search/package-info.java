/**
 * Searches among tables of a given cost for one that changes the picture least, by the adjoint of
 * whole trajectories.
 *
 * <p>Read {@link io.harmonica.train.search.Exchange} first, then {@code Responses}, which says what
 * each entry would change.
 */
package io.harmonica.train.search;
