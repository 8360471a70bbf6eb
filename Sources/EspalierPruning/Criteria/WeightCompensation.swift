package import EspalierGraphs
package import EspalierTensors

/// The capability of a criterion to move the weights that stay, so that what goes is missed less.
package protocol WeightCompensation: Criterion {
    /// New values of a parameter.
    ///
    /// - Parameter mask: which elements stay; the others become zero.
    /// - Throws: ``PruningError/missingEvidence(criterion:kind:parameter:)``.
    func compensated(
        _ parameter: ScoredParameter, mask: Mask, scene: ScoringScene
    ) throws(PruningError) -> Tensor
}

extension Pruner {
    /// `graph` with the weights that `plan` keeps moved as the criterion says, and those that it drops zero; `graph` itself
    /// if the criterion does not move weights. Apply the plan to the result.
    ///
    /// - Parameters:
    ///   - evidence: the one that the plan was made from.
    ///   - parameters: as in ``plan(_:evidence:parameters:continuing:)``.
    package func compensating(
        _ plan: PrunePlan, by criterion: any Criterion, evidence: Evidence, parameters: Graph? = nil
    ) throws(PruningError) -> Graph {
        let graph = parameters ?? graph
        guard let criterion = criterion as? any WeightCompensation else { return graph }
        let scene = ScoringScene(graph, evidence: evidence)
        var patch = Patch(for: graph)
        for (id, mask) in try masks(of: plan).masks.sorted(by: { $0.key < $1.key }) {
            // What is zero already was made up for when it went.
            guard let parameter = scene.parameter(id), parameter.tensor.shape.rank > 1,
                zip(parameter.tensor.scalars(as: Float.self), mask.kept).contains(where: { $0 != 0 && !$1 })
            else { continue }
            patch.append(.setConstant(id, try criterion.compensated(parameter, mask: mask, scene: scene)))
        }
        do throws(GraphError) {
            return try graph.applying(patch)
        } catch {
            throw .surgery("\(error)")
        }
    }
}
