#!/usr/bin/env python3
"""Writes the small ONNX files that EspalierONNXTests read. Needs the `onnx` and `numpy` packages.

    python3 Tools/goldens/make_onnx_fixtures.py

Files are the same on every run. Values that tests compare with are stated in the tests themselves.
"""

import pathlib

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "Tests/EspalierONNXTests/Fixtures"


def info(name, kind=TensorProto.FLOAT, shape=(1, 4)):
    return helper.make_tensor_value_info(name, kind, shape)


def model(name, nodes, inputs, outputs, initializers=(), opset=17, ir_version=8, domains=(), **graph_options):
    graph = helper.make_graph(list(nodes), name, list(inputs), list(outputs), list(initializers), **graph_options)
    imports = [helper.make_opsetid("", opset)] + [helper.make_opsetid(domain, 1) for domain in domains]
    result = helper.make_model(graph, opset_imports=imports, ir_version=ir_version)
    result.producer_name = "espalier-fixtures"
    return result


def save(result, name):
    (FOLDER / name).write_bytes(result.SerializeToString(deterministic=True))


def add_unknown_fields(message, text):
    """Appends field 1000 (length-delimited), which no version of the format defines."""
    payload = text.encode()
    message.MergeFromString(bytes([0xC2, 0x3E, len(payload)]) + payload)


# The element types, each with the values 0, 1, 2, 3, 4, 100 (booleans: their truth), where 100 needs a byte.
VALUES = [0, 1, 2, 3, 4, 100]
TYPES = {
    "float32": (TensorProto.FLOAT, "float_data"),
    "float64": (TensorProto.DOUBLE, "double_data"),
    "float16": (TensorProto.FLOAT16, "int32_data"),
    "bfloat16": (TensorProto.BFLOAT16, "int32_data"),
    "int8": (TensorProto.INT8, "int32_data"),
    "int16": (TensorProto.INT16, "int32_data"),
    "int32": (TensorProto.INT32, "int32_data"),
    "int64": (TensorProto.INT64, "int64_data"),
    "uint8": (TensorProto.UINT8, "int32_data"),
    "uint16": (TensorProto.UINT16, "int32_data"),
    "uint32": (TensorProto.UINT32, "uint64_data"),
    "uint64": (TensorProto.UINT64, "uint64_data"),
    "bool": (TensorProto.BOOL, "int32_data"),
}


def bit_patterns(name):
    """The values as the raw little-endian array of a type."""
    if name == "bfloat16":
        return (numpy.array(VALUES, numpy.float32).view(numpy.uint32) >> 16).astype("<u2")
    return numpy.array(VALUES).astype(numpy.bool_ if name == "bool" else name)


def all_types(typed):
    tensors, nodes, outputs = [], [], []
    for name, (kind, field) in TYPES.items():
        tensor = TensorProto(name=name, data_type=kind, dims=[2, 3])
        bits = bit_patterns(name)
        if typed:
            if name == "float16":
                bits = bits.view("<u2")
            elif name == "bool":
                bits = bits.view(numpy.uint8)
            getattr(tensor, field).extend(bits.tolist())
        else:
            tensor.raw_data = bits.tobytes()
        tensors.append(tensor)
        nodes.append(helper.make_node("Identity", [name], [f"{name}_out"], name=f"copy_{name}"))
        outputs.append(info(f"{name}_out", kind, [2, 3]))
    return model("all types", nodes, [], outputs, tensors)


def dtypes():
    save(all_types(typed=False), "dtypes_raw.onnx")
    save(all_types(typed=True), "dtypes_typed.onnx")


def signed_values():
    """Negative integers, special floating-point values, a scalar and an empty tensor."""
    tensors = [
        numpy_helper.from_array(numpy.array([-128, -1, 127], numpy.int8), "int8"),
        numpy_helper.from_array(numpy.array([-(2**63), 2**63 - 1], numpy.int64), "int64"),
        numpy_helper.from_array(numpy.array([2**64 - 1], numpy.uint64), "uint64"),
        numpy_helper.from_array(numpy.array([numpy.inf, -numpy.inf, -0.0, 6e-8], numpy.float16), "float16"),
        numpy_helper.from_array(numpy.array(2.5, numpy.float32), "scalar"),
        numpy_helper.from_array(numpy.zeros((0, 3), numpy.float32), "empty"),
    ]
    typed = TensorProto(name="int16", data_type=TensorProto.INT16, dims=[2])
    typed.int32_data.extend([-32768, 32767])
    # Some writers sign-extend the bit patterns of half precision: this is -2.
    half = TensorProto(name="sign_extended", data_type=TensorProto.FLOAT16, dims=[1])
    half.int32_data.extend([0xC000 - 0x10000])
    tensors += [typed, half]
    nodes = [helper.make_node("Identity", [tensor.name], [f"{tensor.name}_out"]) for tensor in tensors]
    outputs = [info(f"{tensor.name}_out", tensor.data_type, list(tensor.dims)) for tensor in tensors]
    save(model("signed", nodes, [], outputs, tensors), "signed.onnx")


def external():
    """Two tensors at offsets of one file, and one that is a whole file in a folder below."""

    def reference(name, kind, dims, **entries):
        tensor = TensorProto(name=name, data_type=kind, dims=dims, data_location=TensorProto.EXTERNAL)
        for key, value in entries.items():
            tensor.external_data.add(key=key, value=str(value))
        return tensor

    weight = numpy.arange(12, dtype="<f4").reshape(4, 3)
    bias = numpy.array([10, 20, 30], "<f4")
    scale = numpy.array([1, 2, 3], "<f4")
    (FOLDER / "external").mkdir(parents=True, exist_ok=True)
    (FOLDER / "external.bin").write_bytes(b"skip" * 4 + weight.tobytes() + bias.tobytes())
    (FOLDER / "external/scale.bin").write_bytes(scale.tobytes())
    tensors = [
        reference("weight", TensorProto.FLOAT, [4, 3], location="external.bin", offset=16, length=48),
        reference("bias", TensorProto.FLOAT, [3], location="external.bin", offset=64),
        reference("scale", TensorProto.FLOAT, [3], location="external/scale.bin"),
    ]
    nodes = [
        helper.make_node("Gemm", ["x", "weight", "bias"], ["h"], name="linear"),
        helper.make_node("Mul", ["h", "scale"], ["y"], name="scaling"),
    ]
    save(model("external", nodes, [info("x")], [info("y", shape=(1, 3))], tensors), "external.onnx")
    # A tensor of a type that is only carried along, in a subgraph, outside as well.
    body = helper.make_graph(
        [helper.make_node("Mul", ["x", "inner"], ["product"])], "body", [], [info("product", shape=(1, 3))],
        [reference("inner", TensorProto.FLOAT, [3], location="external.bin", offset=64, length=12)])
    other = helper.make_graph(
        [helper.make_node("Identity", ["x"], ["copy"])], "other", [], [info("copy", shape=(1, 3))])
    node = helper.make_node("If", ["condition"], ["y"], name="choose", then_branch=body, else_branch=other)
    save(
        model("external in subgraph", [node], [info("x", shape=(1, 3)), info("condition", TensorProto.BOOL, ())],
              [info("y", shape=(1, 3))]),
        "external_subgraph.onnx")


def symbolic():
    """Named, unnamed, and negative extents, and a value whose rank is not declared."""
    unranked = helper.make_tensor_value_info("middle", TensorProto.FLOAT, None)
    negative = info("z", shape=["N", -1])
    nodes = [
        helper.make_node("Relu", ["x"], ["middle"], name="first"),
        helper.make_node("Neg", ["middle"], ["y"], name="second"),
        helper.make_node("Abs", ["middle"], ["z"], name="third"),
    ]
    result = model(
        "symbolic", nodes, [info("x", shape=["N", None, 8])], [info("y", shape=["N", None, 8]), negative],
        value_info=[unranked])
    # Dimension and type denotations, which this software does not read, must survive.
    result.graph.input[0].type.denotation = "IMAGE"
    result.graph.input[0].type.tensor_type.shape.dim[0].denotation = "DATA_BATCH"
    save(result, "symbolic.onnx")


def old_version():
    """IR version 3: initializers had to be inputs too."""
    weight = numpy_helper.from_array(numpy.ones((4, 2), numpy.float32), "weight")
    bias = numpy_helper.from_array(numpy.array([1, 2], numpy.float32), "bias")
    node = helper.make_node("Gemm", ["x", "weight", "bias"], ["y"], name="linear", alpha=1.0, beta=1.0)
    result = model(
        "old", [node], [info("x"), info("weight", shape=(4, 2)), info("bias", shape=(2,))],
        [info("y", shape=(1, 2))], [weight, bias], opset=7, ir_version=3)
    save(result, "old_ir3.onnx")


def captured():
    """An If in an If; the inner one reads an input, an initializer and a computed value of the main graph."""
    def branch(name, nodes):
        return helper.make_graph(nodes, name, [], [info(nodes[-1].output[0])])

    inner_then = branch("inner_then", [
        helper.make_node("Add", ["hidden", "offset"], ["inner_sum"]),
        helper.make_node("Relu", ["inner_sum"], ["inner_positive"])])
    inner_else = branch("inner_else", [helper.make_node("Neg", ["outer_local"], ["inner_negative"])])
    outer_then = branch("outer_then", [
        helper.make_node("Exp", ["x"], ["outer_local"]),
        helper.make_node("If", ["second"], ["outer_result"], then_branch=inner_then, else_branch=inner_else)])
    outer_else = branch("outer_else", [helper.make_node("Identity", ["hidden"], ["outer_copy"])])
    nodes = [
        helper.make_node("Abs", ["x"], ["hidden"], name="hide"),
        helper.make_node("If", ["first"], ["y"], name="choose", then_branch=outer_then, else_branch=outer_else),
    ]
    offset = numpy_helper.from_array(numpy.array([[1, 2, 3, 4]], numpy.float32), "offset")
    condition = [info(name, TensorProto.BOOL, ()) for name in ["first", "second"]]
    save(model("captured", nodes, [info("x")] + condition, [info("y")], [offset]), "captured.onnx")


def unknown_domain():
    """An operator nobody knows, with every kind of attribute, and fields that no version defines."""
    body = helper.make_graph([helper.make_node("Relu", ["inside"], ["done"])], "body", [info("inside")], [info("done")])
    sparse = helper.make_sparse_tensor(
        numpy_helper.from_array(numpy.array([3.5], numpy.float32), "values"),
        numpy_helper.from_array(numpy.array([2], numpy.int64), "indices"), [4])
    node = helper.make_node(
        "Mystery", ["x", "", "x"], ["y", ""], name="mystery", domain="com.example", doc_string="nobody knows",
        an_int=-7, a_float=0.5, a_string="text", bytes_string=b"\xff\xfe", a_tensor=numpy_helper.from_array(
            numpy.array([1, 2], numpy.int32), "inner"),
        ints=[1, -2, 3], floats=[0.25, -1.5], strings=["a", "b"], a_graph=body, graphs=[body],
        a_sparse=sparse, a_type=helper.make_tensor_type_proto(TensorProto.FLOAT, [2]),
        a_string_tensor=helper.make_tensor("words", TensorProto.STRING, [2], [b"one", b"two"]))
    node.metadata_props.add(key="origin", value="layer.3")
    result = model("unknown", [node], [info("x")], [info("y")], domains=["com.example"])
    add_unknown_fields(result, "in the model")
    add_unknown_fields(result.graph, "in the graph")
    add_unknown_fields(result.graph.node[0], "in the node")
    save(result, "unknown_domain.onnx")


def sparse():
    weight = helper.make_sparse_tensor(
        numpy_helper.from_array(numpy.array([2, 3], numpy.float32), "weight"),
        numpy_helper.from_array(numpy.array([1, 6], numpy.int64), "indices"), [4, 2])
    constant = helper.make_node("Constant", [], ["c"], name="sparse_constant", sparse_value=helper.make_sparse_tensor(
        numpy_helper.from_array(numpy.array([5], numpy.float32), "values"),
        numpy_helper.from_array(numpy.array([1], numpy.int64), "positions"), [2]))
    nodes = [
        constant,
        helper.make_node("MatMul", ["x", "weight"], ["h"], name="product"),
        helper.make_node("Add", ["h", "c"], ["y"], name="sum"),
    ]
    save(
        model("sparse", nodes, [info("x")], [info("y", shape=(1, 2))], sparse_initializer=[weight]),
        "sparse.onnx")


def sparse_forms():
    """Every element type stored sparsely, raw with positions and typed with coordinates, beside the same densely."""
    dense = numpy.zeros((3, 2, 4), int)
    places = [1, 6, 7, 16, 23]
    dense.flat[places] = VALUES[1:]
    tensors, sparse, nodes, outputs = [], [], [], []

    def add(tensor, name):
        nodes.append(helper.make_node("Cast", [name], [f"{name}_out"], name=f"cast_{name}", to=TensorProto.DOUBLE))
        outputs.append(info(f"{name}_out", TensorProto.DOUBLE, dense.shape))
        return tensor

    for name, (kind, field) in TYPES.items():
        bits = bit_patterns(name)[1:]
        whole = numpy.zeros(dense.shape, bits.dtype)
        whole.flat[places] = bits
        tensors.append(add(
            TensorProto(name=f"{name}_dense", data_type=kind, dims=dense.shape, raw_data=whole.tobytes()),
            f"{name}_dense"))
        positions = TensorProto(data_type=TensorProto.INT64, dims=[5], raw_data=numpy.array(places, "<i8").tobytes())
        raw = TensorProto(name=f"{name}_raw", data_type=kind, dims=[5], raw_data=bits.tobytes())
        sparse.append(add(onnx.SparseTensorProto(values=raw, indices=positions, dims=dense.shape), raw.name))
        coordinates = numpy.stack(numpy.unravel_index(places, dense.shape), axis=1)
        coordinates = TensorProto(data_type=TensorProto.INT64, dims=[5, 3], int64_data=coordinates.reshape(-1))
        typed = TensorProto(name=f"{name}_typed", data_type=kind, dims=[5])
        stored = bits.astype(int) if field != "float_data" and field != "double_data" else bits
        if name == "float16":
            stored = bits.view("<u2").astype(int)
        getattr(typed, field).extend(stored.tolist())
        sparse.append(add(onnx.SparseTensorProto(values=typed, indices=coordinates, dims=dense.shape), typed.name))
    # Nothing but zeros.
    values = TensorProto(name="zeros", data_type=TensorProto.FLOAT, dims=[0])
    indices = TensorProto(data_type=TensorProto.INT64, dims=[0])
    sparse.append(add(onnx.SparseTensorProto(values=values, indices=indices, dims=dense.shape), "zeros"))
    save(model("sparse_forms", nodes, [], outputs, tensors, sparse_initializer=sparse), "sparse_forms.onnx")


def pruned():
    """A dense file of a network with many zeros, one weight of which a branch reads, one of which is an output."""
    random = numpy.random.default_rng(11)

    def weight(name, *shape, kind=numpy.float32):
        # Not by a product, which makes negative zeros of negative numbers.
        values = numpy.where(random.uniform(size=shape) < 0.1, random.normal(0, 0.5, shape), 0)
        return numpy_helper.from_array(values.astype(kind), name)

    tensors = [
        weight("conv.weight", 16, 3, 3, 3), weight("conv.bias", 16),
        weight("linear.weight", 256, 24, kind=numpy.float16),
        weight("branch.weight", 24, 24), weight("constant", 8, 40, kind=numpy.float64),
    ]
    tensors[3].doc_string = "read by a branch"
    branches = {
        f"{name}_branch": helper.make_graph(
            [helper.make_node(kind, ["cast", "branch.weight"], [f"{name}_result"])], name, [],
            [info(f"{name}_result", shape=[1, 24])])
        for name, kind in {"then": "MatMul", "else": "Gemm"}.items()
    }
    nodes = [
        helper.make_node("Conv", ["x", "conv.weight", "conv.bias"], ["c"], name="conv", pads=[1, 1, 1, 1]),
        helper.make_node("Flatten", ["c"], ["f"], name="flatten"),
        helper.make_node("Cast", ["linear.weight"], ["w"], name="widen", to=TensorProto.FLOAT),
        helper.make_node("MatMul", ["f", "w"], ["cast"], name="linear"),
        helper.make_node("If", ["choice"], ["y"], name="choose", **branches),
    ]
    save(
        model(
            "pruned", nodes, [info("x", shape=[1, 3, 4, 4]), info("choice", TensorProto.BOOL, [])],
            [info("y", shape=[1, 24]), info("constant", TensorProto.DOUBLE, [8, 40])], tensors),
        "pruned.onnx")


def strings():
    words = helper.make_tensor("words", TensorProto.STRING, [2], ["first".encode(), "zweites ä".encode()])
    single = helper.make_node("Constant", [], ["single"], name="single_constant", value_string="alone")
    tensor = helper.make_node("Constant", [], ["pair"], name="pair_constant", value=words)
    nodes = [single, tensor, helper.make_node("Identity", ["words"], ["y"], name="copy"),
             helper.make_node("Identity", ["pair"], ["z"], name="copy_pair"),
             helper.make_node("Identity", ["single"], ["s"], name="copy_single")]
    outputs = [info("y", TensorProto.STRING, [2]), info("z", TensorProto.STRING, [2]), info("s", TensorProto.STRING, [])]
    save(model("strings", nodes, [], outputs, [words]), "strings.onnx")


def constants():
    """Every numeric form of Constant."""
    forms = {
        "tensor": dict(value=numpy_helper.from_array(numpy.array([[1, 2]], numpy.float64))),
        "float": dict(value_float=1.5),
        "int": dict(value_int=-3),
        "floats": dict(value_floats=[0.5, 1.0]),
        "ints": dict(value_ints=[4, 5, 6]),
    }
    nodes, outputs = [], []
    kinds = {"tensor": (TensorProto.DOUBLE, [1, 2]), "float": (TensorProto.FLOAT, []), "int": (TensorProto.INT64, []),
             "floats": (TensorProto.FLOAT, [2]), "ints": (TensorProto.INT64, [3])}
    for name, form in forms.items():
        nodes.append(helper.make_node("Constant", [], [name], name=f"make_{name}", **form))
        nodes.append(helper.make_node("Identity", [name], [f"{name}_out"], name=f"copy_{name}"))
        outputs.append(info(f"{name}_out", *kinds[name]))
    # A constant that is an output as it stands.
    nodes.append(helper.make_node("Constant", [], ["direct"], name="make_direct", value_float=9.0))
    outputs.append(info("direct", TensorProto.FLOAT, []))
    save(model("constants", nodes, [], outputs), "constants.onnx")


def information():
    """Everything in a file that concerns no computation."""
    weight = numpy_helper.from_array(numpy.ones((1, 4), numpy.float32), "weight")
    weight.doc_string = "all ones"
    weight.metadata_props.add(key="trained", value="no")
    nodes = [helper.make_node("Mul", ["x", "weight"], ["h"], name="scale", doc_string="scales"),
             helper.make_node("Twice", ["h"], ["y"], name="call", domain="local")]
    middle = info("h")
    middle.doc_string = "scaled"
    middle.metadata_props.add(key="role", value="hidden")
    result = model("information", nodes, [info("x")], [info("y")], [weight], domains=["local"], value_info=[middle],
                   doc_string="about the graph")
    result.producer_version = "1.2"
    result.domain = "org.example"
    result.model_version = 42
    result.doc_string = "about the model"
    helper.set_model_props(result, {"author": "nobody", "mean": "0.5"})
    result.graph.metadata_props.add(key="graph", value="note")
    result.graph.quantization_annotation.add(tensor_name="h").quant_parameter_tensor_names.add(
        key="SCALE_TENSOR", value="weight")
    result.functions.append(helper.make_function(
        "local", "Twice", ["a"], ["b"], [helper.make_node("Add", ["a", "a"], ["b"])], [helper.make_opsetid("", 17)]))
    save(result, "information.onnx")


def optionals():
    """Inputs and outputs left out, nodes out of order, a sequence in between, an output that is an input."""
    nodes = [
        helper.make_node("SequenceAt", ["list", "zero"], ["y"], name="pick"),
        helper.make_node("Clip", ["x", "", "maximum"], ["clipped"], name="clip"),
        helper.make_node("SequenceConstruct", ["clipped"], ["list"], name="collect"),
        helper.make_node("MaxPool", ["image"], ["pooled", ""], name="pool", kernel_shape=[2, 2]),
    ]
    sequence = helper.make_tensor_sequence_value_info("list", TensorProto.FLOAT, [1, 4])
    tensors = [numpy_helper.from_array(numpy.array(6, numpy.float32), "maximum"),
               numpy_helper.from_array(numpy.array(0, numpy.int64), "zero")]
    result = model(
        "optionals", nodes, [info("x"), info("image", shape=(1, 1, 4, 4))],
        [info("y"), info("pooled", shape=(1, 1, 3, 3)), info("x")], tensors, value_info=[sequence])
    save(result, "optionals.onnx")


def convolutional():
    """A small network of the usual parts, for round trips through ONNX Runtime."""
    random = numpy.random.default_rng(7)

    def weight(name, *shape):
        return numpy_helper.from_array(random.normal(0, 0.3, shape).astype(numpy.float32), name)

    tensors = [
        weight("conv.weight", 4, 1, 3, 3), weight("conv.bias", 4), weight("norm.scale", 4), weight("norm.bias", 4),
        weight("norm.mean", 4),
        numpy_helper.from_array(random.uniform(0.5, 2, 4).astype(numpy.float32), "norm.variance"),
        weight("linear.weight", 5, 16), weight("linear.bias", 5),
        numpy_helper.from_array(numpy.array([0, -1], numpy.int64), "target"),
    ]
    nodes = [
        helper.make_node("Conv", ["x", "conv.weight", "conv.bias"], ["c"], name="conv", pads=[1, 1, 1, 1], strides=[2, 2]),
        helper.make_node("BatchNormalization", ["c", "norm.scale", "norm.bias", "norm.mean", "norm.variance"], ["n"],
                         name="norm"),
        helper.make_node("Relu", ["n"], ["r"], name="relu"),
        helper.make_node("AveragePool", ["r"], ["p"], name="pool", kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Reshape", ["p", "target"], ["f"], name="flatten"),
        helper.make_node("Gemm", ["f", "linear.weight", "linear.bias"], ["y"], name="linear", transB=1),
    ]
    save(
        model("convolutional", nodes, [info("x", shape=["N", 1, 8, 8])], [info("y", shape=["N", 5])], tensors),
        "convolutional.onnx")


def tensor_file():
    """A file that holds one tensor, as ONNX's test cases have them."""
    tensor = numpy_helper.from_array(numpy.arange(6, dtype=numpy.float32).reshape(2, 3), "input")
    save(tensor, "tensor.pb")


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    for make in [dtypes, signed_values, external, symbolic, old_version, captured, unknown_domain, sparse,
                 sparse_forms, pruned, strings, constants, information, optionals, convolutional, tensor_file]:
        make()
    for path in sorted(FOLDER.rglob("*")):
        if path.is_file():
            print(f"{path.stat().st_size:6} {path.relative_to(FOLDER)}")
            # That one's nodes are out of order, which the specification forbids and some exporters do.
            if path.suffix == ".onnx" and path.stem != "optionals":
                onnx.checker.check_model(str(path))


if __name__ == "__main__":
    main()
