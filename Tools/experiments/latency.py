#!/usr/bin/env python3
"""What pruning to a latency gains over uniform rounded channels: docs/results/latency.jsonl.

    latency.py ESPALIER FOLDER RESULTS.jsonl [--seeds 3] [--only resnet-20] [--epochs 3] [--data fashion-mnist]

For each architecture and seed a network is trained for 8 epochs and pruned by channels with some epochs of repair: to a share of
the multiply-accumulates, evenly in all layers, channels kept in multiples of 8; and by `--target-latency` to a part of what that network
was measured to take, for which the profile of the dense network's layers decides where to cut. All are timed in the end, one sample at a
time, in alternating rounds. Nothing else must run meanwhile, so there is one job. One JSON line (the record of `--json`, with a "label") for every run; finished runs are not repeated. Ends with a table of ratios and paired differences with
95 % intervals (Student's t), on the test split, which nothing was chosen by, and of how far the model of a
plan, and what was measured of it, are from what its network took in the end; with `--seeds 0` only the table. A network counts as no less accurate if it loses at most 0.2 points in the
mean over seeds, a margin that was fixed before the results were read.
"""

from experiment import Results, difference, parser, percent, spread
from foundation import SGD

SHARES = (0.5, 0.3)
# Of the uniform network's time.
FASTER = 0.85
TRAINING = {
    "resnet-20": SGD,
    "mobilenet-tiny": SGD,
}
REPAIR = ["--granularity", "channel", "--schedule", "cubic", "--first-and-last", *SGD]


def main():
    arguments = parser(__doc__)
    arguments.add_argument("--only", action="append", help="an architecture; repeatable")
    arguments.add_argument("--epochs", default="3", help="of repair")
    options = arguments.parse_args()
    options.jobs = 1
    results = Results(options)
    architectures = options.only or list(TRAINING)
    results.in_parallel(chain, *[(architecture,) for architecture in architectures])
    for architecture in architectures:
        table(results, architecture)


def chain(results, architecture, seed):
    """All networks that come from one architecture and seed."""
    def prune(label, *how):
        return results.run(f"{architecture} {label}", seed, "prune", dense, "--finetune-epochs",
                           results.options.epochs, *how, *REPAIR)

    def speedups(label, *models):
        """Of models over the first."""
        label = f"{architecture} {label}"
        results.run(label, seed, "bench", *models, option=None)
        return [model["actualSpeedup"] for model in results.records[label, seed]["models"]]

    dense = results.run(f"{architecture} dense 8", seed, "train", "--arch", architecture, "--epochs", "8",
                        *TRAINING[architecture])
    models = [dense]
    for share in SHARES:
        uniform = prune(f"uniform {share}", "--scope", "uniform", "--round-channels", "8", "--max-macs", str(share))
        _, speedup = speedups(f"times of uniform {share}", dense, uniform)
        aware = prune(f"aware {share}", "--target-latency", f"{100 * FASTER / speedup:.3f}%")
        models += [uniform, aware]
    speedups("times", *models)


def table(results, architecture):
    """Prints a Markdown table: means over seeds, and paired differences."""
    print(f"\n| {architecture} | seeds | ms | times faster than dense | test accuracy | than uniform | minus uniform, points | "
          "model, plan off by |\n|---|---|---|---|---|---|---|---|")
    columns = ["dense 8"] + [f"{way} {share}" for share in SHARES for way in ("uniform", "aware")]

    def timed(column, key):
        place = columns.index(column)
        return results.values(f"{architecture} times", lambda record: record["models"][place][key])

    for column in columns:
        values = results.values(f"{architecture} {column}", percent)
        speedup = timed(column, "actualSpeedup")
        faster = accuracy = off = ""
        if column.startswith("aware"):
            uniform = column.replace("aware", "uniform")
            others = timed(uniform, "actualSpeedup")
            faster = spread([speedup[seed] / others[seed] for seed in speedup], unit="x")
            accuracy = difference(values, results.values(f"{architecture} {uniform}", percent))
            off = ", ".join(
                spread(results.values(f"{architecture} {column}", lambda record: error(record, key)).values(), 1, " %")
                for key in ("modelMs", "predictedMs"))
        print(f"| {column} | {len(values)} | {spread(timed(column, 'medianMs').values(), 4)} | "
              f"{spread(speedup.values(), unit='x')} | {spread(values.values(), unit=' %')} | {faster} | {accuracy} | {off} |")


def error(record, key):
    """Of a prediction, against what the pruned and repaired network took, at the pace of that: per cent of the latter."""
    return 100 * (record["latency"][key] / record["latency"]["achievedMs"] - 1)


if __name__ == "__main__":
    main()
