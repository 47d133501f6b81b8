"""Trains the network that judges scenes-pixart's pictures, and writes it as ONNX.

    python export/scenes-pixart-training/judge.py            # some minutes on one CPU core
    python export/scenes-pixart-training/judge.py --check    # only the accuracy of the one that is there

It finds the centre of every shape ("Objects as Points", Zhou et al., arXiv 1904.07850) on a grid of 16 x 16 cells, and
reads colour, shape and radius there. Input `pictures` [n, 3, 32, 32] in [-1, 1]; outputs `objects` [n, 5, 6], the
five likeliest: score 0..1, x, y and radius in pixels, indices of colour and shape as scenes.py lists them; `background`
[n, 4], logits; `features` [n, 64], the pooled last convolution. Half of a batch gets noise and a little blur, so that
a picture that is not perfect is still read. Needs torch, onnx and onnxruntime.
"""

import math
import os
import sys
from pathlib import Path

import numpy as np
import onnx
import torch
from agree import agreement, read
from onnx import TensorProto, helper, numpy_helper
from scenes import BACKGROUNDS, COLOURS, SHAPES, SIZE, draw, scenes
from torch import nn
from torch.nn import functional as F

STEPS, BATCH, SEED, RATE = 1500, 64, 6, 4e-3
STAGES = [(3, 24, 1), (24, 48, 2), (48, 64, 1), (64, 64, 1), (64, 64, 1)]  # channels in, out, stride
FEATURES, CELL, GRID, TOP = 64, 2, SIZE // 2, 5
SPLIT = [1, 3, len(COLOURS), len(SHAPES)]  # of the head: centre; x, y, radius; colour; shape
LOOK = [list(COLOURS), list(SHAPES), list(BACKGROUNDS)]


class Reader(nn.Module):
    def __init__(self):
        super().__init__()
        self.convolutions = nn.ModuleList(nn.Conv2d(i, o, 3, s, 1, bias=False) for i, o, s in STAGES)
        self.norms = nn.ModuleList(nn.BatchNorm2d(o) for _, o, _ in STAGES)
        self.head = nn.Conv2d(FEATURES, sum(SPLIT), 1)
        self.background = nn.Linear(FEATURES, len(BACKGROUNDS))
        nn.init.constant_(self.head.bias[:1], -4.0)  # few cells are centres

    def forward(self, x):  # (n, 3, 32, 32) -> head (n, 18, 16, 16), background (n, 4)
        for convolution, norm in zip(self.convolutions, self.norms):
            x = F.silu(norm(convolution(x)))
        return self.head(x), self.background(x.mean((2, 3)))

    def folded(self):
        """Weight and bias of each convolution with its norm's running statistics."""
        for convolution, norm in zip(self.convolutions, self.norms):
            scale = norm.weight / (norm.running_var + norm.eps).sqrt()
            yield convolution.weight * scale[:, None, None, None], norm.bias - norm.running_mean * scale


def imperfect(x):
    """Half of the pictures with noise, and half of these blurred."""
    half, quarter = len(x) // 2, len(x) // 4
    x[:quarter] = F.avg_pool2d(F.pad(x[:quarter], (1, 1, 1, 1), mode="replicate"), 3, 1)
    x[:half] += torch.randn_like(x[:half]) * 0.15 * torch.rand(half, 1, 1, 1)
    return x.clamp(-1, 1)


def targets(some):
    """Heat of centres [n, 16, 16], and of each shape: picture, cell, (dx, dy, radius) in cells, colour, shape."""
    heat = np.zeros((len(some), GRID, GRID), np.float32)
    rows = []
    cells = np.arange(GRID)
    for n, one in enumerate(some):
        for g, x, y, r in one.shapes:
            cx, cy = int(x / CELL), int(y / CELL)
            near = np.exp(-((cells[None] - cx) ** 2 + (cells[:, None] - cy) ** 2) / 2 / 0.7**2)
            heat[n] = np.maximum(heat[n], near)
            at = [x / CELL - cx - 0.5, y / CELL - cy - 0.5, r / CELL]
            rows.append((n, cy * GRID + cx, *at, LOOK[0].index(g.colour), LOOK[1].index(g.shape)))
    rows = np.array(rows, np.float32)
    return torch.from_numpy(heat), torch.from_numpy(rows)


def loss_of(model, some, x):
    heat, rows = targets(some)
    head, background = model(x)
    p = head[:, 0].sigmoid().clamp(1e-4, 1 - 1e-4)
    centre = heat == 1
    hit = -((1 - p) ** 2 * p.log())[centre].sum()
    miss = -(p**2 * (1 - p).log() * (1 - heat) ** 4)[~centre].sum()
    own = head.flatten(2)[rows[:, 0].long(), :, rows[:, 1].long()]
    _, at, colour, shape = own.split(SPLIT, 1)
    ground = torch.tensor([LOOK[2].index(one.background) for one in some])
    return (
        (hit + miss) / len(rows)
        + F.l1_loss(at, rows[:, 2:5])
        + F.cross_entropy(colour, rows[:, 5].long(), label_smoothing=0.02)
        + F.cross_entropy(shape, rows[:, 6].long(), label_smoothing=0.02)
        + 0.2 * F.cross_entropy(background, ground)
    )


def train():
    torch.manual_seed(SEED)
    rng = np.random.default_rng(SEED)
    model = Reader()
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=1e-2)
    for step in range(STEPS):
        for group in optimizer.param_groups:
            group["lr"] = RATE * min(1, (step + 1) / 50) * (0.505 + 0.495 * math.cos(math.pi * step / STEPS))
        some = scenes(rng, BATCH, held_out=None)
        loss = loss_of(model, some, imperfect(torch.from_numpy(draw(some, rng).astype(np.float32))))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        if (step + 1) % 100 == 0:
            print(f"step {step + 1} of {STEPS}: loss {loss.item():.4f}", flush=True)
    return model.eval()


@torch.no_grad()
def graph(model):
    nodes, weights = [], []

    def constant(name, values):
        weights.append(numpy_helper.from_array(np.asarray(values), name))
        return name

    def node(operator, inputs, output, **attributes):
        nodes.append(helper.make_node(operator, inputs, [output], **attributes))
        return output

    x = "pictures"
    for i, ((w, b), (_, _, stride)) in enumerate(zip(model.folded(), STAGES)):
        inputs = [x, constant(f"stage{i}.weight", w.numpy()), constant(f"stage{i}.bias", b.numpy())]
        x = node("Conv", inputs, f"stage{i}", strides=[stride, stride], pads=[1, 1, 1, 1])
        x = node("Mul", [x, node("Sigmoid", [x], f"stage{i}.sigmoid")], f"stage{i}.silu")
    pooled = node("Flatten", [node("GlobalAveragePool", [x], "pool")], "features")
    ground = [
        constant("ground.weight", model.background.weight.numpy()),
        constant("ground.bias", model.background.bias.numpy()),
    ]
    node("Gemm", [pooled, *ground], "background", transB=1)
    head = [
        x,
        constant("head.weight", model.head.weight.numpy()),
        constant("head.bias", model.head.bias.numpy()),
    ]
    node("Conv", head, "head")
    nodes.append(
        helper.make_node(
            "Split",
            ["head", constant("split", np.array(SPLIT, np.int64))],
            ["centre", "at", "colour", "shape"],
            axis=1,
        )
    )
    heat = node("Sigmoid", ["centre"], "heat")
    peak = node("MaxPool", [heat], "peak", kernel_shape=[3, 3], pads=[1, 1, 1, 1], strides=[1, 1])
    zero = constant("zero", np.zeros((), np.float32))
    alone = node("Where", [node("Equal", [heat, peak], "is_peak"), heat, zero], "alone")  # one centre a hill
    flat = constant("flat", np.array([0, -1], np.int64))
    nodes.append(
        helper.make_node(
            "TopK",
            [node("Reshape", [alone, flat], "cells"), constant("top", np.array([TOP], np.int64))],
            ["score", "cell"],
            axis=1,
        )
    )
    xs, ys = np.meshgrid(np.arange(GRID), np.arange(GRID))
    corner = np.stack([xs + 0.5, ys + 0.5, 0 * xs])[None].astype(np.float32)  # of the cells, for x, y, radius
    at = node(
        "Mul",
        [node("Add", ["at", constant("corner", corner)], "moved"), constant("pixels", np.float32(CELL))],
        "placed",
    )
    kinds = [at]
    for name in ("colour", "shape"):
        index = node("ArgMax", [name], f"{name}.index", axis=1, keepdims=1)
        kinds.append(node("Cast", [index], f"{name}.number", to=TensorProto.FLOAT))
    rows = node("Concat", kinds, "kinds", axis=1)
    rows = node("Reshape", [rows, constant("rows", np.array([0, 0, -1], np.int64))], "by_cell")  # (n, 5, 256)
    one = constant("one", np.array([1], np.int64))
    cell = node("Unsqueeze", ["cell", one], "cell.row")
    cell = node("Expand", [cell, constant("five", np.array([1, 5, 1], np.int64))], "cell.rows")  # (n, 5, TOP)
    found = node("GatherElements", [rows, cell], "found", axis=2)
    both = node("Concat", [node("Unsqueeze", ["score", one], "score.row"), found], "both", axis=1)
    node("Transpose", [both], "objects", perm=[0, 2, 1])
    value = lambda name, *shape: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)  # noqa: E731
    whole = helper.make_graph(
        nodes,
        "scenes-features",
        [value("pictures", "n", 3, SIZE, SIZE)],
        [
            value("objects", "n", TOP, 6),
            value("background", "n", len(BACKGROUNDS)),
            value("features", "n", FEATURES),
        ],
        weights,
    )
    made = helper.make_model(whole, opset_imports=[helper.make_opsetid("", 17)], producer_name="harmonica")
    made.ir_version = 8
    onnx.checker.check_model(made, full_check=True)
    return made


if __name__ == "__main__":
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    out = Path(__file__).resolve().parent.parent / "scenes-features" / "model.onnx"
    if "--check" not in sys.argv:
        out.parent.mkdir(exist_ok=True)
        onnx.save(graph(train()), out)
        print(f"wrote {out}, {out.stat().st_size} bytes")
    rng = np.random.default_rng(SEED + 1)  # scenes that no batch had
    fresh = scenes(rng, 10000, held_out=None)
    found = [part for i in range(0, len(fresh), 500) for part in read(out, draw(fresh[i : i + 500], rng))]
    print("on 10000 freshly drawn scenes:", agreement(fresh, found))
