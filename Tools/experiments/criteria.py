#!/usr/bin/env python3
"""Which criterion prunes best, on Fashion-MNIST: docs/results/criteria.jsonl and its tables.

    criteria.py ESPALIER FOLDER RESULTS.jsonl [--seeds 3] [--threads 2] [--only lenet-5] [--data fashion-mnist]

Trains each network for 8 epochs with every seed, watched for the criteria that look back at training, and has `espalier
compare` prune it by every criterion, by elements and by channels, without repair; then, with the eight criteria that
are best on the validation data and with random, with one epoch of repair. Everything is kept in FOLDER's run store and goes
on from there; RESULTS.jsonl is its export, which `espalier runs import` reads. Ends with the tables as Markdown.

Estimated, not measured: 25 core-minutes for lenet-5 and 140 for resnet-8.
"""

import argparse
import concurrent.futures
import json
import os
import subprocess

SGD = ["--optimizer", "sgd", "--learning-rate", "0.1", "--weight-decay", "0.0005"]
TRAINING = {"lenet-5": ["--flip"], "resnet-8": SGD}
REPAIR = {"lenet-5": [], "resnet-8": SGD}
SPARSITIES = {"element": "0.5,0.8,0.9,0.95", "channel": "0.3,0.5,0.7,0.85"}
# Where not every criterion applies: without batch norm there are no scales. Differences are from the first.
CRITERIA = {
    ("lenet-5", "channel"): "magnitude,apoz,firing,fisher,fisher-sampled,fpgm,grasp,hrank,lamp,magnitude-l1,movement,obd,random,"
                            "saliency,saliency-journey,sensitivity,sensitivity-probed,snip,synflow,taylor,taylor-absolute,wanda,"
                            "wood-fisher",
}
BEST = 8


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("espalier")
    parser.add_argument("folder")
    parser.add_argument("results")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2, help="runs at a time, each on one thread")
    parser.add_argument("--only", action="append", choices=list(TRAINING), help="a network; repeatable")
    parser.add_argument("--data", default="fashion-mnist")
    options = parser.parse_args()
    results = os.path.abspath(options.results)
    options.espalier = os.path.abspath(options.espalier)
    os.makedirs(options.folder, exist_ok=True)
    # Run in the folder, so that the records name files and not where they happened to lie.
    os.chdir(options.folder)
    tables = []
    for network in options.only or list(TRAINING):
        with concurrent.futures.ThreadPoolExecutor(options.threads) as pool:
            models = list(pool.map(lambda seed: train(options, network, seed), range(options.seeds)))
        for granularity in SPARSITIES:
            found = compare(options, network, models, granularity, CRITERIA.get((network, granularity), "all"))
            tables.append(table(f"{network}, {granularity}, no repair", found))
            best = sorted((c for c in found["curves"] if c["criterion"] != "random"), key=validation, reverse=True)[:BEST]
            # Magnitude is what the others are compared with, whether it is among the best or not.
            names = ["magnitude"] + [c["criterion"] for c in best if c["criterion"] != "magnitude"] + ["random"]
            found = compare(options, network, models, granularity, ",".join(names),
                            "--finetune-epochs", "1", *REPAIR[network])
            tables.append(table(f"{network}, {granularity}, one epoch of repair", found))
        espalier(options, "runs", "export", "--store", "criteria.sqlite", "-o", results, "--quiet")
    print("\n\n".join(tables))


def train(options, network, seed):
    """The name of the model."""
    path = f"{network}-{seed}.onnx"
    if not os.path.exists(path):
        espalier(options, "train", "--arch", network, "--epochs", "8", "--data", options.data, "--seed", str(seed),
                 *TRAINING[network], "--collect", "movement,saliency", "-o", path, "--quiet", "--threads", "1")
    return path


def compare(options, network, models, granularity, criteria, *more):
    print(f"{network}, {granularity}: {criteria} {' '.join(more)}", flush=True)
    return json.loads(espalier(
        options, "compare", *models, "--data", options.data, "--criteria", criteria, "--sparsities",
        SPARSITIES[granularity], "--granularity", granularity, "--seeds", str(options.seeds), "--threads",
        str(options.threads), *more, "--store", "criteria.sqlite", "--json", "--quiet"))


def espalier(options, *arguments):
    """Its standard output."""
    done = subprocess.run([options.espalier, *arguments], capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"espalier {' '.join(arguments)}: {done.stderr}")
    return done.stdout


def validation(curve):
    return sum(point["validation"] for point in curve["points"])


def table(title, found):
    """A Markdown table of test accuracies, best on validation first."""
    sparsities = [point["sparsity"] for point in found["curves"][0]["points"]]
    head = " | ".join(f"{100 * s:g} %" for s in sparsities)
    lines = [f"**{title}** (dense {100 * found['accuracy']:.2f} %)", "",
             f"| criterion | {head} | last minus magnitude | deciding |", "|---|" + "---|" * (len(sparsities) + 2)]
    for curve in sorted(found["curves"], key=validation, reverse=True):
        cells = [f"{100 * p['mean']:.2f}" + (f" ± {100 * p['std']:.2f}" if "std" in p else "") for p in curve["points"]]
        difference = curve["points"][-1].get("difference")
        # Where all pairs are equal there is no interval.
        text = "" if difference is None or "low" not in difference else (
            f"{100 * difference['mean']:+.2f} ({100 * difference['low']:+.2f} to {100 * difference['high']:+.2f})")
        seconds = curve.get("decisionSeconds")
        deciding = "" if seconds is None else f"{1000 * seconds:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"
        lines.append(f"| {curve['criterion']} | {' | '.join(cells)} | {text} | {deciding} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
