import EspalierExecution
import EspalierKernels

/// How training ended.
package enum TrainingOutcome: Sendable, Hashable {
    case finished
    /// Ended by the recipe's patience.
    case stoppedEarly
    /// Ended by the caller; it can be resumed from where it is.
    case cancelled
}

/// Where and how often a run is saved.
package struct CheckpointPolicy: Sendable {
    package var path: String
    /// After every so many epochs, besides the end and a cancellation.
    package var everyEpochs: Int
    /// Also after every so many steps: for epochs that take long. nil for only at their ends.
    package var everySteps: Int?

    package init(path: String, everyEpochs: Int = 1, everySteps: Int? = nil) {
        self.path = path
        self.everyEpochs = everyEpochs
        self.everySteps = everySteps
    }
}

extension TrainingRun {
    /// Trains from where the run is to its end.
    ///
    /// - Parameters:
    ///   - checkpoints: where to save the run; nil for nowhere.
    ///   - observer: told of every step and epoch, on the training lane.
    ///   - isCancelled: asked before every step.
    /// - Throws: ``TrainingError/diverged(epoch:step:)``, and what hooks, data, execution or files throw.
    @discardableResult
    package func train(
        checkpoints: CheckpointPolicy? = nil, observer: (TrainingEvent) throws -> Void = { _ in },
        isCancelled: () -> Bool = { false }
    ) throws -> TrainingOutcome {
        try lane.run {
            try trainHere(checkpoints: checkpoints, observer: observer, isCancelled: isCancelled)
        }
    }

    private func trainHere(
        checkpoints: CheckpointPolicy?, observer: (TrainingEvent) throws -> Void, isCancelled: () -> Bool
    ) throws -> TrainingOutcome {
        if !position.hasBegun {
            position.hasBegun = true
            for hook in hooks { try hook.trainingWillBegin(self) }
        }
        while position.epoch < recipe.epochs {
            if hasLostPatience { return .stoppedEarly }
            let clock = ContinuousClock()
            let secondsBefore = position.progress.seconds
            let start = clock.now
            let batches = batcher.batches(epoch: position.epoch)
            do {
                try teacher?.prepare(isCancelled: isCancelled)
            } catch is CancellationError {
                if let checkpoints { try save(to: checkpoints.path) }
                return .cancelled
            }
            while position.step < batches.count {
                if isCancelled() {
                    if let checkpoints { try save(to: checkpoints.path) }
                    return .cancelled
                }
                try step(batches[position.step])
                position.progress.seconds = secondsBefore + (clock.now - start).inSeconds
                try observer(
                    .step(
                        done: stepsDone, total: totalSteps, epoch: position.epoch,
                        meanLoss: position.progress.lossSum / Double(position.progress.samples)))
                // At the end of the epoch the validation belongs to it, too.
                if let checkpoints, let steps = checkpoints.everySteps, position.step < batches.count,
                    stepsDone.isMultiple(of: max(steps, 1))
                {
                    try save(to: checkpoints.path)
                }
            }
            for hook in hooks { try hook.epochDidEnd(self) }
            let summary = try finishEpoch { secondsBefore + (clock.now - start).inSeconds }
            let isLast = position.epoch == recipe.epochs || hasLostPatience
            if let checkpoints, isLast || position.epoch % max(checkpoints.everyEpochs, 1) == 0 {
                try save(to: checkpoints.path)
            }
            try observer(.epoch(summary))
        }
        return .finished
    }

    /// One forward and backward pass and one step of the optimiser.
    private func step(_ batch: Batch) throws {
        batchUnderWay = batch
        let session = try session(batchSize: batch.count)
        try feed(batch, to: session)
        session.setRandomStep(stepsDone)
        for hook in hooks { try hook.willCompute(self) }
        try session.forward()
        let labels = LabelledBatch(batch, of: batcher, memory: &classesUnderWay)
        func evaluate(_ teacher: UnsafeBufferPointer<Float>?) throws -> LossValue {
            try labels.evaluate(
                recipe.loss, predictions: session.outputs[0], rows: batch.count, teacher: teacher,
                gradient: session.outputGradients[0].baseAddress)
        }
        let value = try teacher?.withOutputs(for: batch, evaluate) ?? evaluate(nil)
        guard value.sum.isFinite else {
            throw TrainingError.diverged(epoch: position.epoch, step: position.step)
        }
        try session.backward()
        for hook in hooks[givenHookCount...] { try hook.willUpdate(self) }
        for hook in hooks[..<givenHookCount] { try hook.willUpdate(self) }
        let rate = recipe.schedule.rate(at: stepsDone, of: totalSteps)
        var norm: Double?
        if let weights = store.values.baseAddress, let gradients = store.gradients.baseAddress {
            norm = updater.step(
                weights: weights, gradients: gradients, learningRate: rate,
                maximumNorm: recipe.maximumGradientNorm)
        }
        position.progress.add(value, gradientNorm: norm, learningRate: rate)
        position.step += 1
        for hook in hooks { try hook.didUpdate(self) }
    }

    /// Validates, records, and moves on to the next epoch.
    private func finishEpoch(seconds: () -> Double) throws -> EpochSummary {
        let progress = position.progress
        let samples = Double(max(progress.samples, 1))
        var summary = EpochSummary(
            epoch: position.epoch, trainingLoss: progress.lossSum / samples,
            trainingAccuracy: progress.correct.map { Double($0) / samples },
            learningRate: progress.learningRate,
            gradientNorm: progress.gradientNormSum.map { $0 / Double(max(position.step, 1)) },
            sparsity: sparsity, seconds: 0, isBest: false)
        if let value = try validate() {
            summary.validationLoss = value.mean
            summary.validationAccuracy = value.accuracy
            if hooks.allSatisfy(\.isSettled), best?.isBeaten(by: value) ?? true {
                summary.isBest = true
                best = BestParameters(
                    epoch: position.epoch, loss: value.mean, accuracy: value.accuracy,
                    values: Array(store.values))
            }
        }
        summary.seconds = seconds()
        history.append(summary)
        position = TrainingPosition(epoch: position.epoch + 1, hasBegun: true)
        return summary
    }

    /// The validation data's loss now: against its labels where it has any, else as in training.
    package func validate() throws -> LossValue? {
        guard let validation else { return nil }
        let graph = try hooks.reduce(try currentGraph()) { try $1.evaluated($0, in: self) }
        let evaluator = try Evaluator(graph, output: output, lane: lane)
        if case .none = validation.labels {
            let teacher = try (teacher?.graph).map { graph in
                try Evaluator(graph, output: graph.lossOutput(for: validation, batchSize: 1), lane: lane)
            }
            return try evaluator.evaluate(validation, loss: recipe.loss, teacher: teacher).value
        }
        return try evaluator.evaluate(validation).value
    }

    private var hasLostPatience: Bool {
        guard let patience = recipe.patience, let best else { return false }
        return position.epoch - 1 - best.epoch >= patience
    }
}

extension Duration {
    var inSeconds: Double {
        Double(components.seconds) + Double(components.attoseconds) * 1e-18
    }
}
