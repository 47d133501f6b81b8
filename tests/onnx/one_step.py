"""Runs one uncached step of a model of two repositories, by package onnx's reference implementation, and prints how far the
second's prediction is from the first's: the root mean square of the difference, relative to the first's.

It computes types that this machine's ONNX Runtime has no kernels for, such as bfloat16.
"""

import pathlib
import re
import sys

import numpy as np
import onnx
from onnx.reference import ReferenceEvaluator

BATCH = 2


def steps(ensemble):
    """Engine, and the ensemble's tensors by its ports, in order."""
    text = (ensemble / "config.pbtxt").read_text()
    for step in text.split("\n  step {")[1:]:
        engine = re.search(r'model_name: "([^"]*)"', step).group(1)
        maps = re.findall(r'(input|output)_map \{\s+key: "([^"]*)"\s+value: "([^"]*)"', step)
        yield engine, [{key: value for kind, key, value in maps if kind == wanted} for wanted in ("input", "output")]


def prediction(repository, model):
    numbers = np.random.default_rng(7)
    tensors = {}
    for engine, (taken, given) in steps(repository / model):
        graph = onnx.load(repository / engine / "1" / "model.onnx")
        for port in graph.graph.input:
            if taken[port.name] not in tensors:
                assert port.type.tensor_type.elem_type == onnx.TensorProto.FLOAT, port.name
                shape = [BATCH] + [size.dim_value for size in port.type.tensor_type.shape.dim[1:]]
                scale = 500 if port.name == "timestep" else 1
                tensors[taken[port.name]] = (scale * np.abs(numbers.standard_normal(shape))).astype(np.float32)
        run = ReferenceEvaluator(graph)
        made = run.run(None, {port.name: tensors[taken[port.name]] for port in graph.graph.input})
        for port, value in zip(graph.graph.output, made):
            if port.name in given:
                tensors[given[port.name]] = value
    return tensors["noise_prediction"]


first, second = (prediction(pathlib.Path(repository), sys.argv[3]) for repository in sys.argv[1:3])
print(np.sqrt(np.mean((second - first) ** 2) / np.mean(first**2)))
