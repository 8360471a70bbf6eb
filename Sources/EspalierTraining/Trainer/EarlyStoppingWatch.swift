import EspalierExecution
package import EspalierGraphs
package import EspalierTensors

/// Measures the loss on the validation data every so many steps, and keeps the parameters with which it was least: where early
/// stopping would have stopped. Training goes on.
package final class EarlyStoppingWatch: StepHook {
    package struct Measurement: Sendable, Hashable {
        /// Steps done since the beginning of training.
        package let step: Int
        package let loss: Double
    }

    private let interval: Int
    /// Of the least loss, the first of equals; nil before the first measurement.
    package private(set) var best: Measurement?
    private var values: [Float] = []

    /// - Parameter interval: in steps, positive.
    package init(interval: Int) {
        self.interval = max(1, interval)
    }

    package var identity: String { "validation every \(interval) steps" }

    package func didUpdate(_ run: TrainingRun) throws {
        guard run.stepsDone.isMultiple(of: interval) || run.stepsDone == run.totalSteps,
            let loss = try run.validate()?.mean,
            best.map({ loss < $0.loss || ($0.loss.isNaN && !loss.isNaN) }) ?? true
        else { return }
        best = Measurement(step: run.stepsDone, loss: loss)
        values = Array(run.store.values)
    }

    /// The network as it was when the loss was least; as it is now if it was never measured.
    package func bestGraph(_ run: TrainingRun) throws -> Graph {
        try best == nil ? run.currentGraph() : run.graph(with: values)
    }

    package var state: [String: Tensor] {
        guard let best else { return [:] }
        return [
            "step": Tensor(shape: [1], scalars: [Int64(best.step)]),
            "loss": Tensor(shape: [1], scalars: [best.loss]),
            "values": Tensor(shape: [values.count], scalars: values),
        ]
    }

    package func restore(_ state: [String: Tensor]) throws {
        guard let step = state["step"]?.scalars(as: Int64.self).first,
            let loss = state["loss"]?.scalars(as: Double.self).first, let values = state["values"]
        else { return }
        best = Measurement(step: Int(step), loss: loss)
        self.values = values.scalars(as: Float.self)
    }
}
