package import EspalierGraphs
import EspalierOperators
package import EspalierTensors

extension EvidenceKind {
    /// Per parameter, inverses of blocks along the diagonal of the damped empirical Fisher matrix, `float64`,
    /// [blocks, size, size] as ``BlockLayout`` has it, those at the end of a row filled up.
    package static let inverseFisherBlocks = EvidenceKind(rawValue: "inverseFisherBlocks")
}

/// Optimal brain surgeon with a block-diagonal empirical Fisher matrix F in the Hessian's place: the growth of the loss to
/// second order if weights Q are removed and the others move to make up for them.
///
/// Score of a weight: w^2 / (2 [F^-1]_pp); of a unit, for whose weights single scores do not add up:
/// 1/2 w_Q^T ([F^-1]_QQ)^-1 w_Q. The others then move by -F^-1 E_Q ([F^-1]_QQ)^-1 w_Q. Blocks are up to 32 consecutive
/// elements of a row of a weight; at most 512 samples are looked at; the damping is the mean of the
/// diagonal over the network.
package struct WoodFisher: WeightCompensation {
    package static let information = CriterionInformation(
        id: "wood-fisher", name: "WoodFisher",
        measures:
            "the growth of the loss to second order on removal when the remaining weights move to make up for it, which "
            + "they then do; a pass for each of up to 512 samples by itself, and 32 numbers of memory a weight",
        misleads: "where weights that stand far apart in a tensor act together, and far from a minimum",
        source: "Hassibi & Stork 1993; Singh & Alistarh 2020", unit: "loss")

    package init(seed: UInt64 = 0) {}

    package var requiredEvidence: Set<EvidenceKind> { [.inverseFisherBlocks] }

    private func blocks(
        of parameter: ScoredParameter, scene: ScoringScene
    ) throws(PruningError) -> InverseFisher {
        let layout = BlockLayout(parameter.tensor.shape)
        guard let tensor = scene.evidence[.inverseFisherBlocks][parameter.id],
            tensor.shape == [layout.count, layout.size, layout.size]
        else {
            throw .missingEvidence(
                criterion: Self.information.id, kind: .inverseFisherBlocks, parameter: parameter.name)
        }
        return InverseFisher(layout: layout, values: tensor.scalars(as: Double.self))
    }

    package func contributions(
        of parameter: ScoredParameter, scene: ScoringScene
    ) throws(PruningError) -> [Float] {
        let blocks = try blocks(of: parameter, scene: scene)
        return parameter.tensor.scalars(as: Double.self).enumerated().map { position, weight in
            Float(weight * weight / (2 * blocks.diagonal(position)))
        }
    }

    package func unitScores(of group: PruningGroup, scene: ScoringScene) throws(PruningError) -> [Double] {
        let elements = UnitElements(group, roles: countedRoles) { scene.parameter($0)?.tensor.shape }
        var scores = [Double](repeating: 0, count: group.size)
        for part in elements.parts {
            guard let parameter = scene.parameter(part.value) else { continue }
            let blocks = try blocks(of: parameter, scene: scene)
            let weights = parameter.tensor.scalars(as: Double.self)
            for unit in scores.indices {
                blocks.forEachBlock(part.runs[unit].joined()) { block, removed in
                    scores[unit] += blocks.growth(block, removing: removed, weights: weights)
                }
            }
        }
        guard !scores.contains(where: \.isNaN) else {
            throw .scoreNotANumber(criterion: Self.information.id, subject: group.id)
        }
        return scores
    }

    package func compensated(
        _ parameter: ScoredParameter, mask: Mask, scene: ScoringScene
    ) throws(PruningError) -> Tensor {
        let blocks = try blocks(of: parameter, scene: scene)
        var weights = parameter.tensor.scalars(as: Double.self)
        let removed = mask.kept.indices.lazy.filter { !mask.kept[$0] }
        blocks.forEachBlock(removed) { block, removed in
            blocks.compensate(block, removing: removed, weights: &weights)
        }
        return Tensor(shape: parameter.tensor.shape, scalars: weights).converted(to: parameter.tensor.dtype)
    }
}

/// The inverse blocks of one parameter.
private struct InverseFisher {
    let layout: BlockLayout
    let values: [Double]

    private func entry(_ block: Int, _ row: Int, _ column: Int) -> Double {
        values[(block * layout.size + row) * layout.size + column]
    }

    func diagonal(_ element: Int) -> Double {
        let place = layout.place(of: element)
        return entry(layout.block(of: element), place, place)
    }

    /// Calls `body` with the elements in each block, from ascending elements.
    func forEachBlock(_ elements: some Sequence<Int>, _ body: (Int, [Int]) -> Void) {
        var current: [Int] = []
        var block = 0
        for element in elements {
            let own = layout.block(of: element)
            if !current.isEmpty, own != block {
                body(block, current)
                current.removeAll(keepingCapacity: true)
            }
            block = own
            current.append(element)
        }
        if !current.isEmpty { body(block, current) }
    }

    /// ([F^-1]_QQ)^-1 w_Q.
    private func forces(_ block: Int, _ removed: [Int], _ weights: [Double]) -> [Double] {
        let places = removed.map { layout.place(of: $0) }
        var matrix = places.flatMap { row in places.map { entry(block, row, $0) } }
        var vector = removed.map { weights[$0] }
        matrix.withUnsafeMutableBufferPointer { matrix in
            vector.withUnsafeMutableBufferPointer { vector in
                guard let matrix = matrix.baseAddress, let vector = vector.baseAddress else { return }
                if SmallCholesky.factorize(matrix, size: places.count) {
                    SmallCholesky.solve(matrix, size: places.count, vector)
                } else {
                    // A principal part of a positive definite inverse fails only if that is not finite.
                    for index in places.indices { vector[index] = .nan }
                }
            }
        }
        return vector
    }

    func growth(_ block: Int, removing removed: [Int], weights: [Double]) -> Double {
        zip(forces(block, removed, weights), removed).reduce(0) { $0 + 0.5 * $1.0 * weights[$1.1] }
    }

    func compensate(_ block: Int, removing removed: [Int], weights: inout [Double]) {
        let forces = forces(block, removed, weights)
        for element in layout.elements(of: block) where weights[element] != 0 {
            let place = layout.place(of: element)
            for (force, other) in zip(forces, removed) {
                weights[element] -= entry(block, place, layout.place(of: other)) * force
            }
        }
        for element in removed { weights[element] = 0 }
    }
}
