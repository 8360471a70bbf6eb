#!/usr/bin/env python3
"""Accuracy of dense and pruned networks on Fashion-MNIST, over seeds: docs/results/foundation.jsonl.

    foundation.py ESPALIER FOLDER RESULTS.jsonl [--seeds 3] [--threads 2] [--only lenet-5]

Trains each architecture for 8 epochs and prunes it with 4 epochs of repair, beside dense networks of the same 12 epochs,
random channels, and slim networks trained from scratch for 12. One JSON line (the record of `--json`, with a "label")
for every run; finished runs are not repeated. Ends with a table of paired differences and 95 % intervals (Student's t).
Every choice is made by the commands on the validation split; the test set is read once for each number.
"""

import argparse
import json
import math
import os
import subprocess

SPARSITIES = (0.9, 0.95, 0.98)
SHARES = (0.5, 0.25)
# Two-sided 97.5 % points of Student's t by degrees of freedom.
STUDENT = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365, 8: 2.306, 9: 2.262}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("espalier")
    parser.add_argument("folder")
    parser.add_argument("results")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--only", action="append")
    options = parser.parse_args()
    os.makedirs(options.folder, exist_ok=True)
    records = {}
    if os.path.exists(options.results):
        with open(options.results) as lines:
            for line in lines:
                record = json.loads(line)
                records[record["label"], record["seed"]] = record

    def run(label, seed, output, *arguments):
        path = os.path.join(options.folder, f"{output}-{seed}.onnx")
        if (label, seed) in records and os.path.exists(path):
            return path
        command = [options.espalier, *arguments, "--data", "fashion-mnist", "--seed", str(seed),
                   "--threads", str(options.threads), "-o", path, "--json", "--quiet"]
        record = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        record["label"] = label
        records[label, seed] = record
        with open(options.results, "a") as lines:
            lines.write(json.dumps(record, separators=(",", ":"), sort_keys=True) + "\n")
        print(f"{label}, seed {seed}: {100 * accuracy(record):.2f} %", flush=True)
        return path

    architectures = options.only or ["lenet-300-100", "lenet-5", "resnet-8"]
    for architecture in architectures:
        for seed in range(options.seeds):
            train = ("train", "--arch", architecture)
            dense = run(f"{architecture} dense 8", seed, f"{architecture}-8", *train, "--epochs", "8")
            run(f"{architecture} dense 12", seed, f"{architecture}-12", *train, "--epochs", "12")
            if architecture == "lenet-300-100":
                continue
            if architecture == "lenet-5":
                for sparsity in SPARSITIES:
                    run(f"{architecture} sparsity {sparsity}", seed, f"{architecture}-s{sparsity}", "prune", dense,
                        "--sparsity", str(sparsity), "--schedule", "cubic", "--finetune-epochs", "4")
            for share in SHARES:
                for criterion in ("magnitude", "saliency", "random"):
                    slim = run(f"{architecture} MACs {share} {criterion}", seed,
                               f"{architecture}-m{share}-{criterion}", "prune", dense, "--granularity", "channel",
                               "--max-macs", str(share), "--criterion", criterion, "--finetune-epochs", "4")
                    if criterion == "magnitude":
                        run(f"{architecture} MACs {share} from scratch 12", seed, f"{architecture}-m{share}-scratch",
                            *train, "--widths-of", slim, "--epochs", "12")
    for architecture in architectures:
        table(architecture, records)


def accuracy(record):
    return record.get("accuracy", record.get("after", {}).get("accuracy"))


def table(architecture, records):
    base = f"{architecture} dense 12"
    labels = []
    for label, _ in records:
        if label.startswith(architecture + " ") and label not in labels:
            labels.append(label)
    print(f"\n{'':46} accuracy   minus dense 12, 95 % interval (points)")
    for label in labels:
        seeds = sorted(seed for other, seed in records if other == label)
        values = [100 * accuracy(records[label, seed]) for seed in seeds]
        text = f"{label:46} {sum(values) / len(values):6.2f} %"
        pairs = [seed for seed in seeds if (base, seed) in records]
        if label != base and len(pairs) > 1:
            differences = [100 * (accuracy(records[label, s]) - accuracy(records[base, s])) for s in pairs]
            mean = sum(differences) / len(differences)
            variance = sum((d - mean) ** 2 for d in differences) / (len(differences) - 1)
            half = STUDENT[len(differences) - 1] * math.sqrt(variance / len(differences))
            text += f"   {mean:+.2f} ({mean - half:+.2f} to {mean + half:+.2f})"
        print(text)


if __name__ == "__main__":
    main()
