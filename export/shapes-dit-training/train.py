"""Goes on training the example model in export/shapes-dit, or starts it where there is none.

    MINUTES=60 python export/shapes-dit-training/train.py

diffusers' DiT, epsilon prediction with min-SNR weights, linear betas 1e-4..0.02, 1,000 steps, AdamW, EMA. In training mode the model itself
drops a label in ten. Needs torch and diffusers, and uses a GPU where there is one. Saves in fp16 every 500 steps and
at the end.
"""

import copy
import json
import math
import os
import time
from pathlib import Path

import torch
from diffusers import DiTTransformer2DModel
from shapes import draw
from torch.nn.attention import SDPBackend, sdpa_kernel

out = Path(__file__).resolve().parent.parent / "shapes-dit"
minutes = float(os.environ.get("MINUTES", "60"))
size = 32
device = "cuda" if torch.cuda.is_available() else "cpu"
batch = 1024 if device == "cuda" else 128
torch.manual_seed(int(time.time()))  # going on must not see the same noise again
if (out / "config.json").exists():
    model = DiTTransformer2DModel.from_pretrained(out).float().train()
else:
    model = DiTTransformer2DModel(
        num_attention_heads=6,
        attention_head_dim=32,
        in_channels=3,
        out_channels=3,
        num_layers=10,
        sample_size=size,
        patch_size=4,
        num_embeds_ada_norm=10,
    )
    for block in model.transformer_blocks:
        torch.nn.init.zeros_(block.norm1.linear.weight)
        torch.nn.init.zeros_(block.norm1.linear.bias)
for block in model.transformer_blocks:
    block.norm1.emb = model.transformer_blocks[0].norm1.emb  # one embedder, as converted DiT checkpoints have
model.to(device)
params = list({id(p): p for p in model.parameters()}.values())
ema = [p.detach().clone() for p in params]
optimizer = torch.optim.AdamW(params, lr=9e-4, weight_decay=0.0, betas=(0.9, 0.98))
alpha_bar = torch.cumprod(1 - torch.linspace(1e-4, 0.02, 1000), 0).to(device)
labels = torch.arange(102400) % 10
pictures = torch.cat([((draw(part, size) + 1) * 127.5).round().byte() for part in labels.split(512)]).to(
    device
)
labels = labels.to(device)


def save():
    """Saves the averaged weights, every block with its own copy of the embedder."""
    final = copy.deepcopy(model)
    with torch.no_grad():
        for p, e in zip({id(p): p for p in final.parameters()}.values(), ema):
            p.copy_(e)
    for i, block in enumerate(final.transformer_blocks):
        if i:
            block.norm1.emb = copy.deepcopy(block.norm1.emb)
    final.cpu().eval().half().save_pretrained(out)
    config = json.loads((out / "config.json").read_text())
    config.pop("_name_or_path", None)  # this machine's path
    (out / "config.json").write_text(json.dumps(config, indent=2) + "\n")


start, step = time.time(), 0
while (done := (time.time() - start) / (minutes * 60)) < 1:
    for group in optimizer.param_groups:
        group["lr"] = 9e-4 * min(1, (step + 1) / 100) * (0.51 + 0.49 * math.cos(math.pi * done))
    pick = torch.randint(0, len(labels), (batch,), device=device)
    x, y = pictures[pick].float() / 127.5 - 1, labels[pick]
    t = torch.randint(0, 1000, (batch,), device=device)
    noise = torch.randn_like(x)
    a = alpha_bar[t][:, None, None, None]
    # On a CPU, flash attention's backward pass takes half of a step; plain matrix products take a tenth
    with torch.autocast(device, dtype=torch.bfloat16), sdpa_kernel(SDPBackend.MATH):
        predicted = model(a.sqrt() * x + (1 - a).sqrt() * noise, t, y).sample
    snr = (a / (1 - a)).flatten()  # min-SNR-5 (Hang et al., arXiv 2303.09556): shape before texture
    loss = (((predicted.float() - noise) ** 2).mean((1, 2, 3)) * (snr.clamp(max=5) / snr)).mean()
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(params, 1.0)
    optimizer.step()
    step += 1
    decay = min(0.997, (step + 60) / (step + 80))
    with torch.no_grad():
        torch._foreach_mul_(ema, decay)
        torch._foreach_add_(ema, params, alpha=1 - decay)
    if step % 500 == 0:
        print(step, loss.item(), flush=True)
        save()
save()
