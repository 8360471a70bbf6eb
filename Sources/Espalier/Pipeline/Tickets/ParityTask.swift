package import EspalierTraining
import EspalierTensors

/// The parity of n bits, all 2^n samples: a task that a single layer cannot solve, small enough for thousands of networks.
package struct ParityTask: Sendable, Hashable {
    /// n.
    package let bits: Int

    /// - Precondition: `bits` is from 1 to 16.
    package init(bits: Int) {
        precondition((1...16).contains(bits), "parity of \(bits) bits")
        self.bits = bits
    }

    /// Bits are -1 and 1, so that no input is silent; class 1 is an odd number of ones.
    package func dataset() throws(DataError) -> Dataset {
        let samples = 1 << bits
        var (values, classes): ([Float], [Int32]) = ([], [])
        for sample in 0..<samples {
            values += (0..<bits).map { sample >> $0 & 1 == 1 ? 1 : -1 }
            classes.append(Int32(sample.nonzeroBitCount % 2))
        }
        let x = Tensor(shape: [samples, bits, 1, 1], scalars: values)
        return try Dataset(
            name: "parity of \(bits) bits", inputs: [.init(name: "x", values: x)],
            labels: .classes(classes, count: 2))
    }

    /// What a network for it is built for.
    package func options(seed: UInt64) -> ArchitectureOptions {
        ArchitectureOptions(channels: bits, height: 1, width: 1, classCount: 2, seed: seed)
    }
}

/// One hidden layer, fully connected.
package struct OneHiddenLayer: Architecture {
    package let name = "one-hidden-layer"
    package let summary = "fully connected, one hidden layer"
    /// The units of the hidden layer.
    package let width: Int

    package init(width: Int) {
        self.width = width
    }

    package func build(_ network: inout NetworkBuilder, input: Feature) throws(TrainingError) -> Feature {
        let flat = network.flatten("flatten", input)
        let hidden = network.linear("fc1", flat, width: try network.width("fc1", width))
        return network.logits("fc2", network.activation("fc1.activation", hidden))
    }
}
