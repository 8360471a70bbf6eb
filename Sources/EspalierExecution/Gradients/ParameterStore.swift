package import EspalierGraphs
package import EspalierOperators
package import EspalierTensors

/// The parameters of a network in training, in one contiguous buffer, with their gradients in another of the
/// same layout: an optimiser's step is one pass over flat memory.
///
/// Trainable parameters come first, then state that training changes otherwise (running statistics of batch
/// norm), which has no gradient. Each starts on a 64-byte boundary; the gaps are zero. Several sessions (batch
/// sizes) share one store. It belongs to one lane.
package final class ParameterStore {
    package struct Entry: Sendable {
        package let value: ValueID
        package let name: String
        package let shape: Shape
        /// In elements, a multiple of 16.
        package let offset: Int
        package var count: Int { shape.count }
        package var range: Range<Int> { offset..<(offset + count) }
    }

    /// Trainable parameters, in order of their offsets.
    package let trainable: [Entry]
    /// Changed in training, but not by gradients.
    package let state: [Entry]
    /// The elements up to which the buffers hold trainable parameters, a multiple of 16.
    package let trainableExtent: Int
    /// The elements in both buffers.
    package let extent: Int
    private let valueStorage: AlignedStorage
    private let gradientStorage: AlignedStorage

    /// - Parameters:
    ///   - trainable: what gets gradients; nil for ``trainableParameters(of:)``.
    package init(_ resolved: ResolvedGraph, trainable chosen: [ValueID]? = nil) {
        let graph = resolved.graph
        let chosen = chosen ?? Self.trainableParameters(of: resolved)
        let chosenSet = Set(chosen)
        let state = graph.parameters.filter { id in
            !chosenSet.contains(id) && graph.constants[id]?.dtype == .float32
        }
        var offset = 0
        func entry(_ id: ValueID) -> Entry? {
            guard let tensor = graph.constants[id], tensor.dtype == .float32 else { return nil }
            defer { offset += (tensor.count + 15) / 16 * 16 }
            return Entry(value: id, name: graph.name(of: id), shape: tensor.shape, offset: offset)
        }
        self.trainable = chosen.compactMap(entry)
        trainableExtent = offset
        self.state = state.compactMap(entry)
        extent = offset
        valueStorage = AlignedStorage(byteCount: extent * 4)
        gradientStorage = AlignedStorage(byteCount: extent * 4)
        for entry in self.trainable + self.state {
            graph.constants[entry.value]?.withUnsafeScalars(of: Float.self) { source in
                _ = values[entry.range].update(fromContentsOf: source)
            }
        }
    }

    package var entries: [Entry] { trainable + state }

    /// All parameters' memory.
    package var values: UnsafeMutableBufferPointer<Float> {
        UnsafeMutableBufferPointer(
            start: valueStorage.base.assumingMemoryBound(to: Float.self), count: extent)
    }

    /// All gradients' memory; zero for parameters that the loss does not depend on.
    package var gradients: UnsafeMutableBufferPointer<Float> {
        UnsafeMutableBufferPointer(
            start: gradientStorage.base.assumingMemoryBound(to: Float.self), count: extent)
    }

    /// The current value of a parameter.
    package func tensor(of entry: Entry) -> Tensor {
        Tensor(shape: entry.shape, scalars: Array(values[entry.range]))
    }

    /// The current gradient of a parameter.
    package func gradient(of entry: Entry) -> Tensor {
        Tensor(shape: entry.shape, scalars: Array(gradients[entry.range]))
    }

    /// Overwrites a parameter.
    ///
    /// - Precondition: the shapes agree.
    package func set(_ entry: Entry, to tensor: Tensor) {
        precondition(tensor.shape == entry.shape, "\(tensor.shape) for \(entry.name) of shape \(entry.shape)")
        _ = values[entry.range].update(fromContentsOf: tensor.scalars(as: Float.self))
    }

    /// `graph` with the current values in place of its constants.
    package func written(to graph: Graph) throws(GraphError) -> Graph {
        var patch = Patch(for: graph)
        for entry in entries { patch.append(.setConstant(entry.value, tensor(of: entry))) }
        return try graph.applying(patch)
    }

    /// The parameters that training changes by default: `float32` constants of rank 1 or more to which some node
    /// gives a gradient. Scalars are left alone, since in exported networks they are constants of formulas.
    package static func trainableParameters(of resolved: ResolvedGraph) -> [ValueID] {
        var result: [ValueID] = []
        var seen: Set<ValueID> = []
        for node in resolved.graph.nodes {
            guard let operation = resolved.operators[node.id] as? any Differentiable,
                let signature = resolved.signatures[node.id]
            else { continue }
            for (port, input) in node.inputs.enumerated() {
                guard let input, let tensor = resolved.graph.constants[input], tensor.dtype == .float32,
                    tensor.shape.rank > 0, operation.hasGradient(input: port, signature: signature)
                else { continue }
                if seen.insert(input).inserted { result.append(input) }
            }
        }
        return result
    }

    var pointers: [ValueID: UnsafeMutableRawPointer] { pointers(into: valueStorage) }
    var gradientPointers: [ValueID: UnsafeMutableRawPointer] { pointers(into: gradientStorage) }
    /// The memory, for programs to keep alive.
    var storages: [AlignedStorage] { [valueStorage, gradientStorage] }

    private func pointers(into storage: AlignedStorage) -> [ValueID: UnsafeMutableRawPointer] {
        Dictionary(uniqueKeysWithValues: entries.map { ($0.value, storage.base + $0.offset * 4) })
    }
}
