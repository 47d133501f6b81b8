"""The PyTorch side of the benchmark: python pytorch_step.py CHECKPOINT THREADS BATCH [fp32|bf16]

Answers each line on stdin with the nanoseconds of one forward pass of a DiT or PixArt (diffusers, fp32 if not said otherwise), so that the
Java side can alternate with its own.
"""
import json
import sys
import time
import torch
from diffusers import DiTTransformer2DModel, PixArtTransformer2DModel

TEXT_TOKENS = 120

checkpoint, threads, batch = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
type = torch.bfloat16 if sys.argv[4:] == ["bf16"] else torch.float32
torch.set_num_threads(threads)
with open(checkpoint + "/config.json") as config:
    pixart = json.load(config)["_class_name"] == "PixArtTransformer2DModel"
model = (PixArtTransformer2DModel if pixart else DiTTransformer2DModel).from_pretrained(checkpoint).eval().to(type)
size = model.config.sample_size
inputs = {
    "hidden_states": torch.randn(batch, model.config.in_channels, size, size, dtype=type),
    "timestep": torch.full((batch,), 500)}
if pixart:
    inputs["encoder_hidden_states"] = torch.randn(batch, TEXT_TOKENS, model.config.caption_channels, dtype=type)
    inputs["encoder_attention_mask"] = torch.ones(batch, TEXT_TOKENS)
    inputs["added_cond_kwargs"] = {"resolution": None, "aspect_ratio": None}
else:
    inputs["class_labels"] = torch.arange(batch)
with torch.inference_mode():
    model(**inputs)
    print("ready", torch.__version__, flush=True)
    for _ in sys.stdin:
        start = time.perf_counter_ns()
        model(**inputs)
        print(time.perf_counter_ns() - start, flush=True)
