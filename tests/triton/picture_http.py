"""Draws a picture in one request over HTTP: picture_http.py HOST:PORT MODEL CLASS GUIDANCE NOISE OUT

NOISE is a file of fp32 numbers, OUT becomes a PPM picture. tests/triton/client.sh runs it with Triton's client installed.
"""
import sys

import numpy as np
import tritonclient.http as triton
from tritonclient.utils import np_to_triton_dtype

url, model, label, guidance, noise, out = sys.argv[1:]
client = triton.InferenceServerClient(url)
shape = next(port["shape"] for port in client.get_model_metadata(model)["inputs"] if port["name"] == "noise")
tensors = {
    "noise": np.fromfile(noise, np.float32).reshape(1, *shape[1:]),
    "class_label": np.array([[int(label)]], np.int64),
    "guidance": np.array([[float(guidance)]], np.float32),
}
inputs = []
for name, values in tensors.items():
    inputs.append(triton.InferInput(name, values.shape, np_to_triton_dtype(values.dtype)))
    inputs[-1].set_data_from_numpy(values)
image = client.infer(model, inputs, outputs=[triton.InferRequestedOutput("image")]).as_numpy("image")[0]
with open(out, "wb") as file:
    file.write(b"P6 %d %d 255\n" % image.shape[1::-1] + image.tobytes())
