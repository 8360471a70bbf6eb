import ArgumentParser
import Espalier
import EspalierPruning

/// How it is found what goes.
struct MethodOptions: ParsableArguments {
    enum Name: String, CaseIterable, ExpressibleByArgument {
        case criterion
        case lagrangian
        case l0
        case rigl
        case set

        /// Whether sparsity is bought with a price.
        var hasPrice: Bool { self == .lagrangian || self == .l0 }
    }

    /// What a penalty is on.
    enum Cost: String, CaseIterable, ExpressibleByArgument {
        case macs
        case parameters
        case bytes
        case latency
    }

    @Option(
        help: ArgumentHelp(
            "How it is found what goes.",
            discussion: """
                criterion: by --criterion, before the repair or in the course of it. lagrangian: the first epochs train with \
                a penalty on the cost, which brings channels (or, with element granularity, weights) to exactly zero. l0: \
                likewise with a random gate on every channel (Louizos 2018). rigl and set: single weights whose places change \
                while the network trains (Evci 2020, Mocanu 2018).
                """))
    var method = Name.criterion

    @Option(
        help: ArgumentHelp(
            "For lagrangian and l0 without a target: the loss, in nats, that the whole cost is worth.",
            valueName: "nats"))
    var lambda: Double?

    @Option(
        help: ArgumentHelp(
            "What lagrangian and l0 charge for; without it what the first target is set in, or macs."))
    var cost: Cost?

    @Option(
        name: .customLong("penalty-share"),
        help: ArgumentHelp(
            "Share of the epochs that train under the penalty of lagrangian or l0, without it \(Self.usualPenaltyShare); the others repair without penalty.",
            valueName: "share"))
    var givenPenaltyShare: Double?

    private static let usualPenaltyShare = 0.25

    var penaltyShare: Double { givenPenaltyShare ?? Self.usualPenaltyShare }

    func validate() throws {
        guard penaltyShare > 0, penaltyShare <= 1 else {
            throw ValidationError("--penalty-share must be above 0 and up to 1")
        }
        if let lambda, !(lambda > 0 && lambda.isFinite) {
            throw ValidationError("--lambda must be positive")
        }
        guard method.hasPrice || (lambda == nil && cost == nil && givenPenaltyShare == nil) else {
            throw ValidationError("--lambda, --cost and --penalty-share are for --method lagrangian and l0")
        }
    }

    var description: String {
        let price = lambda.map { "lambda \($0)" } ?? (method.hasPrice ? "a price that meets the target" : nil)
        return [method.rawValue, cost.map { "on \($0.rawValue)" }, price].compactMap { $0 }.joined(
            separator: ", ")
    }

    /// What is charged for, where that was said and needs no measurement.
    var charged: CostFunction? {
        switch cost {
        case .macs: .multiplyAccumulates
        case .parameters: .parameters
        case .bytes: .bytes
        case .latency, nil: nil
        }
    }

    /// - Parameters:
    ///   - targets: of the request.
    ///   - latency: the cost in it, where it was measured.
    func method(targets: [PruningTarget], latency: CostFunction?) throws -> PrunePipeline.Method {
        func charge() throws -> PrunePipeline.Charge {
            let first = targets.lazy.compactMap(\.cost).first
            let charged = cost == .latency ? latency : charged ?? first
            return .init(cost: charged ?? .multiplyAccumulates, lambda: lambda)
        }
        return switch method {
        case .criterion: .planned
        case .lagrangian: .training(.lagrangian(try charge()))
        case .l0: .training(.gates(try charge()))
        case .rigl: .training(.dynamic(.gradient))
        case .set: .training(.dynamic(.random))
        }
    }
}

extension PruningTarget {
    /// What it is set in; nil for a sparsity.
    var cost: CostFunction? {
        if case .maximum(let cost, _) = self { cost } else { nil }
    }
}
