"""Compiles every engine below a folder with TensorRT-RTX, and holds it to its configuration. Told by check.sh."""

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


def faults(file):
    """What is wrong with an engine; nothing, where it compiles as its configuration says."""
    config = Config((file.parent.parent / "config.pbtxt").read_text())
    log = Log()
    builder = trt.Builder(log)
    network = builder.create_network(0)  # strongly typed, as trtexec of TensorRT 11 has it, and --stronglyTyped before
    parser = trt.OnnxParser(network, log)
    if not parser.parse_from_file(str(file)):
        return [parser.get_error(i).desc() for i in range(parser.num_errors)] + log.told
    stated = (config.inputs, config.outputs)
    read = (ports(network.num_inputs, network.get_input), ports(network.num_outputs, network.get_output))
    if stated != read:
        return [f"its configuration states ports {stated}, TensorRT reads {read}"]
    largest = {name: shape[0] for name, shape in config.profile[2].items()}
    if set(largest.values()) != {config.max_batch}:
        return [f"its profile ends at batches of {largest}, its configuration at {config.max_batch}"]
    profile = builder.create_optimization_profile()
    for name in config.inputs:
        profile.set_shape(name, *(shapes[name] for shapes in config.profile))
    options = builder.create_builder_config()
    options.num_compute_capabilities = 1
    options.set_compute_capability(TARGET, 0)
    options.add_optimization_profile(profile)
    plan = builder.build_serialized_network(network, options)
    if plan is None:
        return log.told or ["no plan, and no reason told"]
    return log.told


def check(file):
    try:
        return file, [" ".join(line.split()) for line in faults(file)]
    except Exception as fault:  # whatever it is, it is told
        return file, [f"{type(fault).__name__}: {fault}"]


def main():
    root = pathlib.Path(sys.argv[1])
    files = sorted(root.rglob("model.onnx"))
    failed = 0
    with ProcessPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        for file, told in pool.map(check, files):
            failed += bool(told)
            for line in told:
                print(f"{file.parent.parent.relative_to(root)}: {line}")
    print(f"{len(files)} engines, {failed} faults")
    sys.exit(0 if files and not failed else 1)


if __name__ == "__main__":
    main()
