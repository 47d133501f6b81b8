#!/usr/bin/env python3
"""Draws with the example's transformer and diffusers' schedulers, as if it had been trained to predict other things: schedulers.safetensors.

    python tests/resources/io/harmonica/cli/make_schedulers.py      # diffusers 0.42.1, torch 2.15.0, on CPU

start [1, 3, 32, 32], and for each run its finished latents; the scheduler of each is in schedulers.json. Class 3, guidance 1.5 on all
channels, 5 steps.
"""
import json
import pathlib

import diffusers
import torch
from safetensors.torch import save_file

HERE = pathlib.Path(__file__).parent
RUNS = {
    "ddim-velocity": ("DDIMScheduler", {
        "prediction_type": "v_prediction", "beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012,
        "timestep_spacing": "trailing", "clip_sample": False, "steps_offset": 1}),
    "ddim-picture": ("DDIMScheduler", {
        "prediction_type": "sample", "beta_schedule": "squaredcos_cap_v2", "timestep_spacing": "linspace", "clip_sample": False}),
    "solver-velocity": ("DPMSolverMultistepScheduler", {
        "prediction_type": "v_prediction", "beta_schedule": "squaredcos_cap_v2", "timestep_spacing": "leading"}),
}  # fmt: skip


@torch.no_grad()
def main():
    model = diffusers.DiTTransformer2DModel.from_pretrained("export/shapes-dit").eval()
    start = torch.randn(1, 3, 32, 32, generator=torch.Generator().manual_seed(5))
    tensors, files = {"start": start}, {}
    for name, (scheduler, config) in RUNS.items():
        made = getattr(diffusers, scheduler)(**config)
        made.set_timesteps(5)
        files[name] = {"_class_name": scheduler, **config}
        x = start
        for t in made.timesteps:
            labels = torch.tensor([3, 10])
            both = model(torch.cat([x, x]), timestep=t.expand(2), class_labels=labels).sample
            conditional, unconditional = both.chunk(2)
            x = made.step(unconditional + 1.5 * (conditional - unconditional), t, x).prev_sample
        tensors[name] = x
    save_file({k: v.contiguous() for k, v in tensors.items()}, HERE / "schedulers.safetensors")
    with open(HERE / "schedulers.json", "w") as file:
        file.write("{\n" + ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in files.items()) + "\n}\n")


if __name__ == "__main__":
    main()
