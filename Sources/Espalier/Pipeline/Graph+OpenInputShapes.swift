import EspalierGraphs
import EspalierTensors
import EspalierTraining

extension Graph {
    /// The shapes that inputs have on data where the network leaves more open than the number of samples: of one sample,
    /// unless the network is declared for more.
    ///
    /// - Throws: ``TrainingError/mismatch(_:)`` if the data do not fit the network.
    func openInputShapes(on dataset: Dataset?) throws(TrainingError) -> [ValueID: Shape] {
        guard let dataset, inputs.contains(where: isOpen),
            !inputs.contains(where: { values[$0]?.isOpaque == true })
        else { return [:] }
        return try InputBinding(self, dataset).shapes(batchSize: declaredBatchSize ?? 1)
            .filter { isOpen($0.key) }
    }

    private func isOpen(_ input: ValueID) -> Bool {
        guard let dimensions = values[input]?.type?.dimensions else { return true }
        return dimensions.dropFirst().contains { dimension in
            if case .fixed = dimension { false } else { true }
        }
    }
}
