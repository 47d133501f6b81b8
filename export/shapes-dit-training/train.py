"""Goes on training the example model in export/shapes-dit, or starts it where there is none.

    MINUTES=60 python export/shapes-dit-training/train.py

diffusers' DiT, epsilon prediction with min-SNR weights, linear betas 1e-4..0.02, 1,000 steps, Muon and AdamW, EMA.
In training mode the model itself drops a label in ten. Needs torch and diffusers, and uses a GPU where there is one.
Saves in fp16 every 200 steps and at the end.
"""

import copy
import json
import math
import os
import shutil
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
if device == "cuda" or shutil.which("g++"):  # fuses what lies between the matrix products: 1.25 times as fast
    for block in model.transformer_blocks:
        block.compile(dynamic=False)
named = {id(p): (name, p) for name, p in model.named_parameters()}.values()
params = [p for _, p in named]
# Muon (Jordan et al. 2024) for the blocks' matrices: in equal steps it got further than AdamW
matrices = [p for name, p in named if p.ndim == 2 and "transformer_blocks" in name and "embedding_table" not in name]
others = [p for p in params if not any(p is m for m in matrices)]
ema = [p.detach().clone() for p in params]
optimizers = [
    torch.optim.Muon(matrices, weight_decay=0.0, adjust_lr_fn="match_rms_adamw"),
    torch.optim.AdamW(others, weight_decay=0.0, betas=(0.9, 0.98)),
]
alpha_bar = torch.cumprod(1 - torch.linspace(1e-4, 0.02, 1000), 0).to(device)
labels = torch.arange(102400) % 10
pictures = torch.cat([((draw(part, size) + 1) * 127.5).round().byte() for part in labels.split(512)]).to(
    device
)
labels = labels.to(device)
# Corners take longer to learn than curves: squares, triangles, stars, crosses and arrows are drawn more often
shares = torch.tensor([0.5, 1.4, 1.5, 3.0, 0.9, 1.4, 0.5, 0.6, 1.0, 1.6], device=device)[labels]


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
    for group in (group for optimizer in optimizers for group in optimizer.param_groups):
        group["lr"] = 5e-4 * min(1, (step + 1) / 100) * (0.51 + 0.49 * math.cos(math.pi * done))
    pick = torch.multinomial(shares, batch, replacement=True)
    x, y = pictures[pick].float() / 127.5 - 1, labels[pick]
    t = torch.randint(0, 1000, (batch,), device=device)
    noise = torch.randn_like(x)
    a = alpha_bar[t][:, None, None, None]
    # On a CPU, flash attention's backward pass takes half of a step; plain matrix products take a tenth
    with torch.autocast(device, dtype=torch.bfloat16), sdpa_kernel(SDPBackend.MATH):
        predicted = model(a.sqrt() * x + (1 - a).sqrt() * noise, t, y).sample
    snr = (a / (1 - a)).flatten()  # min-SNR-5 (Hang et al., arXiv 2303.09556): shape before texture
    loss = (((predicted.float() - noise) ** 2).mean((1, 2, 3)) * (snr.clamp(max=5) / snr)).mean()
    model.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(params, 1.0)
    for optimizer in optimizers:
        optimizer.step()
    step += 1
    decay = min(0.9985, (step + 60) / (step + 80))
    with torch.no_grad():
        torch._foreach_mul_(ema, decay)
        torch._foreach_add_(ema, params, alpha=1 - decay)
    if step % 200 == 0:
        print(step, loss.item(), flush=True)
        save()
save()
