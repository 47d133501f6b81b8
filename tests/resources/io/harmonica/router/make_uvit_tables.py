#!/usr/bin/env python3
"""Which branches Learning-to-Cache's published routers for U-ViT-H/2 compute, as it reads them.

    python make_uvit_tables.py LEARNING_TO_CACHE/U-ViT/ckpt > uvit_tables.json

Of horseee/learning-to-cache d6cc781: dpm20_router.pth (sha256 836ee44b...), dpm50_router.pth (6778122d...). Update i >= 1 of
DPM-Solver-2, at its first evaluation, computes what `sigmoid(prob) > 0.9` says; x computes, . reuses.
"""
import json
import sys

import torch

tables = {}
for steps in (20, 50):
    rows = torch.load(f"{sys.argv[1]}/dpm{steps}_router.pth", map_location="cpu")
    assert list(rows) == [f"{i}.prob" for i in range(steps)]
    computed = [(torch.sigmoid(rows[f"{i}.prob"]) > 0.9).tolist() for i in range(1, steps // 2)]
    tables[f"dpm{steps}"] = ["".join("x" if one else "." for one in row) for row in computed]
json.dump(tables, sys.stdout, indent=1)
print()
