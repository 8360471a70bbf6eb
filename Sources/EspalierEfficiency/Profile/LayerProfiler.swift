import EspalierExecution
import EspalierGraphs
package import EspalierKernels
import EspalierPruning
package import EspalierRuns

/// Measures the steps of a network in both of its executions, and holds them against ceilings and cost model.
package struct LayerProfiler {
    /// Of each execution.
    package var seconds: Double
    package var ceilings: MachineCeilings
    package var costs: KernelCostModel

    package init(seconds: Double, ceilings: MachineCeilings, costs: KernelCostModel) {
        self.seconds = seconds
        self.ceilings = ceilings
        self.costs = costs
    }

    /// - Parameter check: called now and then; may throw to stop.
    /// - Returns: all steps, and layers that no step computes because they are known in advance.
    /// - Throws: what `check` throws.
    package func layers(
        of network: BenchmarkedNetwork, check: () throws -> Void = {}
    ) throws -> [RunRecord.BenchmarkedLayer] {
        let plans = [network.plan, network.densePlan]
        let times = try StepTimer(seconds: seconds).medians(plans, check: check)
        let listings = plans.map(\.listing)
        let table = StepCostTable(network)
        // Between two uses of a weight all others are used once, each as it is kept.
        let computed = listings[0].map { table.costs($0.subject) }
        let resident = zip(computed, listings[0]).reduce(0) { sum, step in
            let (own, format) = (step.0, step.1.format ?? .dense)
            return sum + (own.work?.weightByteCount(format) ?? own.constantByteCount)
        }
        var seen: Set<NodeID> = []
        var layers: [RunRecord.BenchmarkedLayer] = []
        for pair in StepMatching(listings[0].map(\.subject), listings[1].map(\.subject)).pairs {
            guard let step = pair.first.map({ listings[0][$0] }) ?? pair.second.map({ listings[1][$0] })
            else {
                continue
            }
            let own = pair.first.map { computed[$0] } ?? table.costs(step.subject)
            // A step that only the dense execution has is part of another one in the network's own.
            let isCounted = pair.first != nil
            if isCounted { seen.formUnion(own.weightedNodes) }
            var layer = RunRecord.BenchmarkedLayer(
                name: step.label, macs: isCounted ? own.macs : 0,
                remainingMacs: isCounted ? own.remainingMacs : 0)
            layer.medianUs = pair.first.map { times[0][$0] }
            layer.denseUs = pair.second.map { times[1][$0] }
            if isCounted && step.isReference { layer.isReference = true }
            let format = isCounted ? step.format : nil
            layer.format = format?.rawValue
            rate(&layer, own, format: format, resident: resident)
            layers.append(layer)
        }
        for layer in table.weightedLayers where !seen.contains(layer.node) {
            layers.append(
                .init(
                    name: layer.name, macs: layer.totals.multiplyAccumulates,
                    remainingMacs: layer.totals.effectiveMultiplyAccumulates))
        }
        return layers
    }

    private func rate(
        _ layer: inout RunRecord.BenchmarkedLayer, _ own: StepCosts, format: KernelFormat?, resident: Int
    ) {
        if own.macs > 0, let micros = layer.medianUs, let dense = layer.denseUs, micros > 0 {
            let theoretical = RunRecord.BenchmarkedModel.theoreticalSpeedup(
                dense: own.macs, remaining: own.remainingMacs)
            layer.theoreticalSpeedup = theoretical
            layer.actualSpeedup = dense / micros
            layer.realizedEfficiency = dense / micros / theoretical
        }
        if let micros = layer.medianUs ?? layer.denseUs, micros > 0 {
            let seconds = micros * 1e-6
            let rate = Double(own.remainingMacs) / seconds
            if own.macs > 0 {
                layer.usefulGflops = 2 * rate * 1e-9
                layer.computeShare = rate / ceilings.multiplyAccumulatesPerSecond
            }
            let saved = (format?.bytesPerNumber).map { (4 - $0) * (own.work?.nonzeros ?? 0) } ?? 0
            let moving = ceilings.memorySeconds(
                weights: own.constantByteCount - saved, activations: own.activationByteCount,
                resident: resident)
            // A step faster than that moves nothing: the reshape of a value in its place.
            if own.macs > 0 || moving <= seconds { layer.bandwidthShare = moving / seconds }
        }
        if let work = own.work, let micros = layer.medianUs, micros > 0,
            let prediction = costs.prediction(work, format: format ?? .dense, residentByteCount: resident)
        {
            layer.predictedUs = prediction.seconds * 1e6
            layer.predictionError = prediction.seconds * 1e6 / micros - 1
            layer.limit = prediction.limit.rawValue
        }
    }
}

extension RunRecord.Ceilings {
    package init(_ ceilings: MachineCeilings) {
        self.init(
            gflops: 2e-9 * ceilings.multiplyAccumulatesPerSecond,
            levels: ceilings.levels.map {
                .init(
                    name: $0.name, bytes: $0.byteCount, gigabytesPerSecond: 1e-9 * $0.bytesPerSecond)
            })
    }
}
