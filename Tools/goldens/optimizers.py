#!/usr/bin/env python3
"""Writes Tests/EspalierTrainingTests/Goldens/OptimizerGoldens.swift: weights after a few steps of each optimiser.

The formulas are those which PyTorch documents for torch.optim.SGD, Adam and AdamW, in double precision.
With --check-torch the same runs are made by PyTorch and must agree to 1e-12 (needs the torch package).

    python3 Tools/goldens/optimizers.py [--check-torch]
"""

import argparse
import pathlib

import numpy

TARGET = pathlib.Path(__file__).parents[2] / "Tests/EspalierTrainingTests/Goldens/OptimizerGoldens.swift"

START = numpy.array([0.5, -1.25, 2.0, 0.0, -0.03125])
STEPS = 7

CASES = [
    dict(label="sgd", kind="sgd", lr=0.1, momentum=0.0, nesterov=False, decay=0.0),
    dict(label="sgd, weight decay", kind="sgd", lr=0.1, momentum=0.0, nesterov=False, decay=0.01),
    dict(label="sgd, momentum", kind="sgd", lr=0.1, momentum=0.9, nesterov=False, decay=0.0),
    dict(label="sgd, momentum, weight decay", kind="sgd", lr=0.05, momentum=0.8, nesterov=False, decay=0.1),
    dict(label="sgd, Nesterov, weight decay", kind="sgd", lr=0.05, momentum=0.9, nesterov=True, decay=0.02),
    dict(label="adam", kind="adam", lr=0.01, beta1=0.9, beta2=0.999, epsilon=1e-8, decay=0.0),
    dict(label="adam, weight decay", kind="adam", lr=0.02, beta1=0.8, beta2=0.99, epsilon=1e-6, decay=0.1),
    dict(label="adamw", kind="adamw", lr=0.01, beta1=0.9, beta2=0.999, epsilon=1e-8, decay=0.01),
    dict(label="adamw, strong decay", kind="adamw", lr=0.05, beta1=0.9, beta2=0.95, epsilon=1e-8, decay=0.5),
]


def gradient(step):
    """The gradient at a step, counted from 1: any fixed numbers, exact in single precision."""
    base = numpy.array([3, -5, 1, 7, -2]) * (1 if step % 3 else -2) + step
    return base / 16


def sgd(case):
    weight, velocity = START.copy(), numpy.zeros_like(START)
    for step in range(1, STEPS + 1):
        d = gradient(step) + case["decay"] * weight
        velocity = case["momentum"] * velocity + d
        weight = weight - case["lr"] * (d + case["momentum"] * velocity if case["nesterov"] else velocity)
    return weight


def adam(case, decoupled):
    weight, m, v = START.copy(), numpy.zeros_like(START), numpy.zeros_like(START)
    for step in range(1, STEPS + 1):
        g = gradient(step)
        if decoupled:
            weight = weight - case["lr"] * case["decay"] * weight
        else:
            g = g + case["decay"] * weight
        m = case["beta1"] * m + (1 - case["beta1"]) * g
        v = case["beta2"] * v + (1 - case["beta2"]) * g * g
        mh = m / (1 - case["beta1"] ** step)
        vh = v / (1 - case["beta2"] ** step)
        weight = weight - case["lr"] * mh / (numpy.sqrt(vh) + case["epsilon"])
    return weight


def run(case):
    return sgd(case) if case["kind"] == "sgd" else adam(case, case["kind"] == "adamw")


def run_torch(case):
    import torch

    weight = torch.tensor(START, dtype=torch.float64, requires_grad=True)
    if case["kind"] == "sgd":
        optimizer = torch.optim.SGD(
            [weight], lr=case["lr"], momentum=case["momentum"], nesterov=case["nesterov"],
            weight_decay=case["decay"])
    else:
        kind = torch.optim.Adam if case["kind"] == "adam" else torch.optim.AdamW
        optimizer = kind(
            [weight], lr=case["lr"], betas=(case["beta1"], case["beta2"]), eps=case["epsilon"],
            weight_decay=case["decay"])
    for step in range(1, STEPS + 1):
        weight.grad = torch.tensor(gradient(step), dtype=torch.float64)
        optimizer.step()
    return weight.detach().numpy()


def swift_optimizer(case):
    if case["kind"] == "sgd":
        return "StochasticGradientDescent(momentum: {momentum}, isNesterov: {n}, weightDecay: {decay})".format(
            n="true" if case["nesterov"] else "false", **case)
    return "{t}(moments: AdamMoments(beta1: {beta1}, beta2: {beta2}, epsilon: {epsilon}), weightDecay: {decay})".format(
        t="Adam" if case["kind"] == "adam" else "AdamW", **case)


def numbers(values):
    return "[" + ", ".join(repr(float(value)) for value in values) + "]"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check-torch", action="store_true")
    check = parser.parse_args().check_torch
    lines = [
        "// Written by Tools/goldens/optimizers.py; do not edit.",
        "",
        "import EspalierTraining",
        "",
        "/// Weights after some steps of an optimiser, computed in double precision.",
        "struct OptimizerGolden: Sendable, CustomTestStringConvertible {",
        "    let testDescription: String",
        "    let optimizer: any Optimizer",
        "    let learningRate: Double",
        "    let weights: [Double]",
        "",
        f"    static let start: [Float] = {numbers(START)}",
        "    /// One array per step.",
        "    static let gradients: [[Float]] = [",
    ]
    lines += [f"        {numbers(gradient(step))}," for step in range(1, STEPS + 1)]
    lines += ["    ]", "", "    static let all: [OptimizerGolden] = ["]
    for case in CASES:
        weights = run(case)
        if check:
            numpy.testing.assert_allclose(weights, run_torch(case), rtol=1e-12, atol=1e-13)
        lines += [
            "        OptimizerGolden(",
            f'            testDescription: "{case["label"]}",',
            f"            optimizer: {swift_optimizer(case)},",
            f"            learningRate: {case['lr']},",
            f"            weights: {numbers(weights)}),",
        ]
    lines += ["    ]", "}", ""]
    text = "\n".join(lines).replace("import EspalierTraining\n", "import EspalierTraining\nimport Testing\n")
    TARGET.write_text(text)
    print(f"wrote {len(CASES)} cases to {TARGET.name}" + (", checked against PyTorch" if check else ""))


if __name__ == "__main__":
    main()
