"""How long PyTorch takes for one pass of a DiT: python pytorch.py CHECKPOINT BATCH ROUNDS DEVICE

Prints, as JSON, the median milliseconds of the same pass (diffusers) by precision, eager and compiled, and the PyTorch.
Variants take turns. One that fails has its reason instead of a number.
"""

import json
import statistics
import sys
import time

import torch
from diffusers import DiTTransformer2DModel

checkpoint, batch, rounds, device = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]


def variant(dtype, compiled):
    model = DiTTransformer2DModel.from_pretrained(checkpoint, torch_dtype=dtype).eval().to(device)
    config = model.config
    inputs = {
        "hidden_states": torch.randn(
            batch, config.in_channels, config.sample_size, config.sample_size, dtype=dtype, device=device
        ),
        "timestep": torch.full((batch,), 500, device=device),
        "class_labels": torch.arange(batch, device=device) % config.num_embeds_ada_norm,
    }
    run = torch.compile(model) if compiled else model

    def nanos():
        start = time.perf_counter_ns()
        with torch.inference_mode():
            run(**inputs)
        if device == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter_ns() - start

    for _ in range(3):
        nanos()
    return nanos


ready, answer = {}, {"pytorch": torch.__version__, "batch": batch, "rounds": rounds, "millis": {}}
for precision, dtype in (("fp32", torch.float32), ("fp16", torch.float16), ("bf16", torch.bfloat16)):
    for how in ("eager", "compiled"):
        try:
            ready[f"{precision} {how}"] = variant(dtype, how == "compiled")
        except Exception as fault:  # whatever it is, it is told
            answer["millis"][f"{precision} {how}"] = f"{type(fault).__name__}: {str(fault).strip().splitlines()[0][:120]}"
times = {name: [] for name in ready}
for _ in range(rounds):
    for name, nanos in ready.items():
        times[name].append(nanos() / 1e6)
answer["millis"] |= {name: statistics.median(taken) for name, taken in times.items()}
json.dump(answer, sys.stdout)
