"""Whether pictures show what their captions say, by the network that reads them (judge.py)."""

from collections import Counter
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scenes import BACKGROUNDS, COLOURS, RELATIONS, SHAPES, SIZE

SURE = 0.3  # a centre's score from which it is a shape: between two cells it has little more on either


@dataclass(frozen=True)
class Seen:
    colour: str
    shape: str
    x: float
    y: float
    radius: float


@lru_cache
def session(path):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options)


def read(path, pictures):
    """What the network at path sees in pictures [n, 3, 32, 32]: for each its shapes, and the background's name."""
    feed = {"pictures": np.ascontiguousarray(pictures, np.float32)}
    objects, background = session(str(path)).run(["objects", "background"], feed)
    colours, shapes, grounds = list(COLOURS), list(SHAPES), list(BACKGROUNDS)
    out = []
    for rows, ground in zip(objects, background.argmax(1)):
        seen = [Seen(colours[int(c)], shapes[int(s)], x, y, r) for p, x, y, r, c, s in rows if p > SURE]
        out.append((seen, grounds[ground]))
    return out


def judge(scene, seen, background):
    """What of a caption is true of what was seen: by question, only those that the caption answers."""
    want = Counter()
    for g in scene.groups:
        want[g.colour, g.shape] += g.count
    got = Counter((s.colour, s.shape) for s in seen)
    marginal = lambda counter, i: Counter([k[i] for k in counter.elements()])  # noqa: E731
    said = {
        "count": sum(got.values()) == sum(want.values()),
        "colours": marginal(got, 0) == marginal(want, 0),
        "shapes": marginal(got, 1) == marginal(want, 1),
        "objects": got == want,
    }
    where = lambda groups: [
        s for s in seen if any((g.colour, g.shape) == (s.colour, s.shape) for g in groups)
    ]  # noqa: E731
    if scene.relation:
        axis, before, _ = RELATIONS[scene.relation]
        first, second = ([(s.x, s.y)[axis] for s in where(side)] for side in (scene.first, scene.second))
        low, high = (first, second) if before else (second, first)
        said["relation"] = got == want and max(low) < min(high)
    if scene.place is not None:
        third = lambda v: int(np.clip(np.floor(v / SIZE * 3), 0, 2)) - 1  # noqa: E731
        said["place"] = got == want and (third(seen[0].x), third(seen[0].y)) == scene.place
    if scene.said_background:
        said["background"] = background == scene.background
    said["caption"] = all(v for k, v in said.items())
    return said


def agreement(some, found):
    """Share of scenes of which each question is answered as their captions do."""
    answers = [judge(one, *what) for one, what in zip(some, found)]
    names = dict.fromkeys(name for answer in answers for name in answer)
    return {n: round(float(np.mean([a[n] for a in answers if n in a])), 4) for n in names}
