"""The picture that diffusers' own PixArtAlphaPipeline makes, against one that this project made of the same noise.

    python compare.py FOLDER noise NOISE.safetensors
    bin/harmonica generate ... --latents NOISE.safetensors --save-latents OURS.safetensors
    python compare.py FOLDER check NOISE.safetensors OURS.safetensors

Both with the prompt below, DPM-Solver++, 20 steps, guidance 4.5 and a text of 24 tokens. Needs a diffusers of 2026.
"""

import sys

import torch
from diffusers import PixArtAlphaPipeline
from safetensors.torch import load_file, save_file

PROMPT = "two green squares above a red circle"
folder, what, noise = sys.argv[1:4]
if what == "noise":
    save_file({"latents": torch.randn(1, 3, 32, 32, generator=torch.Generator().manual_seed(1))}, noise)
else:
    pipeline = PixArtAlphaPipeline.from_pretrained(folder, vae=None).to(torch.float32)
    theirs = pipeline(
        PROMPT,
        num_inference_steps=20,
        guidance_scale=4.5,
        latents=load_file(noise)["latents"],
        max_sequence_length=24,
        clean_caption=False,
        output_type="latent",
    ).images
    ours = load_file(sys.argv[4])["latents"]
    print(f"largest difference {(ours - theirs).abs().max():.2e}, of values up to {theirs.abs().max():.3f}")
