#!/usr/bin/env python3
"""Whether shares suggested by `sensitivity` beat equal ones: docs/results/sensitivity.jsonl.

    sensitivity.py ESPALIER FOLDER RESULTS.jsonl [--seeds 3] [--jobs 2] [--share 0.25] [--epochs 0,1,4] [--data fashion-mnist]

For each seed a resnet-8 is trained for 8 epochs and pruned by channels to a quarter of the multiply-accumulates, without
repair and with 1 and 4 epochs of it, by four ways to share the removal between groups of channels: uniform, global (all channels compete by
magnitude), knapsack (magnitude lost for multiply-accumulates saved), and the shares that `sensitivity` suggests from the validation split. One JSON line (the record of `--json`,
with a "label") for every run; finished runs are not repeated. Ends with a table of paired differences from uniform and
95 % intervals (Student's t), on the test split, which nothing was chosen by; with `--seeds 0` only the table.
"""

from experiment import Results, difference, mean, parser, percent, spread
from foundation import CHANNELS, TRAINING

ARCHITECTURE = "resnet-8"
WAYS = ("uniform", "global", "knapsack", "sensitivity")


def main():
    arguments = parser(__doc__)
    arguments.add_argument("--share", default="0.25", help="of the multiply-accumulates to keep")
    arguments.add_argument("--epochs", default="0,1,4", help="of repair; 0 for none")
    options = arguments.parse_args()
    results = Results(options)
    repairs = [int(epochs) for epochs in options.epochs.split(",")]
    results.in_parallel(chain, (options.share, repairs))
    for epochs in repairs:
        table(results, options.share, epochs)


def chain(results, share, repairs, seed):
    """All networks that come from one seed."""
    dense = results.run("dense 8", seed, "train", "--arch", ARCHITECTURE, "--epochs", "8", *TRAINING[ARCHITECTURE])
    shares = results.run(f"curves {share}", seed, "sensitivity", dense, "--granularity", "channel", "--max-macs", share,
                         option="--allocation-output", ending=".json")
    for epochs in repairs:
        # Without repair there is no time in which a schedule could prune.
        repair = CHANNELS[ARCHITECTURE] if epochs else ["--first-and-last"]
        for way in WAYS:
            how = ["--allocation", shares] if way == "sensitivity" else ["--scope", way]
            results.run(f"{way} {share} repair {epochs}", seed, "prune", dense, "--granularity", "channel", "--max-macs",
                        share, "--finetune-epochs", str(epochs), *how, *repair)


def table(results, share, epochs):
    """Prints a Markdown table: means over seeds, and differences from uniform shares, paired by seed."""
    print(f"\n| {ARCHITECTURE}, {epochs} epochs of repair | seeds | test accuracy | minus uniform, points | MACs kept |"
          "\n|---|---|---|---|---|")
    for way in WAYS:
        label = f"{way} {share} repair {epochs}"
        values = results.values(label, percent)
        text = "" if way == "uniform" else difference(values, results.values(f"uniform {share} repair {epochs}", percent))
        kept = results.values(label, lambda record: 100 * record["after"]["macs"] / record["before"]["macs"])
        macs = f"{mean(list(kept.values())):.1f} %" if kept else ""
        print(f"| {way} | {len(values)} | {spread(values.values(), unit=' %')} | {text} | {macs} |")


if __name__ == "__main__":
    main()
