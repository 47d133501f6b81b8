"""Writes the torch files beside it whose settings are more than a namespace: python make_settings.py (torch 2.15, omegaconf 2.4, easydict 1.14).

The names are those of the public training scripts: `sit.pt` has what willisma/SiT's train.py saves by default, `repa.pt` what sihyun-yu/REPA's does
(its projectors with it), `omegaconf.pt` a configuration in sections, as LightningDiT has it. Of the weights there is one only.
"""

import argparse
import collections
import os
import pathlib
import types

import torch
from easydict import EasyDict
from omegaconf import OmegaConf

os.chdir(os.path.dirname(os.path.abspath(__file__)))
weights = {"pos_embed": torch.zeros(1, 4, 8)}


def save(name, settings, more=None, **rest):
    state = {**weights, **(more or {})}
    torch.save({"model": state, "ema": state, "opt": {"state": {}, "param_groups": [{"lr": 1e-4}]}, **rest, "args": settings}, name)


save(
    "sit.pt",
    argparse.Namespace(
        data_path="/data", results_dir="results", model="SiT-XL/2", image_size=256, num_classes=1000, epochs=1400, global_batch_size=256,
        global_seed=0, vae="ema", num_workers=4, log_every=100, ckpt_every=50000, sample_every=10000, cfg_scale=4.0, wandb=False, ckpt=None,
        path_type="Linear", prediction="velocity", loss_weight=None, sample_eps=1e-3, train_eps=1e-5,
    ),
)
save(
    "repa.pt",
    argparse.Namespace(
        model="SiT-XL/2", num_classes=1000, encoder_depth=8, fused_attn=True, qk_norm=False, resolution=256, path_type="linear", prediction="v",
        cfg_prob=0.1, enc_type="dinov2-vit-b", proj_coeff=0.5, weighting="uniform", legacy=False,
    ),
    {"projectors.0.0.weight": torch.zeros(2, 2), "projectors.0.0.bias": torch.zeros(2)},
    steps=400000,
)
save(
    "omegaconf.pt",
    OmegaConf.create(
        {
            "model": {"model_type": "LightningDiT-XL/1", "layers": [1, 2.5, None, True]},
            "transport": {"path_type": "Linear", "prediction": "velocity"},
            "again": "${transport.prediction}",
        }
    ),
)
save(
    "settings.pt",
    EasyDict(
        model=EasyDict(name="DiT-S/2", num_heads=6), out=pathlib.PurePosixPath("/runs/1"), relative=pathlib.PurePosixPath("a/b"),
        device=torch.device("cuda", 1), dtype=torch.bfloat16, more=types.SimpleNamespace(lr=0.5),
        counts=collections.defaultdict(list, {"a": 1}), none=None,
    ),
    prediction_type="epsilon",
)
