#!/usr/bin/env python3
"""Merging redundant units beside removing as many, on Fashion-MNIST, over seeds.

    merging.py ESPALIER FOLDER RESULTS.jsonl [--seeds 3] [--epochs 2] [--data fashion-mnist]
               [--arch lenet-300-100] [--arch lenet-5] [--tau 0.9 ...]

Trains each architecture once for every seed (models that are in FOLDER already are not trained again), merges it at every
tau, and keeps a JSON line for each with the accuracies on the test data: of the network as it was, merged, without the same
units, and without as many of each layer by magnitude, no network being repaired. Ends with a table of means and standard
deviations over seeds. All runs take one thread; nothing is chosen by the test data.
"""

import argparse
import json
import math
import os
import subprocess

VARIANTS = ("dense", "merged", "removed", "magnitude")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("espalier")
    parser.add_argument("folder")
    parser.add_argument("results")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--data", default="fashion-mnist")
    parser.add_argument("--arch", action="append")
    parser.add_argument("--tau", action="append", type=float)
    options = parser.parse_args()
    os.makedirs(options.folder, exist_ok=True)
    records = {}
    if os.path.exists(options.results):
        with open(options.results) as lines:
            for record in map(json.loads, lines):
                records[record["arch"], record["tau"], record["seed"]] = record
    architectures = options.arch or ["lenet-300-100", "lenet-5"]
    taus = options.tau or [0.9, 0.8, 0.7, 0.6]
    for arch in architectures:
        for seed in range(options.seeds):
            for tau in taus:
                if (arch, tau, seed) in records:
                    continue
                record = measure(options, arch, tau, seed)
                records[arch, tau, seed] = record
                with open(options.results, "a") as lines:
                    lines.write(json.dumps(record, separators=(",", ":"), sort_keys=True) + "\n")
    for arch in architectures:
        table(arch, taus, [record for record in records.values() if record["arch"] == arch])


def measure(options, arch, tau, seed):
    def run(*arguments):
        command = [options.espalier, *arguments, "--data", options.data, "--seed", str(seed), "--threads", "1",
                   "--json", "--quiet"]
        return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    model = os.path.join(options.folder, f"{arch}-{seed}.onnx")
    if not os.path.exists(model):
        run("train", "--arch", arch, "--epochs", str(options.epochs), "-o", model)
    merged = run("redundancy", model, "--tau", str(tau), "--trials", "0", "--merge", "-o",
                 os.path.join(options.folder, f"{arch}-{seed}-{tau}.onnx"))
    layers = merged["merging"]["layers"]
    gone = [unit for layer in layers for unit in layer["merged"]]
    return {
        "arch": arch, "tau": tau, "seed": seed, "units": sum(layer["units"] for layer in layers), "gone": len(gone),
        "constant": sum("representative" not in unit for unit in gone),
        "parametersLeft": merged["after"]["parameters"] / merged["before"]["parameters"],
        "accuracy": {variant["name"]: variant["accuracy"] for variant in merged["merging"]["variants"]},
        "loss": {variant["name"]: variant["loss"] for variant in merged["merging"]["variants"]},
        "espalierVersion": merged["espalierVersion"], "machine": merged.get("machine"),
        "arguments": merged["arguments"],
    }


def spread(values, digits=2):
    mean = sum(values) / len(values)
    if len(values) == 1:
        return f"{mean:.{digits}f}"
    deviation = math.sqrt(sum((value - mean) ** 2 for value in values) / (len(values) - 1))
    return f"{mean:.{digits}f} ± {deviation:.{digits}f}"


def table(arch, taus, records):
    print(f"\n{arch}\n\n| τ | units gone | parameters left | {' | '.join(VARIANTS)} |\n" + "|---" * 7 + "|")
    for tau in taus:
        seeds = [record for record in records if record["tau"] == tau]
        if not seeds:
            continue
        cells = [f"{tau}", spread([100 * record["gone"] / record["units"] for record in seeds], 0) + " %",
                 spread([100 * record["parametersLeft"] for record in seeds], 0) + " %"]
        cells += [spread([100 * record["accuracy"][variant] for record in seeds]) for variant in VARIANTS]
        print("| " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
