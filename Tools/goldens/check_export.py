#!/usr/bin/env python3
"""Shows models that EspalierONNX wrote to ONNX's checker and to ONNX Runtime. Needs `onnx` and `onnxruntime`.

    make exports

A written model must be accepted wherever its original is, and give the same outputs, bit for bit, for the same
inputs. Files with sparse initializers are checked without shape inference, which knows no operator that takes them.
"""

import pathlib
import sys

import numpy
import onnx
import onnxruntime

onnxruntime.set_default_logger_severity(4)
NUMPY_TYPES = {
    "tensor(float)": numpy.float32, "tensor(double)": numpy.float64, "tensor(float16)": numpy.float16,
    "tensor(int64)": numpy.int64, "tensor(int32)": numpy.int32, "tensor(int16)": numpy.int16,
    "tensor(int8)": numpy.int8, "tensor(uint8)": numpy.uint8, "tensor(uint16)": numpy.uint16,
    "tensor(uint32)": numpy.uint32, "tensor(uint64)": numpy.uint64, "tensor(bool)": numpy.bool_,
}


def verdict_of_checker(path, full_check=True):
    try:
        onnx.checker.check_model(str(path), full_check=full_check)
        return None
    except Exception as error:  # The checker's, and shape inference's.
        return f"{type(error).__name__}: {error}"


def session(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    # Without optimisation, two files of the same nodes run the same code.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def inputs_for(model):
    random = numpy.random.default_rng(1)
    feeds = {}
    for value in model.get_inputs():
        if value.type not in NUMPY_TYPES:
            return None
        shape = [extent if isinstance(extent, int) else 2 for extent in value.shape]
        kind = NUMPY_TYPES[value.type]
        feeds[value.name] = (random.uniform(0, 2, shape)).astype(kind)
    return feeds


def run(path):
    """The outputs, or the error's text; None if there are inputs that cannot be made up."""
    try:
        model = session(path)
        feeds = inputs_for(model)
        return None if feeds is None else model.run(None, feeds)
    except Exception as error:
        return f"{type(error).__name__}"


def same(left, right):
    """Whether the original's outputs are the written model's; where there are none, nothing is demanded."""
    if not isinstance(left, list):
        return True
    if not isinstance(right, list):
        return False
    if any(not isinstance(value, numpy.ndarray) for value in left):
        return repr(left) == repr(right)
    return all(
        x.dtype == y.dtype and x.shape == y.shape and numpy.array_equal(x, y, equal_nan=x.dtype.kind == "f")
        for x, y in zip(left, right, strict=True))


def main(folder):
    failures, checked, executed, refused, sparse = [], 0, 0, 0, 0
    for target in sorted(pathlib.Path(folder).iterdir(), key=lambda path: int(path.name)):
        source = pathlib.Path((target / "source.txt").read_text())
        original_verdict = verdict_of_checker(source)
        expected = run(source)
        random_outputs = "random" in str(source) or "bernoulli" in str(source) or "dropout" in str(source)
        for name in ["inside.onnx", "external.onnx", "sparse.onnx"]:
            has_sparse = len(onnx.load(target / name, load_external_data=False).graph.sparse_initializer) > 0
            verdict = verdict_of_checker(target / name, full_check=not has_sparse)
            checked += 1
            sparse += has_sparse
            refused += original_verdict is not None
            if verdict and not original_verdict:
                failures.append(f"{source} as {name}: {verdict[:300]}")
            found = run(target / name)
            executed += isinstance(found, list)
            if not same(expected, found) and not random_outputs:
                failures.append(f"{source} as {name}: outputs differ: {str(expected)[:100]} and {str(found)[:100]}")
    print(
        f"{checked} files checked, {refused} of them with originals that the checker refuses, {sparse} with sparse "
        f"initializers; {executed} executed")
    for failure in failures:
        print(f"FAILED {failure}")
    return 1 if failures else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1]))
