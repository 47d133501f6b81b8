"""The PyTorch side of the training benchmark: python pytorch_train.py CHECKPOINT THREADS BATCH

Answers each line on stdin with the nanoseconds of one SDT iteration, the same computation as the Java side's: 20 DDIM
steps, guidance 1.5, student with soft routing against teacher, one embedding for both, AdamW on the step's row. The
line "memory" is answered with the peak resident bytes.
"""
import resource
import sys
import time
import torch
import torch.nn.functional as F
from diffusers import DDIMScheduler, DiTTransformer2DModel

checkpoint, threads, batch = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
STEPS, GUIDANCE, TAU, BETA = 20, 1.5, 0.1, 1e-3
torch.set_num_threads(threads)
model = DiTTransformer2DModel.from_pretrained(checkpoint).eval().requires_grad_(False)
config = model.config
depth, heads = config.num_layers, config.num_attention_heads
scheduler = DDIMScheduler(clip_sample=False, set_alpha_to_one=True, steps_offset=0)
scheduler.set_timesteps(STEPS)


def embed(x, t, y):
    """Tokens and each block's modulation."""
    hidden = model.pos_embed(x)
    return hidden, [block.norm1.linear(F.silu(block.norm1.emb(t, y, hidden_dtype=x.dtype)))
                    .chunk(6, dim=1) for block in model.transformer_blocks], \
        F.silu(model.transformer_blocks[0].norm1.emb(t, y, hidden_dtype=x.dtype))


def attention(layer, x):
    b, n, d = x.shape
    q, k, v = (f(x).view(b, n, heads, -1).transpose(1, 2) for f in (layer.to_q, layer.to_k, layer.to_v))
    return layer.to_out[0](F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(b, n, d))


def forward(embedded, route):
    hidden, modulations, condition = embedded
    for i, (block, (sh1, sc1, g1, sh2, sc2, g2)) in enumerate(zip(model.transformer_blocks, modulations)):
        z = F.layer_norm(hidden, hidden.shape[-1:], eps=1e-6) * (1 + sc1[:, None]) + sh1[:, None]
        hidden = hidden + g1[:, None] * route(2 * i, attention(block.attn1, z))
        z = F.layer_norm(hidden, hidden.shape[-1:], eps=config.norm_eps) * (1 + sc2[:, None]) + sh2[:, None]
        hidden = hidden + g2[:, None] * route(2 * i + 1, block.ff(z))
    shift, scale = model.proj_out_1(condition).chunk(2, dim=1)
    z = F.layer_norm(hidden, hidden.shape[-1:], eps=1e-6) * (1 + scale[:, None]) + shift[:, None]
    z = model.proj_out_2(z)
    p, side = config.patch_size, config.sample_size // config.patch_size
    z = z.view(-1, side, side, p, p, config.out_channels).permute(0, 5, 1, 3, 2, 4)
    return z.reshape(-1, config.out_channels, side * p, side * p)


def guided(prediction):
    cond, uncond = prediction.chunk(2)
    e = uncond[:, :3] + GUIDANCE * (cond[:, :3] - uncond[:, :3])
    return torch.cat([torch.cat([e, e]), prediction[:, 3:]], dim=1)


def iteration(rows, optimizer):
    x = torch.randn(batch, config.in_channels, config.sample_size, config.sample_size).repeat(2, 1, 1, 1)
    y = torch.cat([torch.arange(batch), torch.full((batch,), config.num_embeds_ada_norm)])
    cache = {}
    for s, t in enumerate(scheduler.timesteps):
        with torch.no_grad():
            embedded = embed(torch.cat([x[:batch], x[:batch]]), t.expand(2 * batch), y)
            teacher = guided(forward(embedded, lambda b, f: f)) if s else None
        r = torch.sigmoid(rows[s])
        keep = (r > TAU).tolist()

        def soft(b, f):
            o = f if s == 0 else cache[b] + r[b] * (f - cache[b])
            if keep[b]:
                cache[b] = o.detach()
            return o

        with torch.set_grad_enabled(s > 0):
            student = guided(forward(embedded, soft))
        if s:
            loss = (teacher - student).square().mean() + BETA * r.sum()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            with torch.no_grad():
                rows[s].clamp_(-5, 5)
        x = scheduler.step(student.detach()[:, :config.in_channels], t, x).prev_sample


rows = [torch.nn.Parameter(torch.zeros(2 * depth)) for _ in range(STEPS)]
optimizer = torch.optim.AdamW(rows, lr=0.01, weight_decay=0)
iteration(rows, optimizer)
print("ready", torch.__version__, flush=True)
for line in sys.stdin:
    if line.strip() == "memory":
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, flush=True)
        continue
    start = time.perf_counter_ns()
    iteration(rows, optimizer)
    print(time.perf_counter_ns() - start, flush=True)
