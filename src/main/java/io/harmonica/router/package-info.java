/**
 * Decides which branch a step computes and which it reuses: router files, policies, imports and
 * what follows from them. Read {@link io.harmonica.router.Router} and {@link
 * io.harmonica.router.Schedule} first.
 */
package io.harmonica.router;
