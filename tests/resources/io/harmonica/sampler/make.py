#!/usr/bin/env python3
"""Writes what diffusers' own schedulers do, for the tests in this package. Made with diffusers 0.42.1, torch 2.15.0, on CPU:

    python tests/resources/io/harmonica/sampler/make.py

schedulers.json   fields: each scheduler's constructor, with its defaults. timesteps: by kind, spacing, training timesteps and steps.
                  effects: of a class, a field and a value, on top of each of the bases: whether the trajectory becomes another (changes), stays bit
                  for bit (none), or cannot be drawn (fails); nothing where the base has the field itself.
trajectories.safetensors   alphas_cumprod.BETAS: float32 [1000]. x_init [N], noise [7, N], and for each sampler, prediction type, betas and
                  spacing SAMPLER.PREDICTION.BETAS.SPACING: the states [8, N] of 7 steps, the first before step 0.
                  The model's output is tanh(0.7 x + 0.001 t), its learned variance 0.5 sin x.
"""
import ast
import itertools
import json
import pathlib

import diffusers
import numpy as np
import torch
from diffusers.schedulers import scheduling_ddim, scheduling_ddpm, scheduling_dpmsolver_multistep, scheduling_sasolver
from safetensors.numpy import save_file

HERE = pathlib.Path(__file__).parent
STEPS = 7
FOLLOWED = ["DDIMScheduler", "DDPMScheduler", "DPMSolverMultistepScheduler", "SASolverScheduler"]
OTHERS = [
    "DEISMultistepScheduler", "DPMSolverSDEScheduler", "DPMSolverSinglestepScheduler", "EulerAncestralDiscreteScheduler",
    "EulerDiscreteScheduler", "HeunDiscreteScheduler", "KDPM2AncestralDiscreteScheduler", "KDPM2DiscreteScheduler", "LMSDiscreteScheduler",
    "PNDMScheduler", "UniPCMultistepScheduler",
]
# What our samplers ask of a class before anything else.
BASE = {
    "DDIMScheduler": {"clip_sample": False},
    "DDPMScheduler": {"clip_sample": False, "variance_type": "learned_range"},
    "DPMSolverMultistepScheduler": {},
    "SASolverScheduler": {},
}
# Values to try, of every field that a class has. A field that is new in diffusers has none, and stops this script.
VALUES = {
    "num_train_timesteps": [500, 1000],
    "beta_start": [0.00085],
    "beta_end": [0.012],
    "beta_schedule": ["linear", "scaled_linear", "squaredcos_cap_v2", "sigmoid", "laplace"],
    "trained_betas": [None, [0.001] * 1000],
    "prediction_type": ["epsilon", "sample", "v_prediction", "flow_prediction"],
    "rescale_betas_zero_snr": [False, True],
    "timestep_spacing": ["leading", "linspace", "trailing"],
    "steps_offset": [0, 1],
    "thresholding": [False, True],
    "dynamic_thresholding_ratio": [0.9],
    "sample_max_value": [3.0],
    "clip_sample": [False, True],
    "clip_sample_range": [0.5],
    "set_alpha_to_one": [True, False],
    "variance_type": [None, "fixed_small", "fixed_small_log", "fixed_large", "fixed_large_log", "learned", "learned_range"],
    "solver_order": [1, 2, 3],
    "algorithm_type": ["dpmsolver++", "deis", "dpmsolver", "sde-dpmsolver", "sde-dpmsolver++", "data_prediction", "noise_prediction"],
    "solver_type": ["midpoint", "heun", "logrho", "bh1", "bh2"],
    "final_sigmas_type": ["zero", "sigma_min"],
    "lower_order_final": [True, False],
    "euler_at_final": [False, True],
    "use_karras_sigmas": [False, None, True],
    "use_exponential_sigmas": [False, None, True],
    "use_beta_sigmas": [False, None, True],
    "use_flow_sigmas": [False, None, True],
    "use_lu_lambdas": [False, None, True],
    "flow_shift": [3.0],
    "lambda_min_clipped": [-10.0, -5.1, -5.0, -2.0],
    "use_dynamic_shifting": [False, True],
    "time_shift_type": ["exponential", "linear"],
    "predictor_order": [1, 2, 3],
    "corrector_order": [1, 2, 3],
    "tau_func": [None],
}


def fields(name):
    """From the source, as some classes cannot be imported without packages of others."""
    for file in pathlib.Path(diffusers.__file__).parent.glob("schedulers/scheduling_*.py"):
        for part in ast.parse(file.read_text()).body:
            if isinstance(part, ast.ClassDef) and part.name == name:
                made = next(f for f in part.body if isinstance(f, ast.FunctionDef) and f.name == "__init__").args
                defaults = [eval(ast.unparse(d), {"float": float}) for d in made.defaults]
                return dict(zip([a.arg for a in made.args][-len(defaults) :], defaults))


def scheduler(name, config):
    return getattr(diffusers, name)(**config)


class Noise:
    """In place of diffusers' generator: the rows of an array, one a step."""

    def __init__(self, rows):
        self.rows, self.step = rows, 0
        for module in (scheduling_ddim, scheduling_ddpm, scheduling_dpmsolver_multistep, scheduling_sasolver):
            module.randn_tensor = lambda *args, **kwargs: self.rows[self.step]


def states(name, config, start, noise, steps, eta=0.0):
    made = scheduler(name, config)
    made.set_timesteps(steps)
    drawn, x, all_states = Noise(noise), start, [start]
    for s, t in enumerate(made.timesteps):
        drawn.step = s
        output = torch.tanh(0.7 * x + 0.001 * t.to(torch.float32))
        if name == "DDPMScheduler":
            output = torch.cat([output, 0.5 * torch.sin(x)], dim=1)
        more = {"eta": eta} if name == "DDIMScheduler" else {}
        x = made.step(output, t, x, **more).prev_sample
        all_states.append(x)
    return made.timesteps.tolist(), torch.stack(all_states)


def drawn(name, config, start, noise):
    runs = [states(name, config, start, noise, steps) for steps in (STEPS, 20)]  # a few fields act on few steps only
    return runs + ([states(name, config, start, noise, STEPS, eta=1.0)] if name == "DDIMScheduler" else [])


def effect(expected, name, config, start, noise):
    try:
        found = drawn(name, config, start, noise)
    except Exception:  # whatever stops diffusers
        return "fails"
    same = all(a[0] == b[0] and torch.equal(a[1], b[1]) for a, b in zip(expected, found))
    return "none" if same else "changes"


def main():
    torch.manual_seed(3)
    start = torch.randn(1, 3, 2, 2)
    noise = torch.randn(20, 1, 3, 2, 2)
    known = {name: fields(name) for name in FOLLOWED + OTHERS}
    bases = [{}, {"timestep_spacing": "leading"}, {"timestep_spacing": "linspace"}, {"timestep_spacing": "trailing"},
             {"beta_schedule": "squaredcos_cap_v2"}]  # fmt: skip
    effects = {}
    for name in FOLLOWED:
        for base in bases:
            expected = drawn(name, {**BASE[name], **base}, start, noise)
            for field in known[name]:
                for value in VALUES[field]:
                    done = "" if field in base else effect(expected, name, {**BASE[name], **base, field: value}, start, noise)
                    row = [name, field, [0.001] if isinstance(value, list) else value]
                    effects.setdefault(json.dumps(row), row).append(done)

    timesteps = {}
    for kind, name in (("one step", "DDIMScheduler"), ("solver", "DPMSolverMultistepScheduler")):
        for spacing, train in itertools.product(VALUES["timestep_spacing"], (1000, 50)):
            made = scheduler(name, {"num_train_timesteps": train, "timestep_spacing": spacing})
            for steps in (1, 2, 3, 7, 10, 12, 15, 19, 20, 25, 28, 30, 33, 47, 49):
                made.set_timesteps(steps)
                if len(made.timesteps) == steps:
                    timesteps[f"{kind} {spacing} {train} {steps}"] = made.timesteps.tolist()
    with open(HERE / "schedulers.json", "w") as file:
        file.write('{"diffusers": %s,\n"fields": {\n' % json.dumps(diffusers.__version__))
        file.write(",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in known.items()))
        file.write('},\n"timesteps": {\n')
        file.write(",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in timesteps.items()))
        file.write('},\n"bases": %s,\n"effects": [\n' % json.dumps(bases))
        file.write(",\n".join(json.dumps(row) for row in effects.values()))
        file.write("]}\n")

    start = torch.randn(1, 1, 4, 4)
    noise = torch.randn(STEPS, 1, 1, 4, 4)
    tensors = {"x_init": start.flatten().numpy(), "noise": noise.flatten(1).numpy()}
    for betas in ("linear", "scaled_linear", "squaredcos_cap_v2"):
        ends = {"beta_start": 0.00085, "beta_end": 0.012} if betas == "scaled_linear" else {}
        tensors[f"alphas_cumprod.{betas}"] = scheduler("DDIMScheduler", {"beta_schedule": betas, **ends}).alphas_cumprod.numpy()
        for sampler, predicts, spacing in itertools.product(
            ("ddim", "ddim-eta1", "iddpm", "dpm-solver++", "sa-solver"), ("epsilon", "sample", "v_prediction"), VALUES["timestep_spacing"]
        ):
            name = dict(zip(("ddim", "iddpm", "dpm-solver++", "sa-solver"), FOLLOWED))[sampler.replace("-eta1", "")]
            config = {**BASE[name], "beta_schedule": betas, **ends, "prediction_type": predicts, "timestep_spacing": spacing}
            _, all_states = states(name, config, start, noise, STEPS, eta=1.0 if sampler.endswith("eta1") else 0.0)
            tensors[f"{sampler}.{predicts}.{betas}.{spacing}"] = all_states.flatten(1).numpy().astype(np.float32)
    save_file({k: np.ascontiguousarray(v) for k, v in tensors.items()}, HERE / "trajectories.safetensors")


if __name__ == "__main__":
    main()
