package import EspalierGraphs
package import EspalierPruning
import EspalierTraining

/// Looks for the smallest network whose accuracy after repair is at most so much below the dense network's, by bisection of the
/// share that is kept.
///
/// Accuracies are of the validation data, and fall with the share only by and large: what is found was measured, but there
/// may be a smaller one.
package struct AccuracySearch {
    /// At most; 0 to 1.
    package var maximumDrop: Double
    /// How many networks are pruned and repaired.
    package var tries: Int
    /// What the share that is kept is of.
    package var target: @Sendable (_ kept: Double) -> PruningTarget
    package var pipeline: PrunePipeline

    package init(
        maximumDrop: Double, tries: Int = 6, pipeline: PrunePipeline,
        target: @escaping @Sendable (_ kept: Double) -> PruningTarget
    ) {
        self.maximumDrop = maximumDrop
        self.tries = tries
        self.pipeline = pipeline
        self.target = target
    }

    /// - Parameters:
    ///   - tell: hears what each try kept and lost.
    /// - Returns: nil if it was interrupted.
    /// - Throws: ``PruningError/tooInaccurate(allowedDrop:least:)`` if no network that was tried is accurate enough;
    ///   ``PruningError/infeasible(target:nearest:hint:)`` if there was a plan for none; ``TrainingError`` without labelled
    ///   validation data; what the pipeline throws.
    package func run(
        _ graph: Graph, data: PrunePipeline.Data, tell: (_ kept: Double, _ drop: Double) throws -> Void,
        observer: (PrunePipeline.Event) throws -> Void = { _ in }, isCancelled: () -> Bool = { false }
    ) throws -> PrunePipeline.Outcome? {
        guard let validation = data.validation, let dense = try accuracy(graph, validation) else {
            throw TrainingError.mismatch("an accuracy drop needs labelled validation data")
        }
        var best: PrunePipeline.Outcome?
        var (low, high) = (try leastKept(graph, data: data), 1.0)
        var least = Double.infinity
        var refusal: PruningError?
        for number in 1...tries {
            // By equal factors: half of little matters as much as half of much.
            let kept = (max(low, 1e-3) * high).squareRoot()
            var attempt = pipeline
            attempt.request.targets = [target(kept)]
            attempt.checkpoints = pipeline.checkpoints.map { policy in
                var policy = policy
                policy.path += ".\(number)"
                return policy
            }
            var outcome: PrunePipeline.Outcome
            do {
                // The test data are read once, of the network that is chosen.
                outcome = try attempt.run(
                    graph, data: .init(fit: data.fit, validation: validation, test: nil), observer: observer,
                    isCancelled: isCancelled)
            } catch let error as PruningError {
                // Where the criterion has no score for layers without which so much cannot go, less is tried.
                guard case .infeasible = error else { throw error }
                refusal = error
                low = kept
                continue
            }
            guard !outcome.isInterrupted else { return nil }
            let drop = dense - (try accuracy(outcome.graph, validation) ?? 0)
            least = min(least, drop)
            outcome.validationDrop = drop
            // As a difference of two shares of samples it is not exact.
            let isMet = drop <= maximumDrop + 1e-9
            try tell(kept, drop)
            if isMet {
                high = kept
                best = outcome
            } else {
                low = kept
            }
        }
        guard var best else {
            if least == .infinity, let refusal { throw refusal }
            throw PruningError.tooInaccurate(allowedDrop: maximumDrop, least: least)
        }
        best.before = try data.test.flatMap { try pipeline.evaluate(graph, on: $0) }
        best.after = try data.test.flatMap { try pipeline.evaluate(best.graph, on: $0) }
        return best
    }

    private func accuracy(_ graph: Graph, _ data: Dataset) throws -> Double? {
        try pipeline.evaluate(graph, on: data)?.value.accuracy
    }

    /// The least share that any plan reaches.
    private func leastKept(_ graph: Graph, data: PrunePipeline.Data) throws -> Double {
        try pipeline.pruner(of: graph, data: data).leastShare(pipeline.request, target: target)
    }
}

extension Pruner {
    /// The least share of something that a plan can leave, within a thousandth.
    package func leastShare(
        _ request: PruningRequest, target: (Double) -> PruningTarget
    ) throws(PruningError) -> Double {
        var request = request
        request.criterion = Magnitude()
        var (low, high) = (0.0, 1.0)
        while high - low > 1e-3 {
            let middle = (low + high) / 2
            request.targets = [target(middle)]
            do throws(PruningError) {
                _ = try plan(request)
                high = middle
            } catch .infeasible {
                low = middle
            }
        }
        return high
    }
}
