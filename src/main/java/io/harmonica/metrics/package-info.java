/**
 * Counts what generation does, for Prometheus or in a registry of the caller's.
 *
 * <p>Read {@link io.harmonica.metrics.Metrics} first, which has the names; {@link
 * io.harmonica.metrics.MetricsPort} answers Prometheus.
 */
package io.harmonica.metrics;
