import EspalierGraphs
import EspalierPruning
import EspalierTensors
import Foundation
import Testing

struct PlanDocumentTests {
    private func channelPlan() throws -> (pruner: Pruner, plan: PrunePlan) {
        let pruner = try Pruner(Network.chain())
        return (pruner, try pruner.plan(PruningRequest(.channel, targets: [.maxMultiplyAccumulates(0.6)])))
    }

    @Test(arguments: Granularity.examples)
    func plansSurviveTheRoundTrip(_ granularity: Granularity) throws {
        let pruner = try Pruner(Network.chain())
        let plan = try pruner.plan(PruningRequest(granularity, targets: [.sparsity(0.4)]))
        let json = try plan.json()
        let read = try PrunePlan(json: json)
        #expect(read == plan)
        #expect(
            String(decoding: json, as: UTF8.self).contains("\"granularity\" : \"\(granularity.rawValue)\""))
        #expect(try pruner.masks(of: read) == pruner.masks(of: plan))
    }

    @Test func listsOfNumbersStandOnOneLine() throws {
        let (_, plan) = try channelPlan()
        let text = String(decoding: try plan.json(), as: UTF8.self)
        let dropped = try #require(plan.channels?.first { $0.group == "conv2.weight" }?.dropped)
        #expect(dropped.count > 1)
        #expect(text.contains("\"dropped\" : [\(dropped.map(String.init).joined(separator: ", "))]"))
    }

    @Test func namesWithBracketsAndQuotesSurvive() throws {
        let (pruner, plan) = try channelPlan()
        var odd = plan
        odd.model = "a \"[1, 2]\\ model\n[3,\n4]"
        #expect(try PrunePlan(json: odd.json()) == odd)
        _ = pruner
    }

    @Test func editedPlansApply() throws {
        let (pruner, plan) = try channelPlan()
        let text = String(decoding: try plan.json(), as: UTF8.self)
        let dropped = try #require(plan.channels?.first { $0.group == "conv2.weight" }?.dropped)
        let list = dropped.map(String.init).joined(separator: ", ")
        let edited = try PrunePlan(json: Data(text.replacingOccurrences(of: list, with: "4").utf8))
        let cut = try pruner.cut(edited)
        let weight = try #require(pruner.graph.value(named: "conv2.weight")).id
        #expect(cut.constants[weight]?.shape[0] == 5)
        let receipt = try pruner.receipt(for: edited, after: cut)
        let layer = try #require(receipt.layers.first { $0.name == "conv2" })
        #expect(abs(layer.achieved - 1.0 / 6) < 1e-12)
    }

    @Test(arguments: [
        ([9], "no channel 9"), ([-1], "no channel -1"), ([1, 1], "twice"),
        ([0, 1, 2, 3, 4, 5], "one must stay"),
    ])
    func badChannelListsAreRefused(_ dropped: [Int], _ problem: String) throws {
        let (pruner, plan) = try channelPlan()
        var edited = plan
        let place = try #require(plan.channels?.firstIndex { $0.group == "conv2.weight" })
        edited.channels?[place].dropped = dropped
        expect(problem) { () throws(PruningError) in _ = try pruner.cut(edited) }
    }

    @Test func frozenAndUnknownGroupsAreRefused() throws {
        let (pruner, plan) = try channelPlan()
        var edited = plan
        let place = try #require(plan.channels?.firstIndex { $0.group == "fc.weight" })
        edited.channels?[place].dropped = [0]
        expect("must keep its shape") { () throws(PruningError) in _ = try pruner.cut(edited) }
        edited.channels?[place].group = "nowhere"
        expect("no such group") { () throws(PruningError) in _ = try pruner.cut(edited) }
    }

    @Test func plansForOtherModelsAreRefused() throws {
        let (_, plan) = try channelPlan()
        let other = try Pruner(Network.perceptron([4, 5, 3]))
        expect("another model") { () throws(PruningError) in _ = try other.masks(of: plan) }
    }

    /// The same layers, one of which computes otherwise.
    @Test func plansForOtherAttributesAreRefused() throws {
        let (pruner, plan) = try channelPlan()
        let node = try #require(pruner.graph.nodes.first { $0.name == "fc" })
        var patch = Patch(for: pruner.graph)
        patch.append(.setAttribute(node.id, name: "alpha", .float(0.5)))
        let other = try Pruner(pruner.graph.applying(patch))
        expect("another model") { () throws(PruningError) in _ = try other.cut(plan) }
    }

    @Test func plansForOtherSizesAreRefused() throws {
        let (pruner, plan) = try channelPlan()
        var edited = plan
        let place = try #require(plan.channels?.firstIndex { $0.group == "conv2.weight" })
        edited.channels?[place].size = 8
        expect("it has 6 channels, not 8") { () throws(PruningError) in _ = try pruner.cut(edited) }
    }

    @Test func damagedElementEntriesAreRefused() throws {
        let pruner = try Pruner(Network.chain())
        let plan = try pruner.plan(PruningRequest(.element, targets: [.sparsity(0.4)]))
        func refused(_ problem: String, _ edit: (inout PrunePlan.Elements) -> Void) throws {
            var edited = plan
            var entry = try #require(plan.elements?.first)
            edit(&entry)
            edited.elements?[0] = entry
            expect(problem) { () throws(PruningError) in _ = try pruner.masks(of: edited) }
        }
        try refused("no such parameter") { $0.parameter = "nothing" }
        try refused("its shape is") { $0.shape = [1, 2] }
        try refused("'kept' says 3") { $0.kept = 3 }
        try refused("not base64") { $0.mask = "AAAA" }
        try refused("without a mask") { $0.mask = nil }
        var whole = plan
        whole.elements?[0].mask = nil
        whole.elements?[0].kept = 72
        #expect(try pruner.masks(of: whole).masks.count == 2)
    }

    @Test func unreadableDocumentsSayWhere() throws {
        let (_, plan) = try channelPlan()
        let text = String(decoding: try plan.json(), as: UTF8.self)
        func read(_ text: String, _ problem: String) {
            expect(problem) { () throws(PruningError) in _ = try PrunePlan(json: Data(text.utf8)) }
        }
        read("{", "cannot be read")
        read("{}", "lacks 'schemaVersion'")
        read(
            text.replacingOccurrences(of: "\"schemaVersion\" : 1", with: "\"schemaVersion\" : 7"),
            "schema version 7")
        read(text.replacingOccurrences(of: "\"size\" : 6", with: "\"size\" : \"six\""), "channels")
    }

    @Test func packedMasksKeepEveryFlag() throws {
        var random = RandomSource(seed: 11)
        for count in [0, 1, 7, 8, 9, 1000] {
            let flags = (0..<count).map { _ in Bool.random(using: &random) }
            let packed = PackedMask(flags)
            #expect(PackedMask(base64: packed.base64, count: count)?.kept == flags)
        }
        #expect(PackedMask(base64: "AA==", count: 9) == nil)
    }

    private func expect(
        _ problem: String, _ body: () throws(PruningError) -> Void,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        do throws(PruningError) {
            try body()
            Issue.record("nothing was thrown", sourceLocation: sourceLocation)
        } catch {
            #expect("\(error)".contains(problem), sourceLocation: sourceLocation)
        }
    }
}
