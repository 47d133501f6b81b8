"""Writes a U-ViT with random weights as its repository saves it: python random_uvit.py S|M|L|H FILE.pth"""
import sys
import torch

SIZES = {"S": (12, 512), "M": (16, 768), "L": (20, 1024), "H": (28, 1152)}  # blocks but the middle one, width
CHANNELS, PATCH, TOKENS, LABELS = 4, 2, 256, 1001

size, file = sys.argv[1:]
depth, width = SIZES[size]
torch.manual_seed(0)
weights = {}


def linear(name, inputs, outputs, *kernel, bias=True):
    weights[name + ".weight"] = torch.randn(outputs, inputs, *kernel) * 0.02
    if bias:
        weights[name + ".bias"] = torch.randn(outputs) * 0.02


def norm(name):
    weights[name + ".weight"] = torch.ones(width)
    weights[name + ".bias"] = torch.zeros(width)


linear("patch_embed.proj", CHANNELS, width, PATCH, PATCH)
weights["pos_embed"] = torch.randn(1, 2 + TOKENS, width) * 0.02
weights["label_emb.weight"] = torch.randn(LABELS, width) * 0.02
half = range(depth // 2)
for block in ([f"in_blocks.{i}" for i in half] + ["mid_block"] + [f"out_blocks.{i}" for i in half]):
    norm(block + ".norm1")
    linear(block + ".attn.qkv", width, 3 * width, bias=False)
    linear(block + ".attn.proj", width, width)
    norm(block + ".norm2")
    linear(block + ".mlp.fc1", width, 4 * width)
    linear(block + ".mlp.fc2", 4 * width, width)
    if block.startswith("out"):
        linear(block + ".skip_linear", 2 * width, width)
norm("norm")
linear("decoder_pred", width, PATCH * PATCH * CHANNELS)
if size != "H":
    linear("final_layer", CHANNELS, CHANNELS, 3, 3)
torch.save(weights, file)
