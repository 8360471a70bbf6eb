#!/usr/bin/env python3
"""Runs the cases of the operator conformance suite in ONNX Runtime and stores what it gives.

    rm -rf .build/cases
    ESPALIER_CASES_FOLDER=.build/cases swift test --filter casesAreWrittenForONNXRuntime
    python3 Tools/goldens/make_operator_goldens.py .build/cases

Writes Tests/OperatorConformance/Fixtures/onnxruntime.npz, with an array "CASE/yN" for output N of each case. Cases that
ONNX Runtime refuses are listed; they belong into Tests/OperatorConformance/GoldenExceptions.swift, with the reason.
Needs `numpy`, `onnx` and `onnxruntime`.
"""

import io
import pathlib
import sys
import zipfile

import numpy
import onnx
import onnxruntime

TARGET = pathlib.Path(__file__).parents[2] / "Tests/OperatorConformance/Fixtures/onnxruntime.npz"


def outputs(model, inputs):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    # As the specification says, not as an optimiser would have it.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    return session.run(None, dict(inputs))


def main(folder):
    onnxruntime.set_default_logger_severity(4)
    arrays = {}
    refused = []
    for model in sorted(folder.glob("*.onnx"), key=lambda path: int(path.stem)):
        name = onnx.load(str(model)).graph.name
        try:
            with numpy.load(model.with_suffix(".npz")) as inputs:
                results = outputs(model, inputs)
        except Exception as error:  # Many kinds; all mean the same here.
            refused.append((name, str(error).splitlines()[0]))
            continue
        for port, result in enumerate(results):
            arrays[f"{name}/y{port}"] = result

    # By hand, for numpy.savez stamps the members with the time, and equal goldens shall be equal files.
    with zipfile.ZipFile(TARGET, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, array in arrays.items():
            member = io.BytesIO()
            numpy.lib.format.write_array(member, numpy.asarray(array))
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), member.getvalue(), zipfile.ZIP_DEFLATED)

    print(f"{len(arrays)} outputs by ONNX Runtime {onnxruntime.__version__}; refused:")
    for name, reason in refused:
        print(f'        "{name}": "{reason[:200]}",')


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
