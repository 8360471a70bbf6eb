import EspalierRedundancy
import EspalierTensors
import Testing

/// What random removal does to planted groups.
struct AuditTests {
    /// Two copies each of x0, x1, x2, with a little noise; the mean of no pair is known to the other pairs.
    private func covariance(_ count: Int, noise: Double, seed: UInt64) -> StreamingCovariance {
        var random = RandomSource(seed: seed)
        var rows: [Double] = []
        for _ in 0..<count {
            let sources = (0..<3).map { _ in random.normal() }
            rows += (0..<6).map { sources[$0 % 3] * ($0 < 3 ? 1 : -2) + noise * random.normal() }
        }
        var covariance = StreamingCovariance(variableCount: 6)
        covariance.add(&rows)
        return covariance
    }

    private func prediction(removing: Set<Int>, seed: UInt64) throws -> (emptied: Int, lost: Int) {
        let fit = covariance(2000, noise: 0.05, seed: seed)
        let heldOut = covariance(500, noise: 0.05, seed: seed + 100)
        let groups = try FunctionalGroups(fit, tau: 0.9)
        #expect(groups.varying.map(\.units) == [[0, 3], [1, 4], [2, 5]])
        let damage = LostGroups(groups, fit: fit, heldOut: heldOut, tau: 0.9)
            .damage(removing: (0..<6).map(removing.contains))
        return (damage.emptied, damage.lost)
    }

    /// Independent groups are lost exactly when they are emptied.
    @Test(arguments: [UInt64(1), 2])
    func independentGroupsAreLostWhenEmptied(seed: UInt64) throws {
        for (removed, count) in [
            ([], 0), ([0], 0), ([0, 4, 5], 0), ([0, 3], 1), ([0, 3, 1], 1), ([0, 1, 3, 4], 2),
            ([0, 1, 2, 3, 4, 5], 3),
        ] as [(Set<Int>, Int)] {
            let damage = try prediction(removing: removed, seed: seed)
            #expect(damage.emptied == count && damage.lost == count, "\(removed)")
        }
    }

    /// A group that other groups determine together is emptied, and not lost: what q^m cannot know.
    @Test(arguments: [UInt64(1), 2])
    func whatOthersTellTogetherIsNotLost(seed: UInt64) throws {
        func covariance(_ seed: UInt64) -> StreamingCovariance {
            var random = RandomSource(seed: seed)
            var rows: [Double] = []
            for _ in 0..<1000 {
                let (a, b) = (random.normal(), random.normal())
                rows += [a, b, a + b]
            }
            var covariance = StreamingCovariance(variableCount: 3)
            covariance.add(&rows)
            return covariance
        }
        let fit = covariance(seed)
        let groups = try FunctionalGroups(fit, tau: 0.9)
        #expect(groups.varying.count == 3)
        let layer = LostGroups(groups, fit: fit, heldOut: covariance(seed + 100), tau: 0.9)
        let one = layer.damage(removing: [false, false, true])
        #expect(one.emptied == 1 && one.lost == 0)
        let two = layer.damage(removing: [false, true, true])
        #expect(two.emptied == 2 && two.lost == 2)
    }
}
