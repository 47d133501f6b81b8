"""Writes wrapped_*.pt beside it, each as its tool names the weights of one linear layer (weight 0..5, bias 0.5; averaged: one more):
python make_wrapped_files.py (torch 2.15 and ema-pytorch 0.8.3 here)."""

import os

import torch
from ema_pytorch import EMA
from torch.distributed.algorithms._checkpoint.checkpoint_wrapper import checkpoint_wrapper
from torch.optim.swa_utils import AveragedModel

os.chdir(os.path.dirname(os.path.abspath(__file__)))


def linear(more=0.0):
    model = torch.nn.Linear(3, 2)
    with torch.no_grad():
        model.weight.copy_(torch.arange(6.0).reshape(2, 3) + more)
        model.bias.fill_(0.5 + more)
    return model


def save(name, value):
    torch.save(value, "wrapped_%s.pt" % name)


def parallel(model):
    return torch.nn.DataParallel(model)


class Lightning(torch.nn.Module):  # a LightningModule names what it holds so
    def __init__(self, **models):
        super().__init__()
        for name, model in models.items():
            setattr(self, name, model)


# Wrapped once or several times.
save("compiled", torch.compile(linear()).state_dict())
save("compiled_then_parallel", parallel(torch.compile(linear())).state_dict())
save("parallel_then_compiled", torch.compile(parallel(linear())).state_dict())
save("checkpointed", dict(parallel(checkpoint_wrapper(linear())).named_parameters()))
save("lightning", {"state_dict": Lightning(model=torch.compile(linear())).state_dict(), "global_step": 3})

# One part wrapped, others not: their names share nothing.
save("part_compiled", torch.nn.ModuleDict({"a": torch.compile(linear()), "b": linear()}).state_dict())

# Averaged weights beside those of the last step.
averaged = AveragedModel(linear())
averaged.update_parameters(linear())
averaged.update_parameters(linear(2))  # the mean of the two
save("swa", {"model": linear().state_dict(), "model_ema": averaged.state_dict()})
ema = EMA(linear(), ema_model=linear(1))
save("ema_pytorch", {"model": linear().state_dict(), "ema": ema.state_dict(), "step": 3})
save("lightning_ema", {"state_dict": Lightning(model=linear(), ema_model=linear(1)).state_dict()})
for name in ("state_dict_ema", "model_ema", "ema_model", "ema_state_dict", "params_ema"):  # timm, torchvision, PixArt, BasicSR ...
    save(name, {"state_dict": linear().state_dict(), name: parallel(linear(1)).state_dict(), "epoch": 3})

# Averaged weights without names: those of the last step are what there is.
save("unnamed_average", {"model": linear().state_dict(), "ema": {"decay": torch.tensor(0.9), "shadow_params": list(linear(1).parameters())}})

# What does not say which is meant.
save("two_averages", {"model": linear().state_dict(), "model_ema": linear(1).state_dict(), "ema_model": linear(2).state_dict()})
save("two_models", Lightning(model=linear(), net=linear(1)).state_dict())
