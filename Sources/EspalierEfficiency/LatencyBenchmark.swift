import EspalierExecution
package import EspalierKernels
import EspalierPruning
package import EspalierRuns
import EspalierTensors

/// Measures networks against the dense execution of the first of them, and against ONNX Runtime.
package struct LatencyBenchmark {
    /// Of each program measured.
    package var seconds: Double
    package let lane: Lane
    /// The same models are measured in it; nil for none.
    package var peer: OnnxRuntimeLibrary?
    /// Steps are measured by it; nil for whole networks only.
    package var profiler: LayerProfiler?

    package init(
        seconds: Double, lane: Lane, peer: OnnxRuntimeLibrary? = nil, profiler: LayerProfiler? = nil
    ) {
        self.seconds = seconds
        self.lane = lane
        self.peer = peer
        self.profiler = profiler
    }

    /// - Parameters:
    ///   - networks: made on the lane; the first is the reference.
    ///   - progress: told how many rounds of a network are done, and of how many; may throw to stop.
    /// - Returns: a record for each network.
    /// - Throws: ``ExecutionError``, and what `progress` throws. What the peer refuses is told in its record.
    package func run(
        _ networks: [BenchmarkedNetwork],
        progress: (_ network: BenchmarkedNetwork, _ done: Int, _ total: Int) throws -> Void = { _, _, _ in }
    ) throws -> [RunRecord.BenchmarkedModel] {
        try lane.run {
            guard let reference = networks.first else { return [] }
            return try networks.map { network in
                try measure(network, reference: reference) { try progress(network, $0, $1) }
            }
        }
    }

    private func measure(
        _ network: BenchmarkedNetwork, reference: BenchmarkedNetwork,
        progress: (_ done: Int, _ total: Int) throws -> Void
    ) throws -> RunRecord.BenchmarkedModel {
        var contenders: [() throws -> Void] = [{ try network.plan.run() }, { try network.densePlan.run() }]
        let isReference = network === reference
        if !isReference { contenders.append { try reference.densePlan.run() } }
        var peerRecord: RunRecord.PeerLatency?
        var session: OnnxRuntimeSession?
        if let peer {
            (peerRecord, session) = prepare(peer, network)
            if let session { contenders.append { try session.run() } }
        }
        let (interruptions, start) = (Interruptions.count, ContinuousClock.now)
        let series = try AlternatingTimer(seconds: seconds).measure(contenders, progress: progress)
        let interrupted = Interruptions.count - interruptions
        let measuredSeconds = (ContinuousClock.now - start) / .seconds(1)
        let (own, dense) = (series[0], series[isReference ? 1 : 2])
        if session != nil, let last = series.last {
            peerRecord?.milliseconds = .init(last.milliseconds)
            peerRecord?.speedup = .init(last.ratio(to: own))
            peerRecord?.denseSpeedup = .init(last.ratio(to: series[1]))
        }
        let totals = network.summary.totals
        let layers =
            try profiler?.layers(of: network) { try progress(own.roundCount, own.roundCount) } ?? []
        var record = RunRecord.BenchmarkedModel(
            path: network.path, threads: lane.threads, batch: network.batch,
            milliseconds: .init(own.milliseconds), dense: .init(dense.milliseconds),
            ownDenseMs: isReference ? nil : series[1].milliseconds.median, rounds: own.roundCount,
            denseMacs: reference.summary.totals.multiplyAccumulates, macs: totals.multiplyAccumulates,
            remainingMacs: totals.effectiveMultiplyAccumulates, speedup: .init(dense.ratio(to: own)),
            peer: peerRecord, layers: layers)
        record.precision = network.precision.rawValue
        record.densePrecision = network.densePrecision.rawValue
        record.precisionLoss = network.float32Difference.map { .init($0) }
        record.interruptions = interrupted
        record.measuredSeconds = measuredSeconds
        return record
    }

    /// The model in the peer, if it takes it, with how far its outputs are from ours.
    private func prepare(
        _ peer: OnnxRuntimeLibrary, _ network: BenchmarkedNetwork
    ) -> (RunRecord.PeerLatency, OnnxRuntimeSession?) {
        var record = RunRecord.PeerLatency(name: "ONNX Runtime", version: peer.version)
        do throws(OnnxRuntimeError) {
            let session = try OnnxRuntimeSession(
                peer, model: network.path, threads: lane.threads, inputs: network.inputs)
            try session.run()
            let ours = network.outputs()
            var difference = TensorDifference()
            for (name, theirs) in try session.outputs() {
                guard let own = ours[name], own.shape == theirs.shape else {
                    throw OnnxRuntimeError(
                        place: network.path, reason: "its output '\(name)' has another shape than ours")
                }
                difference.compare(own, theirs)
            }
            (record.maxAbsoluteDifference, record.outputRange) = (difference.maxAbsolute, difference.range)
            return (record, session)
        } catch {
            record.problem = error.reason
            return (record, nil)
        }
    }
}

extension RunRecord.PrecisionLoss {
    init(_ difference: TensorDifference) {
        self.init(
            maxAbsoluteDifference: difference.maxAbsolute, outputRange: difference.range,
            relativeDifference: difference.maxRelative)
    }
}

extension RunRecord.Spread {
    init(_ quantiles: Quantiles) {
        self.init(median: quantiles.median, p10: quantiles.tenth, p90: quantiles.ninetieth)
    }
}
