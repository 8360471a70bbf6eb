package import EspalierExecution
package import EspalierGraphs
import EspalierOperators
package import EspalierTensors

/// The largest singular values of a network's linear layers, followed while its weights change, and their gradients by the weights.
///
/// Each layer is the linear map that it is in the network: a convolution at its real size, stride, padding and groups, and with
/// the batch norm behind it, whose stored statistics count as constants. Power iteration goes on from the vectors of the step
/// before, once a step: weights move little from one step to the next (Yoshida & Miyato 2017; Miyato, Kataoka, Koyama & Yoshida
/// 2018). What it finds is never more than the norm and, where the largest singular values lie close together, a little less.
///
/// All layers lie side by side in one program, which runs their own operators forward and backward. A layer is affine, so it is
/// given two samples, the vector v and zero: the difference of its outputs is W v. With W v and -W v as the gradients of the two
/// outputs, the gradient by the input is W^T W v, which the next vector is made of, and that by the weights is sigma u v^T, the
/// gradient of sigma^2 / 2.
package final class FollowedNorms {
    private struct Layer {
        let name: String
        let inputName: String
        /// Of length 1; the norm of its image is the singular value.
        var vector: [Float]
    }

    /// A parameter of the network and its copy in the program.
    private struct Pair {
        let own: ParameterStore.Entry
        let copy: ParameterStore.Entry
    }

    private var layers: [Layer] = []
    private let session: TrainingSession
    private let copies: ParameterStore
    private var pairs: [Pair] = []
    /// Those that layers are linear in: all but biases and the like.
    private var factors: [Pair] = []
    private let seed: UInt64
    private var updates = 0
    /// After the last update, of the weights and vectors that it found.
    package private(set) var norms: [Double]

    /// - Parameters:
    ///   - inputShapes: of the graph's inputs, for two samples.
    ///   - parameters: what of the graph is trained.
    ///   - seed: of the vectors to begin with.
    /// - Throws: ``RobustnessError/notFinite(node:)``, `ResolutionError`, `ExecutionError`, `GraphError`.
    package init(
        _ graph: Graph, inputShapes: [ValueID: Shape], parameters: ParameterStore, threads: Int, seed: UInt64
    ) throws {
        let resolved = try ResolvedGraph(graph, inputShapes: inputShapes)
        let trained = Set(parameters.trainable.map(\.value))
        let found = try resolved.linearLayers().filter { layer in
            let facts = [layer.input, layer.output].map { resolved.facts[$0] }
            // The two samples are the halves of the first axis.
            return facts.allSatisfy {
                $0?.dtype == .float32 && ($0?.shape.extents.first ?? 1).isMultiple(of: 2)
            }
                && !trained.isDisjoint(with: DetachedLayers.constants(of: layer, in: graph))
        }
        let detached = try DetachedLayers(found, of: resolved)
        let program = try ResolvedGraph(detached.graph)
        copies = ParameterStore(program)
        var options = TrainingSession.Options(
            phase: .training(frozenNormalization: true, seed: 0), threads: threads)
        options.inputGradients = true
        session = try TrainingSession(
            program, outputs: detached.graph.outputs, parameters: copies, options: options)
        self.seed = seed
        norms = [Double](repeating: 0, count: found.count)
        for (layer, name) in zip(found, detached.inputNames) {
            let count = (resolved.facts[layer.input]?.shape.count ?? 0) / 2
            layers.append(
                Layer(name: layer.name, inputName: name, vector: [Float](repeating: 0, count: count)))
        }
        for index in layers.indices { drawVector(index) }
        let own = Dictionary(uniqueKeysWithValues: parameters.entries.map { ($0.value, $0) })
        pairs = copies.entries.compactMap { copy in
            detached.origins[copy.value].flatMap { own[$0] }.map { Pair(own: $0, copy: copy) }
        }
        factors = try findFactors()
    }

    /// The layers' names, for messages.
    package var names: [String] { layers.map(\.name) }

    /// One step of power iteration with the weights as they are in `parameters`.
    ///
    /// - Throws: `ExecutionError`.
    package func update(_ parameters: ParameterStore) throws {
        for pair in pairs {
            _ = UnsafeMutableBufferPointer(rebasing: copies.values[pair.copy.range])
                .update(
                    fromContentsOf: UnsafeMutableBufferPointer(rebasing: parameters.values[pair.own.range]))
        }
        updates += 1
        try writeVectors()
        try session.forward()
        for index in layers.indices {
            let (output, target) = (session.outputs[index], session.outputGradients[index])
            let half = output.count / 2
            var squares = 0.0
            for place in 0..<half {
                let image = output[place] - output[half + place]
                target[place] = image
                target[half + place] = -image
                squares += Double(image) * Double(image)
            }
            norms[index] = squares.squareRoot()
        }
        try session.backward()
        for index in layers.indices { advance(index) }
    }

    /// Adds the gradient of `weight` times the sum of squared norms, halved, as of the last update.
    package func addGradients(times weight: Double, to parameters: ParameterStore) {
        let factor = Float(weight)
        for pair in factors {
            let source = UnsafeMutableBufferPointer(rebasing: copies.gradients[pair.copy.range])
            let target = UnsafeMutableBufferPointer(rebasing: parameters.gradients[pair.own.range])
            for index in target.indices { target[index] += factor * source[index] }
        }
    }

    // MARK: Vectors

    /// By layer: what the next update begins with.
    package var vectors: [[Float]] {
        get { layers.map(\.vector) }
        set {
            precondition(newValue.map(\.count) == layers.map(\.vector.count))
            for (index, vector) in newValue.enumerated() { layers[index].vector = vector }
        }
    }

    private func drawVector(_ index: Int) {
        var random = RandomSource(seed: seed).split("singular vector").split(index).split(updates)
        for place in layers[index].vector.indices { layers[index].vector[place] = Float(random.normal()) }
        normalize(index)
    }

    @discardableResult
    private func normalize(_ index: Int) -> Bool {
        layers[index].vector.withUnsafeMutableBufferPointer { vector in
            var squares = 0.0
            for value in vector { squares += Double(value) * Double(value) }
            guard squares > 0, squares.isFinite else { return false }
            let factor = Float(1 / squares.squareRoot())
            for place in vector.indices { vector[place] *= factor }
            return true
        }
    }

    /// W^T W v in place of v.
    private func advance(_ index: Int) {
        guard let gradient = session.inputGradient(layers[index].inputName) else { return }
        layers[index].vector.withUnsafeMutableBufferPointer { vector in
            for place in vector.indices { vector[place] = gradient[place] }
        }
        // A vector that weights which were pruned meanwhile map to zero would stay where it is for ever.
        if !normalize(index) { drawVector(index) }
    }

    private func writeVectors() throws {
        for layer in layers {
            guard let input = session.input(layer.inputName) else { continue }
            let count = layer.vector.count
            layer.vector.withUnsafeBufferPointer { vector in
                for place in 0..<count {
                    input[place] = vector[place]
                    input[count + place] = 0
                }
            }
        }
    }

    // MARK: Factors

    /// Which parameters layers are linear in: those that move the difference of two outputs when they are moved. Gradients by all
    /// others are zero, but for rounding, which an optimiser that divides by the gradient's size would follow.
    private func findFactors() throws -> [Pair] {
        func differences() throws -> [[Float]] {
            try writeVectors()
            try session.forward()
            return session.outputs.map { output in
                (0..<output.count / 2).map { output[$0] - output[output.count / 2 + $0] }
            }
        }
        let plain = try differences()
        let largest = plain.joined().reduce(0) { max($0, $1.magnitude) }
        let shift = largest > 0 ? largest : 1
        let trainable = Set(copies.trainable.map(\.value))
        var random = RandomSource(seed: seed).split("factors")
        return try pairs.filter { pair in
            guard trainable.contains(pair.copy.value) else { return false }
            let values = UnsafeMutableBufferPointer(rebasing: copies.values[pair.copy.range])
            let before = Array(values)
            // Each by another amount: the elements of a layer's input that meet one shift may sum up to nothing.
            for index in values.indices { values[index] += shift * Float(random.normal()) }
            defer { _ = values.update(fromContentsOf: before) }
            // Shifts of a factor move sums of random numbers of about the same size by as much; those of a bias by rounding.
            let shifted = try differences()
            return zip(shifted.joined(), plain.joined()).contains { ($0 - $1).magnitude > 1e-3 * shift }
        }
    }
}
