/// How far to prune.
package enum PruningTarget: Sendable, CustomStringConvertible {
    /// The share of the prunable parameters that is removed, 0 to 1. Prunable are the weights (for channels:
    /// the parameters) that nothing excludes or freezes.
    case sparsity(Double)
    /// The share of a cost that is kept at most, 0 to 1, of the whole network's dense cost.
    case maximum(CostFunction, share: Double)
    /// What N:M groups, or an allocation, ask of every layer by themselves: how far along the way there, 0 to 1. Other
    /// targets beside it do not decide on anything; they are checked when it is 1.
    case completion(Double)

    package static func maxParameters(_ share: Double) -> PruningTarget {
        .maximum(.parameters, share: share)
    }

    package static func maxMultiplyAccumulates(_ share: Double) -> PruningTarget {
        .maximum(.multiplyAccumulates, share: share)
    }

    /// The share that is to be removed, in the target's own measure.
    package var removedShare: Double {
        switch self {
        case .sparsity(let share): share
        case .maximum(_, let share): 1 - share
        case .completion(let share): share
        }
    }

    /// The same measure with another share to remove: a step on the way.
    package func removing(_ share: Double) -> PruningTarget {
        switch self {
        case .sparsity: .sparsity(share)
        case .maximum(let cost, _): .maximum(cost, share: 1 - share)
        case .completion: .completion(share)
        }
    }

    /// What plans and receipts call it.
    package var kind: String {
        switch self {
        case .sparsity: "sparsity"
        case .maximum(let cost, _): "max-\(cost.id)"
        case .completion: "completion"
        }
    }

    /// In words, for messages.
    package var description: String {
        switch self {
        case .sparsity(let share): "a sparsity of \(share)"
        case .maximum(let cost, let share): "keeping \(share) of the \(cost.name)"
        case .completion(let share): "a completion of \(share)"
        }
    }

    /// The number as the user gave it.
    package var value: Double {
        switch self {
        case .sparsity(let share): share
        case .maximum(_, let share): share
        case .completion(let share): share
        }
    }

    func check() throws(PruningError) {
        switch self {
        case .sparsity(let share):
            guard share >= 0, share < 1 else {
                throw .invalidTarget("\(self) makes no sense: give a share from 0 to below 1")
            }
        case .maximum(_, let share):
            guard share > 0, share <= 1 else {
                throw .invalidTarget("\(self) makes no sense: give a share above 0 and up to 1")
            }
        case .completion(let share):
            guard (0...1).contains(share) else {
                throw .invalidTarget("\(self) makes no sense: give a share from 0 to 1")
            }
        }
    }
}
