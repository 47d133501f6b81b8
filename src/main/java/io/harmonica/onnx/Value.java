package io.harmonica.onnx;

import io.harmonica.Element;

/** A tensor of a {@link Graph}: the name of a graph input, an initializer or a node's output. */
public record Value(String name, Element type) {}
