import EspalierTensors

/// Which axes of a tensor are which after its elements are read, in the same order, under another shape.
///
/// Both shapes fall into blocks of axes with equal products of extents. In a block one axis may become one axis
/// (identity), several may merge into one (flattening), or one may split into several. A cut of a merged axis is a
/// rectangle only along *one* of the axes merged, so only one of them is linked and the others stay whole.
struct AxisMatching {
    struct Block: Equatable {
        var inputs: Range<Int>
        var outputs: Range<Int>
    }

    let input: Shape
    let output: Shape
    /// The blocks, outermost first; none for tensors without elements, whose extents determine nothing.
    let blocks: [Block]

    /// - Precondition: both shapes have the same number of elements.
    init(_ input: Shape, _ output: Shape) {
        self.input = input
        self.output = output
        var blocks: [Block] = []
        if input.count == output.count, input.count > 0 {
            var (i, j) = (0, 0)
            while i < input.rank || j < output.rank {
                let start = (i, j)
                var inputProduct = 1
                var outputProduct = 1
                if i < input.rank {
                    inputProduct = input[i]
                    i += 1
                }
                if j < output.rank {
                    outputProduct = output[j]
                    j += 1
                }
                while inputProduct != outputProduct {
                    if inputProduct < outputProduct, i < input.rank {
                        inputProduct *= input[i]
                        i += 1
                    } else if j < output.rank {
                        outputProduct *= output[j]
                        j += 1
                    } else {
                        break
                    }
                }
                blocks.append(Block(inputs: start.0..<i, outputs: start.1..<j))
            }
        }
        self.blocks = blocks
    }

    /// The links between input 0 and output 0.
    var links: AxisLinks {
        var links = AxisLinks()
        for block in blocks { add(block, to: &links) }
        return links
    }

    private func add(_ block: Block, to links: inout AxisLinks) {
        // Axes of extent 1 take no part, unless there is nothing else.
        let inputs = block.inputs.filter { input[$0] > 1 }
        let outputs = block.outputs.filter { output[$0] > 1 }
        switch (inputs.count, outputs.count) {
        case (0, 0):
            if block.inputs.count == 1, block.outputs.count == 1 {
                links.link(
                    .input(0, axis: block.inputs.lowerBound), .output(0, axis: block.outputs.lowerBound))
            }
        case (1, 1):
            links.link(.input(0, axis: inputs[0]), .output(0, axis: outputs[0]))
        case (2..., 1):
            let chosen = Self.significantAxis(inputs, of: input)
            let map = Self.spread(of: chosen, in: inputs, extents: input)
            links.link(.input(0, axis: chosen), .output(0, axis: outputs[0]), map)
            for axis in inputs where axis != chosen {
                links.frozen.append(
                    (.input(0, axis: axis), "it is merged with axis \(chosen), which may be cut"))
            }
        case (1, 2...):
            let chosen = Self.significantAxis(outputs, of: output)
            let map = Self.spread(of: chosen, in: outputs, extents: output)
            links.link(.output(0, axis: chosen), .input(0, axis: inputs[0]), map)
            for axis in outputs where axis != chosen {
                links.frozen.append(
                    (.output(0, axis: axis), "it is split off axis \(chosen), which may be cut"))
            }
        default:
            for axis in inputs {
                links.frozen.append((.input(0, axis: axis), "the reshape mixes it with other axes"))
            }
        }
    }

    private static func spread(of axis: Int, in axes: [Int], extents: Shape) -> IndexMap {
        let outer = axes.filter { $0 < axis }.reduce(1) { $0 * extents[$1] }
        let inner = axes.filter { $0 > axis }.reduce(1) { $0 * extents[$1] }
        return outer == 1 && inner == 1 ? .identity : .spread(outer: outer, inner: inner)
    }

    /// The axis of several merged ones that is likeliest to be channels or heads. They stand first, as in
    /// channels x height x width, except where two equal extents stand before another one: height x width x channels.
    /// A wrong guess costs no correctness: the axis is then frozen by the operators that mix along it.
    private static func significantAxis(_ axes: [Int], of shape: Shape) -> Int {
        let (first, last) = (axes[0], axes[axes.count - 1])
        guard axes.count >= 3, shape[first] == shape[axes[1]], shape[last] != shape[first] else {
            return first
        }
        return last
    }
}
