#!/usr/bin/env python3
"""Runs models with espalier and with ONNX Runtime on the same inputs, and compares the outputs.

    against_onnxruntime.py ESPALIER MODEL.onnx [MODEL.onnx ...] [--samples 256] [--seed 0]

Inputs are Fashion-MNIST's test images, scaled to 0...1, where they fit the model, else noise. Fails if an output differs by
more than 1e-4 of its range. Needs `numpy`, `onnx` and `onnxruntime`; labels are not looked at.
"""

import argparse
import gzip
import pathlib
import subprocess
import sys
import tempfile

import numpy
import onnx
import onnxruntime

IMAGES = pathlib.Path("/usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz")
LIMIT = 1e-4


def inputs_of(session, samples, seed):
    random = numpy.random.default_rng(seed)
    feeds = {}
    for value in session.get_inputs():
        shape = [samples if axis == 0 or not isinstance(extent, int) else extent
                 for axis, extent in enumerate(value.shape)]
        if isinstance(value.shape[0], int):
            shape[0] = value.shape[0]
        if shape[1:] == [1, 28, 28] and IMAGES.exists():
            pixels = numpy.frombuffer(gzip.open(IMAGES).read(), numpy.uint8, offset=16).reshape(-1, 1, 28, 28)
            feeds[value.name] = (pixels[: shape[0]] / 255).astype(numpy.float32)
        else:
            feeds[value.name] = random.standard_normal(shape, dtype=numpy.float32)
    return feeds


def difference(espalier, model, samples, seed):
    onnx.checker.check_model(onnx.load(model), full_check=True)
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    feeds = inputs_of(session, samples, seed)
    names = [output.name for output in session.get_outputs()]
    expected = dict(zip(names, session.run(names, feeds), strict=True))
    with tempfile.TemporaryDirectory() as folder:
        numpy.savez(f"{folder}/x.npz", **feeds)
        subprocess.run([espalier, "run", model, "--input", f"{folder}/x.npz", "-o", f"{folder}/y.npz", "--quiet"],
                       check=True, capture_output=True)
        found = numpy.load(f"{folder}/y.npz")
        return max(float(numpy.abs(found[name] - value).max() / numpy.abs(value).max())
                   for name, value in expected.items())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("espalier")
    parser.add_argument("models", nargs="+")
    parser.add_argument("--samples", type=int, default=256)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    largest = {}
    for model in options.models:
        largest[model] = difference(options.espalier, model, options.samples, options.seed)
    for model, value in sorted(largest.items(), key=lambda entry: entry[1]):
        print(f"{value:.1e}  {model}")
    print(f"{len(largest)} models, largest difference {max(largest.values()):.1e} of the output's range")
    sys.exit(max(largest.values()) > LIMIT)


if __name__ == "__main__":
    main()
