"""Writes the torch files beside it, for the tests: python make_torch_files.py (torch 2.15 wrote those here)."""

import argparse
import collections
import os

import torch

os.chdir(os.path.dirname(os.path.abspath(__file__)))


def save(name, value, **options):
    torch.save(value, name, **options)


ramp = torch.arange(6, dtype=torch.float32).reshape(2, 3)

# Every element type; views of one storage; scalars; nothing at all.
shared = torch.arange(10, dtype=torch.float32)
save(
    "tensors.pt",
    {
        "f64": ramp.double(), "f32": ramp, "f16": ramp.half(), "bf16": ramp.bfloat16(),
        "i64": -ramp.long(), "i32": -ramp.int(), "i16": -ramp.short(), "i8": -ramp.to(torch.int8),
        "u8": ramp.to(torch.uint8) + 250, "bool": ramp > 2,
        "transposed": ramp.T, "narrowed": ramp[:, 1:], "permuted": torch.arange(24.0).reshape(2, 3, 4).permute(2, 0, 1),
        "tail": shared[7:], "every_third": shared[::3], "scalar": torch.tensor(2.5), "empty": torch.zeros(0, 4),
        "parameter": torch.nn.Parameter(torch.ones(2)),
    },
)

# A training script's checkpoint, as facebook's train.py and HarmoniCa's write it, trained on a GPU by DistributedDataParallel.
torch.serialization.register_package(0, lambda storage: "cuda:0", lambda storage, location: storage)
model = torch.nn.Linear(3, 2)
optimizer = torch.optim.AdamW(model.parameters())
model(ramp).sum().backward()
optimizer.step()
with torch.no_grad():
    model.weight.copy_(ramp)
    model.bias.fill_(0.5)
averaged = collections.OrderedDict((k, v + 1) for k, v in model.state_dict().items())
arguments = argparse.Namespace(model="DiT-XL/2", lr=0.01, layers=28, cfg=None, learn_sigma=True, sizes=(2, [3, 4]))
wrapped = {
    "model": torch.nn.DataParallel(model).state_dict(),
    "ema": averaged,
    "opt": optimizer.state_dict(),
    "args": arguments,
}
save("train.pt", wrapped)
save("protocol4.pt", wrapped, pickle_protocol=4)
save("parallel.pt", {"state_dict": wrapped["model"], "epoch": 3})

# What must be refused.
save("expanded.pt", {"w": torch.ones(1).expand(1000, 1000)})
save("legacy.pt", {"w": ramp}, _use_new_zipfile_serialization=False)
save("whole_model.pt", model)
save("list.pt", [ramp])
save("no_tensors.pt", {"epoch": 3, "ema": {}})


class Command:
    def __reduce__(self):
        return os.system, ("echo executed > /tmp/executed-by-a-checkpoint",)


save("command.pt", {"w": ramp, "x": Command()})
