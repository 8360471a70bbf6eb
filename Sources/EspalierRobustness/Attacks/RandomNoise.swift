package import EspalierOperators

/// Changes drawn at random: what no gradient is needed for.
package struct RandomNoise: Attack {
    package var norm: VectorNorm
    package var draws: Int

    package init(norm: VectorNorm, draws: Int = 20) {
        self.norm = norm
        self.draws = draws
    }

    package var attempts: Int { draws }

    package func breaks(_ search: PerturbationSearch, attempt: Int, seed: UInt64) throws -> [Bool] {
        let before = try search.isWrong()
        search.drawStarts(seed: seed, restart: attempt)
        return zip(before, try search.isWrong()).map { $0 || $1 }
    }
}
