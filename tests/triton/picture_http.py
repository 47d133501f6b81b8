"""Draws a picture of a seed in one request over HTTP: picture_http.py HOST:PORT MODEL CLASS GUIDANCE SEED OUT

MODEL is one that takes seeds, such as shapes-dit.taylor-2.seed; OUT becomes a PPM picture. tests/triton/client.sh runs it with Triton's client installed.
"""
import sys

import numpy as np
import tritonclient.http as triton
from tritonclient.utils import np_to_triton_dtype

url, model, label, guidance, seed, out = sys.argv[1:]
client = triton.InferenceServerClient(url)
tensors = {
    "seed": np.array([[int(seed)]], np.int64),
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
