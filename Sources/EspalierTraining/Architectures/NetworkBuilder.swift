package import EspalierGraphs
import EspalierTensors

/// A value inside a network that is being built, with its extents without the batch's.
package struct Feature {
    package let value: ValueID
    /// Channels, height and width; or one number after flattening.
    package let extents: [Int]

    package var channels: Int { extents.first ?? 0 }
}

/// Lays out layers: keeps track of shapes, names nodes and parameters as PyTorch does, and initialises.
package struct NetworkBuilder {
    package let options: ArchitectureOptions
    /// The width of every layer whose width can be chosen, by layer.
    package private(set) var layerWidths: [String: Int] = [:]
    /// Under which a network's metadata tell its architecture.
    static let architectureKey = "espalier.architecture"
    private let name: String
    private let random: RandomSource
    private var graph: GraphBuilder

    package init(name: String, options: ArchitectureOptions) throws(TrainingError) {
        let extents = [options.channels, options.height, options.width, options.classCount]
        guard extents.allSatisfy({ $0 > 0 }) else {
            throw .architecture(
                "\(name): channels, height, width and classes must be positive, not \(extents)")
        }
        self.name = name
        self.options = options
        random = RandomSource(seed: options.seed)
        // The newest operator that occurs decides; older ones are understood by more software.
        graph = GraphBuilder(name: name, opset: options.activation == .gelu ? 20 : 17)
        if options.activation == .gelu { graph.edit { $0.modelInformation.irVersion = 9 } }
    }

    /// The images that the network sees.
    package mutating func images() -> Feature {
        let extents = [options.channels, options.height, options.width]
        let type = ValueType(
            dtype: .float32, dimensions: [.symbolic("N")] + extents.map { .fixed($0) })
        return Feature(value: graph.input("x", type: type), extents: extents)
    }

    /// The number of channels of `layer`: the options', or else `standard` times the options' multiplier.
    package mutating func width(_ layer: String, _ standard: Int) throws(TrainingError) -> Int {
        let scaled = max(1, Int((Double(standard) * options.widthMultiplier).rounded()))
        let width = options.widths[layer] ?? scaled
        guard width > 0 else { throw .architecture("\(name): layer '\(layer)' cannot have width \(width)") }
        layerWidths[layer] = width
        return width
    }

    /// The finished graph.
    package consuming func finish(output: Feature) throws(TrainingError) -> Graph {
        if let unknown = options.widths.keys.sorted().first(where: { layerWidths[$0] == nil }) {
            let known = layerWidths.keys.sorted().joined(separator: ", ")
            throw .architecture(
                "\(name) has no layer '\(unknown)' whose width can be chosen; it has \(known)")
        }
        do throws(GraphError) {
            var result = try graph.finish(outputs: [output.value])
            result.metadata[Self.architectureKey] = name
            return result
        } catch {
            throw .architecture("\(name): \(error)")
        }
    }
}

// MARK: - Layers

extension NetworkBuilder {
    /// A square convolution.
    ///
    /// - Throws: ``TrainingError/architecture(_:)`` if the kernel does not fit into the padded input.
    package mutating func convolution(
        _ layer: String, _ input: Feature, channels: Int, kernel: Int, stride: Int = 1, padding: Int = 0,
        groups: Int = 1, hasBias: Bool = true
    ) throws(TrainingError) -> Feature {
        let size = try outputSize(layer, input, kernel: kernel, stride: stride, padding: padding)
        let shape: Shape = [channels, input.channels / groups, kernel, kernel]
        var inputs: [ValueID?] = [input.value, weight("\(layer).weight", shape)]
        if hasBias { inputs.append(constant("\(layer).bias", 0, count: channels)) }
        let value = graph.node(
            "Conv", name: layer, inputs: inputs,
            attributes: [
                "kernel_shape": .ints([Int64(kernel), Int64(kernel)]),
                "strides": .ints([Int64(stride), Int64(stride)]),
                "pads": .ints([Int64](repeating: Int64(padding), count: 4)),
                "group": .int(Int64(groups)),
            ])
        return Feature(value: value, extents: [channels] + size)
    }

    /// Batch normalisation (Ioffe & Szegedy 2015) over the channels.
    package mutating func batchNormalization(_ layer: String, _ input: Feature) -> Feature {
        let count = input.channels
        let inputs = [
            input.value, constant("\(layer).weight", 1, count: count),
            constant("\(layer).bias", 0, count: count),
            constant("\(layer).running_mean", 0, count: count),
            constant("\(layer).running_var", 1, count: count),
        ]
        // ONNX's momentum is the share of the old statistics.
        let value = graph.node(
            "BatchNormalization", name: layer, inputs: inputs,
            attributes: ["epsilon": .float(1e-5), "momentum": .float(0.9)])
        return Feature(value: value, extents: input.extents)
    }

    /// A convolution without bias, which would be lost in the batch norm that follows it; padded so that stride 1 keeps
    /// the size (for odd kernels).
    package mutating func normalizedConvolution(
        _ layer: String, norm: String, _ input: Feature, channels: Int, kernel: Int, stride: Int = 1,
        groups: Int = 1
    ) throws(TrainingError) -> Feature {
        let feature = try convolution(
            layer, input, channels: channels, kernel: kernel, stride: stride, padding: kernel / 2,
            groups: groups, hasBias: false)
        return batchNormalization(norm, feature)
    }

    /// The options' activation.
    package mutating func activation(_ layer: String, _ input: Feature) -> Feature {
        let value: ValueID
        switch options.activation {
        case .relu:
            value = graph.node("Relu", name: layer, inputs: [input.value])
        case .leakyRelu:
            value = graph.node(
                "LeakyRelu", name: layer, inputs: [input.value],
                attributes: ["alpha": .float(Activation.leakySlope)])
        case .gelu:
            value = graph.node("Gelu", name: layer, inputs: [input.value])
        }
        return Feature(value: value, extents: input.extents)
    }

    /// 2x2 max pooling with stride 2; an odd last row or column is left out.
    package mutating func maxPooling(_ layer: String, _ input: Feature) throws(TrainingError) -> Feature {
        let size = try outputSize(layer, input, kernel: 2, stride: 2, padding: 0)
        let value = graph.node(
            "MaxPool", name: layer, inputs: [input.value],
            attributes: ["kernel_shape": .ints([2, 2]), "strides": .ints([2, 2])])
        return Feature(value: value, extents: [input.channels] + size)
    }

    /// The mean over all positions, flattened.
    package mutating func globalAveragePooling(_ layer: String, _ input: Feature) -> Feature {
        let value = graph.node("GlobalAveragePool", name: layer, inputs: [input.value])
        return flatten("\(layer).flatten", Feature(value: value, extents: [input.channels, 1, 1]))
    }

    /// All extents but the batch's as one.
    package mutating func flatten(_ layer: String, _ input: Feature) -> Feature {
        let value = graph.node("Flatten", name: layer, inputs: [input.value], attributes: ["axis": .int(1)])
        return Feature(value: value, extents: [input.extents.reduce(1, *)])
    }

    /// The sum of two values of the same shape.
    package mutating func sum(_ layer: String, _ left: Feature, _ right: Feature) -> Feature {
        Feature(
            value: graph.node("Add", name: layer, inputs: [left.value, right.value]), extents: left.extents)
    }

    /// A fully connected layer on a flattened input.
    package mutating func linear(_ layer: String, _ input: Feature, width: Int) -> Feature {
        let output = graph.value("\(layer)_output")
        return linear(layer, input, width: width, output: output, isLast: false)
    }

    /// The fully connected layer whose outputs are the classes.
    package mutating func logits(_ layer: String, _ input: Feature) -> Feature {
        let type = ValueType(
            dtype: .float32, dimensions: [.symbolic("N"), .fixed(options.classCount)])
        let output = graph.value("logits", type: type)
        return linear(layer, input, width: options.classCount, output: output, isLast: true)
    }

    private mutating func linear(
        _ layer: String, _ input: Feature, width: Int, output: ValueID, isLast: Bool
    ) -> Feature {
        let inputs = [
            input.value, weight("\(layer).weight", [width, input.channels], isLast: isLast),
            constant("\(layer).bias", 0, count: width),
        ]
        graph.add(
            "Gemm", name: layer, inputs: inputs, outputs: [output], attributes: ["transB": .int(1)])
        return Feature(value: output, extents: [width])
    }

    private func outputSize(
        _ layer: String, _ input: Feature, kernel: Int, stride: Int, padding: Int
    ) throws(TrainingError) -> [Int] {
        let size = input.extents.dropFirst().map { ($0 + 2 * padding - kernel) / stride + 1 }
        let fits = input.extents.dropFirst().allSatisfy { $0 + 2 * padding >= kernel }
        guard size.count == 2, fits else {
            let extents = input.extents.dropFirst().map(String.init).joined(separator: "x")
            throw .architecture(
                """
                \(name) does not fit \(options.height)x\(options.width) images: at '\(layer)' there are \
                \(extents) positions left for a \(kernel)x\(kernel) kernel; try tiny-cnn
                """)
        }
        return size
    }
}

// MARK: - Parameters

extension NetworkBuilder {
    private mutating func constant(_ name: String, _ value: Float, count: Int) -> ValueID {
        graph.constant(
            name, Tensor(shape: [count], scalars: [Float](repeating: value, count: count)))
    }

    /// A weight whose axis 0 is the outputs', drawn as the options say.
    private mutating func weight(_ name: String, _ shape: Shape, isLast: Bool = false) -> ValueID {
        let receptiveField = shape.count(min(2, shape.rank)..<shape.rank)
        let fanIn = shape.count(1..<shape.rank)
        let fanOut = shape[0] * receptiveField
        let slope = options.activation == .leakyRelu ? Double(Activation.leakySlope) : 0
        let variance =
            options.initialization == .glorot || isLast
            ? 2 / Double(fanIn + fanOut) : 2 / (1 + slope * slope) / Double(fanIn)
        let deviation = variance.squareRoot()
        var stream = random.split(name)
        let scalars = (0..<shape.count).map { _ in Float(stream.normal() * deviation) }
        return graph.constant(name, Tensor(shape: shape, scalars: scalars))
    }
}
