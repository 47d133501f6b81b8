"""Trains scenes-pixart; goes on where it was stopped.

    OMP_NUM_THREADS=1 python export/scenes-pixart-training/train.py RUN [--steps N] [--decay N] [--from STATE]

RUN is a folder, outside git: state.pt is written to it every few minutes (and replaced as a whole, so that it is never
half of one), log.jsonl gets a line every 100 steps. --decay N lets the learning rate fall to zero over the N steps
from here, which ends a training; without it the rate stays. --from starts from a state elsewhere, such as the one in
export/scenes-pixart-training/state. Pictures, captions and noise of a step come from its number: the order of
interruptions changes nothing.

What the fourth block makes of each token also has to tell which colour and shape lie there, and which background (a
linear layer that only the training has): so the caption's words get their meaning early, where noise hides the picture.
Later what the text encoder makes of each word has to tell, by another such layer, colour and shape of the thing that the
word speaks of, and on which side of the other it lies: without it captions stayed bags of words, see export/README.md.

Noise prediction with min-SNR-5 weights, later with such that favour noisy pictures, and a learned variance (the bound
of Nichol and Dhariwal, arXiv 2102.09672, equation 16, its gradient kept from the mean), linear betas, 1,000 steps; a
caption in ten is dropped. Muon and AdamW; EMA.
"""

import argparse
import json
import math
import os
import shutil
import signal
import time
from pathlib import Path

import numpy as np
import torch
from model import ALPHA_BAR, TEXT_WIDTH, WIDTH, Painter, tokens
from scenes import BACKGROUNDS, COLOURS, RELATIONS, SHAPES, draw_labelled, scenes
from torch import nn
from torch.nn import functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel

SEED, RATE, WARM = 2025, 1.5e-3, 200
BATCHES = [(0, 32), (8000, 64), (15330, 32)]  # from which step how many pictures
MIDDLE = 6500  # from which step most timesteps lie where it is decided what lies where
LAYOUT = 13100  # from which step noisy pictures weigh more: there an error of the picture hardly shows in the noise
BINDING = 15300  # from which step the words' labels count, and the tokens' more
OPENED = 17064  # where the scores of the text encoder, grown until each word saw one other, were made small
LABELS = [(0, 0.03), (BINDING, 0.1)]  # weight of the tokens' labels
AFTER = 3  # the block after which the tokens' labels are read
WORDS = [(0, 0.0), (BINDING, 0.03), (OPENED, 0.1)]  # weight of the words' labels
DECAY_OF_TEXT, DECAY_OF_CROSS = 0.01, 0.001  # a step, of the maps to queries and keys, from OPENED on
DROPPED, VARIANCE, EMA = 0.1, 0.02, 0.9995


# of the polynomials that bring singular values to 1 (Amsel et al., "The Polar Express", arXiv 2505.16932)
POLAR = [
    (8.28721201814563, -23.595886519098837, 17.300387312530933),
    (4.107059111542203, -2.9478499167379106, 0.5448431082926601),
    (3.9486908534822946, -2.908902115962949, 0.5518191394370137),
    (3.3184196573706015, -2.488488024314874, 0.51004894012372),
]


class Muon:
    """Muon (Jordan et al. 2024), all matrices of a shape at once."""

    def __init__(self, matrices, kind):
        self.kind = kind  # element type of the products that make a step's singular values equal
        self.shapes = {}
        for p in matrices:
            self.shapes.setdefault(p.shape, []).append(p)
        self.momentum = {shape: torch.zeros(len(ps), *shape) for shape, ps in self.shapes.items()}

    @torch.no_grad()
    def step(self, rate):
        for shape, ps in self.shapes.items():
            g = torch.stack([p.grad for p in ps])
            m = self.momentum[shape].lerp_(g, 0.05)
            x = g.lerp(m, 0.95)
            turned = shape[0] > shape[1]
            x = x.mT if turned else x
            x = (x / (1.01 * x.norm(dim=(1, 2), keepdim=True) + 1e-7)).to(self.kind)
            for first, third, fifth in POLAR:
                a = x @ x.mT
                x = torch.baddbmm(x, torch.baddbmm(a, a, a, beta=third, alpha=fifth), x, beta=first)
            x = x.mT if turned else x
            scale = -rate * 0.2 * math.sqrt(max(shape))  # the size of AdamW's steps
            torch._foreach_add_(ps, list(x.float()), alpha=scale)


def attention_in_float(attention=F.scaled_dot_product_attention):
    """Attention outside of bfloat16: its backward pass takes five times as long in it on a CPU without AMX."""

    def call(q, k, v, **options):
        with torch.autocast("cpu", enabled=False):
            return attention(q.float(), k.float(), v.float(), **options).to(q.dtype)

    return call


def at_step(step, table):
    """The value of the last of a table's rows (start, value) that has started."""
    return [value for start, value in table if start <= step][-1]


def batch_size(step):
    return at_step(step, BATCHES)


def batch_of(step):
    """Pictures, labels, backgrounds, ids, mask, the words' meanings, timesteps and noise of a step."""
    rng = np.random.default_rng([SEED, step])
    size = batch_size(step)
    some = scenes(rng, size)
    x, labels = (torch.from_numpy(v.astype(np.float32)) for v in draw_labelled(some, rng))
    grounds = torch.tensor([list(BACKGROUNDS).index(one.background) for one in some])
    captions = ["" if rng.random() < DROPPED else one.caption for one in some]
    ids, mask = tokens(captions)
    meanings = torch.full((size, ids.shape[1], 3), UNTOLD)
    for row, one, caption in zip(meanings, some, captions):
        for word, meaning in enumerate(one.meanings() if caption else []):
            if meaning:
                row[word] = torch.tensor(meaning)
    part = (np.arange(size) + rng.random(size)) / size  # one in each part
    if step >= LAYOUT:  # the first 0.7 of 0..1 to 300..850, the rest to all
        part = np.where(part < 0.7, 0.3 + part / 0.7 * 0.55, (part - 0.7) / 0.3)
    elif step >= MIDDLE:  # the first 0.6 to 150..700
        part = np.where(part < 0.6, 0.15 + part / 0.6 * 0.55, (part - 0.6) / 0.4)
    t = torch.from_numpy((part * 1000).astype(np.int64))
    noise = torch.from_numpy(rng.standard_normal(x.shape, dtype=np.float32))
    return x, labels, grounds, ids, mask, meanings, t, noise


def weights(step, t):
    """What each picture's squared error of the noise weighs [n]."""
    snr = ALPHA_BAR[t] / (1 - ALPHA_BAR[t])
    weight = snr.clamp(max=5) / snr  # min-SNR-5 (Hang et al., arXiv 2303.09556): shape before texture
    if step >= LAYOUT:  # the picture's error weighs snr**0.3 instead of snr, down to the noise of about 700
        weight = weight * ((0.3 / snr).clamp(min=1) ** 0.7).clamp(max=15)
    return weight


def losses(out, x, noise, t):
    """Squared error of the noise [n], and the bound's term [n] as a function of the variance values alone."""
    a = ALPHA_BAR[t]
    before = torch.where(t > 0, ALPHA_BAR[t - 1], torch.ones(()))
    error = (out[:, :3] - noise) ** 2
    beta = 1 - a / before
    floor = torch.where(t > 0, beta * (1 - before) / (1 - a), beta * 0)
    floor[t == 0] = (1 - ALPHA_BAR[1] / ALPHA_BAR[0]) * (1 - ALPHA_BAR[0]) / (1 - ALPHA_BAR[1])
    low, high = floor.log(), beta.log()
    f = (out[:, 3:] + 1) / 2
    wide = lambda v: v[:, None, None, None]  # noqa: E731
    log_variance = f * wide(high) + (1 - f) * wide(low)
    off = wide(beta**2 / (1 - a) / (a / before)) * error.detach()  # the means' squared distance
    bound = 0.5 * (
        log_variance - wide(low) - 1 + (wide(low) - log_variance).exp() + off * (-log_variance).exp()
    )
    return error.mean((1, 2, 3)), bound.mean((1, 2, 3)) / math.log(2)


UNTOLD = -100  # the label that cross entropy leaves out
MEANINGS = [len(COLOURS), len(SHAPES), 1 + len(RELATIONS)]
LABEL_KINDS = 2 + len(COLOURS) + len(SHAPES)


def label_loss(told, labels, grounds):
    """Cross entropy of what is told of the tokens [n, 64, 16 + 4], a mean over the tokens."""
    colour, shape, ground = told.split([1 + len(COLOURS), 1 + len(SHAPES), len(BACKGROUNDS)], -1)
    of_colour, of_shape = labels.split([1 + len(COLOURS), 1 + len(SHAPES)], -1)
    entropy = -(of_colour * colour.log_softmax(-1)).sum(-1) - (of_shape * shape.log_softmax(-1)).sum(-1)
    return entropy.mean() + F.cross_entropy(ground.mean(1), grounds)


def meaning_loss(told, meanings):
    """Cross entropy of what is told of the words [n, TOKENS, 8 + 6 + 5], a mean over those that speak of a thing."""
    parts = zip(told.split(MEANINGS, -1), meanings.unbind(-1))
    return sum(F.cross_entropy(part.flatten(0, 1), meant.flatten()) for part, meant in parts)


def matrix_of_block(name, parameter):
    """What Muon takes: matrices inside the blocks of either network, no tables."""
    inside = "transformer_blocks" in name or ".layer." in name
    return parameter.ndim == 2 and inside and "bias" not in name and "table" not in name


class Training:
    def __init__(self, bfloat16=False):
        torch.manual_seed(SEED)
        self.bfloat16 = bfloat16  # matrix products of the networks
        if bfloat16:
            F.scaled_dot_product_attention = attention_in_float()
        self.model = Painter().train()
        self.labeller = nn.Linear(WIDTH, LABEL_KINDS + len(BACKGROUNDS))
        self.inside = {}
        self.model.transformer.transformer_blocks[AFTER + 1].register_forward_pre_hook(
            lambda _, inputs: self.inside.update(tokens=inputs[0])
        )
        self.reader = nn.Linear(TEXT_WIDTH, sum(MEANINGS))
        self.model.text_encoder.register_forward_hook(
            lambda _, inputs, out: self.inside.update(words=out.last_hidden_state)
        )
        parts = [self.model, self.labeller, self.reader]
        named = [named for part in parts for named in part.named_parameters()]
        self.params = [p for _, p in named]
        inner = [p for n, p in named if matrix_of_block(n, p)]
        others = [p for n, p in named if not matrix_of_block(n, p)]
        self.muon = Muon(inner, torch.bfloat16 if bfloat16 else torch.float32)
        self.adam = torch.optim.AdamW(others, weight_decay=0.0, betas=(0.9, 0.98))
        self.ema = [p.detach().clone() for p in self.params]
        self.step = 0
        self.decay_from = self.decay_to = None  # steps between which the learning rate falls
        self.seconds = 0.0

    def load(self, path):
        state = torch.load(path, map_location="cpu", weights_only=True)
        with torch.no_grad():
            for p, e, v, w in zip(self.params, self.ema, state["model"], state["ema"]):
                p.copy_(v)
                e.copy_(w)
            for m, v in zip(self.muon.momentum.values(), state["muon"]):
                m.copy_(v)
        group, own = state["adam"]["param_groups"][0], self.adam.state_dict()["param_groups"][0]
        group["params"] = own["params"]  # a state of before BINDING lacks the reader, which then starts anew
        self.adam.load_state_dict(state["adam"])  # casts to the parameters' type
        self.step, self.seconds = state["step"], state["seconds"]
        self.decay_from, self.decay_to = state["decay"]

    def save(self, path):
        state = {
            "model": [p.detach() for p in self.params],
            "ema": self.ema,
            "muon": list(self.muon.momentum.values()),
            "adam": self.adam.state_dict(),
            "step": self.step,
            "seconds": self.seconds,
            "decay": [self.decay_from, self.decay_to],
        }
        part = path.with_suffix(".part")
        torch.save(state, part)
        os.replace(part, path)

    @torch.no_grad()
    def shrink_scores(self, text, cross):
        """Multiplies the maps that attention's scores are made with, of words and of tokens to words."""
        for block in self.model.text_encoder.encoder.block:
            torch._foreach_mul_(
                [block.layer[0].SelfAttention.q.weight, block.layer[0].SelfAttention.k.weight], text
            )
        for block in self.model.transformer.transformer_blocks:
            torch._foreach_mul_([block.attn2.to_q.weight, block.attn2.to_k.weight], cross)

    @torch.no_grad()
    def open_attention(self):
        """Makes the scores small, and has two heads look back and two ahead, one of each near (as in ALiBi)."""
        self.shrink_scores(0.1, 0.7)
        bias = self.model.text_encoder.encoder.block[0].layer[0].SelfAttention.relative_attention_bias.weight
        back, ahead = bias.chunk(2)  # buckets of words before, itself first, and after
        distance = torch.arange(len(back)) * 1.0
        for head, slope in enumerate((1.0, 1.0, 0.25, 0.25)):
            own, other = (back, ahead) if head % 2 == 0 else (ahead, back)
            own[:, head] -= slope * distance
            other[1:, head] -= 6

    def rate(self):
        rate = RATE * min(1, (self.step + 1) / WARM)
        if self.decay_to:
            rate *= max(0.0, 1 - max(0, self.step - self.decay_from) / (self.decay_to - self.decay_from))
        return rate

    def one(self):
        """A step: trains, and returns loss, the tokens' and words' losses, timesteps, errors and bounds [n]."""
        if self.step == OPENED:
            self.open_attention()
        x, labels, grounds, ids, mask, meanings, t, noise = batch_of(self.step)
        a = ALPHA_BAR[t][:, None, None, None]
        kernels = sdpa_kernel([SDPBackend.FLASH_ATTENTION, SDPBackend.MATH])
        with kernels, torch.autocast("cpu", torch.bfloat16, enabled=self.bfloat16):
            out = self.model(a.sqrt() * x + (1 - a).sqrt() * noise, t, ids, mask).float()
        error, bound = losses(out, x, noise, t)
        told = label_loss(self.labeller(self.inside.pop("tokens").float()), labels, grounds)
        meant = meaning_loss(self.reader(self.inside.pop("words").float()), meanings)
        plain = (error * weights(self.step, t)).mean()
        loss = (
            plain
            + VARIANCE * bound.mean()
            + at_step(self.step, LABELS) * told
            + at_step(self.step, WORDS) * meant
        )
        for p in self.params:
            p.grad = None
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.params, 1.0)
        rate = self.rate()
        self.muon.step(rate)
        if self.step >= OPENED:
            self.shrink_scores(1 - DECAY_OF_TEXT * rate / RATE, 1 - DECAY_OF_CROSS * rate / RATE)
        for group in self.adam.param_groups:
            group["lr"] = rate
        self.adam.step()
        self.step += 1
        decay = min(EMA, (self.step + 1) / (self.step + 10))
        with torch.no_grad():
            torch._foreach_lerp_(self.ema, self.params, 1 - decay)
        return plain.item(), told.item(), meant.item(), t, error.detach(), bound.detach()

    def best(self):
        """The model: as it is where its rate has fallen to zero, else with the averaged weights."""
        return self.model.eval() if self.step == self.decay_to else self.averaged()

    def averaged(self):
        """The model with the averaged weights."""
        model = Painter().eval()
        with torch.no_grad():
            for p, e in zip(model.parameters(), self.ema):
                p.copy_(e)
        return model


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--steps", type=int, default=10**9, help="stop at this step")
    parser.add_argument(
        "--decay", type=int, help="let the rate fall to zero over so many steps from here, and stop"
    )
    parser.add_argument("--from", dest="start", type=Path, help="a state to start from where RUN has none")
    parser.add_argument("--every", type=float, default=240, help="seconds between two states")
    parser.add_argument("--no-compile", action="store_true")
    parser.add_argument("--bfloat16", action="store_true", help="faster where the CPU multiplies bfloat16")
    options = parser.parse_args()
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    options.run.mkdir(parents=True, exist_ok=True)
    path = options.run / "state.pt"
    training = Training(options.bfloat16)
    start = path if path.exists() else options.start
    if start:
        training.load(start)
    if options.decay and training.decay_to is None:
        training.decay_from, training.decay_to = training.step, training.step + options.decay
    end = min(options.steps, training.decay_to or options.steps)
    if not options.no_compile and shutil.which("g++"):  # fuses what lies between the matrix products
        for block in training.model.transformer.transformer_blocks:
            block.compile(dynamic=False)
    saved = logged = time.time()
    busy, before = time.process_time(), training.seconds
    steps, sums, errors, counts = 0, np.zeros(4), np.zeros(10), np.zeros(10)
    stopped = []
    for kind in (signal.SIGTERM, signal.SIGINT):  # saves after the step it is in
        signal.signal(kind, lambda *_: stopped.append(True))
    while training.step < end and not stopped:
        loss, told, meant, t, error, bound = training.one()
        if not math.isfinite(loss):
            raise SystemExit(
                f"loss {loss} at step {training.step}: start again from {path} with a lower rate"
            )
        steps += 1
        sums += loss, told, meant, bound.mean().item()
        np.add.at(errors, t.numpy() // 100, error.numpy())
        np.add.at(counts, t.numpy() // 100, 1)
        training.seconds = before + time.process_time() - busy
        if training.step % 100 == 0:
            total, labels, words, bounds = sums / steps
            line = {
                "step": training.step,
                "batch": batch_size(training.step),
                "loss": round(total, 5),
                "labels": round(labels, 4),
                "words": round(words, 4),
                "bound": round(bounds, 5),
                "error_by_t": [float(f"{v:.3g}") for v in errors / np.maximum(counts, 1)],
                "rate": float(f"{training.rate():.3g}"),
                "cpu_seconds": round(training.seconds),
                "seconds": round(time.time() - logged),
            }
            with open(options.run / "log.jsonl", "a") as log:
                log.write(json.dumps(line) + "\n")
            logged = time.time()
            steps, sums, errors, counts = 0, np.zeros(4), np.zeros(10), np.zeros(10)
        if time.time() - saved > options.every:
            training.save(path)
            saved = time.time()
    training.save(path)


if __name__ == "__main__":
    main()
