#!/usr/bin/env python3
"""What accuracy costs, by method: docs/results/fronts.jsonl.

    fronts.py ESPALIER FOLDER RESULTS.jsonl [--only lenet-5] [--seeds 3] [--threads 2] [--full] [--data fashion-mnist]

For each architecture and seed a network is trained for 8 epochs. `pareto` then prunes it by channels with every method to every
size, 4 epochs each; the structures found are also trained from fresh weights for 12, as many as the others had in all. Prints the
tables of `pareto`, writes its report for each architecture, and exports all runs as JSON lines, which `espalier runs import` reads.
Killed and begun again, it goes on where it was. Without --full resnet-8 and mobilenet-tiny have three sizes, not six.
"""

import argparse
import os
import subprocess

from foundation import CHANNELS, TRAINING

METHODS = "budget,lagrangian,l0,one-shot,iterative,from-scratch"
SIX, THREE = "0.75,0.5,0.35,0.25,0.18,0.12", "0.5,0.25,0.12"
PRICES = {"lenet-5": "1,2,4,8,16,32", "resnet-8": "1,4,16", "mobilenet-tiny": "1,4,16"}
RECIPES = {**TRAINING, "mobilenet-tiny": TRAINING["resnet-8"]}


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("espalier")
    arguments.add_argument("folder", help="where models and runs go")
    arguments.add_argument("results", help="JSON lines")
    arguments.add_argument("--only", action="append", help="an architecture; repeatable")
    arguments.add_argument("--seeds", type=int, default=3)
    arguments.add_argument("--threads", type=int, default=2)
    arguments.add_argument("--full", action="store_true", help="six sizes of every architecture")
    arguments.add_argument("--data", default="fashion-mnist")
    options = arguments.parse_args()
    os.makedirs(options.folder, exist_ok=True)
    for architecture in options.only or ["lenet-5", "resnet-8", "mobilenet-tiny"]:
        trace(architecture, options)
    espalier(options, "runs", "export", "--store", "fronts.sqlite", "-o", os.path.abspath(options.results),
             "--quiet")


def trace(architecture, options):
    """All networks of one architecture."""
    dense = [f"{architecture}-{seed}.onnx" for seed in range(options.seeds)]
    for seed, path in enumerate(dense):
        if not os.path.exists(os.path.join(options.folder, path)):
            espalier(options, "train", "--arch", architecture, "--data", options.data, "--epochs", "8", "--seed",
                     str(seed), *RECIPES[architecture], "--quiet", "-o", path)
    small = architecture == "lenet-5" or options.full
    # Learning rate and the like; the schedule is the method's own here.
    repair = [word for word in CHANNELS.get(architecture, CHANNELS["resnet-8"]) if word not in ("--schedule", "cubic")]
    print(f"\n## {architecture}\n", flush=True)
    espalier(options, "pareto", *dense, "--data", options.data, "--methods", METHODS, "--budgets", SIX if small else THREE,
             "--lambdas", PRICES[architecture], "--objectives", "macs", "--scratch-epochs", "12", *repair, "--threads",
             str(options.threads), "--store", "fronts.sqlite", "--report", f"{architecture}.html")


def espalier(options, *arguments):
    subprocess.run([os.path.abspath(options.espalier), *arguments], check=True, cwd=options.folder)


if __name__ == "__main__":
    main()
