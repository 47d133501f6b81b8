"""Writes a PixArt with random weights as diffusers saves it: python random_pixart.py B|XL FOLDER"""
import sys
import torch
from diffusers import PixArtTransformer2DModel

SIZES = {"B": (12, 64, 12, 32), "XL": (16, 72, 28, 64)}  # heads, width of a head, blocks, sample

size, folder = sys.argv[1:]
heads, width, blocks, sample = SIZES[size]
torch.manual_seed(0)
model = PixArtTransformer2DModel(
    num_attention_heads=heads, attention_head_dim=width, num_layers=blocks, in_channels=4,
    out_channels=8, patch_size=2, sample_size=sample, caption_channels=4096,
    cross_attention_dim=heads * width, norm_type="ada_norm_single")
model.save_pretrained(folder, max_shard_size="100GB")
