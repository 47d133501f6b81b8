"""Triton's `onnxruntime` backend for tests, on the Python onnxruntime package.

Triton takes a backend folder with a model.py as the backend of that name, so a repository whose
configs say `backend: "onnxruntime"` runs unchanged. Correct, not fast: production has Triton's
compiled backend in the same place.
"""

import json
import os

import numpy as np
import onnxruntime as ort
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    def initialize(self, args):
        config = json.loads(args["model_config"])
        filename = config["default_model_filename"] or "model.onnx"
        folder = os.path.join(args["model_repository"], args["model_version"])
        # As a compiled backend does that was built without it. On a CPU it ignores those of GPUs.
        accelerators = config.get("optimization", {}).get("execution_accelerators", {})
        for accelerator in accelerators.get("cpu_execution_accelerator", []):
            raise pb_utils.TritonModelException(
                f"unknown Execution Accelerator '{accelerator['name']}' is requested"
            )
        options = ort.SessionOptions()
        # Every model is a process of its own here: pools that spin would fight over the cores.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.intra_op_num_threads = len(os.sched_getaffinity(0))
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self.session = ort.InferenceSession(
            os.path.join(folder, filename), options, providers=["CPUExecutionProvider"]
        )
        # A declared input that the graph does not use may be absent from it.
        self.inputs = {i.name for i in self.session.get_inputs()}
        self.types = {
            o["name"]: pb_utils.triton_string_to_numpy(o["data_type"]) for o in config["output"]
        }

    def execute(self, requests):
        """Runs what Triton's dynamic batcher put together as one batch, as the compiled backend does."""
        try:
            parts = [
                {t.name(): t.as_numpy() for t in request.inputs() if t.name() in self.inputs}
                for request in requests
            ]
            one = len(parts) == 1
            feeds = parts[0] if one else {k: np.concatenate([part[k] for part in parts]) for k in parts[0]}
            names = sorted({name for request in requests for name in request.requested_output_names()})
            values = dict(zip(names, self.session.run(names, feeds)))
            rows = [len(request.inputs()[0].as_numpy()) for request in requests]
            ends = np.cumsum(rows)
            return [
                self.response(request, values if one else {k: v[end - n : end] for k, v in values.items()})
                for request, n, end in zip(requests, rows, ends)
            ]
        except Exception as e:
            return [pb_utils.InferenceResponse(error=pb_utils.TritonError(str(e))) for _ in requests]

    def response(self, request, values):
        return pb_utils.InferenceResponse(
            output_tensors=[
                pb_utils.Tensor(
                    name, np.ascontiguousarray(values[name].astype(self.types[name], copy=False))
                )
                for name in request.requested_output_names()
            ]
        )
