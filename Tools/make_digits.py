#!/usr/bin/env python3
"""Writes Sources/CBundledData/digits.csv, the data set `digits`, from scikit-learn's copy of it.

One line for each of the 1,797 images: 64 pixels in 0..16, row by row, then the digit. Needs scikit-learn.
"""

import pathlib

from sklearn.datasets import load_digits

target = pathlib.Path(__file__).resolve().parent.parent / "Sources" / "CBundledData" / "digits.csv"
digits = load_digits()
pixels = digits.data.astype(int)
assert pixels.shape == (1797, 64) and pixels.min() == 0 and pixels.max() == 16
assert (pixels == digits.data).all()

lines = [",".join(map(str, [*row, label])) for row, label in zip(pixels, digits.target)]
target.write_text("\n".join(lines) + "\n")
print(f"{target}: {len(lines)} images, {target.stat().st_size} bytes")
