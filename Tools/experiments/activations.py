#!/usr/bin/env python3
"""What an activation function does to importance, on Fashion-MNIST, over seeds.

    activations.py ESPALIER FOLDER RESULTS.jsonl [--seeds 3] [--epochs 8] [--threads 2] [--data fashion-mnist]
                   [--arch lenet-300-100] [--arch lenet-5] [--rate 0.05] [--activation relu ...]

Trains each architecture with each activation (relu, leaky-relu, gelu), everything else and the initial weights being
equal, then scores the finished network on its training data: how often units fire, how many are dead or nearly dead
(fire in fewer than 1 % of the samples), and how evenly saliency, E[g^2] summed over a unit's incoming weights, is spread
over all units of a network, and within its layers (Gini coefficient: 0 if evenly, towards 1 if a few have it all). One JSON line for every
network; finished ones are not repeated. Ends with a table of means and standard deviations, and of paired differences
from relu with 95 % intervals (Student's t).

Only the training data are scored; the test set is read once per network, for its accuracy.
"""

import argparse
import json
import math
import os
import subprocess

# Two-sided 97.5 % points of Student's t by degrees of freedom.
STUDENT = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365, 8: 2.306, 9: 2.262}
MEASURES = (
    ("accuracy", "accuracy %", 100), ("deadShare", "dead %", 100), ("nearlyDeadShare", "nearly dead %", 100),
    ("firing", "mean firing %", 100), ("gini", "Gini", 1),
    ("layerGini", "Gini in layers", 1), ("spearman", "Spearman", 1))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("espalier")
    parser.add_argument("folder")
    parser.add_argument("results")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--data", default="fashion-mnist")
    parser.add_argument("--evidence-samples", type=int, default=10000)
    parser.add_argument("--rate", help="learning rate; without it the command's own")
    parser.add_argument("--arch", action="append")
    parser.add_argument("--activation", action="append")
    options = parser.parse_args()
    os.makedirs(options.folder, exist_ok=True)
    records = {}
    if os.path.exists(options.results):
        with open(options.results) as lines:
            for record in map(json.loads, lines):
                records[record["arch"], record["activation"], record["seed"]] = record
    architectures = options.arch or ["lenet-300-100", "lenet-5"]
    activations = options.activation or ["relu", "leaky-relu", "gelu"]
    for arch in architectures:
        for seed in range(options.seeds):
            for activation in activations:
                if (arch, activation, seed) in records:
                    continue
                record = measure(options, arch, activation, seed)
                records[arch, activation, seed] = record
                with open(options.results, "a") as lines:
                    lines.write(json.dumps(record, separators=(",", ":"), sort_keys=True) + "\n")
                print(f"{arch} {activation}, seed {seed}: {100 * record['accuracy']:.2f} %, "
                      f"{record['dead']} of {record['units']} units dead, Gini {record['gini']:.3f}", flush=True)
    for arch in architectures:
        table(arch, activations, records)


def measure(options, arch, activation, seed):
    def run(*arguments):
        command = [options.espalier, *arguments, "--data", options.data, "--seed", str(seed), "--threads",
                   str(options.threads), "--json", "--quiet"]
        return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    model = os.path.join(options.folder, f"{arch}-{activation}-{seed}.onnx")
    rate = ["--learning-rate", options.rate] if options.rate else []
    trained = run("train", "--arch", arch, "--activation", activation, "--epochs", str(options.epochs), *rate, "-o", model)
    scored = run("score", model, "--criterion", "firing", "--evidence-samples", str(options.evidence_samples))
    groups = scored["firing"]
    firing = [share for group in groups for share in group["samples"]]
    saliency = [size for group in groups for size in group["saliency"]]
    units = len(firing)
    # Layers differ in scale; within one all units are alike in that.
    within = [value for value in (gini(group["saliency"]) for group in groups) if value is not None]
    correlations = [group["spearman"] for group in groups if "spearman" in group]
    return {
        "arch": arch, "activation": activation, "seed": seed, "epochs": options.epochs,
        "accuracy": trained["accuracy"], "units": units,
        "dead": sum(group["dead"] for group in groups),
        "nearlyDead": sum(group["nearlyDead"] for group in groups),
        "deadShare": sum(group["dead"] for group in groups) / units,
        "nearlyDeadShare": sum(group["nearlyDead"] for group in groups) / units,
        "firing": sum(firing) / units, "gini": gini(saliency),
        "layerGini": sum(within) / len(within) if within else None,
        "spearman": sum(correlations) / len(correlations) if correlations else None,
        "groups": [{"name": group["name"], "units": len(group["samples"]), "dead": group["dead"],
                    "nearlyDead": group["nearlyDead"], "gini": gini(group["saliency"])} for group in groups],
        "espalierVersion": trained["espalierVersion"], "machine": trained.get("machine"),
        "commands": [trained["arguments"], scored["arguments"]],
    }


def gini(amounts):
    total, count = sum(amounts), len(amounts)
    if total <= 0:
        return None
    return sum((2 * (i + 1) - count - 1) * amount for i, amount in enumerate(sorted(amounts))) / (count * total)


def mean_and_deviation(values):
    mean = sum(values) / len(values)
    if len(values) == 1:
        return mean, float("nan")
    return mean, math.sqrt(sum((value - mean) ** 2 for value in values) / (len(values) - 1))


def table(arch, activations, records):
    print(f"\n{arch}: mean ± standard deviation over seeds; in brackets the paired difference from relu, 95 % interval")
    for activation in activations:
        seeds = sorted(seed for a, f, seed in records if (a, f) == (arch, activation))
        print(f"  {activation}, {len(seeds)} seeds")
        for key, title, factor in MEASURES:
            values = {s: factor * records[arch, activation, s][key] for s in seeds
                      if records[arch, activation, s][key] is not None}
            if not values:
                continue
            mean, deviation = mean_and_deviation(list(values.values()))
            text = f"    {title:14} {mean:8.3f} ± {deviation:.3f}"
            pairs = [values[s] - factor * records[arch, "relu", s][key] for s in values
                     if (arch, "relu", s) in records and records[arch, "relu", s][key] is not None]
            if activation != "relu" and len(pairs) > 1 and len(pairs) - 1 in STUDENT:
                difference, spread = mean_and_deviation(pairs)
                half = STUDENT[len(pairs) - 1] * spread / math.sqrt(len(pairs))
                text += f"  [{difference:+.3f}, {difference - half:+.3f} to {difference + half:+.3f}]"
            print(text)


if __name__ == "__main__":
    main()
