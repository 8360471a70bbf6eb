import EspalierEfficiency
import EspalierExecution
import EspalierGraphs
import Testing

struct StepMatchingTests {
    private func pairs(_ first: [StepSubject], _ second: [StepSubject]) -> [StepMatching.Pair] {
        StepMatching(first, second).pairs
    }

    private func node(_ index: Int, fused: Int...) -> StepSubject {
        .node(NodeID(index: index), fused: fused.map { NodeID(index: $0) })
    }

    private func value(_ index: Int) -> StepSubject { .value(ValueID(index: index)) }

    @Test func equalPlansMatchStepByStep() {
        let steps = [node(0), node(1, fused: 2)]
        #expect(pairs(steps, steps) == [.init(0, 0), .init(1, 1)])
    }

    /// One plan fuses what the other computes in two steps, and makes a copy first.
    @Test func stepsMatchByTheirFirstNode() {
        #expect(
            pairs([node(0), node(1), node(2)], [value(0), node(0), node(1, fused: 2)])
                == [.init(nil, 0), .init(0, 1), .init(1, 2), .init(2, nil)])
    }

    @Test func repeatedCopiesMatchInOrder() {
        #expect(
            pairs([value(0), node(0), value(0)], [value(0), node(0)])
                == [.init(0, 0), .init(1, 1), .init(2, nil)])
    }

    @Test func everyStepIsThereOnce() {
        let found = pairs(
            [node(0), node(3), node(1), node(2)], [node(1), value(0), node(0), value(1)])
        #expect(found.compactMap(\.first) == [0, 1, 2, 3])
        #expect(Set(found.compactMap(\.second)) == [0, 1, 2, 3] && found.compactMap(\.second).count == 4)
        #expect(pairs([], [node(0)]) == [.init(nil, 0)] && pairs([], []).isEmpty)
    }
}
