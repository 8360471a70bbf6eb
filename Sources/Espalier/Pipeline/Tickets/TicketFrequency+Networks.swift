import EspalierGraphs
import EspalierKernels
import EspalierRuns
import EspalierTensors
import EspalierTraining

extension TicketFrequency {
    /// Trains a block of networks.
    func measure(
        _ context: TrialContext, share: Double, block: Range<Int>, dataset: Dataset
    ) throws -> RunRecord {
        let recorder = TrialRecorder(template, context)
        var (successes, losses): (Int, [Double]) = (0, [])
        for number in block {
            // A block takes about a second: it begins anew after an interruption.
            if context.isCancelled { throw TrialInterruption() }
            let loss = try finalLoss(share: share, number: number, dataset: dataset, lane: context.lane)
            if loss < lossThreshold { successes += 1 }
            losses.append(loss)
            context.progress(losses.count, of: block.count)
        }
        var record = try described(recorder.finished)
        record.figures = [
            "share": share, "networks": Double(block.count), Self.successes: Double(successes),
            "medianLoss": losses.sorted()[losses.count / 2],
        ]
        return record
    }

    /// The loss of all samples at the last step of training one network; infinite if it grew beyond all numbers.
    private func finalLoss(share: Double, number: Int, dataset: Dataset, lane: Lane) throws -> Double {
        var random = RandomSource(seed: seed).split("ticket frequency, share \(share)").split(number)
        let graph = try OneHiddenLayer(width: hidden).graph(task.options(seed: random.next()))
        let run = try TrainingRun(
            graph, training: dataset, recipe: recipe, masks: Self.masks(of: graph, share, &random),
            lane: lane)
        do {
            try run.train()
        } catch TrainingError.diverged {
            return .infinity
        }
        return run.history.last?.trainingLoss ?? .infinity
    }

    /// Keeps each weight with probability `share`, and every bias.
    private static func masks(of graph: Graph, _ share: Double, _ random: inout RandomSource) -> MaskSet {
        var masks = MaskSet()
        for id in graph.parameters.sorted(by: { graph.name(of: $0) < graph.name(of: $1) }) {
            guard let shape = graph.constants[id]?.shape, shape.rank > 1 else { continue }
            masks[id] = Mask(
                shape: shape, kept: (0..<shape.count).map { _ in random.uniform() < share })
        }
        return masks
    }
}
