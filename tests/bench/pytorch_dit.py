"""The PyTorch side of the benchmark: python pytorch_dit.py CHECKPOINT THREADS BATCH

Answers each line on stdin with the nanoseconds of one forward pass (diffusers, fp32), so that the Java side can
alternate with its own.
"""
import sys
import time
import torch
from diffusers import DiTTransformer2DModel

checkpoint, threads, batch = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
torch.set_num_threads(threads)
model = DiTTransformer2DModel.from_pretrained(checkpoint).eval()
size = model.config.sample_size
sample = torch.randn(batch, model.config.in_channels, size, size)
timestep = torch.full((batch,), 500)
label = torch.arange(batch)
with torch.inference_mode():
    model(sample, timestep, label)
    print("ready", torch.__version__, flush=True)
    for _ in sys.stdin:
        start = time.perf_counter_ns()
        model(sample, timestep, label)
        print(time.perf_counter_ns() - start, flush=True)
