#!/usr/bin/env python3
"""Writes the networks that inference is measured with, as ONNX files with random weights.

    models.py FOLDER [--only resnet-50] [--sparsity 0.9 ...] [--seed 0]

resnet-50 and mobilenet-v1 take an image of 3x224x224; bert-4 is four layers of BERT-base (width 768, 12 heads, 3072 inside) on 128
tokens that are embedded already; linear-N is one layer from 768 to 3072 on N rows. Made only if named: mlp-48, which takes 450 MB,
is 24 times such a layer and one back on one row, more than caches hold; linear-32x2048 are 32 products of one row with 2048 x 2048
weights, 537 MB in a file NAME.onnx.data beside the model. Weights are drawn as He et al. (2015) propose, so that activations keep
their scale. With a sparsity that share of every convolution and product is zero, at random positions, except for the first
convolution and depthwise ones: NAME-90.onnx beside NAME.onnx. Times do not depend on what the weights are.
"""

import argparse
import os

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


class Network:
    """Collects nodes; methods return the names of their results."""

    def __init__(self, name, sparsity, seed):
        self.name, self.sparsity = name, sparsity
        self.random = np.random.default_rng(seed)
        self.nodes, self.initializers, self.count = [], [], 0

    def constant(self, values, kind="constant"):
        self.count += 1
        name = f"{kind}{self.count}"
        self.initializers.append(numpy_helper.from_array(np.asarray(values), name))
        return name

    def weight(self, shape, fan_in, prunable=True, gain=2.0):
        values = self.random.standard_normal(shape).astype(np.float32) * np.float32((gain / fan_in) ** 0.5)
        if prunable and self.sparsity:
            # Exactly as many, so that theoretical speedups are those of the name.
            zeros = self.random.permutation(values.size)[: round(self.sparsity * values.size)]
            values.reshape(-1)[zeros] = 0
            values *= np.float32((1 - self.sparsity) ** -0.5)
        return self.constant(values, "weight")

    def vector(self, size, around=0.0):
        return self.constant((around + 0.1 * self.random.standard_normal(size)).astype(np.float32), "vector")

    def node(self, kind, inputs, **attributes):
        self.count += 1
        output = f"{kind.lower()}{self.count}"
        self.nodes.append(helper.make_node(kind, inputs, [output], name=output, **attributes))
        return output

    def convolution(self, x, channels, filters, kernel, stride=1, groups=1, prunable=True, gain=2.0, relu=True):
        """With batch norm, as trained networks have it."""
        fan_in = channels // groups * kernel * kernel
        w = self.weight((filters, channels // groups, kernel, kernel), fan_in, prunable and groups == 1, gain)
        pad = kernel // 2
        y = self.node("Conv", [x, w], kernel_shape=[kernel] * 2, strides=[stride] * 2, pads=[pad] * 4, group=groups)
        variance = self.constant((1 + 0.1 * self.random.random(filters)).astype(np.float32), "vector")
        y = self.node("BatchNormalization", [y, self.vector(filters, 1.0), self.vector(filters), self.vector(filters), variance])
        return self.node("Relu", [y]) if relu else y

    def linear(self, x, width_in, width_out):
        y = self.node("MatMul", [x, self.weight((width_in, width_out), width_in, gain=1.0)])
        return self.node("Add", [y, self.vector(width_out)])

    def save(self, folder, inputs, output, shape):
        graph = helper.make_graph(
            self.nodes, self.name, [helper.make_tensor_value_info("x", TensorProto.FLOAT, inputs)],
            [helper.make_tensor_value_info(output, TensorProto.FLOAT, shape)], self.initializers)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
        onnx.checker.check_model(model)
        suffix = f"-{round(100 * self.sparsity)}" if self.sparsity else ""
        path = os.path.join(folder, f"{self.name}{suffix}.onnx")
        if self.name in BESIDE:
            if os.path.exists(f"{path}.data"):
                os.remove(f"{path}.data")  # onnx would append to it.
            onnx.save(model, path, save_as_external_data=True, location=f"{os.path.basename(path)}.data")
        else:
            onnx.save(model, path)
        print(path)


def resnet_50(network):
    """He et al. 2016, with the stride in the 3x3 convolution."""
    x = network.convolution("x", 3, 64, 7, stride=2, prunable=False)
    x = network.node("MaxPool", [x], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    channels = 64
    for width, blocks, stride in ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)):
        for block in range(blocks):
            step = stride if block == 0 else 1
            y = network.convolution(x, channels, width, 1)
            y = network.convolution(y, width, width, 3, stride=step)
            # A small last factor keeps sums of many blocks in range.
            y = network.convolution(y, width, 4 * width, 1, gain=0.2, relu=False)
            if block == 0:
                x = network.convolution(x, channels, 4 * width, 1, stride=step, gain=1.0, relu=False)
            x = network.node("Relu", [network.node("Add", [y, x])])
            channels = 4 * width
    x = network.node("Flatten", [network.node("GlobalAveragePool", [x])])
    return [1, 3, 224, 224], network.linear(x, 2048, 1000), [1, 1000]


def mobilenet_v1(network):
    """Howard et al. 2017, width 1."""
    x = network.convolution("x", 3, 32, 3, stride=2, prunable=False)
    channels = 32
    for filters, stride in ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), (512, 1), (512, 1), (512, 1), (512, 1),
                            (512, 1), (1024, 2), (1024, 1)):
        x = network.convolution(x, channels, channels, 3, stride=stride, groups=channels)
        x = network.convolution(x, channels, filters, 1)
        channels = filters
    x = network.node("Flatten", [network.node("GlobalAveragePool", [x])])
    return [1, 3, 224, 224], network.linear(x, 1024, 1000), [1, 1000]


def bert_4(network, width=768, heads=12, inner=3072, tokens=128):
    """Four encoder layers (Devlin et al. 2019), in the form in which PyTorch exports them."""
    x = "x"
    split = network.constant(np.array([1, tokens, heads, width // heads], np.int64))
    joined = network.constant(np.array([1, tokens, width], np.int64))
    scale = network.constant(np.array((width // heads) ** -0.5, np.float32))
    half, one = network.constant(np.array(0.5, np.float32)), network.constant(np.array(1, np.float32))
    root = network.constant(np.array(2 ** 0.5, np.float32))

    def normalised(value):
        return network.node("LayerNormalization", [value, network.vector(width, 1.0), network.vector(width)], axis=-1)

    for _ in range(4):
        query, key, value = (network.node("Reshape", [network.linear(x, width, width), split]) for _ in range(3))
        query = network.node("Transpose", [query], perm=[0, 2, 1, 3])
        key = network.node("Transpose", [key], perm=[0, 2, 3, 1])
        value = network.node("Transpose", [value], perm=[0, 2, 1, 3])
        scores = network.node("Mul", [network.node("MatMul", [query, key]), scale])
        mixed = network.node("MatMul", [network.node("Softmax", [scores], axis=-1), value])
        mixed = network.node("Reshape", [network.node("Transpose", [mixed], perm=[0, 2, 1, 3]), joined])
        x = normalised(network.node("Add", [network.linear(mixed, width, width), x]))
        y = network.linear(x, width, inner)
        y = network.node("Mul", [y, network.node("Add", [network.node("Erf", [network.node("Div", [y, root])]), one])])
        y = network.node("Mul", [y, half])
        x = normalised(network.node("Add", [network.linear(y, inner, width), x]))
    return [1, tokens, width], x, [1, tokens, width]


def linear(network, rows):
    return [rows, 768], network.linear("x", 768, 3072), [rows, 3072]


def mlp_48(network):
    x = "x"
    for _ in range(24):
        x = network.node("Relu", [network.linear(x, 768, 3072)])
        x = network.linear(x, 3072, 768)
    return [1, 768], x, [1, 768]


def linear_32x2048(network, width=2048):
    x = "x"
    for _ in range(32):
        x = network.node("MatMul", [x, network.weight((width, width), width, gain=1.0)])
    return [1, width], x, [1, width]


NETWORKS = {"resnet-50": resnet_50, "mobilenet-v1": mobilenet_v1, "bert-4": bert_4, "mlp-48": mlp_48,
            "linear-32x2048": linear_32x2048} | {
    f"linear-{rows}": lambda network, rows=rows: linear(network, rows) for rows in (1, 8, 32, 128)}
# Made only if named.
LARGE = {"mlp-48", "linear-32x2048"}
# With weights in a file beside the model.
BESIDE = {"linear-32x2048"}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--only", action="append", choices=list(NETWORKS), help="a network; repeatable")
    parser.add_argument("--sparsity", action="append", type=float, default=[], help="from 0 to below 1; repeatable")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    os.makedirs(options.folder, exist_ok=True)
    for name in options.only or [name for name in NETWORKS if name not in LARGE]:
        for sparsity in [0.0, *options.sparsity]:
            network = Network(name, sparsity, options.seed)
            network.save(options.folder, *NETWORKS[name](network))


if __name__ == "__main__":
    main()
