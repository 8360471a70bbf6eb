import EspalierPruning
import EspalierTensors
import Testing

struct ScopeTests {
    @Test func uniformKeysRoundToNearest() {
        let scope = UniformScope()
        let layer = ScopedLayer(name: "w", size: 10, shape: [10])
        // Removal number 4 is the fifth of ten: due from a share of 0.45 on.
        #expect(scope.key(removed: 4.5, score: 100, in: layer) == 0.45)
    }

    @Test func erdosRenyiDensitiesFollowTheFormula() {
        // For shapes a and b and the same threshold, densities are as the sums over the products of extents.
        let scope = ErdosRenyiScope()
        let wide = ScopedLayer(name: "wide", size: 10_000, shape: [100, 100])
        let narrow = ScopedLayer(name: "narrow", size: 500, shape: [5, 100])
        func density(_ layer: ScopedLayer, threshold: Double) -> Double {
            let removed = (0..<layer.size).count {
                scope.key(removed: Double($0) + 0.5, score: 0, in: layer) <= threshold
            }
            return 1 - Double(removed) / Double(layer.size)
        }
        // Proportions: 200 / 10000 = 0.02 and 105 / 500 = 0.21; a factor of 4 gives 0.08 and 0.84.
        #expect(abs(density(wide, threshold: -4) - 0.08) < 1e-3)
        #expect(abs(density(narrow, threshold: -4) - 0.84) < 2e-3)
        // A factor of 10 caps the narrow one at 1.
        #expect(density(narrow, threshold: -10) == 1)
        #expect(abs(density(wide, threshold: -10) - 0.2) < 1e-3)
    }

    @Test func minimumKeptTakesTheLargerDemand() {
        #expect(MinimumKept(count: 3, fraction: 0.1).kept(of: 100) == 10)
        #expect(MinimumKept(count: 3, fraction: 0.1).kept(of: 10) == 3)
        #expect(MinimumKept(count: 1, fraction: 0.1).kept(of: 10) == 1)
        #expect(MinimumKept(count: 0, fraction: 0).kept(of: 10) == 1)
        #expect(MinimumKept(count: 50, fraction: 0).kept(of: 10) == 10)
    }

    @Test(arguments: [
        ("conv*", "conv1.weight", true), ("*weight", "conv1.weight", true), ("*", "", true),
        ("conv?.weight", "conv1.weight", true), ("conv?.weight", "conv12.weight", false),
        ("conv", "conv1", false), ("*a*b", "xaxbxab", true), ("*a*b", "xaxbxa", false), ("", "x", false),
        ("a.b", "axb", false),
    ])
    func patterns(_ pattern: String, _ name: String, _ fits: Bool) {
        #expect(NamePattern(pattern).matches(name) == fits)
    }

    @Test func unknownNamesListTheKnown() {
        do throws(PruningError) {
            _ = try Scopes.scope("everywhere")
            Issue.record("there is no such scope")
        } catch {
            #expect("\(error)".contains("uniform, global, erk, knapsack"))
        }
    }

    @Test func identifiersAreUnique() {
        let scopes = Scopes.all.map { $0.information.id }
        let criteria = Criteria.all.map { $0.information.id }
        #expect(Set(scopes).count == scopes.count)
        #expect(Set(criteria).count == criteria.count)
    }
}
