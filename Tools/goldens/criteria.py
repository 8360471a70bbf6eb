#!/usr/bin/env python3
"""Writes Tests/EspalierPruningTests/Fixtures/criteria.npz with NumPy and PyTorch: what activation- and weight-based
criteria must find in a small network with a strided, a grouped and two dense layers.

Needs numpy and torch. The formulas are the papers' own, written out: input norms from unfolded patches (Wanda, Sun et
al. 2023), LAMP (Lee et al. 2021), pairwise distances (FPGM, He et al. 2019), `matrix_rank` (HRank, Lin et al. 2020).
"""

import pathlib

import numpy as np
import torch
import torch.nn.functional as F

path = pathlib.Path(__file__).resolve().parents[2] / "Tests" / "EspalierPruningTests" / "Fixtures" / "criteria.npz"
path.parent.mkdir(parents=True, exist_ok=True)
torch.manual_seed(7)
random = np.random.default_rng(7)
arrays = {}

x = torch.randn(13, 2, 12, 12)
weights = {
    "conv1.weight": torch.randn(6, 2, 3, 3) * 0.3,
    "conv2.weight": torch.randn(6, 3, 3, 3) * 0.3,
    "fc1.weight": torch.randn(5, 6 * 3 * 3) * 0.2,
    "fc2.weight": torch.randn(4, 5) * 0.5,
}
biases = {"conv1.bias": torch.randn(6) * 0.5 - 0.4, "conv2.bias": torch.randn(6), "fc1.bias": torch.randn(5)}
geometry = {"conv1.weight": (2, 1, 1), "conv2.weight": (2, 1, 2)}
arrays["x"] = x.numpy()
for name, tensor in {**weights, **biases}.items():
    arrays[name] = tensor.numpy()

z1 = F.conv2d(x, weights["conv1.weight"], biases["conv1.bias"], stride=2, padding=1)
a1 = F.relu(z1)
z2 = F.conv2d(a1, weights["conv2.weight"], biases["conv2.bias"], stride=2, padding=1, groups=2)
a2 = F.relu(z2)
z3 = F.linear(a2.flatten(1), weights["fc1.weight"], biases["fc1.bias"])
a3 = F.relu(z3)
inputs = {"conv1.weight": x, "conv2.weight": a1, "fc1.weight": a2.flatten(1), "fc2.weight": a3}


def norms(name):
    values, weight = inputs[name].double(), weights[name]
    if weight.dim() == 2:
        return values.norm(dim=0).expand_as(weight)
    stride, padding, groups = geometry[name]
    patches = F.unfold(values, 3, stride=stride, padding=padding)
    features = patches.pow(2).sum(dim=(0, 2)).sqrt().reshape(groups, *weight.shape[1:])
    return features.repeat_interleave(weight.shape[0] // groups, dim=0)


def lamp(weight):
    flat = weight.double().flatten()
    order = torch.argsort(flat.abs())
    squares = flat[order] ** 2
    scores = torch.empty_like(flat)
    scores[order] = squares / squares.flip(0).cumsum(0).flip(0)
    return scores.reshape(weight.shape)


for name, weight in weights.items():
    arrays[f"norms/{name}"] = norms(name).numpy()
    score = weight.abs().double() * norms(name)
    arrays[f"wanda/{name}"] = score.numpy()
    arrays[f"lamp/{name}"] = lamp(weight).numpy()
    # Wanda's mask at 50 %: in every row the smaller half goes.
    rows = score.flatten(1)
    kept = torch.ones_like(rows, dtype=torch.bool)
    kept.scatter_(1, torch.argsort(rows, dim=1)[:, : rows.shape[1] // 2], False)
    arrays[f"kept/{name}"] = kept.reshape(weight.shape).numpy()

rows = weights["fc1.weight"].double()
arrays["fpgm/fc1.weight"] = torch.cdist(rows, rows, compute_mode="donot_use_mm_for_euclid_dist").sum(dim=1).numpy()

for name, z, a in (("conv1.weight", z1, a1), ("conv2.weight", z2, a2), ("fc1.weight", z3, a3)):
    maps = z.reshape(z.shape[0], z.shape[1], -1)
    arrays[f"shares/{name}"] = (maps > 0).double().mean(dim=(0, 2)).numpy()
    arrays[f"samples/{name}"] = (maps > 0).any(dim=2).double().mean(dim=0).numpy()
    arrays[f"zeros/{name}"] = (a.reshape_as(maps) == 0).double().mean(dim=(0, 2)).numpy()
    if a.dim() == 4:
        arrays[f"ranks/{name}"] = np.linalg.matrix_rank(a.numpy()).mean(axis=0)

def matrix(kind):
    rows, columns = random.integers(1, 13, 2)
    if kind == 0:  # sparse
        return random.normal(size=(rows, columns)) * (random.random((rows, columns)) < 0.25)
    if kind == 1:  # a product of thin matrices
        inner = random.integers(1, min(rows, columns) + 1)
        return random.normal(size=(rows, inner)) @ random.normal(size=(inner, columns))
    left = np.linalg.qr(random.normal(size=(rows, rows)))[0]
    right = np.linalg.qr(random.normal(size=(columns, columns)))[0]
    count = min(rows, columns)  # singular values that fall off evenly
    return left[:, :count] @ np.diag(10.0 ** (-0.7 * np.arange(count))) @ right[:count]


# Tall and wide matrices; zeros where they end.
ranks, shapes, stored = [], [], np.zeros((60, 12, 12), np.float32)
while len(ranks) < 60:
    single = matrix(len(ranks) % 3).astype(np.float32)
    values = np.linalg.svd(single.astype(np.float64), compute_uv=False)
    bound = values[0] * max(single.shape) * np.finfo(np.float32).eps
    if ((values > 0.5 * bound) & (values < 2 * bound)).any():
        continue  # a singular value within rounding of the bound would test luck
    stored[len(ranks), : single.shape[0], : single.shape[1]] = single
    shapes.append(single.shape)
    ranks.append(np.linalg.matrix_rank(single))
arrays["matrices"], arrays["matrixShapes"] = stored, np.array(shapes, np.int64)
arrays["matrixRanks"] = np.array(ranks, np.int64)

np.savez_compressed(path, **arrays)
print(f"wrote {path}, {path.stat().st_size} bytes")
