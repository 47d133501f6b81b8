"""Draws held-out captions with a training's weights, shows them, and has them judged.

    python sample.py RUN/state.pt SHEET.png [--count N] [--guidance X] [--trained] [--live]

DPM-Solver++, 20 steps, as diffusers' pipelines do it. SHEET.png has the first 24 pictures above their captions, which
are printed too. --trained takes captions of combinations that were trained; --live the weights as they are now,
which those of a training that has ended are anyway; of another they are averaged.
"""

import argparse
import os
import textwrap
from pathlib import Path

import numpy as np
import torch
from agree import agreement, judge, read
from diffusers import DPMSolverMultistepScheduler
from model import tokens
from PIL import Image, ImageDraw
from scenes import SIZE, scenes
from train import Training

JUDGE = Path(__file__).resolve().parent.parent / "scenes-features" / "model.onnx"


@torch.no_grad()
def sample(model, captions, guidance, generator, steps=20):
    """Pictures [n, 3, 32, 32] of captions."""
    scheduler = DPMSolverMultistepScheduler(beta_schedule="linear")
    scheduler.set_timesteps(steps)
    x = torch.randn(len(captions), 3, SIZE, SIZE, generator=generator)
    ids, mask = tokens([""] * len(captions) + captions)
    text = model.text_encoder(input_ids=ids, attention_mask=mask).last_hidden_state
    for t in scheduler.timesteps:
        out = model.transformer(
            torch.cat([x, x]),
            encoder_hidden_states=text,
            encoder_attention_mask=mask,
            timestep=t.expand(2 * len(x)),
            added_cond_kwargs={"resolution": None, "aspect_ratio": None},
        ).sample[:, :3]
        null, own = out.chunk(2)
        x = scheduler.step(null + guidance * (own - null), t, x).prev_sample
    return x.clamp(-1, 1)


def sheet(pictures, captions, marks, columns=6, scale=4):
    """Pictures in rows, each above its caption; a mark 'x' where the judge disagrees."""
    side, foot = SIZE * scale, 58
    rows = -(-len(pictures) // columns)
    whole = Image.new("RGB", (columns * (side + 24), rows * (side + foot)), "white")
    pen = ImageDraw.Draw(whole)
    for i, (picture, caption, mark) in enumerate(zip(pictures, captions, marks)):
        x, y = i % columns * (side + 24), i // columns * (side + foot)
        rgb = ((picture + 1) * 127.5).round().byte().permute(1, 2, 0).numpy()
        whole.paste(Image.fromarray(rgb).resize((side, side), Image.NEAREST), (x + 12, y))
        pen.multiline_text(
            (x + 4, y + side + 1), "\n".join(textwrap.wrap(f"{mark}{caption}", 25)), fill="black", spacing=0
        )
    return whole


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("state", type=Path)
    parser.add_argument("sheet", type=Path)
    parser.add_argument("--count", type=int, default=24)
    parser.add_argument("--guidance", type=float, default=4.5)
    parser.add_argument("--trained", action="store_true")
    parser.add_argument("--live", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    training = Training()
    training.load(options.state)
    model = training.model.eval() if options.live else training.best()
    some = scenes(np.random.default_rng(99), options.count, held_out=not options.trained)
    generator = torch.Generator().manual_seed(0)
    captions = [one.caption for one in some]
    parts = [
        sample(model, captions[i : i + 64], options.guidance, generator) for i in range(0, len(captions), 64)
    ]
    pictures = torch.cat(parts)
    found = read(JUDGE, pictures.numpy())
    right = [judge(one, *what)["caption"] for one, what in zip(some, found)]
    sheet(pictures[:24], captions[:24], ["" if ok else "x " for ok in right]).save(options.sheet)
    print(
        f"step {training.step}, guidance {options.guidance}, {options.count} captions:",
        agreement(some, found),
    )


if __name__ == "__main__":
    main()
