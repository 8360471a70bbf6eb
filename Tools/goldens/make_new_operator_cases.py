#!/usr/bin/env python3
"""Writes node test cases for operators, and versions of operators, newer than Debian's libonnx-testdata.

    python3 Tools/goldens/make_new_operator_cases.py [FOLDER] [--operator NAME ...]

FOLDER is .build/conformance/cases by default. Needs the `onnx` package (Tools/goldens/requirements.txt), whose case
modules compute inputs and expected outputs. The layout is that of the Debian package: per case a folder with
model.onnx and test_data_set_N/input_I.pb and output_I.pb.

Without --operator, all cases of the standard domain are written that Debian's package cannot have: those of an
operator set after 17, and those of a name that is not there. Cases with strings, sequences, and element types that
Espalier does not compute with are left out.
"""

import argparse
import pathlib
import shutil
import sys
import warnings

import numpy
import onnx
from onnx import TensorProto, numpy_helper

ROOT = pathlib.Path(__file__).resolve().parents[2]
DEBIAN_CASES = pathlib.Path("/usr/share/libonnx-testdata/data/node")
DEBIAN_OPSET = 17
TYPES = {
    TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16, TensorProto.BFLOAT16, TensorProto.BOOL,
    TensorProto.INT8, TensorProto.INT16, TensorProto.INT32, TensorProto.INT64,
    TensorProto.UINT8, TensorProto.UINT16, TensorProto.UINT32, TensorProto.UINT64,
}


def is_wanted(case, operators):
    if case.model is None or not case.data_sets:
        return False
    if any(node.domain not in ("", "ai.onnx") for node in case.model.graph.node):
        return False
    values = list(case.model.graph.input) + list(case.model.graph.output)
    if any(value.type.tensor_type.elem_type not in TYPES for value in values):
        return False
    if operators:
        return any(node.op_type in operators for node in case.model.graph.node)
    version = max(entry.version for entry in case.model.opset_import if entry.domain in ("", "ai.onnx"))
    return version > DEBIAN_OPSET or not (DEBIAN_CASES / case.name).exists()


def tensor(value, declared):
    """The message for an array; scalars of Python and NumPy count as arrays without axes."""
    if isinstance(value, TensorProto):
        return value
    kind = onnx.helper.tensor_dtype_to_np_dtype(declared.type.tensor_type.elem_type)
    array = numpy.asarray(value)
    if array.dtype != kind:
        raise TypeError(f"{declared.name} is declared {kind}, but the case module gives {array.dtype}")
    return numpy_helper.from_array(array, declared.name)


def write(case, folder):
    target = folder / case.name
    for number, (inputs, outputs) in enumerate(case.data_sets):
        data = target / f"test_data_set_{number}"
        data.mkdir(parents=True)
        for kind, values, declared in [
            ("input", inputs, case.model.graph.input), ("output", outputs, case.model.graph.output)]:
            for position, (value, declaration) in enumerate(zip(values, declared, strict=True)):
                message = tensor(value, declaration)
                (data / f"{kind}_{position}.pb").write_bytes(message.SerializeToString(deterministic=True))
    (target / "model.onnx").write_bytes(case.model.SerializeToString(deterministic=True))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=pathlib.Path, default=ROOT / ".build/conformance/cases")
    parser.add_argument("--operator", action="append", default=[], help="only cases with this operator")
    arguments = parser.parse_args()

    # Importing the package runs every case module; some overflow on purpose.
    warnings.simplefilter("ignore")
    from onnx.backend.test.case.node import collect_testcases

    cases = [case for case in collect_testcases() if is_wanted(case, set(arguments.operator))]
    if not cases:
        sys.exit("no case matches")
    # Built beside and moved, so that a run that is stopped leaves no half of it.
    building = arguments.folder.with_name(arguments.folder.name + ".building")
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir(parents=True)
    for case in cases:
        write(case, building)
    shutil.rmtree(arguments.folder, ignore_errors=True)
    building.rename(arguments.folder)
    print(f"wrote {len(cases)} cases of onnx {onnx.__version__} to {arguments.folder}")


if __name__ == "__main__":
    main()
