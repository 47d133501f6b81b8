"""Writes a FLUX with random weights as diffusers saves it: python random_flux.py B FOLDER"""
import sys
import torch
from diffusers import FluxTransformer2DModel

SIZES = {"B": (12, 64, 3, 6)}  # heads, width of a head, blocks of two streams and of one

size, folder = sys.argv[1:]
heads, width, double, single = SIZES[size]
torch.manual_seed(0)
model = FluxTransformer2DModel(
    num_attention_heads=heads, attention_head_dim=width, num_layers=double, num_single_layers=single, in_channels=64,
    joint_attention_dim=4096, pooled_projection_dim=768, guidance_embeds=True, axes_dims_rope=(8, 28, 28))
model.save_pretrained(folder, max_shard_size="100GB")
