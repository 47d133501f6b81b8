"""Makes up scenes, says them in words, and draws them: what scenes-pixart is trained on and judged by.

A scene is one to three shapes on a plain background, in one group ("two green squares") or in two sides of a
relation ("two green squares above a red circle"). All randomness comes from a numpy generator, so a seed fixes
scenes, captions and pictures. Positions and radii are in pixels of a 32 x 32 picture, y downwards.
"""

import hashlib
from dataclasses import dataclass

import numpy as np

SIZE = 32
COLOURS = {
    "red": (214, 40, 40),
    "orange": (245, 140, 30),
    "yellow": (250, 220, 50),
    "green": (50, 160, 60),
    "cyan": (60, 210, 220),
    "blue": (45, 80, 210),
    "purple": (130, 50, 170),
    "pink": (250, 140, 190),
}
SHAPES = {
    "circle": "circles",
    "square": "squares",
    "triangle": "triangles",
    "star": "stars",
    "heart": "hearts",
    "cross": "crosses",
}
BACKGROUNDS = {
    "white": (245, 245, 245),
    "gray": (140, 140, 140),
    "black": (15, 15, 15),
    "brown": (100, 65, 40),
}
RADII = {"small": (3.8, 4.3), "": (5.2, 5.8), "large": (6.6, 7.2)}  # no word: between the two
COUNTS = {1: "a", 2: "two", 3: "three"}
RELATIONS = {  # axis, whether the first side has the smaller coordinate, ways to say it
    "left of": (0, True, ("left of", "to the left of")),
    "right of": (0, False, ("right of", "to the right of")),
    "above": (1, True, ("above", "over")),
    "below": (1, False, ("below", "under")),
}
PLACES = {  # column and row, -1..1, and ways to say it
    (-1, -1): ("in the top left",),
    (0, -1): ("at the top",),
    (1, -1): ("in the top right",),
    (-1, 0): ("on the left",),
    (0, 0): ("in the middle", "in the center"),
    (1, 0): ("on the right",),
    (-1, 1): ("in the bottom left",),
    (0, 1): ("at the bottom",),
    (1, 1): ("in the bottom right",),
}
MARGIN, GAP = 0.6, 1.6
HELD_OUT = 10  # one combination in so many is never trained


@dataclass(frozen=True)
class Group:
    """Equal shapes: "two small green squares"."""

    count: int
    size: str
    colour: str
    shape: str

    def words(self, one="a"):
        if self.count > 1:
            article, noun = COUNTS[self.count], SHAPES[self.shape]
        else:
            rest = self.size or self.colour
            article, noun = ("an" if rest[0] in "aeiou" else "a") if one == "a" else one, self.shape
        return " ".join(w for w in (article, self.size, self.colour, noun) if w)


@dataclass(frozen=True)
class Scene:
    """What a caption says, and where its shapes are.

    first, second: the groups of the two sides; second is empty without a relation
    place: column and row of the one group, where the caption tells; said_background: whether the caption does
    shapes: (group, x, y, radius) of each
    """

    first: tuple
    second: tuple
    relation: str
    place: tuple
    background: str
    said_background: bool
    caption: str
    shapes: tuple

    @property
    def groups(self):
        return self.first + self.second

    @property
    def key(self):
        """The combination: all of it but sizes, background and the way it is said; "right of" is "left of"."""
        sides = [
            "+".join(sorted(f"{g.count} {g.colour} {g.shape}" for g in side))
            for side in (self.first, self.second)
        ]
        relation = self.relation
        if relation and not RELATIONS[relation][1]:
            sides, relation = sides[::-1], {"right of": "left of", "below": "above"}[relation]
        return f"{sides[0]} [{relation or self.place}] {sides[1]}"

    @property
    def held_out(self):
        return hashlib.sha256(self.key.encode()).digest()[0] % HELD_OUT == 0

    def meanings(self):
        """For each word of the caption what it speaks of: (colour, shape, side) as numbers; None beside groups.

        The side is 1 + the number of the relation in which the group stands to the other: in "a red star above a
        blue heart" that of "below" for the words of the heart; 0 without a relation.
        """
        opposite = {"left of": "right of", "right of": "left of", "above": "below", "below": "above"}
        words, sides, out = self.caption.split(), [0, 0], []
        if self.relation:
            sides = [1 + list(RELATIONS).index(r) for r in (self.relation, opposite[self.relation])]
        for groups, side in zip((self.first, self.second), sides):
            for g in groups:
                own = g.words().split()
                while words[len(out) : len(out) + len(own)] != own:
                    out.append(None)
                out += [(list(COLOURS).index(g.colour), list(SHAPES).index(g.shape), side)] * len(own)
        return out + [None] * (len(words) - len(out))


def pick(rng, choices):
    return choices[rng.integers(len(choices))]


def _group(rng, count, others=()):
    size = "" if rng.random() < 0.5 else pick(rng, ["small", "large"])
    if count == 3 and size == "large":
        size = ""  # three do not fit everywhere
    while True:
        colour, shape = pick(rng, list(COLOURS)), pick(rng, list(SHAPES))
        if all(colour != o.colour or shape != o.shape for o in others):
            return Group(count, size, colour, shape)


def _radii(rng, groups):
    return [(g, rng.uniform(*RADII[g.size])) for g in groups for _ in range(g.count)]


def _spread(rng, lengths):
    """Centres of intervals of such half lengths that follow each other without touching, at random."""
    free = SIZE - 2 * MARGIN - 2 * sum(lengths) - GAP * (len(lengths) - 1)
    cuts = np.sort(rng.uniform(0, free, len(lengths)))
    at, centres = MARGIN, []
    for i, half in enumerate(lengths):
        before = cuts[i] - (cuts[i - 1] if i else 0)
        centres.append(at + before + half)
        at += before + 2 * half + GAP
    return centres


def _scatter(rng, shapes):
    """Places shapes anywhere, none touching another."""
    while True:
        out = []
        for g, r in shapes:
            for _ in range(30):
                x, y = rng.uniform(r + MARGIN, SIZE - r - MARGIN, 2)
                if all((x - a) ** 2 + (y - b) ** 2 > (r + s + GAP) ** 2 for _, a, b, s in out):
                    out.append((g, x, y, r))
                    break
        if len(out) == len(shapes):
            return out


def _related(rng, first, second, relation):
    axis, before, _ = RELATIONS[relation]
    sides = [_radii(rng, first), _radii(rng, second)]
    if not before:
        sides = sides[::-1]
    along = _spread(rng, [max(r for _, r in side) for side in sides])
    out = []
    for side, at in zip(sides, along):
        if len(side) == 1:  # near the middle, so that a relation is only one
            r = side[0][1]
            across = [np.clip(rng.normal(SIZE / 2, 3), r + MARGIN, SIZE - r - MARGIN)]
        else:
            side = [side[i] for i in rng.permutation(len(side))]
            across = _spread(rng, [r for _, r in side])
        out += [(g, at, c, r) if axis == 0 else (g, c, at, r) for (g, r), c in zip(side, across)]
    return out


def _placed(rng, group, place):
    r = rng.uniform(*RADII[group.size])
    near = r + MARGIN + 1.5
    spots = {-1: near, 0: SIZE / 2, 1: SIZE - near}
    x, y = (spots[p] + rng.uniform(-1.5, 1.5) for p in place)
    return [(group, x, y, r)]


def scene(rng):
    """A random scene, held out or not."""
    kind = rng.random()
    second, relation, place = (), "", None
    if kind < 0.30:  # one group
        count = 1 if kind < 0.14 else 2 if kind < 0.22 else 3
        first = (_group(rng, count),)
        if count == 1 and rng.random() < 0.75:
            place = pick(rng, list(PLACES))
    elif kind < 0.40:  # two shapes, anywhere
        a = _group(rng, 1)
        first = (a, _group(rng, 1, [a]))
    else:
        counts = [1, 1] if kind < 0.72 else [1, 2] if rng.random() < 0.5 else [2, 1]
        a = _group(rng, counts[0])
        b = _group(rng, counts[1], [a])
        first, second = (a,), (b,)
        if kind >= 0.86:  # the pair is of two different shapes
            p, q = (a, b) if a.count == 2 else (b, a)
            p = Group(1, p.size, p.colour, p.shape)
            pair = (p, _group(rng, 1, [p, q]))
            first, second = (pair, (q,)) if counts[0] == 2 else ((q,), pair)
        relation = pick(rng, list(RELATIONS))
    if relation:
        shapes = _related(rng, first, second, relation)
    elif place is not None:
        shapes = _placed(rng, first[0], place)
    else:
        shapes = _scatter(rng, _radii(rng, first))
    background, said = pick(rng, list(BACKGROUNDS)), rng.random() < 0.6
    words = " and ".join(g.words() for g in first)
    if relation:
        saying = pick(rng, RELATIONS[relation][2])
        words += f" {saying} " + " and ".join(g.words() for g in second)
    elif place is not None:
        words += " " + pick(rng, PLACES[place])
    if said:
        words += f" on a {background} background" if rng.random() < 0.3 else f" on {background}"
    return Scene(first, second, relation, place, background, said, words, tuple(shapes))


def scenes(rng, count, held_out=False):
    """So many random scenes: of the combinations that are trained, of those that never are, or of all (None)."""
    out = []
    while len(out) < count:
        one = scene(rng)
        if held_out is None or one.held_out == held_out:
            out.append(one)
    return out


def _distance(shape, x, y):
    """Signed distance of points to a shape of radius 1: negative inside, near its outline in units of the radius."""
    if shape == "circle":
        return np.hypot(x, y) - 0.95
    if shape == "square":
        return np.maximum(abs(x), abs(y)) - 0.84
    if shape == "triangle":
        return np.maximum(y - 0.78, 0.875 * abs(x) - 0.485 * (y + 1.0) - 0.0)
    if shape == "cross":
        a, b = np.maximum(abs(x), abs(y)), np.minimum(abs(x), abs(y))
        return np.maximum(a - 0.95, b - 0.33)
    if shape == "star":
        turn = np.arctan2(x, -y + 0.05)
        sector = 2 * np.pi / 5
        turn = abs((turn + sector / 2) % sector - sector / 2)
        radius = np.hypot(x, y - 0.05)
        px, py = radius * np.cos(turn), radius * np.sin(turn)
        # the edge from the point (1.08, 0) to the inner corner at half a sector, 0.46 out
        ix, iy = 0.46 * np.cos(sector / 2), 0.46 * np.sin(sector / 2)
        nx, ny = iy, 1.08 - ix
        return ((px - 1.08) * nx + py * ny) / np.hypot(nx, ny)
    x, y = abs(x), 0.62 - y  # heart: two circles on a corner
    lobe = np.hypot(x - 0.46, y - 0.85) - 0.50
    corner = np.maximum(abs(x) * 0.76 - (y + 0.28) * 0.65, y - 0.85)
    return np.minimum(lobe, corner)


GRID = np.arange(SIZE, dtype=np.float32) + 0.5
PART = 4  # pixels of a square that labels tell of


def draw(some, rng, jitter=6.0):
    """Pictures of scenes: float32 [n, 3, 32, 32] in [-1, 1]; each colour off by a little."""
    return draw_labelled(some, rng, jitter)[0]


def draw_labelled(some, rng, jitter=6.0):
    """Pictures, and how much of every square of 4 x 4 pixels is of each colour and shape.

    The labels are float32 [n, 64, 16]: the background, eight colours, the background again, six shapes.
    """
    out = np.empty((len(some), 3, SIZE, SIZE), np.float32)
    labels = np.zeros((len(some), (SIZE // PART) ** 2, 2 + len(COLOURS) + len(SHAPES)), np.float32)
    todo = {shape: [] for shape in SHAPES}
    for i, one in enumerate(some):
        out[i] = np.array(BACKGROUNDS[one.background])[:, None, None] + rng.normal(0, jitter / 2, (3, 1, 1))
        for g, x, y, r in one.shapes:
            todo[g.shape].append(
                (i, x, y, r, g.colour, np.array(COLOURS[g.colour]) + rng.normal(0, jitter, 3))
            )
    colours = list(COLOURS)
    for s, (shape, places) in enumerate(todo.items()):
        if not places:
            continue
        x, y, r = np.array([place[1:4] for place in places], np.float32).T[:, :, None, None]
        px, py = np.broadcast_arrays((GRID[None, None, :] - x) / r, (GRID[None, :, None] - y) / r)
        cover = np.clip(0.5 - _distance(shape, px, py) * r, 0, 1)
        share = (
            cover.reshape(-1, SIZE // PART, PART, SIZE // PART, PART).mean((2, 4)).reshape(len(places), -1)
        )
        for (i, *_, name, colour), own, part in zip(places, cover, share):
            out[i] += (colour[:, None, None] - out[i]) * own
            labels[i, :, 1 + colours.index(name)] += part
            labels[i, :, 2 + len(colours) + s] += part
    labels[:, :, 0] = 1 - labels[:, :, 1 : 1 + len(colours)].sum(2)
    labels[:, :, 1 + len(colours)] = labels[:, :, 0]
    return np.clip(out, 0, 255) / 127.5 - 1, labels
