package import EspalierGraphs
package import EspalierTensors
import EspalierTraining

/// Samples for a network in portions along axis 0, and its outputs put together again.
package struct InputBatches: Sendable {
    /// The inputs of each portion.
    package let batches: [[String: Tensor]]

    /// Cuts every input along axis 0.
    ///
    /// - Parameters:
    ///   - graphs: the networks that all shall run on them, by position of the inputs.
    ///   - size: samples per portion, the last may be smaller; nil for the number that one of the networks fixes if it
    ///     divides what is given, else all at once.
    /// - Throws: ``ModelInputError/batch(_:)`` if the inputs have different numbers of samples.
    package init(_ inputs: ModelInputs, for graphs: Graph..., size: Int? = nil) throws(ModelInputError) {
        let counts = inputs.tensors.mapValues { $0.shape.extents.first }
        let samples = Set(counts.values).count == 1 ? counts.values.first.flatMap { $0 } : nil
        guard let size = size ?? graphs.lazy.compactMap({ Self.fixedSize(of: $0, samples: samples) }).first
        else {
            batches = [inputs.tensors]
            return
        }
        guard let samples else {
            let text = counts.sorted { $0.key < $1.key }.map {
                "'\($0.key)' \($0.value.map(String.init) ?? "none")"
            }
            throw .batch("the inputs have different numbers of samples: \(text.joined(separator: ", "))")
        }
        batches = stride(from: 0, to: samples, by: size).map { start in
            inputs.tensors.mapValues { $0.rows(start..<min(start + size, samples)) }
        }
    }

    /// What the inputs are declared for, if there are more samples by a whole factor.
    private static func fixedSize(of graph: Graph, samples: Int?) -> Int? {
        guard let samples, let size = graph.declaredBatchSize, samples > size, samples % size == 0 else {
            return nil
        }
        return size
    }

    /// The outputs of all portions end to end along axis 0.
    ///
    /// - Throws: ``ModelInputError/batch(_:)`` if an output's axis 0 is not that of the samples.
    package static func joined(_ outputs: [[String: Tensor]]) throws(ModelInputError) -> [String: Tensor] {
        guard let first = outputs.first else { return [:] }
        guard outputs.count > 1 else { return first }
        var result: [String: Tensor] = [:]
        for name in first.keys {
            guard let whole = Tensor(concatenating: outputs.compactMap { $0[name] }) else {
                throw .batch(
                    "output '\(name)' of shape \(first[name]?.shape ?? []) cannot be put together from batches"
                )
            }
            result[name] = whole
        }
        return result
    }
}
