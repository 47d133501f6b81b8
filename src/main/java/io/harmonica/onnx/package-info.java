/**
 * Interprets a model definition as an ONNX graph, its weights in a data file beside it.
 *
 * <p>Read {@link io.harmonica.onnx.OnnxOps} first, then {@link io.harmonica.onnx.Graph}, the one
 * funnel that every node goes through.
 */
package io.harmonica.onnx;
