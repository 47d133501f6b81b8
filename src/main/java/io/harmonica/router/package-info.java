/**
 * Decides which branches a step computes and which it reuses: router files, policies and imports.
 *
 * <p>Read {@link io.harmonica.router.Router} first, then {@link io.harmonica.router.Schedule},
 * which follows a router through a trajectory: routes, what to store, when to drop it.
 */
package io.harmonica.router;
