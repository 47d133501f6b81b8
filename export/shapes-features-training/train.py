"""Trains the small network that judges sets of the example's pictures, and writes it as ONNX.

    python export/shapes-features-training/train.py          # some minutes on two CPU cores

A convolutional classifier of the ten drawn shapes (../shapes-dit-training/shapes.py). Half of a batch
gets noise and a little blur, so that a picture that is not perfect still has a class. Needs torch and onnx.
"""

import math
import sys
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn
from torch.nn import functional as F

export = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(export / "shapes-dit-training"))
from shapes import CLASSES, draw  # noqa: E402

SIZE, FEATURES = 32, 64
PICTURES, STEPS, BATCH, SEED = 12800, 800, 128, 5
STAGES = [(3, 24, 2), (24, 48, 2), (48, FEATURES, 1)]  # channels in, out, stride


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.convolutions = nn.ModuleList(nn.Conv2d(i, o, 3, s, 1, bias=False) for i, o, s in STAGES)
        self.norms = nn.ModuleList(nn.BatchNorm2d(o) for _, o, _ in STAGES)
        self.logits = nn.Linear(FEATURES, len(CLASSES))

    def features(self, x):  # (N, 3, 32, 32) -> (N, FEATURES)
        for convolution, norm in zip(self.convolutions, self.norms):
            x = F.silu(norm(convolution(x)))
        return x.mean((2, 3))

    def forward(self, x):
        return self.logits(self.features(x))

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


def train():
    torch.manual_seed(SEED)
    all_labels = torch.arange(PICTURES) % len(CLASSES)
    pictures = torch.cat([draw(part, SIZE) for part in all_labels.split(512)])
    print(f"drew {PICTURES} pictures", flush=True)
    model = Classifier()
    optimizer = torch.optim.AdamW(model.parameters(), lr=4e-3, weight_decay=1e-2)
    for step in range(STEPS):
        for group in optimizer.param_groups:
            group["lr"] = 4e-3 * min(1, (step + 1) / 50) * (0.505 + 0.495 * math.cos(math.pi * step / STEPS))
        pick = torch.randint(0, PICTURES, (BATCH,))
        labels = all_labels[pick]
        loss = F.cross_entropy(model(imperfect(pictures[pick])), labels, label_smoothing=0.05)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if (step + 1) % 100 == 0:
            print(f"step {step + 1} of {STEPS}: loss {loss.item():.4f}", flush=True)
    return model.eval()


@torch.no_grad()
def accuracy(model, count=10000):
    torch.manual_seed(SEED + 1)  # pictures that no batch had
    labels = torch.arange(count) % len(CLASSES)
    return sum((model(draw(part, SIZE)).argmax(1) == part).sum().item() for part in labels.split(500)) / count


@torch.no_grad()
def graph(model):
    nodes, weights = [], []

    def weight(name, values):
        weights.append(numpy_helper.from_array(values.numpy().astype(np.float32), name))
        return name

    def node(operator, inputs, output, **attributes):
        nodes.append(helper.make_node(operator, inputs, [output], **attributes))
        return output

    x = "pictures"
    for i, ((w, b), (_, _, stride)) in enumerate(zip(model.folded(), STAGES)):
        inputs = [x, weight(f"stage{i}.weight", w), weight(f"stage{i}.bias", b)]
        x = node("Conv", inputs, f"stage{i}", strides=[stride, stride], pads=[1, 1, 1, 1])
        x = node("Mul", [x, node("Sigmoid", [x], f"stage{i}.sigmoid")], f"stage{i}.silu")
    x = node("Flatten", [node("GlobalAveragePool", [x], "pool")], "features")
    node(
        "Gemm",
        [x, weight("logits.weight", model.logits.weight), weight("logits.bias", model.logits.bias)],
        "logits",
        transB=1,
    )
    value = lambda name, *shape: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)  # noqa: E731
    whole = helper.make_graph(
        nodes,
        "shapes-features",
        [value("pictures", "n", 3, SIZE, SIZE)],
        [value("features", "n", FEATURES), value("logits", "n", len(CLASSES))],
        weights,
    )
    made = helper.make_model(whole, opset_imports=[helper.make_opsetid("", 17)], producer_name="harmonica")
    made.ir_version = 8
    onnx.checker.check_model(made, full_check=True)
    return made


if __name__ == "__main__":
    model = train()
    print(f"accuracy on 10000 fresh pictures: {accuracy(model):.4f}")
    out = export / "shapes-features" / "model.onnx"
    out.parent.mkdir(exist_ok=True)
    onnx.save(graph(model), out)
    print(f"wrote {out}, {out.stat().st_size} bytes")
