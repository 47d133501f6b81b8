#!/usr/bin/env python3
"""Writes flow.json: what diffusers' FlowMatchEulerDiscreteScheduler does, for the tests in this package. Made with diffusers 0.42.1, on CPU:

    python tests/resources/io/harmonica/sampler/make_flow.py

fields        of its constructor, with their defaults.
effects       of a field and a value, on top of each of the bases: whether the trajectory becomes another (changes), stays bit for bit (none), or
              cannot be drawn (fails); nothing where the base has the field itself.
trajectories  config, steps, spacing (trailing: as FLUX's pipeline asks for sigmas; linspace: as SD3's), tokens, and what came of it: sigmas,
              timesteps, and the states, the first before step 0. The model's output is tanh(0.7 x + 0.001 t).
"""
import inspect
import json
import pathlib

import numpy as np
import torch
from diffusers import FlowMatchEulerDiscreteScheduler as Scheduler

TOKENS = 1024
BASES = [{}, {"shift": 3.0}, {"use_dynamic_shifting": True}, {"use_dynamic_shifting": True, "time_shift_type": "linear"}]
VALUES = {
    "num_train_timesteps": [500],
    "shift": [2.0],
    "use_dynamic_shifting": [False, True],
    "base_shift": [0.7],
    "max_shift": [1.4],
    "base_image_seq_len": [128],
    "max_image_seq_len": [2048],
    "invert_sigmas": [False, True],
    "shift_terminal": [None, 0.0, 0.1],
    "use_karras_sigmas": [False, None, True],
    "use_exponential_sigmas": [False, None, True],
    "use_beta_sigmas": [False, None, True],
    "time_shift_type": ["exponential", "linear", "cosine"],
    "stochastic_sampling": [False, True],
}


def calculate_shift(tokens, c):
    """diffusers.pipelines.flux.pipeline_flux.calculate_shift."""
    m = (c.max_shift - c.base_shift) / (c.max_image_seq_len - c.base_image_seq_len)
    return tokens * m + (c.base_shift - m * c.base_image_seq_len)


def trajectory(config, steps, spacing, tokens=TOKENS):
    made = Scheduler(**config)
    c = made.config
    mu = calculate_shift(tokens, c) if c.use_dynamic_shifting else None
    if spacing == "trailing":
        made.set_timesteps(sigmas=np.linspace(1.0, 1 / steps, steps), mu=mu)
    else:
        made.set_timesteps(steps, mu=mu)
    torch.manual_seed(3)
    x = torch.randn(12)
    states = [x]
    for t in made.timesteps:
        x = made.step(torch.tanh(0.7 * x + 0.001 * t), t, x).prev_sample
        states.append(x)
    return {"sigmas": made.sigmas.tolist(), "timesteps": made.timesteps.tolist(), "states": torch.stack(states).tolist()}


def effect(base, field, value):
    if field in base:
        return None
    ways = [(7, "trailing"), (7, "linspace")]
    expected = [trajectory(base, *way) for way in ways]
    try:
        found = [trajectory({**base, field: value}, *way) for way in ways]
    except Exception:  # whatever stops diffusers
        return "fails"
    return "none" if expected == found else "changes"


def main():
    fields = {name: p.default for name, p in inspect.signature(Scheduler.__init__).parameters.items() if p.default is not p.empty}
    effects = [[field, value, *(effect(base, field, value) for base in BASES)] for field in fields for value in VALUES[field]]
    runs = []
    for base in BASES + [{"shift_terminal": 0.1}, {"shift": 0.5}, {**BASES[2], "shift_terminal": 0.02}, {"shift": 3.0, "num_train_timesteps": 500}]:
        for steps in (1, 2, 7):
            for spacing in ("trailing", "linspace"):
                if not (steps == 1 and "shift_terminal" in base):  # 0 / 0
                    for tokens in (64, 5000) if steps == 7 else (TOKENS,):
                        runs.append({"config": base, "steps": steps, "spacing": spacing, "tokens": tokens, **trajectory(base, steps, spacing, tokens)})
    out = {"fields": fields, "bases": BASES, "effects": effects, "trajectories": runs}
    (pathlib.Path(__file__).parent / "flow.json").write_text(json.dumps(out) + "\n")


main()
