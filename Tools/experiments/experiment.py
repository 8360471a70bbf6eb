"""What the experiments share: runs of espalier kept as JSON lines, and statistics over seeds."""

import argparse
import concurrent.futures
import json
import math
import os
import subprocess
import threading

# Two-sided 97.5 % points of Student's t by degrees of freedom.
STUDENT = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365, 8: 2.306, 9: 2.262,
           10: 2.228, 11: 2.201, 12: 2.179}


def parser(description):
    """Of the arguments that all experiments take."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("espalier")
    parser.add_argument("folder", help="where models go")
    parser.add_argument("results", help="JSON lines; runs that are there are not repeated")
    parser.add_argument("--seeds", type=int, default=3, help="0 only prints the tables")
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time, each on one thread")
    parser.add_argument("--data", default="fashion-mnist")
    return parser


class Results:
    """Runs commands, and keeps their records by label and seed: in memory, and as lines of the results file."""

    def __init__(self, options):
        self.options = options
        self.lock = threading.Lock()
        self.records = {}
        os.makedirs(options.folder, exist_ok=True)
        if os.path.exists(options.results):
            with open(options.results) as lines:
                for line in lines:
                    record = json.loads(line)
                    self.records[record["label"], record["seed"]] = record

    def run(self, label, seed, *arguments, option="-o", ending=".onnx"):
        """The name, in the folder, of the file that the command makes: the model, unless said otherwise. Without an option for
        it there is none."""
        path = f"{label.replace(' ', '-')}-{seed}{ending}"
        made = [option, path] if option else []
        if (label, seed) in self.records and (not made or os.path.exists(os.path.join(self.options.folder, path))):
            return path
        # Run in the folder, so that the records name files and not where they happened to lie.
        command = [os.path.abspath(self.options.espalier), *arguments, "--data", self.options.data, "--seed", str(seed),
                   "--threads", "1", *made, "--json", "--quiet"]
        done = subprocess.run(command, capture_output=True, text=True, cwd=self.options.folder)
        if done.returncode != 0:
            raise SystemExit(f"{label}, seed {seed}: {' '.join(command)}: {done.stderr}")
        record = json.loads(done.stdout)
        record["label"] = label
        with self.lock:
            self.records[label, seed] = record
            with open(self.options.results, "a") as lines:
                lines.write(json.dumps(record, separators=(",", ":"), sort_keys=True) + "\n")
            value = accuracy(record)
            print(f"{label}, seed {seed}" + ("" if value is None else f": {100 * value:.2f} %"), flush=True)
        return path

    def in_parallel(self, chain, *cases):
        """Calls `chain(results, *case, seed)` for all cases and seeds."""
        with concurrent.futures.ThreadPoolExecutor(self.options.jobs) as pool:
            first = self.options.first_seed
            waiting = [pool.submit(chain, self, *case, seed)
                       for seed in range(first, first + self.options.seeds) for case in cases]
            for future in waiting:
                future.result()

    def seeds(self, label):
        return sorted(seed for other, seed in self.records if other == label)

    def values(self, label, measure):
        """By seed, where there are any."""
        found = {seed: measure(self.records[label, seed]) for seed in self.seeds(label)}
        return {seed: value for seed, value in found.items() if value is not None}

    def labels(self):
        """In the order of the file; those of seeds that came later included once."""
        return list(dict.fromkeys(label for label, _ in self.records))


def accuracy(record):
    """In the end, on the test data."""
    return record.get("accuracy", (record.get("after") or {}).get("accuracy"))


def percent(record):
    value = accuracy(record)
    return None if value is None else 100 * value


def mean(values):
    return sum(values) / len(values)


def deviation(values):
    """The standard deviation of the sample."""
    return math.sqrt(sum((value - mean(values)) ** 2 for value in values) / (len(values) - 1))


def spread(values, digits=2, unit=""):
    """Mean and standard deviation as text."""
    values = list(values)
    if not values:
        return ""
    text = f"{mean(values):.{digits}f}{unit}"
    return text if len(values) == 1 else f"{text} ± {deviation(values):.{digits}f}"


def difference(values, others, digits=2):
    """What values have over others of the same seeds: mean and 95 % interval, Student's t, as text."""
    pairs = [values[seed] - others[seed] for seed in values if seed in others]
    if len(pairs) < 2:
        return ""
    middle, half = mean(pairs), STUDENT[len(pairs) - 1] * deviation(pairs) / math.sqrt(len(pairs))
    return f"{middle:+.{digits}f} ({middle - half:+.{digits}f} to {middle + half:+.{digits}f})"
