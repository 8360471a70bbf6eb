#!/usr/bin/env python3
"""Whether shares suggested by `sensitivity` beat equal ones: docs/results/sensitivity.jsonl.

    sensitivity.py ESPALIER FOLDER RESULTS.jsonl [--seeds 3] [--jobs 2] [--share 0.25] [--data fashion-mnist]

For each seed a resnet-8 is trained for 8 epochs and pruned by channels to a quarter of the multiply-accumulates, with 4
epochs of repair, by three ways to share the removal between groups of channels: uniform, global (all channels compete by
magnitude), and the shares that `sensitivity` suggests from the validation split. One JSON line (the record of `--json`,
with a "label") for every run; finished runs are not repeated. Ends with a table of paired differences from uniform and
95 % intervals (Student's t), on the test split, which nothing was chosen by; with `--seeds 0` only the table.
"""

import argparse
import concurrent.futures
import os

from foundation import CHANNELS, TRAINING, Results, accuracy, deviation, interval

ARCHITECTURE = "resnet-8"
WAYS = ("uniform", "global", "sensitivity")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("espalier")
    parser.add_argument("folder")
    parser.add_argument("results")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time, each on one thread")
    parser.add_argument("--share", default="0.25", help="of the multiply-accumulates to keep")
    parser.add_argument("--data", default="fashion-mnist")
    options = parser.parse_args()
    os.makedirs(options.folder, exist_ok=True)
    results = Results(options)
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for future in [pool.submit(chain, results, seed, options.share) for seed in range(options.seeds)]:
            future.result()
    table(results.records, options.share)


def chain(results, seed, share):
    """All networks that come from one seed."""
    dense = results.run("dense 8", seed, "train", "--arch", ARCHITECTURE, "--epochs", "8", *TRAINING[ARCHITECTURE])
    shares = results.run(f"curves {share}", seed, "sensitivity", dense, "--granularity", "channel", "--max-macs", share,
                         option="--allocation-output", ending=".json")
    for way in WAYS:
        how = ["--allocation", shares] if way == "sensitivity" else ["--scope", way]
        results.run(f"{way} {share}", seed, "prune", dense, "--granularity", "channel", "--max-macs", share,
                    "--finetune-epochs", "4", *how, *CHANNELS[ARCHITECTURE])


def table(records, share):
    """Prints a Markdown table: means over seeds, and differences from uniform shares, paired by seed."""
    base = f"uniform {share}"
    print("\n| resnet-8 | seeds | test accuracy | minus uniform, points | MACs kept |\n|---|---|---|---|---|")
    for label in ["dense 8"] + [f"{way} {share}" for way in WAYS]:
        seeds = sorted(seed for other, seed in records if other == label)
        if not seeds:
            continue
        values = [100 * accuracy(records[label, seed]) for seed in seeds]
        pairs = [seed for seed in seeds if (base, seed) in records]
        text = ""
        if label != base and len(pairs) > 1:
            mean, half = interval([100 * (accuracy(records[label, s]) - accuracy(records[base, s])) for s in pairs])
            text = f"{mean:+.2f} ({mean - half:+.2f} to {mean + half:+.2f})"
        spread = f" ± {deviation(values):.2f}" if len(values) > 1 else ""
        kept = [records[label, seed] for seed in seeds if "before" in records[label, seed]]
        macs = [record["after"]["macs"] / record["before"]["macs"] for record in kept]
        macs = f"{100 * sum(macs) / len(macs):.1f} %" if macs else ""
        print(f"| {label.removesuffix(' ' + share)} | {len(seeds)} | {sum(values) / len(values):.2f} %{spread} | {text} | {macs} |")


if __name__ == "__main__":
    main()
