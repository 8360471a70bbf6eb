import EspalierExecution
package import EspalierGraphs
package import EspalierTensors

/// Keeps the parameters as they were after a step: what training can be rewound to.
package final class ParameterSnapshot: StepHook {
    private let step: Int
    private var values: [Float] = []

    /// - Parameter step: counted from 1; a training that is shorter leaves its last parameters.
    package init(step: Int) {
        self.step = step
    }

    package var identity: String { "snapshot after \(step) steps" }

    package func didUpdate(_ run: TrainingRun) {
        if run.stepsDone == step { values = Array(run.store.values) }
    }

    /// The network as it was then.
    package func graph(_ run: TrainingRun) throws -> Graph {
        try values.isEmpty ? run.currentGraph() : run.graph(with: values)
    }

    package var state: [String: Tensor] {
        values.isEmpty ? [:] : ["values": Tensor(shape: [values.count], scalars: values)]
    }

    package func restore(_ state: [String: Tensor]) {
        values = state["values"]?.scalars(as: Float.self) ?? []
    }
}
