#!/usr/bin/env python3
"""Merging redundant units beside removing as many, on Fashion-MNIST, over seeds: docs/results/merging.jsonl.

    merging.py ESPALIER FOLDER RESULTS.jsonl [--seeds 3] [--jobs 2] [--data fashion-mnist] [--only lenet-5]

Trains each architecture for 2 epochs with every seed and merges it at several tau, with the accuracies on the test data: of
the network as it was, merged, without the same units, and without as many of each layer by magnitude; no network is
repaired. One JSON line (the record of `--json`, with a "label") for every run; finished runs are not repeated. Ends with
a table of means and standard deviations, and of paired differences with 95 % intervals (Student's t); with `--seeds 0` only
the table. Nothing is chosen by the test data.
"""

from experiment import Results, difference, parser, spread

ARCHITECTURES = ("lenet-300-100", "lenet-5")
TAUS = (0.9, 0.8, 0.7, 0.6)
VARIANTS = ("dense", "merged", "removed", "magnitude")


def main():
    arguments = parser(__doc__)
    arguments.add_argument("--only", action="append", help="an architecture; repeatable")
    options = arguments.parse_args()
    results = Results(options)
    architectures = options.only or ARCHITECTURES
    results.in_parallel(chain, *[(architecture,) for architecture in architectures])
    for architecture in architectures:
        table(results, architecture)


def chain(results, architecture, seed):
    dense = results.run(f"{architecture} dense", seed, "train", "--arch", architecture, "--epochs", "2")
    for tau in TAUS:
        results.run(f"{architecture} tau {tau}", seed, "redundancy", dense, "--tau", str(tau), "--trials", "0", "--merge")


def table(results, architecture):
    heads = ["τ", "units gone", "parameters left", *VARIANTS, "merged minus removed", "merged minus magnitude"]
    print(f"\n{architecture}\n\n| {' | '.join(heads)} |\n" + "|---" * len(heads) + "|")
    for tau in TAUS:
        label = f"{architecture} tau {tau}"
        accuracies = {name: results.values(label, lambda record: accuracy_of(record, name)) for name in VARIANTS}
        cells = [f"{tau}", spread(results.values(label, share_gone).values(), 0, " %"),
                 spread(results.values(label, share_left).values(), 0, " %")]
        cells += [spread(accuracies[name].values()) for name in VARIANTS]
        cells += [difference(accuracies["merged"], accuracies[other]) for other in ("removed", "magnitude")]
        print("| " + " | ".join(cells) + " |")


def accuracy_of(record, variant):
    return next(100 * each["accuracy"] for each in record["merging"]["variants"] if each["name"] == variant)


def share_gone(record):
    layers = record["merging"]["layers"]
    return 100 * sum(len(layer["merged"]) for layer in layers) / sum(layer["units"] for layer in layers)


def share_left(record):
    return 100 * record["after"]["parameters"] / record["before"]["parameters"]


if __name__ == "__main__":
    main()
