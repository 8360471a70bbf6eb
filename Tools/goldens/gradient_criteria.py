#!/usr/bin/env python3
"""Scores of every gradient criterion by PyTorch's automatic differentiation, in double precision.

Writes Tests/EspalierPruningTests/Fixtures/gradient-criteria.onnx, a small network with convolutions, batch norm, pooling and a
linear layer, and gradient-criteria.npz: data, and for each criterion `CRITERION/WEIGHT` (scores of elements) and
`CRITERION/units/WEIGHT` (of the units that a weight produces). Everything is computed sample by sample from the definition;
nothing here is shared with the package. Needs torch, numpy and onnx.
"""

import pathlib

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch.nn import functional as F

folder = pathlib.Path(__file__).resolve().parents[2] / "Tests" / "EspalierPruningTests" / "Fixtures"
folder.mkdir(parents=True, exist_ok=True)
random = np.random.default_rng(20240817)

SAMPLES, CLASSES, SIDE = 12, 3, 6
WEIGHTS = ["conv1.weight", "conv2.weight", "fc.weight"]
EPSILON = 1e-5


def draw(*shape, scale=1.0, around=0.0):
    return (around + scale * random.standard_normal(shape)).astype(np.float32)


values = {
    "conv1.weight": draw(4, 1, 3, 3, scale=0.5),
    "bn.scale": draw(4, scale=0.3, around=1),
    "bn.shift": draw(4, scale=0.3),
    "bn.mean": draw(4, scale=0.2),
    "bn.variance": (0.5 + random.random(4)).astype(np.float32),
    "conv2.weight": draw(5, 4, 3, 3, scale=0.3),
    "conv2.bias": draw(5, scale=0.2),
    "fc.weight": draw(CLASSES, 5 * 9, scale=0.3),
    "fc.bias": draw(CLASSES, scale=0.2),
}
images = draw(SAMPLES, 1, SIDE, SIDE)
labels = (np.arange(SAMPLES) % CLASSES).astype(np.int32)


def write_onnx():
    nodes = [
        helper.make_node("Conv", ["x", "conv1.weight"], ["a"], "conv1", pads=[1, 1, 1, 1]),
        helper.make_node(
            "BatchNormalization", ["a", "bn.scale", "bn.shift", "bn.mean", "bn.variance"], ["b"], "bn", epsilon=EPSILON),
        helper.make_node("Relu", ["b"], ["c"], "relu1"),
        helper.make_node("AveragePool", ["c"], ["d"], "pool", kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Conv", ["d", "conv2.weight", "conv2.bias"], ["e"], "conv2", pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["e"], ["f"], "relu2"),
        helper.make_node("Flatten", ["f"], ["g"], "flatten"),
        helper.make_node("Gemm", ["g", "fc.weight", "fc.bias"], ["y"], "fc", transB=1),
    ]
    graph = helper.make_graph(
        nodes, "gradient criteria",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 1, SIDE, SIDE])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", CLASSES])],
        [numpy_helper.from_array(value, name) for name, value in values.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, folder / "gradient-criteria.onnx")


p = {name: torch.tensor(value, dtype=torch.float64) for name, value in values.items()}
for name in WEIGHTS + ["bn.scale", "bn.shift", "conv2.bias", "fc.bias"]:
    p[name].requires_grad_(True)
x = torch.tensor(images, dtype=torch.float64)


def logits(x, p=p):
    a = F.conv2d(x, p["conv1.weight"], padding=1)
    b = F.batch_norm(a, p["bn.mean"], p["bn.variance"], p["bn.scale"], p["bn.shift"], False, 0.0, EPSILON)
    d = F.avg_pool2d(F.relu(b), 2)
    e = F.relu(F.conv2d(d, p["conv2.weight"], p["conv2.bias"], padding=1))
    return e.flatten(1) @ p["fc.weight"].T + p["fc.bias"]


weights = [p[name] for name in WEIGHTS]


def gradients(value, **options):
    return torch.autograd.grad(value, weights, **options)


def zeros():
    return [torch.zeros_like(w) for w in weights]


moments = {name: zeros() for name in ["g", "g2", "absolute", "fisher", "jacobian"]}
per_sample = [[] for _ in WEIGHTS]
for n in range(SAMPLES):
    y = logits(x[n:n + 1])
    log_p = F.log_softmax(y, 1)[0]
    g = gradients(-log_p[int(labels[n])], retain_graph=True)
    for k, one in enumerate(g):
        moments["g"][k] += one / SAMPLES
        moments["g2"][k] += one ** 2 / SAMPLES
        moments["absolute"][k] += one.abs() / SAMPLES
        per_sample[k].append(one.detach().numpy())
    for c in range(CLASSES):
        for k, one in enumerate(gradients(-log_p[c], retain_graph=True)):
            moments["fisher"][k] += log_p[c].exp().detach() * one ** 2 / SAMPLES
        for k, one in enumerate(gradients(y[0, c], retain_graph=True)):
            moments["jacobian"][k] += one ** 2 / SAMPLES

# GraSP: H g of the mean loss by differentiating twice.
loss = F.cross_entropy(logits(x) / 200, torch.tensor(labels, dtype=torch.int64))
first = gradients(loss, create_graph=True)
flow = gradients(sum((a * a.detach()).sum() for a in first))

# SynFlow: sizes of weights, no biases, no activations, batch norm as the size of its slope.
sizes = {name: p[name].detach().abs().requires_grad_(True) for name in WEIGHTS}
slope = (p["bn.scale"] / (p["bn.variance"] + EPSILON).sqrt()).abs().detach()
a = F.conv2d(torch.ones(1, 1, SIDE, SIDE, dtype=torch.float64), sizes["conv1.weight"], padding=1) * slope[:, None, None]
e = F.conv2d(F.avg_pool2d(a, 2), sizes["conv2.weight"], padding=1)
r = (e.flatten(1) @ sizes["fc.weight"].T).sum()
synaptic = torch.autograd.grad(r, list(sizes.values()))

scores = {}


def units(criterion, elements, finish=lambda sum: sum):
    """Sums over a unit's producer slice and its consumers' slices."""
    conv1, conv2, fc = (np.asarray(e) for e in elements)
    first = conv1.sum((1, 2, 3)) + conv2.sum((0, 2, 3))
    second = conv2.sum((1, 2, 3)) + fc.reshape(CLASSES, 5, 9).sum((0, 2))
    scores[f"{criterion}/units/conv1.weight"] = finish(first)
    scores[f"{criterion}/units/conv2.weight"] = finish(second)


def record(criterion, elements, finish=lambda sum: sum):
    elements = [np.asarray(e.detach() if torch.is_tensor(e) else e) for e in elements]
    for name, values in zip(WEIGHTS, elements):
        scores[f"{criterion}/{name}"] = finish(values)
    units(criterion, elements, finish)


w = [one.detach() for one in weights]
record("saliency", moments["g2"])
record("taylor", [g * v for g, v in zip(moments["g"], w)], np.abs)
record("fisher", moments["fisher"])
record("sensitivity", moments["jacobian"], np.sqrt)
record("obd", [0.5 * v * v * h for h, v in zip(moments["fisher"], w)])
total = sum(float((g * v).abs().sum()) for g, v in zip(moments["g"], w))
record("snip", [(g * v).abs() / total for g, v in zip(moments["g"], w)])
record("grasp", [h * v for h, v in zip(flow, w)])
record("synflow", [g * s for g, s in zip(synaptic, sizes.values())])

for name, a, v in zip(WEIGHTS, moments["absolute"], w):
    scores[f"taylor-absolute/{name}"] = (a * v.abs()).numpy()
absolute = {"conv1.weight": 0, "conv2.weight": 0}
for n in range(SAMPLES):
    conv1, conv2, fc = (per_sample[k][n] * w[k].numpy() for k in range(3))
    absolute["conv1.weight"] += np.abs(conv1.sum((1, 2, 3)) + conv2.sum((0, 2, 3))) / SAMPLES
    absolute["conv2.weight"] += np.abs(
        conv2.sum((1, 2, 3)) + fc.reshape(CLASSES, 5, 9).sum((0, 2))) / SAMPLES
for name, value in absolute.items():
    scores[f"taylor-absolute/units/{name}"] = value

# WoodFisher by the recursion of the paper, block by block; then the weights that stay when every third goes.
LARGEST = 32


def blocks(shape):
    """Runs of a row of the first axis, as equal as can be."""
    rows, length = shape[0], int(np.prod(shape[1:]))
    size = -(-length // -(-length // LARGEST))
    return [np.arange(r * length + c, r * length + min(c + size, length)) for r in range(rows) for c in range(0, length, size)]


gradients = [np.stack([g.ravel() for g in per_sample[k]]) for k in range(len(WEIGHTS))]
# One damping for the network, as in the paper.
damping = np.mean(np.concatenate([(rows ** 2).mean(0) for rows in gradients]))
inverses = []
for k, name in enumerate(WEIGHTS):
    rows = gradients[k]
    flat = w[k].numpy().ravel()
    score, moved = np.empty_like(flat), flat.copy()
    found = []
    for block in blocks(w[k].shape):
        inverse = np.eye(block.size) / damping
        for g in rows[:, block]:
            v = inverse @ g
            inverse -= np.outer(v, v) / (SAMPLES + g @ v)
        found.append((block, inverse))
        score[block] = flat[block] ** 2 / (2 * np.diag(inverse))
        q = np.flatnonzero(block % 3 == 0)
        moved[block] -= inverse[:, q] @ np.linalg.solve(inverse[np.ix_(q, q)], flat[block][q])
        moved[block[q]] = 0
    inverses.append(found)
    scores[f"wood-fisher/{name}"] = score.reshape(w[k].shape)
    scores[f"wood-fisher/compensated/{name}"] = moved.reshape(w[k].shape)


def joint(k, positions):
    flat, total = w[k].numpy().ravel(), 0.0
    for block, inverse in inverses[k]:
        q = np.flatnonzero(np.isin(block, positions))
        if q.size:
            total += 0.5 * flat[block[q]] @ np.linalg.solve(inverse[np.ix_(q, q)], flat[block[q]])
    return total


def positions(k, index):
    return np.arange(w[k].numel()).reshape(w[k].shape)[index].ravel()


scores["wood-fisher/units/conv1.weight"] = np.array(
    [joint(0, positions(0, np.s_[u])) + joint(1, positions(1, np.s_[:, u])) for u in range(4)])
scores["wood-fisher/units/conv2.weight"] = np.array(
    [joint(1, positions(1, np.s_[u])) + joint(2, positions(2, np.s_[:, 9 * u:9 * u + 9])) for u in range(5)])

write_onnx()
np.savez(folder / "gradient-criteria.npz", x=images, y=labels, **scores)
for name in sorted(scores):
    print(name, scores[name].shape, float(np.abs(scores[name]).max()))
