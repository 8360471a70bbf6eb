#!/usr/bin/env python3
"""What an activation function does to importance, on Fashion-MNIST, over seeds: docs/results/activations.jsonl.

    activations.py ESPALIER FOLDER RESULTS.jsonl [--seeds 3] [--jobs 2] [--data fashion-mnist] [--only lenet-5]

Trains each architecture for 8 epochs with each activation (relu, leaky-relu, gelu), everything else and the initial weights
being equal, once with the usual learning rate and once with SGD at a rate that is high for it, which kills units. Then
scores the finished network on 10,000 of its training samples: how often units fire, how many are dead or nearly dead (fire in
fewer than 1 % of the samples), and how evenly saliency, E[g^2] summed over a unit's incoming weights, is spread over all
units, and within layers (Gini coefficient: 0 if evenly, towards 1 if a few have it all). One JSON line (the record
of `--json`, with a "label") for every run; finished runs are not repeated. Ends with tables of means, standard deviations, and
paired differences from relu with 95 % intervals (Student's t); with `--seeds 0` only the tables.

Only the training data are scored; the test set is read once per network, for its accuracy.
"""

from experiment import Results, difference, mean, parser, percent, spread

ARCHITECTURES = ("lenet-300-100", "lenet-5")
ACTIVATIONS = ("relu", "leaky-relu", "gelu")
RECIPES = {"usual": [], "high rate": ["--optimizer", "sgd", "--learning-rate", "0.2"]}


def main():
    arguments = parser(__doc__)
    arguments.add_argument("--only", action="append", help="an architecture; repeatable")
    options = arguments.parse_args()
    results = Results(options)
    architectures = options.only or ARCHITECTURES
    results.in_parallel(chain, *[(architecture, recipe, activation) for architecture in architectures
                                 for recipe in RECIPES for activation in ACTIVATIONS])
    for architecture in architectures:
        for recipe in RECIPES:
            table(results, f"{architecture} {recipe}")


def chain(results, architecture, recipe, activation, seed):
    label = f"{architecture} {recipe} {activation}"
    model = results.run(label, seed, "train", "--arch", architecture, "--activation", activation, "--epochs", "8",
                        *RECIPES[recipe])
    results.run(f"{label} scored", seed, "score", model, "--criterion", "firing", "--evidence-samples", "10000", option=None)


def table(results, title):
    print(f"\n{title}\n\n| measure | {' | '.join(ACTIVATIONS)} |\n" + "|---" * (1 + len(ACTIVATIONS)) + "|")
    rows = [("test accuracy, %", "", percent, 2)] + [
        (name, " scored", measure, digits) for name, measure, digits in (
            ("dead units, %", lambda record: share(record, "dead"), 2),
            ("nearly dead units, %", lambda record: share(record, "nearlyDead"), 2),
            ("mean firing, %", lambda record: 100 * mean([value for group in record["firing"] for value in group["samples"]]), 1),
            ("Gini, all units", lambda record: gini([s for group in record["firing"] for s in group["saliency"]]), 3),
            ("Gini, mean of layers", lambda record: mean([gini(group["saliency"]) for group in record["firing"]]), 3),
            ("Spearman, saliency and firing", spearman, 3))]
    for name, suffix, measure, digits in rows:
        values = {kind: results.values(f"{title} {kind}{suffix}", measure) for kind in ACTIVATIONS}
        cells = [spread(values[kind].values(), digits) for kind in ACTIVATIONS]
        for place, kind in enumerate(ACTIVATIONS[1:], start=1):
            text = difference(values[kind], values["relu"], digits)
            cells[place] += f"; {text}" if text else ""
        print(f"| {name} | {' | '.join(cells)} |")


def share(record, key):
    return 100 * sum(group[key] for group in record["firing"]) / sum(len(group["samples"]) for group in record["firing"])


def spearman(record):
    """Mean over layers, of those that have units which differ."""
    values = [group["spearman"] for group in record["firing"] if "spearman" in group]
    return mean(values) if values else None


def gini(amounts):
    total, count = sum(amounts), len(amounts)
    return sum((2 * (i + 1) - count - 1) * amount for i, amount in enumerate(sorted(amounts))) / (count * total)


if __name__ == "__main__":
    main()
