package import EspalierGraphs
import EspalierOperators
import EspalierTensors

/// What a network costs by how many units of some groups, or elements of some weights, are gone; and what one more would save.
/// Both as shares of what it costs dense.
///
/// The true cost, in which widths multiply: what a unit of one group saves falls as the groups beside it shrink.
package struct WidthCosts {
    private let sizes: [Int]
    private let share: ([Int]) -> Double

    /// Of cutting channels, of which each group keeps one at least.
    package init(_ function: CostFunction, _ pruner: Pruner, groups: [PruningGroup]) {
        let model = CostModel(function, pruner.resolved)
        let table = CostTable(
            model, groups: groups, counts: groups.map { Array(0..<$0.size) }, in: pruner.resolved)
        sizes = groups.map(\.size)
        share = { table.cost(at: $0) / model.denseCost }
    }

    /// Of zeros in weights. The cost is linear in the zeros of each, so that two levels of each tell all.
    ///
    /// - Parameter held: what is left of other weights.
    package init(
        _ function: CostFunction, _ pruner: Pruner, weights: [ValueID], held: MaskSet = MaskSet()
    ) {
        let model = CostModel(function, pruner.resolved)
        let sizes = weights.map { pruner.graph.constants[$0]?.count ?? 0 }
        let table = CostTable(
            model, weights: zip(weights, sizes).map { ($0, $1, 0) }, counts: sizes.map { [0, $0] },
            others: held.masks.mapValues(\.keptCount))
        let none = [Int](repeating: 0, count: weights.count)
        let whole = held.masks.isEmpty ? model.denseCost : table.cost(at: none)
        let slopes = weights.indices.map { place in
            var levels = none
            levels[place] = 1
            return (whole - table.cost(at: levels)) / (Double(max(1, sizes[place])) * model.denseCost)
        }
        self.sizes = sizes
        let most = whole / model.denseCost
        share = { gone in zip(slopes, gone).reduce(most) { $0 - $1.0 * Double($1.1) } }
    }

    /// The share of the cost that is left.
    package func cost(gone: [Int]) -> Double {
        share(zip(gone, sizes).map { min($0, $1 - 1) })
    }

    /// What one more of each would save; 0 where only one is left.
    package func savings(gone: [Int]) -> [Double] {
        let now = cost(gone: gone)
        return gone.indices.map { place in
            var next = gone
            next[place] += 1
            return now - cost(gone: next)
        }
    }
}

extension Pruner {
    /// What the network costs as it is, in the function's unit.
    package func cost(_ function: CostFunction) -> Double { CostModel(function, resolved).denseCost }
}
