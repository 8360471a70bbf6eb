#!/usr/bin/env python3
"""Accuracy of dense and pruned networks on Fashion-MNIST, over seeds: docs/results/foundation.jsonl.

    foundation.py ESPALIER FOLDER RESULTS.jsonl [--seeds 3] [--jobs 2] [--only lenet-5] [--elements] [--data fashion-mnist]

Trains each architecture for 8 epochs and prunes it with 4 epochs of repair, beside dense networks of the same 12 epochs,
random channels, and slim networks trained from scratch for 12. One JSON line (the record of `--json`, with a "label")
for every run; finished runs are not repeated. Ends with tables of paired differences and 95 % intervals (Student's t);
with `--seeds 0` only the tables.
Every choice is made by the commands on the validation split; the test set is read once for each number.
"""

from experiment import Results, difference, parser, percent, spread

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
    arguments = parser(__doc__)
    arguments.add_argument("--only", action="append", help="an architecture; repeatable")
    arguments.add_argument("--elements", action="store_true", help="no networks with fewer channels")
    options = arguments.parse_args()
    results = Results(options)
    architectures = options.only or list(TRAINING)
    results.in_parallel(chain, *[(architecture,) for architecture in architectures])
    for architecture in architectures:
        table(results, architecture)


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
    for share in () if results.options.elements else SHARES:
        for criterion in ("magnitude", "random"):
            slim = prune(f"MACs {share} {criterion}", "--granularity", "channel", "--max-macs", str(share),
                         "--criterion", criterion, *CHANNELS[architecture])
            if criterion == "magnitude":
                train(f"MACs {share} from scratch", 12, "--widths-of", slim)


def table(results, architecture):
    """Prints a Markdown table: means over seeds, and paired differences from the dense network of as many epochs."""
    base = f"{architecture} dense 12"
    print(f"\n| {architecture} | seeds | test accuracy | minus dense 12, points |\n|---|---|---|---|")
    for label in sorted(label for label in results.labels() if label.startswith(architecture + " ")):
        values = results.values(label, percent)
        text = "" if label == base else difference(values, results.values(base, percent))
        name = label.removeprefix(architecture + " ")
        print(f"| {name} | {len(values)} | {spread(values.values(), unit=' %')} | {text} |")


if __name__ == "__main__":
    main()
