"""Writes golden.safetensors beside it: a linear map in 8 bits, by NumPy alone, in float64 where rounding allows.

    python make.py        # NumPy 2, safetensors

Weights have a scale an output, tokens one of their own; codes go from -127 to 127. One output's weights and one token are
zeros, one token has a value far from its others.
"""

import pathlib

import numpy as np
from safetensors.numpy import save_file

BATCH, TOKENS, IN, OUT = 2, 5, 48, 24
random = np.random.default_rng(24)
weight = random.standard_normal((OUT, IN)).astype(np.float32) * 0.05
weight[3] = 0
bias = random.standard_normal(OUT).astype(np.float32)
x = random.standard_normal((BATCH, TOKENS, IN)).astype(np.float32)
x[0, 1] = 0
x[1, 2, 7] = 40

largest = np.maximum(np.abs(weight).max(1), np.float32(1e-8))
scales = largest / np.float32(127)  # float32, as engines keep them
codes = np.rint(weight / scales[:, None])
rows = np.maximum(np.abs(x).max(-1, keepdims=True), np.float32(1e-8))
tokens = np.rint(x.astype(np.float64) / rows * 127)  # no x lies near the middle between two codes: checked below
assert np.abs(x.astype(np.float64) / rows * 127 % 1 - 0.5).min() > 1e-5
assert np.abs(weight.astype(np.float64) / scales[:, None] % 1 - 0.5).min() > 1e-5
assert np.abs(codes).max() == 127 and np.abs(tokens).max() == 127
rounded = tokens / 127 * rows
y = rounded @ (codes * scales.astype(np.float64)[:, None]).T + bias

# One scale for all tokens, known beforehand from a quarter of the numbers, after smoothing: what lies beyond is cut off.
observed = np.abs(x[0]).max(0)
heaviest = np.abs(weight).max(0)
v = np.sqrt(np.maximum(observed, 1e-5 * observed.max()).astype(np.float64) / np.maximum(heaviest, 1e-5 * heaviest.max()))
factors = np.exp(np.log(v).mean()) / v
smoothed_weight = (weight / factors.astype(np.float32)).astype(np.float32)
smoothed_scales = np.maximum(np.abs(smoothed_weight).max(1), np.float32(1e-8)) / np.float32(127)
smoothed_codes = np.rint(smoothed_weight / smoothed_scales[:, None])
scale = (observed * factors.astype(np.float32)).max() / np.float32(127)
smoothed = (x * factors.astype(np.float32)).astype(np.float64) / scale
assert np.abs(smoothed % 1 - 0.5).min() > 1e-5 and np.abs(smoothed).max() > 128
inputs = np.clip(np.rint(smoothed), -128, 127) * float(scale)
y_static = inputs @ (smoothed_codes * smoothed_scales.astype(np.float64)[:, None]).T + bias

tensors = {"weight": weight, "bias": bias, "x": x, "scales": scales, "codes": codes, "rounded": rounded, "y": y}
tensors |= {"observed": observed, "factors": factors, "y_static": y_static}
save_file(
    {name: np.ascontiguousarray(value, dtype=np.float32) for name, value in tensors.items()},
    pathlib.Path(__file__).with_name("golden.safetensors"),
)
