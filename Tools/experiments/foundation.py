#!/usr/bin/env python3
"""Accuracy of dense and pruned networks on Fashion-MNIST, over seeds: docs/results/foundation.jsonl.

    foundation.py ESPALIER FOLDER RESULTS.jsonl [--seeds 3] [--jobs 2] [--only lenet-5] [--data fashion-mnist]

Trains each architecture for 8 epochs and prunes it with 4 epochs of repair, beside dense networks of the same 12 epochs,
random channels, and slim networks trained from scratch for 12. One JSON line (the record of `--json`, with a "label")
for every run; finished runs are not repeated. Ends with tables of paired differences and 95 % intervals (Student's t);
with `--seeds 0` only the tables.
Every choice is made by the commands on the validation split; the test set is read once for each number.
"""

import argparse
import concurrent.futures
import json
import math
import os
import subprocess
import threading

# Two-sided 97.5 % points of Student's t by degrees of freedom.
STUDENT = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365, 8: 2.306, 9: 2.262}
SPARSITIES = (0.9, 0.95, 0.98)
SHARES = (0.5, 0.25)
# How each architecture is trained and repaired: chosen on validation data (docs/results/foundation.md tells what was tried).
SGD = ["--optimizer", "sgd", "--learning-rate", "0.1", "--weight-decay", "0.0005"]
TRAINING = {
    "lenet-300-100": ["--weight-decay", "0.1", "--label-smoothing", "0.1"],
    "lenet-5": ["--flip"],
    "resnet-8": SGD,
}
ELEMENTS = ["--criterion", "lamp", "--schedule", "cubic", "--learning-rate", "0.004",
            "--learning-rate-schedule", "one-cycle"]
CHANNELS = {
    "lenet-5": ["--schedule", "cubic", "--first-and-last", "--learning-rate", "0.004"],
    "resnet-8": ["--schedule", "cubic", "--first-and-last", *SGD],
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("espalier")
    parser.add_argument("folder")
    parser.add_argument("results")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time, each on one thread")
    parser.add_argument("--only", action="append", help="an architecture; repeatable")
    parser.add_argument("--data", default="fashion-mnist")
    options = parser.parse_args()
    os.makedirs(options.folder, exist_ok=True)
    results = Results(options)
    architectures = options.only or list(TRAINING)
    chains = [(architecture, seed) for seed in range(options.seeds) for architecture in architectures]
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for future in [pool.submit(chain, results, *each) for each in chains]:
            future.result()
    for architecture in architectures:
        table(architecture, dict(sorted(results.records.items(), key=lambda entry: entry[0])))


class Results:
    """Runs commands, and keeps their records by label and seed: in memory, and as lines of the results file."""

    def __init__(self, options):
        self.options = options
        self.lock = threading.Lock()
        self.records = {}
        if os.path.exists(options.results):
            with open(options.results) as lines:
                for line in lines:
                    record = json.loads(line)
                    self.records[record["label"], record["seed"]] = record

    def run(self, label, seed, *arguments, option="-o", ending=".onnx"):
        """The name, in the folder, of the file that the command makes: the model, unless said otherwise."""
        path = f"{label.replace(' ', '-')}-{seed}{ending}"
        if (label, seed) in self.records and os.path.exists(os.path.join(self.options.folder, path)):
            return path
        # Run in the folder, so that the records name files and not where they happened to lie.
        command = [os.path.abspath(self.options.espalier), *arguments, "--data", self.options.data, "--seed", str(seed),
                   "--threads", "1", option, path, "--json", "--quiet"]
        done = subprocess.run(command, capture_output=True, text=True, cwd=self.options.folder)
        if done.returncode != 0:
            raise SystemExit(f"{label}, seed {seed}: {' '.join(command)}: {done.stderr}")
        record = json.loads(done.stdout)
        record["label"] = label
        with self.lock:
            self.records[label, seed] = record
            with open(self.options.results, "a") as lines:
                lines.write(json.dumps(record, separators=(",", ":"), sort_keys=True) + "\n")
            print(f"{label}, seed {seed}: {100 * accuracy(record):.2f} %", flush=True)
        return path


def chain(results, architecture, seed):
    """All networks that come from one architecture and seed."""
    def train(name, epochs, *more):
        return results.run(f"{architecture} {name}", seed, "train", "--arch", architecture, "--epochs", str(epochs),
                           *TRAINING[architecture], *more)

    def prune(name, *more):
        return results.run(f"{architecture} {name}", seed, "prune", dense, "--finetune-epochs", "4",
                           *more)

    train("dense 12", 12)
    if architecture == "lenet-300-100":
        return
    dense = train("dense 8", 8)
    if architecture == "lenet-5":
        for sparsity in SPARSITIES:
            prune(f"sparsity {sparsity}", "--sparsity", str(sparsity), *ELEMENTS)
    for share in SHARES:
        for criterion in ("magnitude", "random"):
            slim = prune(f"MACs {share} {criterion}", "--granularity", "channel", "--max-macs", str(share),
                         "--criterion", criterion, *CHANNELS[architecture])
            if criterion == "magnitude":
                train(f"MACs {share} from scratch", 12, "--widths-of", slim)


def accuracy(record):
    return record.get("accuracy", record.get("after", {}).get("accuracy"))


def table(architecture, records):
    """Prints a Markdown table: means over seeds, and paired differences from the dense network of as many epochs."""
    base = f"{architecture} dense 12"
    labels = list(dict.fromkeys(label for label, _ in records if label.startswith(architecture + " ")))
    print(f"\n| {architecture} | seeds | test accuracy | minus dense 12, points |\n|---|---|---|---|")
    for label in labels:
        seeds = sorted(seed for other, seed in records if other == label)
        values = [100 * accuracy(records[label, seed]) for seed in seeds]
        pairs = [seed for seed in seeds if (base, seed) in records]
        text = ""
        if label != base and len(pairs) > 1:
            mean, half = interval([100 * (accuracy(records[label, s]) - accuracy(records[base, s])) for s in pairs])
            text = f"{mean:+.2f} ({mean - half:+.2f} to {mean + half:+.2f})"
        spread = f" ± {deviation(values):.2f}" if len(values) > 1 else ""
        name = label.removeprefix(architecture + " ")
        print(f"| {name} | {len(seeds)} | {sum(values) / len(values):.2f} %{spread} | {text} |")


def deviation(values):
    """The standard deviation of the sample."""
    mean = sum(values) / len(values)
    return math.sqrt(sum((value - mean) ** 2 for value in values) / (len(values) - 1))


def interval(differences):
    """Mean and half the width of its 95 % interval, Student's t."""
    count = len(differences)
    return sum(differences) / count, STUDENT[count - 1] * deviation(differences) / math.sqrt(count)


if __name__ == "__main__":
    main()
