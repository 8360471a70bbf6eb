package import EspalierOperators

/// One step along the gradient of the cross-entropy, of the whole radius (Goodfellow, Shlens & Szegedy 2015).
package struct FastGradient: Attack {
    package var norm: VectorNorm

    package init(norm: VectorNorm) {
        self.norm = norm
    }

    package func breaks(_ search: PerturbationSearch, attempt: Int, seed: UInt64) throws -> [Bool] {
        let before = try search.isWrong()
        try search.step(along: .crossEntropy, share: 1)
        return zip(before, try search.isWrong()).map { $0 || $1 }
    }
}
