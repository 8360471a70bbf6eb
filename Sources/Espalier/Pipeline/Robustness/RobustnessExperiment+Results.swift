import EspalierEfficiency
import EspalierGraphs
import EspalierOperators
import EspalierPruning
import EspalierRobustness
package import EspalierRuns
import EspalierTraining
import Foundation

extension RobustnessExperiment {
    /// What the finished trials say together.
    ///
    /// - Parameter records: their results, by key.
    /// - Throws: the file system's errors, if a model has gone meanwhile.
    package func results(_ records: [String: RunRecord]) throws -> RunRecord.Robustness {
        var result = RunRecord.Robustness(
            norm: measurement.norm.rawValue, epsilons: measurement.epsilons, samples: samples.sampleCount,
            certificates: measurement.certificates.map(\.name), attacks: measurement.attacks.map(\.name),
            networks: [])
        switch networks {
        case .given(let networks):
            result.networks = try zip(networks, Self.names(networks)).compactMap { network, name in
                try records[Self.key(network)]?.robustNetwork.map { $0.named(name, path: network.path) }
            }
            if let dense = result.networks.first {
                for place in result.networks.indices.dropFirst() {
                    result.networks[place].change = .init(from: dense, to: result.networks[place])
                }
            }
        case .pruned(let comparison):
            guard case .given(let networks) = comparison.networks else { break }
            // A seed takes the network at its remainder.
            let names = Self.names(networks)
            result.networks = networks.enumerated().compactMap { place, network in
                records[comparison.denseKey(UInt64(place))]?.robustNetwork.map {
                    $0.named(names[place], path: network.path)
                }
            }
            result.sweep = comparison.criteria.map { criterion in
                .init(
                    criterion: criterion,
                    points: comparison.sparsities.compactMap { sparsity in
                        let pairs = comparison.seeds.compactMap { seed in
                            let key = CriteriaComparison.key(criterion, sparsity: sparsity, seed: seed)
                            return records[comparison.denseKey(seed)]?.robustNetwork.flatMap { dense in
                                records[key]?.robustNetwork.map { (dense: dense, pruned: $0) }
                            }
                        }
                        return .init(sparsity: sparsity, pairs)
                    })
            }
        }
        return result
    }

    /// Certificates that attacks refuted, of all networks, pruned ones included.
    package static func contradictions(_ records: [String: RunRecord]) -> [String] {
        records.sorted { $0.key < $1.key }.flatMap { key, record in
            (record.robustNetwork?.contradictions ?? []).map { "\(key): \($0)" }
        }
    }

    /// The files' names or, where these do not tell networks apart, their paths.
    private static func names(_ networks: [GivenNetwork]) -> [String] {
        let urls = networks.map { URL(fileURLWithPath: $0.path).deletingPathExtension() }
        let names = urls.map(\.lastPathComponent)
        return Set(names).count == Set(urls).count ? names : networks.map(\.path)
    }
}

extension RunRecord.RobustNetwork {
    fileprivate func named(_ name: String, path: String) -> Self {
        var network = self
        network.name = name
        network.path = path
        return network
    }
}

extension RunRecord.RobustnessChange {
    /// What changed from a dense network to another.
    init(from dense: RunRecord.RobustNetwork, to other: RunRecord.RobustNetwork) {
        let constants = dense.lipschitz.upper.flatMap { before in other.lipschitz.upper.map { (before, $0) } }
        let change = EspalierRobustness.RobustnessChange(
            margins: dense.margins.map { Double($0) }, other.margins.map { Double($0) },
            constants: constants ?? (1, 1))
        self.init(
            samples: change.samples.count, lost: change.lost, gained: change.gained,
            logMargin: .init(change.margins), logLipschitz: constants == nil ? nil : change.lipschitz,
            logRadius: constants == nil ? nil : .init(change.radii))
    }
}

extension RunRecord.RobustnessChange.Spread {
    /// nil for no values.
    init?(_ values: [Double]) {
        guard !values.isEmpty else { return nil }
        let sorted = values.sorted()
        func quantile(_ share: Double) -> Double { Quantiles.quantile(share, ofSorted: sorted) }
        self.init(
            mean: SampleSummary(values).mean, lower: quantile(0.25), median: quantile(0.5),
            upper: quantile(0.75))
    }
}

extension RunRecord.RobustnessPoint {
    /// nil for no networks.
    init?(sparsity: Double, _ pairs: [(dense: RunRecord.RobustNetwork, pruned: RunRecord.RobustNetwork)]) {
        guard let first = pairs.first else { return nil }
        let changes = pairs.map { RunRecord.RobustnessChange(from: $0.dense, to: $0.pruned) }
        let samples = Double(max(1, first.pruned.margins.count))
        func over(_ values: [Double?]) -> RunRecord.OverSeeds? {
            let known = values.compactMap { $0 }
            return known.isEmpty ? nil : .init(SampleSummary(known))
        }
        func curve(
            _ accuracies: (RunRecord.RobustNetwork) -> [RunRecord.RobustAccuracy]
        ) -> [RunRecord.RobustAccuracyOverSeeds] {
            // Of some networks nothing may have been certified at all.
            let measured = pairs.map { accuracies($0.pruned) }.filter { !$0.isEmpty }
            return (measured.first ?? []).enumerated().map { place, point in
                .init(
                    epsilon: point.epsilon,
                    accuracy: .init(SampleSummary(measured.map { $0[place].accuracy })))
            }
        }
        self.init(
            sparsity: sparsity, runs: pairs.count,
            accuracy: .init(SampleSummary(pairs.map(\.pruned.accuracy))),
            lipschitzUpper: over(pairs.map(\.pruned.lipschitz.upper)),
            lipschitzLower: .init(SampleSummary(pairs.map(\.pruned.lipschitz.lower))),
            certified: curve(\.certified), attacked: curve(\.attacked),
            logMargin: over(changes.map { $0.logMargin?.mean }),
            logLipschitz: over(changes.map(\.logLipschitz)),
            logRadius: over(changes.map { $0.logRadius?.mean }),
            layers: Self.layers(pairs.map(\.pruned)),
            lost: .init(SampleSummary(changes.map { Double($0.lost) / samples })),
            gained: .init(SampleSummary(changes.map { Double($0.gained) / samples })))
    }

    /// Of the layers that all networks have.
    private static func layers(
        _ networks: [RunRecord.RobustNetwork]
    ) -> [RunRecord.LayerNormOverSeeds] {
        (networks.first?.layers ?? []).compactMap { layer in
            let same = networks.compactMap { network in network.layers.first { $0.name == layer.name } }
            guard same.count == networks.count else { return nil }
            return .init(
                name: layer.name, spectralNorm: .init(SampleSummary(same.map(\.spectralNorm))),
                maximumNorm: .init(SampleSummary(same.map(\.maximumNorm))))
        }
    }
}
