"""Writes what scenes-pixart is tested and its routers are trained with, and what the test's pictures are held to.

    python captions.py

export/scenes-features/held-out.json has 2,000 scenes of combinations that were never trained, with their captions;
export/scenes-features/reference.json mean and covariance of the judging network's features over 20,000 drawn pictures;
export/scenes-pixart/captions.txt 400 captions of trained combinations, for `harmonica train --captions`.
"""

import hashlib
import json
from pathlib import Path

import numpy as np
from agree import session
from scenes import BACKGROUNDS, COLOURS, RELATIONS, SHAPES, SIZE, draw, scenes

EXPORT = Path(__file__).resolve().parent.parent
JUDGE = EXPORT / "scenes-features" / "model.onnx"
SEED, HELD_OUT, TRAINED, DRAWN = 4711, 2000, 400, 20000


def side(groups):
    return [[g.count, list(COLOURS).index(g.colour), list(SHAPES).index(g.shape)] for g in groups]


def truth(one):
    """What the caption of a scene says, colours, shapes and backgrounds as the judging network numbers them."""
    said = {"caption": one.caption, "first": side(one.first)}
    if one.relation:
        axis, before, _ = RELATIONS[one.relation]
        said |= {"second": side(one.second), "relation": ["x", "y"][axis] + "<>"[not before]}
    if one.place is not None:
        said["place"] = one.place
    if one.said_background:
        said["background"] = list(BACKGROUNDS).index(one.background)
    return said


def main():
    held_out = scenes(np.random.default_rng(SEED), HELD_OUT, held_out=True)
    lines = ",\n".join(json.dumps(truth(one)) for one in held_out)
    (EXPORT / "scenes-features" / "held-out.json").write_text(
        f'{{"size": {SIZE}, "scenes": [\n{lines}\n]}}\n'
    )
    trained = scenes(np.random.default_rng(SEED + 1), TRAINED)
    (EXPORT / "scenes-pixart" / "captions.txt").write_text("".join(one.caption + "\n" for one in trained))
    rng = np.random.default_rng(SEED + 2)
    features = []
    for _ in range(DRAWN // 500):
        pictures = draw(scenes(rng, 500, held_out=True), rng).astype(np.float32)
        features.append(session(str(JUDGE)).run(["features"], {"pictures": pictures})[0])
    values = np.concatenate(features).astype(np.float64)
    statistics = {
        "format": "harmonica-features/1",
        "network": hashlib.sha256(JUDGE.read_bytes()).hexdigest(),
        "count": len(values),
        "mean": values.mean(0).tolist(),
        "covariance": [row[: i + 1].tolist() for i, row in enumerate(np.cov(values, rowvar=False))],
    }
    (EXPORT / "scenes-features" / "reference.json").write_text(json.dumps(statistics) + "\n")


if __name__ == "__main__":
    main()
