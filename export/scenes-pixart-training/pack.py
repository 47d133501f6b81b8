"""Makes of a training's state what goes into git.

python pack.py RUN/state.pt export/scenes-pixart              # the averaged weights, a diffusers pipeline in fp16
python pack.py RUN/state.pt export/scenes-pixart-training/state/state.pt   # to go on from: of two bytes a number
"""

import sys
from pathlib import Path

import torch
from train import Training


def short(tree, kind):
    """The same with every tensor of floats in another type; what counts steps stays."""
    if isinstance(tree, torch.Tensor):
        return tree.to(kind) if tree.is_floating_point() and tree.ndim else tree
    if isinstance(tree, dict):
        return {k: short(v, kind) for k, v in tree.items()}
    return [short(v, kind) for v in tree] if isinstance(tree, list) else tree


source, target = Path(sys.argv[1]), Path(sys.argv[2])
if target.suffix == ".pt":
    state = torch.load(source, map_location="cpu", weights_only=True)
    for part in ("model", "ema"):
        state[part] = short(state[part], torch.float16)
    for part in ("muon", "adam"):
        state[part] = short(state[part], torch.bfloat16)  # squares of gradients are too small for fp16
    target.parent.mkdir(parents=True, exist_ok=True)
    torch.save(state, target)
    step = state["step"]
else:
    training = Training()
    training.load(source)
    training.best().save_pipeline(target)
    step = training.step
print(f"wrote {target} of step {step}")
