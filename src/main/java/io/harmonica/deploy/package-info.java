/**
 * Adds routers to running Triton servers, takes them off, and shows which models and routers
 * servers have.
 *
 * <p>Read {@link io.harmonica.deploy.Deployment} first; {@link io.harmonica.deploy.Survey} is what
 * {@code harmonica status} prints.
 */
package io.harmonica.deploy;
