"""Draws the example model's training pictures: one of ten shapes, anti-aliased, on a soft gradient.

A shape is the sign of a distance: negative inside, positive outside, 0 on its outline.
"""

import math

import torch

CLASSES = ["circle", "square", "triangle", "star", "heart", "cross", "ring", "crescent", "hexagon", "arrow"]


def poly_sdf(p, verts):
    """Signed distance of points p [B, H, W, 2] to polygons verts [B, K, 2]."""
    B, K, _ = verts.shape
    d = torch.full(p.shape[:3], 1e9)
    s = torch.ones(p.shape[:3])
    for i in range(K):
        j = (i - 1) % K
        vi = verts[:, i][:, None, None]
        vj = verts[:, j][:, None, None]
        e = vj - vi
        w = p - vi
        t = ((w * e).sum(-1) / (e * e).sum(-1)).clamp(0, 1)
        b = w - e * t[..., None]
        d = torch.minimum(d, (b * b).sum(-1))
        c1 = p[..., 1] >= vi[..., 1]
        c2 = p[..., 1] < vj[..., 1]
        c3 = (e[..., 0] * w[..., 1]) > (e[..., 1] * w[..., 0])
        flip = (c1 & c2 & c3) | ((~c1) & (~c2) & (~c3))
        s = torch.where(flip, -s, s)
    return s * d.sqrt()


def reg(n, r0, phase=0.0, r1=None):
    """A regular polygon of n corners; with r1 a star of n points."""
    k = n if r1 is None else 2 * n
    a = torch.arange(k) * 2 * math.pi / k + phase
    r = (
        torch.full((k,), r0)
        if r1 is None
        else torch.where(torch.arange(k) % 2 == 0, torch.tensor(r0), torch.tensor(r1))
    )
    return torch.stack([r * a.cos(), r * a.sin()], -1)


POLY = {
    1: reg(4, 1.0, math.pi / 4),
    2: reg(3, 1.05, -math.pi / 2),
    3: reg(5, 1.05, -math.pi / 2, 0.45),
    8: reg(6, 0.95),
    5: (
        torch.tensor(
            [
                [-0.33, -1],
                [0.33, -1],
                [0.33, -0.33],
                [1, -0.33],
                [1, 0.33],
                [0.33, 0.33],
                [0.33, 1],
                [-0.33, 1],
                [-0.33, 0.33],
                [-1, 0.33],
                [-1, -0.33],
                [-0.33, -0.33],
            ]
        )
        * 0.92
    ),
    9: torch.tensor([[-1, -0.3], [0.1, -0.3], [0.1, -0.75], [1, 0], [0.1, 0.75], [0.1, 0.3], [-1, 0.3]]),
}


def sdf(c, p):
    """Signed distance of points p [B, H, W, 2] to the shape of class c, about 1 in radius."""
    n = p.shape[0]
    if c == 0:
        return p.norm(dim=-1) - 0.9
    if c == 6:
        return (p.norm(dim=-1) - 0.72).abs() - 0.22
    if c == 7:
        return torch.maximum(p.norm(dim=-1) - 0.95, 0.78 - (p - torch.tensor([0.45, 0.0])).norm(dim=-1))
    if c == 4:
        x = p[..., 0].abs()
        y = -p[..., 1] * 0.95 + 0.62
        x = x * 0.98  # heart, unit-ish
        a = ((x - 0.25) ** 2 + (y - 0.75) ** 2).clamp_min(1e-12).sqrt() - math.sqrt(2) / 4
        m = 0.5 * (x + y).clamp_min(0)
        b = torch.minimum(x**2 + (y - 1) ** 2, (x - m) ** 2 + (y - m) ** 2).clamp_min(
            1e-12
        ).sqrt() * torch.sign(x - y)
        return torch.where(x + y > 1, a, b) * 1.0
    return poly_sdf(p, POLY[c][None].expand(n, -1, -1))


def hsv(h, s, v):
    """Colours [B] each to RGB [B, 3], all in 0..1."""
    k = torch.stack([(5 + h * 6) % 6, (3 + h * 6) % 6, (1 + h * 6) % 6], -1)
    return v[..., None] - v[..., None] * s[..., None] * torch.minimum(k, 4 - k).clamp(0, 1)


def draw(labels, size=64):
    """Pictures of labels [B]: float32 [B, 3, size, size] in [-1, 1]; randomness from torch's generator."""
    B = len(labels)
    g = (torch.arange(size) + 0.5) / size * 2 - 1
    yy, xx = torch.meshgrid(g, g, indexing="ij")
    base = torch.stack([xx, yy], -1)[None].expand(B, -1, -1, -1)
    sc = 0.58 + 0.14 * torch.rand(B)
    cx = (torch.rand(B, 2) * 2 - 1) * 0.12
    ang = (torch.rand(B) * 2 - 1) * 0.25
    p = (base - cx[:, None, None]) / sc[:, None, None, None]
    ca, sa = ang.cos()[:, None, None], ang.sin()[:, None, None]
    p = torch.stack([ca * p[..., 0] + sa * p[..., 1], -sa * p[..., 0] + ca * p[..., 1]], -1)
    d = torch.zeros(B, size, size)
    for c in range(10):
        m = labels == c
        if m.any():
            q = p[m]
            if c == 4:
                q = q / 1.75
            d[m] = sdf(c, q) * (1.75 if c == 4 else 1.0)
    edge = sc[:, None, None] * size / 2
    cov = (0.5 - d * edge).clamp(0, 1)
    h = torch.rand(B)
    fg = hsv(h, 0.65 + 0.35 * torch.rand(B), 0.75 + 0.25 * torch.rand(B))
    hb = (h + 0.5 + 0.3 * (torch.rand(B) - 0.5)) % 1
    b0 = hsv(hb, 0.15 + 0.3 * torch.rand(B), 0.55 + 0.4 * torch.rand(B))
    b1 = hsv((hb + 0.08) % 1, 0.15 + 0.3 * torch.rand(B), 0.25 + 0.4 * torch.rand(B))
    th = torch.rand(B) * 2 * math.pi
    t = 0.5 + 0.5 * (base[..., 0] * th.cos()[:, None, None] + base[..., 1] * th.sin()[:, None, None]) / 1.42
    bg = b0[:, None, None] * (1 - t[..., None]) + b1[:, None, None] * t[..., None]
    light = (1.08 - 0.22 * (p[..., 0] + p[..., 1]).clamp(-1, 1) * 0.7)[..., None]
    img = bg * (1 - cov[..., None]) + (fg[:, None, None] * light).clamp(0, 1) * cov[..., None]
    return (img.permute(0, 3, 1, 2) * 2 - 1).contiguous()
