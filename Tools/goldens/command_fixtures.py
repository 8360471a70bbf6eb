#!/usr/bin/env python3
"""Models, samples and expected results for Tests/CommandTests, computed with ONNX Runtime.

Needs numpy, onnx and onnxruntime. Rerun: python3 Tools/goldens/command_fixtures.py
"""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

FOLDER = Path(__file__).parents[2] / "Tests" / "CommandTests" / "Fixtures"
SAMPLES = 61
random = np.random.default_rng(20240601)


def weight(name, *shape):
    fan_in = np.prod(shape[1:]) if len(shape) > 1 else 1
    return numpy_helper.from_array((random.standard_normal(shape) / np.sqrt(fan_in)).astype(np.float32), name)


def value(name, *shape):
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def save(name, nodes, initializers, inputs, outputs, domain=None):
    graph = helper.make_graph(nodes, name, inputs, outputs, initializers)
    opsets = [helper.make_opsetid("", 17)] + ([helper.make_opsetid(domain, 1)] if domain else [])
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8, producer_name="command_fixtures.py")
    if domain is None:
        onnx.checker.check_model(model, full_check=True)
    onnx.save(model, FOLDER / f"{name}.onnx")


def node(operator, inputs, output, name, **attributes):
    return helper.make_node(operator, inputs, [output], name, **attributes)


# A classifier of 8x8 images.
body = [
    node("Conv", ["x", "conv1.weight", "conv1.bias"], "a", "conv1", kernel_shape=[3, 3], pads=[1] * 4),
    node("Relu", ["a"], "b", "relu1"),
    node("Conv", ["b", "conv2.weight", "conv2.bias"], "c", "conv2", kernel_shape=[3, 3], strides=[2, 2]),
    node("Relu", ["c"], "d", "relu2"),
]
flatten = node("Flatten", ["d"], "e", "flatten")
# What exporters write that trace with one sample: no other batch size fits.
reshape = node("Reshape", ["d", "one_row"], "e", "reshape")
head = node("Gemm", ["e", "fc.weight", "fc.bias"], "logits", "fc", transB=1)
softmax = node("Softmax", ["logits"], "probabilities", "softmax")
weights = [
    weight("conv1.weight", 4, 1, 3, 3), weight("conv1.bias", 4),
    weight("conv2.weight", 6, 4, 3, 3), weight("conv2.bias", 6),
    weight("fc.weight", 10, 54), weight("fc.bias", 10),
]
one_row = numpy_helper.from_array(np.array([1, 54]), "one_row")
images = value("x", "N", 1, 8, 8)
save("classifier", [*body, flatten, head], weights, [images], [value("logits", "N", 10)])
save("softmax", [*body, flatten, head, softmax], weights, [images], [value("probabilities", "N", 10)])
save("one-sample", [*body, reshape, head], [*weights, one_row], [value("x", 1, 1, 8, 8)], [value("logits", 1, 10)])

# The same with 1 % more weight in one channel, and with half of a layer's weights zero.
changed = [numpy_helper.to_array(tensor).copy() for tensor in weights]
changed[2][3] *= 1.01
changed[4].reshape(-1)[::2] = 0
save("changed", [*body, flatten, head],
     [numpy_helper.from_array(array, tensor.name) for array, tensor in zip(changed, weights)],
     [images], [value("logits", "N", 10)])

# A residual block, an operator that nobody knows, and a head behind it.
save(
    "opaque",
    [
        node("Conv", ["x", "stem.weight"], "a", "stem", pads=[1] * 4),
        node("Conv", ["a", "conv1.weight"], "b", "block.conv1", pads=[1] * 4),
        node("Relu", ["b"], "c", "block.relu"),
        node("Conv", ["c", "conv2.weight"], "d", "block.conv2", pads=[1] * 4),
        node("Add", ["a", "d"], "e", "block.add"),
        node("Fancy", ["e"], "f", "fancy", domain="example.ops"),
        node("Flatten", ["f"], "g", "flatten"),
        node("Gemm", ["g", "head.weight"], "y", "head", transB=1),
    ],
    [
        weight("stem.weight", 4, 3, 3, 3), weight("conv1.weight", 4, 4, 3, 3),
        weight("conv2.weight", 4, 4, 3, 3), weight("head.weight", 5, 4 * 64),
    ],
    [value("x", "N", 3, 8, 8)], [value("y", "N", 5)], domain="example.ops")

save("open-size", [node("Conv", ["x", "w"], "y", "conv")], [weight("w", 4, 3, 3, 3)],
     [value("x", "N", 3, "H", "W")], [value("y", "N", 4, "h", "w")])
save("two-inputs", [node("MatMul", ["a", "w"], "h", "product"), node("Add", ["h", "b"], "y", "sum")],
     [weight("w", 4, 3)], [value("a", "N", 4), value("b", "N", 3)], [value("y", "N", 3)])

x = random.integers(0, 17, (SAMPLES, 1, 8, 8)).astype(np.uint8)
labels = random.integers(0, 10, SAMPLES)
prepared = (x / 16).astype(np.float32)
session = onnxruntime.InferenceSession(FOLDER / "classifier.onnx")
logits = session.run(None, {"x": prepared})[0]
log_sums = np.log(np.exp(logits.astype(np.float64)).sum(axis=1))
np.savez(FOLDER / "images.npz", x=x, y=labels)
np.savez(FOLDER / "prepared.npz", x=prepared, y=labels)
np.save(FOLDER / "prepared.npy", prepared)
np.savez(
    FOLDER / "expected.npz", logits=logits, accuracy=np.mean(logits.argmax(axis=1) == labels),
    loss=np.mean(log_sums - logits[np.arange(SAMPLES), labels]))
