import EspalierExecution
import EspalierGraphs
import EspalierTensors
import EspalierTraining
import Foundation

/// Lets dropped weights come back: of every layer, a share of the smallest weights that a plan keeps is exchanged for as many
/// dropped ones, which begin at zero.
///
/// The exchange is that of RigL (Evci et al. 2020) or SET (Mocanu et al. 2018), by what grows; made while the number of
/// weights falls it is that of GraNet (Liu et al. 2021). Gradients are summed over the steps since the last exchange: one
/// batch's alone choose much by noise.
package struct Regrowth {
    /// Which dropped weights come back.
    package enum Growth: Sendable, Equatable {
        /// Those whose gradients were largest: RigL.
        case gradient
        /// Any: SET.
        case random
    }

    /// Of the kept weights, at the schedule's first step; it falls to 0 at the last along a cosine.
    let share: Double
    let growth: Growth
    /// Of random growth.
    let seed: UInt64
    /// Of all parameters in the store's order; empty before the first step.
    private(set) var gradientSums: [Float] = []

    init(share: Double, growth: Growth = .gradient, seed: UInt64 = 0) {
        self.share = share
        self.growth = growth
        self.seed = seed
    }

    mutating func add(_ gradients: UnsafeMutableBufferPointer<Float>) {
        guard growth == .gradient else { return }
        if gradientSums.isEmpty { gradientSums = [Float](repeating: 0, count: gradients.count) }
        for index in gradientSums.indices { gradientSums[index] += gradients[index] }
    }

    /// The plan with weights exchanged, of single elements; the sums begin anew.
    ///
    /// - Parameters:
    ///   - masks: those that held until now. What the plan drops only now is not zero yet, and cannot come back at once.
    ///   - progress: how much of the schedule is over, 0 to 1.
    ///   - step: of training: makes random growth another one each time.
    mutating func exchange(
        _ plan: PrunePlan, masks: MaskSet, in store: ParameterStore, progress: Double, step: Int
    ) -> PrunePlan {
        let share = share * (1 + cos(.pi * progress)) / 2
        guard let elements = plan.elements, growth != .gradient || !gradientSums.isEmpty else { return plan }
        let entries = Dictionary(uniqueKeysWithValues: store.entries.map { ($0.name, $0) })
        var plan = plan
        plan.elements = elements.map { layer in
            // What was pruned before in a layer that is left alone stays as it is.
            guard layer.requested != nil, let entry = entries[layer.parameter], let text = layer.mask,
                let mask = PackedMask(base64: text, count: entry.count)
            else { return layer }
            var layer = layer
            let kept = exchanging(
                share, of: mask.kept, before: masks[entry.value]?.kept, entry, store.values, step: step)
            layer.mask = PackedMask(kept).base64
            return layer
        }
        gradientSums = []
        return plan
    }

    private func exchanging(
        _ share: Double, of kept: [Bool], before: [Bool]?, _ entry: ParameterStore.Entry,
        _ values: UnsafeMutableBufferPointer<Float>, step: Int
    ) -> [Bool] {
        func size(_ index: Int) -> Float { values[entry.offset + index].magnitude }
        func force(_ index: Int) -> Float { gradientSums[entry.offset + index].magnitude }
        let staying = kept.indices.filter { kept[$0] }
        let dropped = kept.indices.filter { !kept[$0] && before?[$0] == false }
        let count = min(Int((share * Double(staying.count)).rounded()), dropped.count)
        // Equal ones by position, so that the result does not depend on the sorting.
        let smallest = staying.sorted { (size($0), $0) < (size($1), $1) }.prefix(count)
        let grown: [Int]
        switch growth {
        case .gradient:
            grown = Array(dropped.sorted { (-force($0), $0) < (-force($1), $1) }.prefix(count))
        case .random:
            var random = RandomSource(seed: seed).split(entry.name).split(step)
            grown = Array(dropped.shuffled(using: &random).prefix(count))
        }
        var result = kept
        for index in smallest { result[index] = false }
        for index in grown { result[index] = true }
        return result
    }
}

// MARK: - Checkpoints

extension Regrowth {
    var state: [String: Tensor] {
        gradientSums.isEmpty
            ? [:] : ["gradientSums": Tensor(shape: [gradientSums.count], scalars: gradientSums)]
    }

    mutating func restore(_ state: [String: Tensor]) {
        gradientSums = state["gradientSums"]?.scalars(as: Float.self) ?? []
    }
}
