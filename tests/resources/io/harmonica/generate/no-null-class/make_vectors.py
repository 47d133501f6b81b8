"""Writes the files beside it, for the tests: python make_vectors.py (torch 2.15, diffusers 0.42, safetensors wrote those here).

`classes.pt` and `one-class.pt`: DiTs in facebookresearch/DiT's layout that were "trained" without class dropout: their label tables have a row for
each class and no null class, as the script's arguments say.
`expected.safetensors`: float64 values of the mathematics of facebook's DiT (FACTS.md, section 2), written here once more in torch:
`x`, `t`, `y` -> `output` of one pass (every class), and `start`, `labels` -> `drawn` by diffusers' DDIM in STEPS steps, without guidance;
the same with `one.` before them for `one-class.pt`.
"""

import argparse
import math
import os

import torch
from diffusers import DDIMScheduler
from safetensors.torch import save_file

os.chdir(os.path.dirname(os.path.abspath(__file__)))
WIDTH, HEADS, DEPTH, PATCH, CHANNELS, SIDE, STEPS = 16, 2, 2, 2, 4, 4, 5
TOKENS = (SIDE // PATCH) ** 2


def weights(classes, seed):
    g = torch.Generator().manual_seed(seed)

    def draw(*shape, scale=0.2):
        return torch.randn(*shape, generator=g) * scale

    w = {"pos_embed": draw(1, TOKENS, WIDTH, scale=1.0)}

    def linear(name, out, inner):
        w[name + ".weight"], w[name + ".bias"] = draw(out, inner), draw(out)

    w["x_embedder.proj.weight"], w["x_embedder.proj.bias"] = draw(WIDTH, CHANNELS, PATCH, PATCH), draw(WIDTH)
    linear("t_embedder.mlp.0", WIDTH, 256)
    linear("t_embedder.mlp.2", WIDTH, WIDTH)
    w["y_embedder.embedding_table.weight"] = draw(classes, WIDTH, scale=1.0)
    for b in range(DEPTH):
        linear(f"blocks.{b}.attn.qkv", 3 * WIDTH, WIDTH)
        linear(f"blocks.{b}.attn.proj", WIDTH, WIDTH)
        linear(f"blocks.{b}.mlp.fc1", 4 * WIDTH, WIDTH)
        linear(f"blocks.{b}.mlp.fc2", WIDTH, 4 * WIDTH)
        linear(f"blocks.{b}.adaLN_modulation.1", 6 * WIDTH, WIDTH)
    linear("final_layer.linear", PATCH * PATCH * 2 * CHANNELS, WIDTH)
    linear("final_layer.adaLN_modulation.1", 2 * WIDTH, WIDTH)
    return w


def forward(w, x, t, y):
    """(B, C, H, W), (B), (B) -> (B, 2 C, H, W), in float64."""
    w = {name: value.double() for name, value in w.items()}

    def linear(name, v):
        return v @ w[name + ".weight"].T + w[name + ".bias"]

    def normed(v, shift, scale):
        v = (v - v.mean(-1, keepdim=True)) / torch.sqrt(v.var(-1, unbiased=False, keepdim=True) + 1e-6)
        return v * (1 + scale[:, None]) + shift[:, None]

    silu = torch.nn.functional.silu
    angles = t.double()[:, None] * torch.exp(-math.log(10000) * torch.arange(128).double() / 128)
    features = torch.cat([torch.cos(angles), torch.sin(angles)], 1)
    c = linear("t_embedder.mlp.2", silu(linear("t_embedder.mlp.0", features)))
    c = silu(c + w["y_embedder.embedding_table.weight"][y])
    h = torch.nn.functional.conv2d(x.double(), w["x_embedder.proj.weight"], w["x_embedder.proj.bias"], stride=PATCH)
    h = h.flatten(2).transpose(1, 2) + w["pos_embed"]
    n = x.shape[0]
    for b in range(DEPTH):
        block = f"blocks.{b}."
        m = linear(block + "adaLN_modulation.1", c).chunk(6, 1)
        qkv = linear(block + "attn.qkv", normed(h, m[0], m[1])).reshape(n, TOKENS, 3, HEADS, WIDTH // HEADS)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        mixed = torch.softmax(q @ k.transpose(-1, -2) / math.sqrt(WIDTH // HEADS), -1) @ v
        h = h + m[2][:, None] * linear(block + "attn.proj", mixed.transpose(1, 2).reshape(n, TOKENS, WIDTH))
        inner = torch.nn.functional.gelu(linear(block + "mlp.fc1", normed(h, m[3], m[4])), approximate="tanh")
        h = h + m[5][:, None] * linear(block + "mlp.fc2", inner)
    m = linear("final_layer.adaLN_modulation.1", c).chunk(2, 1)
    out = linear("final_layer.linear", normed(h, m[0], m[1]))
    s = SIDE // PATCH
    out = out.reshape(n, s, s, PATCH, PATCH, 2 * CHANNELS)
    return torch.einsum("nhwpqc->nchpwq", out).reshape(n, 2 * CHANNELS, SIDE, SIDE)


def drawn(w, x, labels):
    scheduler = DDIMScheduler(beta_schedule="linear", clip_sample=False, set_alpha_to_one=True)
    scheduler.set_timesteps(STEPS)
    x = x.double()
    for t in scheduler.timesteps:
        noise = forward(w, x, t.expand(len(labels)), labels)[:, :CHANNELS]
        x = scheduler.step(noise, t, x).prev_sample
    return x


expected = {}
for file, prefix, classes in [("classes.pt", "", 3), ("one-class.pt", "one.", 1)]:
    w = weights(classes, classes)
    arguments = argparse.Namespace(model="DiT-T/2", num_classes=classes, class_dropout_prob=0.0, num_heads=HEADS)
    torch.save({"ema": w, "args": arguments}, file)
    g = torch.Generator().manual_seed(7)
    x, start = torch.randn(2, classes, CHANNELS, SIDE, SIDE, generator=g)
    t, y = torch.tensor([999, 500, 20])[:classes], torch.arange(classes)
    expected |= {prefix + "x": x, prefix + "t": t, prefix + "y": y, prefix + "output": forward(w, x, t, y).float()}
    expected |= {prefix + "start": start, prefix + "labels": y.flip(0), prefix + "drawn": drawn(w, start, y.flip(0)).float()}
save_file({name: value.contiguous() for name, value in expected.items()}, "expected.safetensors")
