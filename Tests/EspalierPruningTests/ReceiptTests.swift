import EspalierGraphs
import EspalierOperators
import EspalierPruning
import EspalierTensors
import Foundation
import Testing

struct ReceiptTests {
    @Test func summaryCountsTheChain() throws {
        let pruner = try Pruner(Network.chain())
        let summary = ModelSummary(pruner.resolved)
        #expect(summary.layers.map(\.name) == ["conv1", "conv2", "fc"])
        #expect(summary.layers.map(\.totals.parameters) == [72 + 8, 432 + 6, 480 + 5])
        #expect(summary.layers.map(\.totals.multiplyAccumulates) == [16 * 72, 16 * 432, 480])
        #expect(summary.layers.map(\.outputShape) == [[1, 8, 4, 4], [1, 6, 4, 4], [1, 5]])
        #expect(summary.totals.parameters == 1003)
        #expect(summary.totals.nonzero == 1003)
        #expect(summary.totals.sparsity == 0)
    }

    @Test func summaryCountsSharedWeightsOnceAndZerosNot() throws {
        var builder = GraphBuilder(name: "shared")
        let x = builder.input("x", type: ValueType(dtype: .float32, shape: [1, 2]))
        let shared = builder.constant("shared", Tensor(shape: [2, 2], scalars: [1, 0, 0, 4] as [Float]))
        let once = builder.node("MatMul", name: "once", inputs: [x, shared])
        let output = builder.node("MatMul", name: "twice", inputs: [once, shared])
        let graph = try builder.finish(outputs: [output])
        let summary = ModelSummary(try ResolvedGraph(graph))
        #expect(summary.totals.parameters == 4)
        #expect(summary.totals.nonzero == 2)
        #expect(summary.totals.sparsity == 0.5)
        #expect(summary.totals.multiplyAccumulates == 8)
        #expect(summary.totals.effectiveMultiplyAccumulates == 4)
        #expect(summary.layers.map(\.totals.parameters) == [4, 0])
    }

    @Test func summaryIsOneFlatDocument() throws {
        let summary = ModelSummary(try Pruner(Network.chain()).resolved)
        let json = try JSONEncoder().encode(summary)
        let document = try #require(try JSONSerialization.jsonObject(with: json) as? [String: Any])
        #expect(document["parameters"] as? Int == 1003)
        #expect(document["macs"] as? Int == summary.totals.multiplyAccumulates)
        let layers = try #require(document["layers"] as? [[String: Any]])
        #expect(layers[0]["name"] as? String == "conv1")
        #expect(layers[0]["op"] as? String == "Conv")
        #expect(layers[0]["nonzero"] as? Int == 80)
        #expect(layers.compactMap { $0["name"] as? String } == summary.layers.map(\.name))
    }

    /// Files may give several nodes one name.
    @Test func layersOfOneNameHaveFiguresOfTheirOwn() throws {
        var builder = GraphBuilder(name: "namesakes")
        var value = builder.input("x", type: ValueType(dtype: .float32, shape: [1, 4]))
        for (inputs, outputs) in [(4, 8), (8, 2)] {
            let weight = builder.constant(
                "w", Tensor(shape: [inputs, outputs], scalars: (1...inputs * outputs).map { Float($0) }))
            value = builder.node("MatMul", name: "fc", inputs: [value, weight])
        }
        let pruner = try Pruner(try builder.finish(outputs: [value]))
        let plan = try pruner.plan(PruningRequest(.element, targets: [.sparsity(0.5)]))
        let receipt = try pruner.receipt(for: plan, after: try pruner.applying(plan))
        #expect(receipt.layers.map(\.name) == ["fc", "fc"])
        #expect(receipt.layers.map(\.before.nonzero) == [32, 16])
        #expect(receipt.layers.reduce(0) { $0 + $1.after.nonzero } == 24 && receipt.after.nonzero == 24)
    }

    @Test func channelReceiptTellsWhatWasRefused() throws {
        let pruner = try Pruner(Network.chain())
        let plan = try pruner.plan(
            PruningRequest(.channel, targets: [.maxMultiplyAccumulates(0.6)], keep: ["conv1"]))
        let cut = try pruner.cut(plan)
        let receipt = try pruner.receipt(for: plan, after: cut)
        #expect(receipt.layers.map(\.name) == ["conv1", "conv2", "fc"])
        #expect(receipt.layers[0].refused == "kept by the pattern 'conv1'")
        #expect(receipt.layers[0].requested == nil && receipt.layers[0].achieved == 0)
        let second = receipt.layers[1]
        #expect(second.refused == nil && second.requested == second.achieved && second.achieved > 0)
        #expect(second.after.parameters < second.before.parameters)
        #expect(receipt.layers[2].refused?.contains("output") == true)
        // Its inputs went, although its own outputs may not.
        #expect(receipt.layers[2].after.parameters < receipt.layers[2].before.parameters)
        #expect(receipt.refusedCount == 2)
        let achieved = try #require(receipt.targets.first?.achieved)
        #expect(receipt.targets.first?.kind == "max-macs")
        #expect(achieved <= 0.6)
        // All but the first convolution, which is kept, and the last bias.
        let (was, now) = (receipt.before.parameters - 85, receipt.after.parameters - 85)
        #expect(abs(receipt.prunableSparsity - (1 - Double(now) / Double(was))) < 1e-12)
        #expect(receipt.after == ModelSummary(try ResolvedGraph(cut)).totals)
        let json = try JSONEncoder().encode(receipt)
        #expect(try JSONDecoder().decode(Receipt.self, from: json) == receipt)
    }

    @Test func elementReceiptAddsUp() throws {
        let pruner = try Pruner(Network.chain())
        let plan = try pruner.plan(PruningRequest(.element, targets: [.sparsity(0.75)]))
        let receipt = try pruner.receipt(for: plan, after: try pruner.applying(plan))
        #expect(receipt.targets.first?.achieved == 0.75)
        #expect(receipt.before.parameters == receipt.after.parameters)
        #expect(receipt.before.nonzero - receipt.after.nonzero == 738)
        #expect(abs(receipt.achievedSparsity - 738.0 / 1003) < 1e-12)
        #expect(receipt.prunableSparsity == 0.75)
        #expect(receipt.refusedCount == 0)
        for layer in receipt.layers { #expect(layer.requested == layer.achieved) }
    }

    @Test func groupsAreListedForInspection() throws {
        let groups = try Pruner(Network.chain()).groups
        let second = try #require(groups.summaries.first { $0.id == "conv2.weight" })
        #expect(second.size == 6 && second.frozen == nil)
        #expect(second.members.map(\.parameter) == ["conv2.weight", "fc.weight", "conv2.bias"])
        #expect(second.members.map(\.slicesPerChannel) == [1, 16, 1])
        #expect(groups.summaries.first { $0.id == "fc.weight" }?.frozen != nil)
    }
}
