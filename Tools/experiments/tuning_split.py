#!/usr/bin/env python3
"""Writes Fashion-MNIST's training set as a data set of its own: 50,000 images to train on, 10,000 to test on.

    tuning_split.py FOLDER

The 10,000 are drawn by class, with a fixed seed. `--data idx:FOLDER` then lets every command be tried out, the accuracies
that it reports included, without a look at the real test set.
"""

import gzip
import pathlib
import struct
import sys

import numpy

SOURCE = pathlib.Path("/usr/share/datasets/fashion-mnist")
SEED = 20261125
PER_CLASS = 1000


def read(name, offset):
    return numpy.frombuffer(gzip.open(SOURCE / name).read(), numpy.uint8, offset=offset)


def write(folder, part, images, labels):
    header = struct.pack(">iiii", 2051, len(images), 28, 28)
    (folder / f"{part}-images-idx3-ubyte").write_bytes(header + images.tobytes())
    (folder / f"{part}-labels-idx1-ubyte").write_bytes(struct.pack(">ii", 2049, len(labels)) + labels.tobytes())


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    images = read("train-images-idx3-ubyte.gz", 16).reshape(-1, 28, 28)
    labels = read("train-labels-idx1-ubyte.gz", 8)
    random = numpy.random.default_rng(SEED)
    drawn = [random.permutation(numpy.flatnonzero(labels == c))[:PER_CLASS] for c in numpy.unique(labels)]
    held_out = numpy.zeros(len(labels), bool)
    held_out[numpy.concatenate(drawn)] = True
    write(folder, "train", images[~held_out], labels[~held_out])
    write(folder, "t10k", images[held_out], labels[held_out])


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main()
