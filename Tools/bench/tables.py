#!/usr/bin/env python3
"""Markdown tables of ONNX files (see models.py), for which the tool and its peers take turns, each in a process of its own.

    tables.py openvino ESPALIER MODEL.onnx ... [--threads 1] [--rounds 5] [--seconds 0.5] [--bfloat16]
        milliseconds of one sample with ESPALIER (the tool), ONNX Runtime and OpenVINO, that in float32 and, if the processor
        has it, in bfloat16; --bfloat16 adds the tool's own. Needs `pip install numpy onnxruntime openvino`.
    tables.py memory ESPALIER MODEL.onnx ... [--rounds 5]
        largest resident size, in millions of bytes, and seconds of a process that loads a model and runs it once on one thread;
        first without a model. Needs `pip install numpy onnxruntime`.

Each measurement is told on standard error; tables have medians over rounds, of ratios too.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

PEERS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "peers.py")


def child(*arguments):
    """What `peers.py` prints for them."""
    return json.loads(subprocess.run([sys.executable, PEERS, *map(str, arguments)], check=True, stdout=subprocess.PIPE).stdout)


def in_turns(programs, rounds, label):
    """Results of each program by rounds, every other round in reverse order."""
    results = {name: [] for name in programs}
    for number in range(rounds):
        for name in list(programs)[::-1 if number % 2 else 1]:
            results[name].append(programs[name]())
            print(f"{label}, round {number + 1}, {name}: {results[name][-1]}", file=sys.stderr)
    return results


def print_row(cells):
    print(f"| {' | '.join(cells)} |", flush=True)


def print_head(cells):
    print_row(cells)
    print(f"|{'---|' * len(cells)}")


def openvino_table(options):
    import onnxruntime
    import openvino

    def espalier(model, precision):
        command = [options.espalier, "bench", model, "--threads", str(options.threads), "--seconds", str(options.seconds),
                   "--precision", precision, "--json", "--quiet"]
        found = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
        return found["models"][0]["medianMs"]

    def peer(kind, model, *precision):
        return child(kind, model, options.threads, options.seconds, *precision)["medianMs"]

    core = openvino.Core()
    has_bfloat16 = "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    programs = {"Espalier": lambda model: espalier(model, "float32")}
    if options.bfloat16:
        programs["Espalier bfloat16"] = lambda model: espalier(model, "bfloat16")
    programs["ONNX Runtime"] = lambda model: peer("latency", model)
    programs["OpenVINO"] = lambda model: peer("openvino-latency", model, "f32")
    if has_bfloat16:
        programs["OpenVINO bfloat16"] = lambda model: peer("openvino-latency", model, "bf16")
    ratios = [("Espalier", name) for name in programs if not name.startswith("Espalier")]
    if options.bfloat16 and has_bfloat16:
        ratios.append(("Espalier bfloat16", "OpenVINO bfloat16"))

    lacking = "" if has_bfloat16 else ", without bfloat16, which this processor lacks"
    print(f"{core.get_property('CPU', 'FULL_DEVICE_NAME')}; threads: {options.threads}; rounds: {options.rounds}, of "
          f"{options.seconds} s for each; ONNX Runtime {onnxruntime.__version__}; OpenVINO {openvino.__version__.split('-')[0]}"
          f"{lacking}\n")
    print_head(["network", *(f"{name}, ms" for name in programs), *(f"{own} faster than {other}" for own, other in ratios)])
    for model in options.models:
        times = in_turns({name: lambda run=run: run(model) for name, run in programs.items()}, options.rounds, model)
        faster = [statistics.median(theirs / ours for ours, theirs in zip(times[own], times[other])) for own, other in ratios]
        print_row([named(model), *(significant(statistics.median(found)) for found in times.values()),
                   *(f"{ratio:.2f}x" for ratio in faster)])


def named(model):
    return os.path.basename(model).removesuffix(".onnx")


def significant(value):
    return f"{value:.3g}" if value < 1000 else f"{value:.0f}"


def footprint(command):
    """The largest resident size of a process, in megabytes (millions of bytes), and its seconds."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} failed")
    return usage.ru_maxrss * 1024 / 1e6, seconds


def memory_table(options):
    # Nothing is imported here: a process counts as its own what this one takes when it starts it.
    print_head(["network", "Espalier", "Python with ONNX Runtime", "Espalier, whole process", "Python, whole process"])
    with tempfile.TemporaryDirectory() as folder:
        for model in [None, *options.models]:
            own = [options.espalier, "--version"]
            if model:
                inputs = os.path.join(folder, "x.npz")
                child("inputs", model, inputs)
                own = [options.espalier, "run", model, "--input", inputs, "--threads", "1", "--quiet"]
            peer = [sys.executable, PEERS, "once", *([model] if model else [])]
            programs = {"Espalier": lambda: footprint(own), "ONNX Runtime": lambda: footprint(peer)}
            found = in_turns(programs, options.rounds, model or "no model")
            medians = [[statistics.median(values) for values in zip(*rounds)] for rounds in found.values()]
            print_row([named(model) if model else "none", *(f"{size:.0f} MB" for size, _ in medians),
                       *(f"{seconds:.2f} s" for _, seconds in medians)])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    kinds = parser.add_subparsers(dest="kind", required=True)
    for kind in ("openvino", "memory"):
        table = kinds.add_parser(kind)
        table.add_argument("espalier", help="the tool")
        table.add_argument("models", nargs="+", metavar="MODEL.onnx")
        table.add_argument("--rounds", type=int, default=5)
        if kind == "openvino":
            table.add_argument("--threads", type=int, default=1)
            table.add_argument("--seconds", type=float, default=0.5, help="of each program in a round")
            table.add_argument("--bfloat16", action="store_true", help="also the tool with --precision bfloat16")
    options = parser.parse_args()
    (openvino_table if options.kind == "openvino" else memory_table)(options)


if __name__ == "__main__":
    main()
