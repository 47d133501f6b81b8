"""Writes a T5 v1.1 encoder with random weights in bf16, in shards: python random_t5.py XXL|small FOLDER

Two blocks a shard and one at a time in memory; names, config.json and index as transformers saves T5EncoderModel.
"""
import json
import os
import sys
import torch
from safetensors.torch import save_file

SIZES = {"XXL": (24, 4096, 10240, 64, 64), "small": (8, 512, 1024, 6, 64)}  # blocks, width, inner, heads, of a head
VOCABULARY = 32128

size, folder = sys.argv[1:]
blocks, width, inner, heads, head = SIZES[size]
os.makedirs(folder, exist_ok=True)
torch.manual_seed(0)


def random(rows, columns, std):
    return torch.randn(rows, columns).mul_(std).bfloat16()


def block(i):
    own = f"encoder.block.{i}.layer."
    out = {own + f"{j}.layer_norm.weight": torch.ones(width).bfloat16() for j in range(2)}
    for name, std in {"q": (width * head) ** -0.5, "k": width ** -0.5, "v": width ** -0.5}.items():
        out[own + f"0.SelfAttention.{name}.weight"] = random(heads * head, width, std)
    out[own + "0.SelfAttention.o.weight"] = random(width, heads * head, (heads * head) ** -0.5)
    for name in ("wi_0", "wi_1"):
        out[own + f"1.DenseReluDense.{name}.weight"] = random(inner, width, width ** -0.5)
    out[own + "1.DenseReluDense.wo.weight"] = random(width, inner, inner ** -0.5)
    return out


shards = 1 + blocks // 2
places, total = {}, 0


def save(number, tensors):
    global total
    name = f"model-{number:05d}-of-{shards:05d}.safetensors"
    save_file(tensors, os.path.join(folder, name), {"format": "pt"})
    places.update(dict.fromkeys(tensors, name))
    total += sum(tensor.nbytes for tensor in tensors.values())


save(1, {
    "shared.weight": random(VOCABULARY, width, 1),
    "encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight": random(32, heads, width ** -0.5),
    "encoder.final_layer_norm.weight": torch.ones(width).bfloat16()})
for first in range(0, blocks, 2):
    save(2 + first // 2, {**block(first), **block(first + 1)})
with open(os.path.join(folder, "model.safetensors.index.json"), "w") as index:
    json.dump({"metadata": {"total_size": total}, "weight_map": places}, index, indent=2)
with open(os.path.join(folder, "config.json"), "w") as config:
    json.dump({
        "architectures": ["T5EncoderModel"], "model_type": "t5", "vocab_size": VOCABULARY, "d_model": width,
        "d_kv": head, "d_ff": inner, "num_layers": blocks, "num_heads": heads, "relative_attention_num_buckets": 32,
        "relative_attention_max_distance": 128, "layer_norm_epsilon": 1e-6, "feed_forward_proj": "gated-gelu",
        "dense_act_fn": "gelu_new", "is_gated_act": True}, config, indent=2)
