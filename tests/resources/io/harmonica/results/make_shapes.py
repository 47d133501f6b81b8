"""Writes shapes.safetensors: pictures that shapes.py draws, and the random numbers that it draws them from."""

import sys
from pathlib import Path

import torch
from safetensors.torch import save_file

here = Path(__file__).resolve().parent
sys.path.insert(0, str(here.parents[4] / "export" / "shapes-dit-training"))
import shapes  # noqa: E402

drawn, rand = [], torch.rand


def recorded(*size):
    values = rand(*size)
    drawn.append(values.reshape(size[0], -1))
    return values


torch.manual_seed(3)
torch.rand = recorded
pictures = shapes.draw(torch.arange(20) % 10, 16)
save_file({"pictures": pictures, "uniform": torch.cat(drawn, 1)}, here / "shapes.safetensors")
