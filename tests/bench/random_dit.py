"""Writes a DiT with random weights as diffusers saves it: python random_dit.py B|XL FOLDER"""
import sys
import torch
from diffusers import DiTTransformer2DModel

SIZES = {"B": (12, 64, 12), "XL": (16, 72, 28)}  # heads, width of a head, blocks

size, folder = sys.argv[1:]
heads, width, blocks = SIZES[size]
torch.manual_seed(0)
model = DiTTransformer2DModel(
    num_attention_heads=heads, attention_head_dim=width, num_layers=blocks, in_channels=4,
    out_channels=8, patch_size=2, sample_size=32, num_embeds_ada_norm=1000)
for block in model.transformer_blocks:  # one embedder, as converted checkpoints have
    block.norm1.emb.load_state_dict(model.transformer_blocks[0].norm1.emb.state_dict())
model.save_pretrained(folder, max_shard_size="100GB")
