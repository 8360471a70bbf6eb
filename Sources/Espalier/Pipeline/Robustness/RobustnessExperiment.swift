import EspalierGraphs
import EspalierOperators
import EspalierRobustness
package import EspalierRuns
package import EspalierTraining

/// An experiment which measures the robustness of networks: of some at hand, or of what criteria leave of them.
package struct RobustnessExperiment: Sendable {
    package enum Networks: Sendable {
        /// The first is what the others are compared with.
        case given([GivenNetwork])
        /// Dense networks, and those that are pruned from them. Its ``CriteriaComparison/further`` is replaced.
        case pruned(CriteriaComparison)
    }

    package var measurement: RobustnessMeasurement
    /// With classes; the measurement is on samples of the test data.
    package var data: PrunePipeline.Data
    /// How trials' records begin: the command, its arguments, the machine.
    package var template: RunRecord
    package let networks: Networks
    /// The samples that all networks are measured on.
    package let samples: Dataset

    /// - Throws: ``DataError``; ``TrainingError`` `mismatch` without test data.
    package init(
        _ networks: Networks, measurement: RobustnessMeasurement, data: PrunePipeline.Data,
        template: RunRecord
    ) throws {
        guard let test = data.test else {
            throw TrainingError.mismatch("robustness is measured on test data, and there are none")
        }
        self.measurement = measurement
        self.data = data
        self.template = template
        let samples = try measurement.samples(of: test)
        self.samples = samples
        switch networks {
        case .given: self.networks = networks
        case .pruned(var comparison):
            guard case .given(let networks) = comparison.networks else {
                throw TrainingError.mismatch("what is pruned for a sweep are networks at hand")
            }
            let normBytes = try networks.map { try Self.normBytes($0, samples) }.max() ?? 0
            comparison.further = .init(described: measurement.described, peakBytes: normBytes) {
                record, graph, context in
                record.robustNetwork = try measurement.measure(
                    graph, name: context.key, on: samples, lane: context.lane,
                    isCancelled: { context.isCancelled },
                    progress: { context.progress($0, of: $1) })
            }
            self.networks = .pruned(comparison)
        }
    }

    /// What results depend on besides a trial's own configuration: which networks are measured does not belong to it.
    package var experiment: Experiment {
        switch networks {
        case .pruned(let comparison): return comparison.experiment
        case .given:
            let parts = [data.validation, data.test].map { $0?.identity ?? "none" }
            return Experiment(
                command: template.command, configuration: ["measure": measurement.described],
                codeVersion: EspalierVersion.current, dataFingerprint: parts.joined(separator: " "))
        }
    }

    /// One for each network.
    ///
    /// - Throws: ``ResolutionError``, ``TrainingError``.
    package func trials() throws -> [Trial] {
        switch networks {
        case .pruned(let comparison): return try comparison.trials()
        case .given(let networks):
            var keys: Set<String> = []
            return try networks.compactMap { network in
                let key = try Self.key(network)
                // The same file, named twice.
                guard keys.insert(key).inserted else { return nil }
                return Trial(
                    key: key, seed: measurement.seed, configuration: ["network": .string(key)],
                    peakBytes: try network.graph.trainingBytes(samples, batchSize: Self.batchSize)
                        + Self.normBytes(network, samples),
                    body: { try measure(network, $0) })
            }
        }
    }

    /// Samples that attacks run at a time.
    private static let batchSize = 250

    private static func normBytes(_ network: GivenNetwork, _ samples: Dataset) throws -> Int {
        let shapes = try InputBinding(network.graph, samples).shapes(batchSize: 1)
        return try ResolvedGraph(network.graph, inputShapes: shapes).normBytes(.tight)
    }

    /// By what a file holds: its name does not matter, and weights beside it do.
    static func key(_ network: GivenNetwork) throws -> String {
        let file = try SHA256.hexDigest(ofFile: network.path).prefix(16)
        return "network/\(file)-\(String(network.graph.fingerprint, radix: 16))"
    }

    private func measure(_ network: GivenNetwork, _ context: TrialContext) throws -> RunRecord {
        var record = try TrialRecorder(template, context).record(
            of: network.graph, data: data, lane: context.lane)
        record.model = .init(name: network.graph.name, path: network.path)
        record.robustNetwork = try measurement.measure(
            network.graph, name: network.graph.name, on: samples, lane: context.lane,
            isCancelled: { context.isCancelled }, progress: { context.progress($0, of: $1) })
        return record
    }
}
