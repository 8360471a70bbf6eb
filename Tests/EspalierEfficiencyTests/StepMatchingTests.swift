import EspalierEfficiency
import Testing

struct StepMatchingTests {
    private func pairs(_ first: [String], _ second: [String]) -> [StepMatching.Pair] {
        StepMatching(first, second).pairs
    }

    @Test func equalPlansMatchStepByStep() {
        #expect(pairs(["a", "b + c"], ["a", "b + c"]) == [.init(0, 0), .init(1, 1)])
    }

    /// One plan fuses what the other computes in two steps, and makes a copy first.
    @Test func stepsMatchByTheirFirstNode() {
        #expect(
            pairs(["a", "b", "relu"], ["reorder x", "a", "b + relu"])
                == [.init(nil, 0), .init(0, 1), .init(1, 2), .init(2, nil)])
    }

    @Test func repeatedLabelsMatchInOrder() {
        #expect(
            pairs(["reorder x", "a", "reorder x"], ["reorder x", "a"])
                == [.init(0, 0), .init(1, 1), .init(2, nil)])
    }

    @Test func everyStepIsThereOnce() {
        let (first, second) = (["a", "p", "b", "c"], ["b", "q", "a", "r"])
        let found = pairs(first, second)
        #expect(found.compactMap(\.first) == [0, 1, 2, 3])
        #expect(Set(found.compactMap(\.second)) == [0, 1, 2, 3] && found.compactMap(\.second).count == 4)
        #expect(pairs([], ["a"]) == [.init(nil, 0)] && pairs([], []).isEmpty)
    }
}
