"""Writes golden.safetensors beside it: weights in 4 bits and numbers in floating point of 8 bits, by NumPy and ml_dtypes alone.

    python make.py        # NumPy 2, ml_dtypes, safetensors

4 bits: blocks of 64 inputs share a scale, codes go from -8 to 7, to the nearest and by GPTQ as its paper has it (arXiv
2210.17323, by the Cholesky factor of the inverse, all in float64 but the scales). 8 bits: E4M3, weights with a scale an output,
all tokens with one of what was observed of half of them, so that some lie beyond it.
"""

import pathlib

import ml_dtypes
import numpy as np
from safetensors.numpy import save_file

BATCH, TOKENS, IN, OUT, BLOCK = 2, 5, 128, 24, 64
random = np.random.default_rng(4)
weight = random.standard_normal((OUT, IN)).astype(np.float32) * 0.05
weight[3] = 0
bias = random.standard_normal(OUT).astype(np.float32)
mixing = random.standard_normal((IN, IN)) / 8
inputs = (random.standard_normal((300, IN)) @ mixing).astype(np.float32)
moment = (inputs.T @ inputs).astype(np.float32)  # of tokens whose channels depend on each other
x = inputs[: BATCH * TOKENS].reshape(BATCH, TOKENS, IN)
TINY = 1e-8


def scale(block):
    return (np.maximum(np.abs(block).max(1), TINY) / 7).astype(np.float32)


def code(column, scales):
    exact = column / scales
    assert np.abs(exact % 1 - 0.5).min() > 1e-6, "near the middle between two codes"
    return np.clip(np.rint(exact), -8, 7)


def in4bits(factor):
    """Codes [out, in] and scales [in / block, out]; a factor makes errors good."""
    left, codes, scales = weight.astype(np.float64), np.empty((OUT, IN)), np.empty((IN // BLOCK, OUT), np.float32)
    for j in range(IN):
        b = j // BLOCK
        if j % BLOCK == 0:
            scales[b] = scale(left[:, j : j + BLOCK])
        step = scales[b].astype(np.float64)
        codes[:, j] = code(left[:, j], step)
        if factor is not None:
            error = (left[:, j] - codes[:, j] * step) / factor[j, j]
            left[:, j + 1 :] -= np.outer(error, factor[j, j + 1 :])
    return codes, scales


def values(codes, scales):
    return codes * np.repeat(scales.astype(np.float64), BLOCK, axis=0).T


damped = moment.astype(np.float64)
damped[np.diag_indices(IN)] += 0.01 * np.diag(damped).mean()
nearest = in4bits(None)
compensated = in4bits(np.linalg.cholesky(np.linalg.inv(damped)).T)


def loss(form):
    error = values(*form) - weight
    return np.einsum("oi,ij,oj->", error, moment.astype(np.float64), error)


print("loss of the nearest codes", loss(nearest), "of GPTQ's", loss(compensated))
assert loss(compensated) < 0.5 * loss(nearest)
y_int4 = x.astype(np.float64) @ values(*compensated).T + bias


def e4m3(numbers):
    return np.clip(numbers, -448, 448).astype(np.float32).astype(ml_dtypes.float8_e4m3fn)


scales8 = np.maximum(np.abs(weight).max(1), np.float32(TINY)) / np.float32(448)
codes8 = e4m3(weight / scales8[:, None])
observed = np.abs(x[0]).max(0)
scale8 = observed.max() / np.float32(448)
assert np.abs(x / scale8).max() > 450
rounded = e4m3(x / scale8).astype(np.float64) * float(scale8)
y_fp8 = rounded @ (codes8.astype(np.float64) * scales8.astype(np.float64)[:, None]).T + bias

every = np.arange(256, dtype=np.uint8).view(ml_dtypes.float8_e4m3fn).astype(np.float32)
some = np.concatenate([random.standard_normal(500) * 10.0 ** random.integers(-4, 3, 500), [0, 1.0625, 1.1875, 2**-10, 3 * 2**-10]])
some = some.astype(np.float32)  # the last: in the middle between two

tensors = {"weight": weight, "bias": bias, "moment": moment, "x": x, "y_int4": y_int4}
tensors |= {"nearest.codes": nearest[0], "nearest.scales": nearest[1]}
tensors |= {"compensated.codes": compensated[0], "compensated.scales": compensated[1]}
tensors |= {"observed": observed, "rounded": rounded, "codes8": codes8.astype(np.float32), "scales8": scales8, "y_fp8": y_fp8}
tensors |= {"e4m3": every, "some": some, "some.e4m3": e4m3(some).astype(np.float32)}
save_file(
    {name: np.ascontiguousarray(value, dtype=np.float32) for name, value in tensors.items()},
    pathlib.Path(__file__).with_name("golden.safetensors"),
)
