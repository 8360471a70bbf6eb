import Espalier
import EspalierEfficiency
import EspalierGraphs
import EspalierKernels
import EspalierPruning
import EspalierReports
import EspalierRuns
import EspalierTensors
import EspalierTraining

/// `--target-latency`: the network as it is, measured, and what that makes of the target.
struct LatencyGoal {
    /// Nil where the layers are measured for their prices alone.
    private let limit: LatencyLimit?
    private let goal: LatencyTarget
    /// The target for the plan, and the share of the network's time that was measured of what came of it.
    private(set) var target: PruningTarget
    private var predicted: Double?
    /// That no plan was found which takes as little as was asked for.
    private(set) var shortfall: String?
    /// Milliseconds of the network as it is.
    private var before: Double
    private let graph: Graph
    private let inputs: [String: Tensor]
    private let lane: Lane
    private let console: Console

    /// Measures one inference of one sample.
    ///
    /// - Throws: ``CommandFailure`` if a shape is open; ``ExecutionError``; ``DNNError``.
    init(
        _ limit: LatencyLimit?, _ graph: Graph, _ parts: DataParts?, inputShapes: [ValueID: Shape],
        lane: Lane, common: CommonOptions
    ) throws {
        let console = common.console
        let costs = try CostConstants.found(lane: lane, recalibrates: false, console: console).model
        let known = try parts.map { try InputBinding(graph, $0.fit).shapes(batchSize: 1) } ?? [:]
        let inputs = try ModelInputs.random(
            for: graph, shapes: known.merging(inputShapes) { $1 }, samples: 1, seed: common.seed
        ).tensors
        console.status("measuring the layers of the model")
        goal = try lane.run {
            let byIdentity = Dictionary(
                uniqueKeysWithValues: graph.inputs.compactMap { id in
                    inputs[graph.name(of: id)].map { (id, $0) }
                })
            return try LatencyTarget(
                for: graph, inputs: byIdentity, threads: lane.threads, costs: costs
            ) { try Interruption.check() }
        }
        before = 1000 * goal.profile.seconds
        target = goal.target(share: limit?.share(of: before) ?? 1)
        (self.limit, self.graph, self.inputs, self.lane, self.console) = (limit, graph, inputs, lane, console)
    }

    /// Plans, measures what becomes of the network, and corrects the target by it; of those that met it, the one is taken
    /// which leaves most.
    ///
    /// - Parameters:
    ///   - wayOut: what could be done if no plan is short enough.
    ///   - plan: the receipt of a plan for a target, and the network after it.
    /// - Throws: ``CommandFailure`` if no plan is; what `plan` throws otherwise.
    mutating func approach(
        wayOut: String, _ plan: (PruningTarget) throws -> (receipt: Receipt, network: Graph)
    ) throws {
        guard let limit else { return }
        var best: (target: PruningTarget, share: Double, measured: Double, isMet: Bool)?
        var target = target
        var correction = 1.0
        for attempt in 0..<Self.mostTries {
            let (receipt, network) = try told(limit, correction, wayOut: wayOut) { try plan(target) }
            let share = share(receipt)
            let times = try measure(network, seconds: 0.6)
            // The pace of the machine at the first measurement is that of all.
            if attempt == 0 { before = times.before }
            let measured = times.after / times.before
            let wanted = limit.share(of: before)
            let (isMet, isTight) = LatencyTarget.isMet(wanted, by: measured)
            let isBetter =
                best.map { isMet ? !$0.isMet || share > $0.share : !$0.isMet && measured < $0.measured }
                ?? true
            if isBetter { best = (target, share, measured, isMet) }
            if isMet, isTight || share >= 1 { break }
            correction = measured / share
            target = goal.target(share: wanted, correction: correction)
        }
        guard let best else { return }
        (self.target, predicted) = (best.target, best.measured)
        if !best.isMet {
            let (found, wanted) = (best.measured, limit.share(of: before))
            shortfall =
                "the latency is missed: the best plan took \(Format.percent(found)) of what the model takes, \(Format.percent(wanted)) were asked"
        }
    }

    private static let mostTries = 4

    /// Plans know shares only; that the latency is out of reach is told as it was asked for.
    ///
    /// - Parameter correction: what networks take, by what was predicted of them.
    private func told<Value>(
        _ limit: LatencyLimit, _ correction: Double, wayOut: String, _ plan: () throws -> Value
    ) throws -> Value {
        do {
            return try plan()
        } catch PruningError.infeasible(let missed, let nearest, let hint) where missed.kind == target.kind {
            let share = nearest * correction
            let least = "\(BenchTable.milliseconds(share * before)) ms (\(Format.percent(share)))"
            throw CommandFailure(
                "--target-latency \(limit) is out of reach: the nearest possible is about \(least). \(hint)\(wayOut)"
            )
        }
    }

    /// What the plan should take and, if there is one, what the pruned network takes.
    func record(_ receipt: Receipt, pruned: Graph) throws -> RunRecord.Latency {
        console.status("measuring the pruned model")
        let measured = try measure(pruned, seconds: 1)
        var record = record(receipt, before: measured.before)
        record.achievedMs = measured.after
        return record
    }

    func record(_ receipt: Receipt) -> RunRecord.Latency { record(receipt, before: before) }

    /// At the pace at which the network itself takes `before` milliseconds.
    private func record(_ receipt: Receipt, before: Double) -> RunRecord.Latency {
        let model = before * share(receipt)
        let target =
            switch limit {
            case .milliseconds(let milliseconds): milliseconds
            case .share(let share): share * before
            case nil: before
            }
        return RunRecord.Latency(
            targetMs: target, modelMs: model, predictedMs: predicted.map { $0 * before } ?? model,
            beforeMs: before)
    }

    private func share(_ receipt: Receipt) -> Double {
        receipt.targets.first { $0.kind == target.kind }?.achieved ?? 1
    }

    private func measure(_ network: Graph, seconds: Double) throws -> (before: Double, after: Double) {
        try lane.run {
            try goal.measure(graph, network, inputs: inputs, threads: lane.threads, seconds: seconds)
        }
    }
}
