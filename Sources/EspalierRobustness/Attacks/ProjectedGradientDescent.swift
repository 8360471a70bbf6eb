package import EspalierOperators
import Foundation

/// Steps along the gradient, each followed by a return to what is allowed, from several starts (Madry, Makelov, Schmidt, Tsipras &
/// Vladu 2018).
///
/// What is raised is the margin of a wrong class (Carlini & Wagner 2017): unlike cross-entropy it has a gradient where the network is
/// very sure. The class with the largest output need not be the one with the nearest boundary, so from the sample itself some
/// classes are tried one after the other (Gowal, Uesato, Qin, Huang, Mann & Kohli 2019); from random starts it is whichever is largest
/// at each step. Steps begin at a half of the radius and shrink along a cosine.
package struct ProjectedGradientDescent: Attack {
    package var norm: VectorNorm
    package var steps: Int
    /// Random starts, uniform in what is allowed.
    package var restarts: Int
    /// Wrong classes that are aimed at, by descending output.
    package var targets: Int

    package init(norm: VectorNorm, steps: Int = 40, restarts: Int = 2, targets: Int = 3) {
        self.norm = norm
        self.steps = steps
        self.restarts = restarts
        self.targets = targets
    }

    package var attempts: Int { targets + restarts }

    package func breaks(_ search: PerturbationSearch, attempt: Int, seed: UInt64) throws -> [Bool] {
        guard attempt >= targets else {
            return try descend(search, .target(try search.wrongClasses(rank: attempt)))
        }
        search.drawStarts(seed: seed, restart: attempt)
        return try descend(search, .margin)
    }

    private func descend(_ search: PerturbationSearch, _ aim: PerturbationSearch.Aim) throws -> [Bool] {
        var broken = try search.isWrong()
        for step in 0..<steps where broken.contains(false) {
            let share = 0.25 * (1 + cos(Double.pi * Double(step) / Double(max(1, steps))))
            try search.step(along: aim, share: share)
            for (place, isWrong) in try search.isWrong().enumerated() where isWrong { broken[place] = true }
        }
        return broken
    }
}
