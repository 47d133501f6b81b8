/**
 * Puts routers on running Triton servers and takes them off, and says what servers have.
 *
 * <p>Read {@link io.harmonica.deploy.Deployment} first; {@link io.harmonica.deploy.Survey} is what
 * {@code harmonica status} prints.
 */
package io.harmonica.deploy;
