import EspalierExecution
package import EspalierGraphs
import EspalierKernels
import EspalierOperators
import EspalierTensors
import EspalierTraining

/// The Hessian of the mean loss times the mean gradient, by central differences of gradients.
///
/// H g = (g(w + e g) - g(w - e g)) / 2e: the step e |g| is 3e-5 of |w|, over all weights (parameters of two axes and
/// more; biases and normalisation are not moved). Rounding of single-precision gradients, divided by the step, costs about
/// 2e-3 of the largest product. A ReLU that switches within the step costs much more, for it adds a jump divided by the
/// step to a few weights' numbers; a step of 1e-3 has thirty times as many of them.
package enum GradientFlow: EvidencePass {
    package static let kinds: Set<EvidenceKind> = [.hessianGradientProducts]

    /// The logits of a classifier are divided by this.
    static let temperature = 200.0
    /// In shares of the weights' norm.
    static let step = 3e-5

    package static func collect(
        _ wanted: Set<EvidenceKind>, from graph: Graph, context: EvidenceContext
    ) throws -> Evidence {
        var loss = try context.requiredLoss()
        if loss is CrossEntropy { loss = TemperedLoss(loss, temperature: temperature) }
        let pass = try GradientPass(graph, dataset: context.dataset, threads: context.lane.threads)
        let parameters = pass.parameters
        let weights = parameters.trainable.filter { $0.shape.rank > 1 }
        let batcher = try context.batcher()

        func gradient() throws -> [Double] {
            var sums = StreamingSums(count: parameters.trainableExtent)
            for batch in batcher.batches(epoch: 0) {
                try context.willTakeBatch()
                _ = try pass.run(batch, of: batcher, loss: loss)
                sums.add(UnsafeBufferPointer(parameters.gradients))
            }
            return sums.values.map { $0 / Double(context.dataset.sampleCount) }
        }

        let start = try gradient()
        let original = Array(parameters.values)
        defer { _ = parameters.values.update(fromContentsOf: original) }
        func norm(_ value: (Int) -> Double) -> Double {
            weights.reduce(0) { $0 + $1.range.reduce(0) { $0 + value($1) * value($1) } }.squareRoot()
        }
        let (length, size) = (norm { start[$0] }, norm { Double(original[$0]) })
        var products = [Double](repeating: 0, count: start.count)
        if length > 0, size > 0 {
            let factor = step * size / length
            // Rounding makes the actual step another than the wanted one; what is divided by is the wanted one along g.
            for sign in [1.0, -1.0] {
                for entry in weights {
                    for index in entry.range {
                        parameters.values[index] = Float(
                            Double(original[index]) + sign * factor * start[index])
                    }
                }
                for (index, value) in try gradient().enumerated() {
                    products[index] += sign * value / (2 * factor)
                }
            }
        }
        var evidence = Evidence(sampleCount: context.dataset.sampleCount)
        for entry in parameters.trainable {
            evidence[.hessianGradientProducts][entry.value] = Tensor(
                shape: entry.shape, scalars: products[entry.range].map { Float($0) })
        }
        return evidence
    }
}
