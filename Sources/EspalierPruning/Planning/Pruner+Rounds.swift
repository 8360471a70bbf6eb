package import EspalierGraphs

extension Pruner {
    /// A plan made in as many rounds as the criterion wants, the shares kept falling by the same factor each time: what a
    /// round drops is zero when the next one measures.
    ///
    /// - Parameters:
    ///   - evidence: measures what the criterion requires on the network as it is in a round.
    /// - Throws: what `evidence` and ``plan(_:evidence:parameters:continuing:)`` throw.
    package func plan(
        _ request: PruningRequest, measuring evidence: (Graph) throws -> Evidence
    ) throws -> PrunePlan {
        let rounds = max(1, request.criterion.rounds)
        var network = graph
        var plan: PrunePlan?
        for round in 1..<rounds {
            var current = request
            current.targets = request.targets.map { target in
                let done = Double(round) / Double(rounds)
                return target.removing(PruningSchedule.removedShare(after: done, final: target.removedShare))
            }
            let next = try self.plan(
                current, evidence: try evidence(network), parameters: network, continuing: plan)
            network = try masked(try masks(of: next))
            plan = next
        }
        return try self.plan(
            request, evidence: try evidence(network), parameters: network, continuing: plan)
    }
}
