import EspalierKernels
package import EspalierOperators
import EspalierTensors
import EspalierTraining
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
    package var batchSize = 250

    package init(norm: VectorNorm, steps: Int = 40, restarts: Int = 2, targets: Int = 3) {
        self.norm = norm
        self.steps = steps
        self.restarts = restarts
        self.targets = targets
    }

    package func succeeds(
        on network: AttackedNetwork, samples: [Int], radii: [Double], seed: UInt64
    ) throws -> [Bool] {
        try network.lane.run {
            var broken = [Bool](repeating: false, count: samples.count)
            for attempt in 0..<max(1, targets + restarts) {
                // What is broken needs no further start.
                let left = samples.indices.filter { !broken[$0] }
                for start in stride(from: 0, to: left.count, by: batchSize) {
                    let places = Array(left[start..<min(start + batchSize, left.count)])
                    let search = PerturbationSearch(
                        network, samples: places.map { samples[$0] }, radii: places.map { radii[$0] },
                        norm: norm)
                    let aim: PerturbationSearch.Aim
                    if attempt < targets {
                        aim = .target(try search.wrongClasses(rank: attempt))
                    } else {
                        search.drawStarts(seed: seed, restart: attempt)
                        aim = .margin
                    }
                    for (place, isBroken) in zip(places, try descend(search, aim)) {
                        broken[place] = isBroken
                    }
                }
            }
            return broken
        }
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

/// One step along the gradient of the cross-entropy, of the whole radius (Goodfellow, Shlens & Szegedy 2015).
package struct FastGradient: Attack {
    package var norm: VectorNorm
    package var batchSize = 250

    package init(norm: VectorNorm) {
        self.norm = norm
    }

    package func succeeds(
        on network: AttackedNetwork, samples: [Int], radii: [Double], seed: UInt64
    ) throws -> [Bool] {
        try network.lane.run {
            try stride(from: 0, to: samples.count, by: batchSize).flatMap { start in
                let range = start..<min(start + batchSize, samples.count)
                let search = PerturbationSearch(
                    network, samples: Array(samples[range]), radii: Array(radii[range]), norm: norm)
                let before = try search.isWrong()
                try search.step(along: .crossEntropy, share: 1)
                return zip(before, try search.isWrong()).map { $0 || $1 }
            }
        }
    }
}

/// Changes drawn at random: what no gradient is needed for.
package struct RandomNoise: Attack {
    package var norm: VectorNorm
    package var draws: Int
    package var batchSize = 250

    package init(norm: VectorNorm, draws: Int = 20) {
        self.norm = norm
        self.draws = draws
    }

    package func succeeds(
        on network: AttackedNetwork, samples: [Int], radii: [Double], seed: UInt64
    ) throws -> [Bool] {
        try network.lane.run {
            try stride(from: 0, to: samples.count, by: batchSize).flatMap { start in
                let range = start..<min(start + batchSize, samples.count)
                let search = PerturbationSearch(
                    network, samples: Array(samples[range]), radii: Array(radii[range]), norm: norm)
                var broken = try search.isWrong()
                for draw in 0..<draws where broken.contains(false) {
                    search.drawStarts(seed: seed, restart: draw)
                    for (place, isWrong) in try search.isWrong().enumerated() where isWrong {
                        broken[place] = true
                    }
                }
                return broken
            }
        }
    }
}
