"""Writes the .pth files beside it from the golden PixArt vectors, by PixArt-sigma's own tool (torch 2.15, diffusers 0.35.1 here):
python make_pixart_state_dicts.py CHECKOUT_OF_PIXART_SIGMA

sigma.pth is as training saves it: with the positions, which diffusers computes here, and what stands for no caption.
alpha-1024.pth is as the tool leaves it: without.
"""

import os
import subprocess
import sys

import torch
from diffusers.models.embeddings import get_2d_sincos_pos_embed

tool = os.path.join(os.path.abspath(sys.argv[1]), "tools", "convert_diffusers_to_pixart.py")
os.chdir(os.path.dirname(os.path.abspath(__file__)))
golden = "../../../../golden/pixart/%s-like/diffusion_pytorch_model.safetensors"
for flavour in ("sigma", "alpha-1024"):
    source = golden % flavour
    subprocess.check_call([sys.executable, tool, "--safetensor_path", source, "--pth_path", flavour + ".pth"])

saved = torch.load("sigma.pth")
weights = saved["state_dict"]
width = weights["x_embedder.proj.weight"].shape[0]
side = 64 // 2  # sample_size and patch_size of the golden configuration
positions = get_2d_sincos_pos_embed(width, side, base_size=side, interpolation_scale=2, output_type="pt")
weights["pos_embed"] = positions.float().reshape(1, side * side, width)
weights["y_embedder.y_embedding"] = torch.zeros(300, weights["y_embedder.y_proj.fc1.weight"].shape[1])
torch.save(saved, "sigma.pth")
