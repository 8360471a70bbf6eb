package import EspalierGraphs
package import EspalierKernels
package import EspalierOperators
package import EspalierRobustness
package import EspalierRuns
package import EspalierTraining

/// What is proven of a network's robustness, what attacks refute, and whether both agree.
package struct RobustnessMeasurement: Sendable {
    package var norm: VectorNorm
    /// Radii in units of ``InputUnits``.
    package var epsilons: [Double]
    package var certificates: [Certificate]
    package var attacks: [AttackKind]
    package var effort: AttackKind.Effort
    /// Samples of the test data, drawn so that classes keep their shares; 0 for all.
    package var sampleCount: Int
    /// Decides on the samples and on what attacks draw.
    package var seed: UInt64

    package init(
        norm: VectorNorm, epsilons: [Double], certificates: [Certificate], attacks: [AttackKind],
        effort: AttackKind.Effort = .init(), sampleCount: Int = 0, seed: UInt64 = 0
    ) {
        self.norm = norm
        self.epsilons = Set(epsilons).sorted()
        self.certificates = certificates
        self.attacks = attacks
        self.effort = effort
        self.sampleCount = sampleCount
        self.seed = seed
    }

    /// Samples that the search for a lower Lipschitz bound starts from.
    private static let searchedSamples = 250

    /// All that results depend on.
    package var described: JSONValue {
        .object([
            "norm": .string(norm.rawValue), "epsilons": .array(epsilons.map { JSONValue($0) }),
            "certificates": .array(certificates.map { .string($0.name) }),
            "attacks": .array(attacks.map { .string($0.name) }),
            "steps": .integer(Int64(effort.steps)), "restarts": .integer(Int64(effort.restarts)),
            "samples": .integer(Int64(sampleCount)), "seed": .string("\(seed)"),
        ])
    }

    /// The samples of `test` that are measured on: the same for every network.
    ///
    /// - Throws: ``DataError``.
    package func samples(of test: Dataset) throws(DataError) -> Dataset {
        guard sampleCount > 0, sampleCount < test.sampleCount else { return test }
        return try test.selecting(test.stratifiedIndices(holdingOut: sampleCount, seed: seed).heldOut)
    }

    /// Measures a network.
    ///
    /// - Parameters:
    ///   - dataset: what ``samples(of:)`` chose.
    ///   - isCancelled: asked between parts; `progress` hears how many of them are done.
    /// - Throws: `TrialInterruption`; ``TrainingError`` if the data do not fit the network; ``RobustnessError`` if its weights are not finite.
    package func measure(
        _ graph: Graph, name: String, on dataset: Dataset, lane: Lane, isCancelled: () -> Bool = { false },
        progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) throws -> RunRecord.RobustNetwork {
        let total = 1 + (certificates.count + attacks.count) * epsilons.count
        var done = 0
        func step() throws {
            if isCancelled() { throw TrialInterruption() }
            done += 1
            progress(done, total)
        }
        let network = try CertifiedNetwork(graph, dataset: dataset, lane: lane)
        var refusals: [RunRecord.Refusal] = []
        func refuse(_ name: String, _ error: RobustnessError) {
            let reason = "\(error)"
            if let place = refusals.firstIndex(where: { $0.reason == reason }) {
                refusals[place].name += ", \(name)"
            } else {
                refusals.append(.init(name: name, reason: reason))
            }
        }
        var upper: Double?
        do { upper = try network.lipschitzConstant(norm) } catch { refuse("Lipschitz constant", error) }
        let lower = try LipschitzSearch(norm: norm).largestSlope(
            of: network.attacked, samples: Array(0..<min(Self.searchedSamples, dataset.sampleCount)))
        try step()
        var verdicts = RobustnessVerdicts(
            samples: dataset.sampleCount, epsilons: epsilons, norm: norm, effort: effort, seed: seed)
        for certificate in certificates {
            do {
                try verdicts.prove(certificate, network, between: step)
            } catch let error as RobustnessError {
                refuse(certificate.name, error)
            }
        }
        for attack in attacks { try verdicts.attack(attack, network, between: step) }
        var result = RunRecord.RobustNetwork(
            name: name, accuracy: network.logits.accuracy, lipschitz: .init(upper: upper, lower: lower),
            layers: zip(network.layers, network.norms).map {
                .init(name: $0.name, spectralNorm: $1.upper, lower: $1.lower, maximumNorm: $1.maximum)
            },
            // That nothing was tried says nothing of what is true.
            certified: verdicts.certificates.isEmpty ? [] : verdicts.certified, attacked: verdicts.attacked,
            certificates: verdicts.certificates,
            attacks: verdicts.attacks,
            margins: (0..<dataset.sampleCount).map { Float(network.logits.margin($0)) })
        let contradictions = try verdicts.contradictions(network)
        result.contradictions = contradictions.isEmpty ? nil : contradictions
        result.refusals = refusals.isEmpty ? nil : refusals
        return result
    }
}
