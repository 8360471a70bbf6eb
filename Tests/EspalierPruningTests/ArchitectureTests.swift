import EspalierGraphs
import EspalierPruning
import EspalierTraining
import Testing

/// The networks that the package trains itself, pruned by channels: their groups are known.
struct ArchitectureTests {
    private static func pruner(_ name: String) throws -> Pruner {
        let architecture = try #require(Architectures.named(name))
        let options = ArchitectureOptions(channels: 1, height: 28, width: 28, classCount: 10, seed: 1)
        return try Pruner(try architecture.graph(options))
    }

    /// Sizes of the groups that may be cut, in order.
    @Test(arguments: [
        ("lenet-300-100", [300, 100]), ("lenet-5", [20, 50, 500]), ("conv-2", [64, 64, 256, 256]),
        // The stem shares its group with the first stage, whose shortcut is the identity.
        ("resnet-8", [16, 16, 32, 32, 64, 64]),
    ])
    func groupsAreAsTheArchitectureSays(_ name: String, _ sizes: [Int]) throws {
        let groups = try Self.pruner(name).groups
        #expect(groups.open.map(\.size) == sizes)
        // The only frozen groups are the image's channels and the classes.
        let frozen = Set(groups.all.compactMap(\.frozen).map(\.kind))
        #expect(frozen.isSubset(of: [.graphInput, .graphOutput]))
    }

    @Test(arguments: Architectures.all.map(\.name))
    func halfOfTheMultiplyAccumulatesCanGo(_ name: String) throws {
        let pruner = try Self.pruner(name)
        let request = PruningRequest(
            .channel, targets: [.maxMultiplyAccumulates(0.5)], prunesFirstAndLast: name == "lenet-300-100")
        let plan = try pruner.plan(request)
        let receipt = try pruner.receipt(for: plan, after: try pruner.cut(plan))
        let achieved = try #require(receipt.targets.first?.achieved)
        #expect(achieved <= 0.5 && achieved > 0.45)
        #expect(receipt.after.parameters < receipt.before.parameters)
        // Whoever did less than asked says why.
        for layer in receipt.layers {
            #expect(layer.refused != nil || layer.requested == layer.achieved, "\(layer.name)")
        }
    }

    @Test(arguments: ["lenet-300-100", "lenet-5"])
    func cutEqualsMasked(_ name: String) throws {
        let pruner = try Self.pruner(name)
        let plan = try pruner.plan(
            PruningRequest(.channel, targets: [.maxMultiplyAccumulates(0.6)], prunesFirstAndLast: true))
        let inputs = Network.inputs(of: pruner.graph, seed: 3)
        let verification = try pruner.verify(plan, inputs: inputs) { try ReferenceRunner.run($0, inputs: $1) }
        #expect(verification.outputMagnitude > 0)
        #expect(verification.isWithin(relative: 1e-5), "\(verification)")
    }
}
