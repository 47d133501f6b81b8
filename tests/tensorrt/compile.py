"""Compiles every kind of engine below a folder with TensorRT-RTX, and holds each to its configuration; see check.sh.

Engines of one repository that differ in weights only, as those of its blocks do, are one kind, and compiled once.
"""

import os
import pathlib
import re
import sys
from concurrent.futures import ProcessPoolExecutor

import tensorrt_rtx_bindings as trt

# One that tensors of every precision have kernels for; the importer is the same for all.
TARGET = trt.ComputeCapability.SM89

HARMLESS = (
    "has Int64 binding",  # Triton's backend binds int64 inputs so
    "but is not being removed",  # an input that a variant does without stays an input
    "CUDA driver version is insufficient",  # there is no GPU
)

TYPES = {
    "FLOAT": "FP32",
    "HALF": "FP16",
    "BF16": "BF16",
    "INT8": "INT8",
    "UINT8": "UINT8",
    "INT32": "INT32",
    "INT64": "INT64",
    "BOOL": "BOOL",
}


class Log(trt.ILogger):
    """Keeps what TensorRT says of one engine."""

    def __init__(self):
        trt.ILogger.__init__(self)
        self.told = []

    def log(self, severity, message):
        if severity <= trt.ILogger.Severity.WARNING and not any(line in message for line in HARMLESS):
            self.told.append(message)


class Config:
    """What a config.pbtxt states of an engine: ports, largest batch, profile."""

    def __init__(self, text):
        ports = re.findall(r'^(input|output) \{\s+name: "([^"]*)"\s+data_type: TYPE_(\w+)', text, re.MULTILINE)
        self.inputs = {name: kind for port, name, kind in ports if port == "input"}
        self.outputs = {name: kind for port, name, kind in ports if port == "output"}
        self.max_batch = int(re.search(r"^max_batch_size: (\d+)", text, re.MULTILINE).group(1))
        for form in (
            r"--%sShapes=([^ \"]*)",  # parameter trtexec, of --platform tensorrt
            r'key: "trt_profile_%s_shapes"\s+value: "([^"]*)"',  # of --accelerator tensorrt
        ):
            found = [re.search(form % bound, text) for bound in ("min", "opt", "max")]
            if all(found):
                self.profile = [self.shapes(match.group(1)) for match in found]
                return
        raise ValueError("no profile: export it with --platform tensorrt or --accelerator tensorrt")

    @staticmethod
    def shapes(text):
        return {
            name: [int(size) for size in shape.split("x")]
            for name, shape in (entry.rsplit(":", 1) for entry in text.split(","))
        }


def ports(count, port):
    tensors = [port(i) for i in range(count)]
    return {tensor.name: TYPES.get(tensor.dtype.name, tensor.dtype.name) for tensor in tensors}


class Engine:
    """An engine as TensorRT reads it, held to its configuration."""

    def __init__(self, file):
        self.config = Config((file.parent.parent / "config.pbtxt").read_text())
        self.log = Log()
        self.builder = trt.Builder(self.log)
        # Strongly typed, as trtexec of TensorRT 11 has it, and --stronglyTyped before.
        self.network = self.builder.create_network(0)
        parser = trt.OnnxParser(self.network, self.log)
        if not parser.parse_from_file(str(file)):
            raise ValueError(" ".join([parser.get_error(i).desc() for i in range(parser.num_errors)] + self.log.told))
        read = (
            ports(self.network.num_inputs, self.network.get_input),
            ports(self.network.num_outputs, self.network.get_output),
        )
        stated = (self.config.inputs, self.config.outputs)
        if stated != read:
            raise ValueError(f"its configuration states ports {stated}, TensorRT reads {read}")
        largest = {name: shape[0] for name, shape in self.config.profile[2].items()}
        if set(largest.values()) != {self.config.max_batch}:
            raise ValueError(f"its profile ends at batches of {largest}, its configuration at {self.config.max_batch}")

    def kind(self):
        """What other blocks' engines share with it: all but weights and names of blocks."""
        network = self.network
        tensors = {}

        def known(tensor):
            number = tensors.setdefault(tensor.name, len(tensors))
            return number, str(tensor.dtype), tuple(tensor.shape)

        parts = [known(network.get_input(i)) for i in range(network.num_inputs)]
        parts += [[shapes[name] for name in self.config.inputs] for shapes in self.config.profile]
        for i in range(network.num_layers):
            layer = network.get_layer(i)
            node = "" if layer.type == trt.LayerType.CONSTANT else layer.name  # ours: operator and number
            read = [layer.get_input(j) for j in range(layer.num_inputs)]
            made = [known(layer.get_output(j)) for j in range(layer.num_outputs)]
            parts.append((str(layer.type), node, [known(tensor) for tensor in read if tensor], made))
        return str(parts)

    def compile(self):
        """What TensorRT has against it; nothing, where it makes a plan without a warning."""
        profile = self.builder.create_optimization_profile()
        for name in self.config.inputs:
            profile.set_shape(name, *(shapes[name] for shapes in self.config.profile))
        options = self.builder.create_builder_config()
        options.num_compute_capabilities = 1
        options.set_compute_capability(TARGET, 0)
        options.add_optimization_profile(profile)
        plan = self.builder.build_serialized_network(self.network, options)
        return self.log.told or ([] if plan else ["no plan, and no reason told"])


def kind(file):
    """The kind of an engine, and what is wrong with it already."""
    try:
        return Engine(file).kind(), []
    except Exception as fault:  # whatever it is, it is told
        return None, [str(fault)]


def compile_one(file):
    try:
        return Engine(file).compile()
    except Exception as fault:
        return [str(fault)]


def main():
    root = pathlib.Path(sys.argv[1])
    files = sorted(root.rglob("model.onnx"))
    told, kinds = {}, {}
    with ProcessPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        for file, (key, faults) in zip(files, pool.map(kind, files)):
            told[file] = faults
            if key:
                kinds.setdefault((file.parents[2], key), file)
        for file, faults in zip(kinds.values(), pool.map(compile_one, kinds.values())):
            told[file] += faults
    for file, faults in told.items():
        for fault in faults:
            print(f"{file.parent.parent.relative_to(root)}: {' '.join(fault.split())}")
    failed = sum(bool(faults) for faults in told.values())
    print(f"{len(files)} engines of {len(kinds)} kinds, {failed} faults")
    sys.exit(0 if files and not failed else 1)


if __name__ == "__main__":
    main()
