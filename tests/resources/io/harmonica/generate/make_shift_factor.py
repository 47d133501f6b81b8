"""Writes shift_factor.safetensors beside it: what diffusers' own pipelines make of latents with an autoencoder that
states a shift_factor (python make_shift_factor.py; torch 2.15 and diffusers 0.42.1 wrote the one here).

NAME.latents [1, 4, 8, 8], as the scheduler leaves them; NAME.picture uint8 [1, 16, 16, 3], as the pipeline gives it.
"""

import os

import numpy
import torch
from diffusers import (
    AutoencoderKL, DDIMScheduler, DiTPipeline, DiTTransformer2DModel, DPMSolverMultistepScheduler,
    PixArtAlphaPipeline, PixArtSigmaPipeline, PixArtTransformer2DModel)
from safetensors.torch import load_file, save_file

here = os.path.dirname(os.path.abspath(__file__))
golden = os.path.join(here, "../../../../golden")
SHIFT = 40.0  # far from any real one, so that it shows where it is added

vae = AutoencoderKL.from_pretrained(os.path.join(golden, "vae"), shift_factor=SHIFT)
assert vae.config.shift_factor == SHIFT
pixart = PixArtTransformer2DModel.from_pretrained(os.path.join(golden, "pixart/alpha-256-like"))
texts = load_file(os.path.join(golden, "pixart/alpha-256-like/pipeline.safetensors"))
tensors = {}


def keep_latents(name, scheduler):
    step = scheduler.step

    def watched(*args, **options):
        result = step(*args, **options)
        previous = result[0] if isinstance(result, tuple) else result.prev_sample
        tensors[name + ".latents"] = previous[:1].clone()
        return result

    scheduler.step = watched


def keep_picture(name, picture):
    tensors[name + ".picture"] = torch.from_numpy(numpy.array(picture)[None])
    latents = tensors[name + ".latents"] / vae.config.scaling_factor
    for shift in (0, SHIFT):
        with torch.no_grad():
            pixels = (vae.decode(latents + shift).sample / 2 + 0.5).clamp(0, 1).permute(0, 2, 3, 1)
        levels = (pixels * 255).round() - tensors[name + ".picture"].float()
        print(name, "with shift", shift, "differs by", float(levels.abs().max()), "of 255")


scheduler = DDIMScheduler.from_pretrained(os.path.join(golden, "dit-pipeline/scheduler"))
keep_latents("dit", scheduler)
dit = DiTPipeline(DiTTransformer2DModel.from_pretrained(os.path.join(golden, "dit")), vae, scheduler)
dit.set_progress_bar_config(disable=True)
keep_picture("dit", dit([3], guidance_scale=1, generator=torch.manual_seed(1), num_inference_steps=3).images[0])

for name, kind in (("alpha", PixArtAlphaPipeline), ("sigma", PixArtSigmaPipeline)):
    scheduler = DPMSolverMultistepScheduler.from_pretrained(
        os.path.join(golden, "pixart/alpha-256-like/scheduler"))
    keep_latents(name, scheduler)
    pipeline = kind(tokenizer=None, text_encoder=None, vae=vae, transformer=pixart, scheduler=scheduler)
    pipeline.set_progress_bar_config(disable=True)
    given = {key: texts[key][:1] for key in (
        "prompt_embeds", "prompt_attention_mask", "negative_prompt_embeds", "negative_prompt_attention_mask")}
    keep_picture(name, pipeline(
        prompt=None, negative_prompt=None, height=16, width=16, use_resolution_binning=False, num_inference_steps=3,
        generator=torch.manual_seed(1), **given).images[0])

save_file({name: value.contiguous() for name, value in tensors.items()}, os.path.join(here, "shift_factor.safetensors"))
