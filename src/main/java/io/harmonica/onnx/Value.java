package io.harmonica.onnx;

import ai.onnx.proto.OnnxMl.TensorProto.DataType;

/** A tensor of a {@link Graph}: the name of a graph input, an initializer or a node's output. */
public record Value(String name, DataType type) {}
