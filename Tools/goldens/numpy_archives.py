#!/usr/bin/env python3
"""Writes Tests/EspalierArchivesTests/Fixtures/*.npz and *.npy with NumPy, the reference for these formats.

Every array is f(i) of its row-major element number i (see `values`), which the tests compute again.
"""

import pathlib

import numpy as np

folder = pathlib.Path(__file__).resolve().parents[2] / "Tests" / "EspalierArchivesTests" / "Fixtures"
folder.mkdir(parents=True, exist_ok=True)


def values(shape, dtype):
    i = np.arange(int(np.prod(shape)))
    if dtype == np.bool_:
        return (i % 3 == 0).reshape(shape)
    if np.issubdtype(dtype, np.floating):
        return ((i - 5) * 0.25).astype(dtype).reshape(shape)
    if np.issubdtype(dtype, np.unsignedinteger):
        return (i * 7).astype(dtype).reshape(shape)
    return (i * 5 - 20).astype(dtype).reshape(shape)


types = [np.bool_, np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32, np.uint64]
types += [np.float16, np.float32, np.float64]
arrays = {np.dtype(t).name: values((2, 3, 4), t) for t in types}
arrays["scalar"] = np.float32(1.25)
arrays["empty"] = np.zeros((0, 3), np.float32)
arrays["vector"] = values((5,), np.float32)
arrays["fortran"] = np.asfortranarray(values((2, 3, 4), np.float32))
arrays["bigEndian"] = values((2, 3, 4), np.dtype(np.float64)).astype(">f8")
arrays["/layer/output_0"] = values((2, 2), np.float32)
np.savez(folder / "stored.npz", **arrays)
np.savez_compressed(folder / "deflated.npz", **arrays)

for major in (1, 2, 3):
    with open(folder / f"version{major}.npy", "wb") as file:
        np.lib.format.write_array(file, values((2, 3), np.float32), version=(major, 0))

np.save(folder / "complex.npy", np.zeros(2, np.complex64))
np.save(folder / "records.npy", np.zeros(2, [("a", "<f4"), ("b", "<i4")]))
np.save(folder / "objects.npy", np.array([{}], dtype=object), allow_pickle=True)
