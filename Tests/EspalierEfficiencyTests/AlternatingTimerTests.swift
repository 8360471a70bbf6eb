import EspalierEfficiency
import Testing

/// What does not depend on how fast the machine is.
struct AlternatingTimerTests {
    @Test func contendersTakeTurns() throws {
        var order: [Int] = []
        let series = try AlternatingTimer(seconds: 0.02).measure([
            { if order.last != 0 { order.append(0) } }, { if order.last != 1 { order.append(1) } },
        ])
        #expect(series.count == 2)
        #expect(series[0].roundCount == series[1].roundCount && series[0].roundCount >= 3)
        // The warm-up, then rounds of which every other one is reversed; who follows itself is seen once.
        let turns = [0, 1] + (0..<series[0].roundCount).flatMap { $0.isMultiple(of: 2) ? [0, 1] : [1, 0] }
        let changes = turns.enumerated().filter { $0 == 0 || turns[$0 - 1] != $1 }.map(\.element)
        #expect(order == changes)
        for one in series {
            #expect(one.rounds.allSatisfy { !$0.isEmpty && $0.allSatisfy { $0 >= 0 } })
            let spread = one.milliseconds
            #expect(spread.tenth <= spread.median && spread.median <= spread.ninetieth)
        }
    }

    @Test func programsThatFailStopIt() {
        struct Failure: Error {}
        #expect(throws: Failure.self) { try AlternatingTimer(seconds: 0.01).measure([{ throw Failure() }]) }
        #expect(throws: Failure.self) {
            try AlternatingTimer(seconds: 0.01).measure([{}]) { _, _ in throw Failure() }
        }
    }

    @Test func progressCountsRounds() throws {
        var seen: [Int] = []
        var totals: Set<Int> = []
        let series = try AlternatingTimer(seconds: 0.01).measure([{}]) { done, total in
            seen.append(done)
            totals.insert(total)
        }
        #expect(seen == Array(1...series[0].roundCount) && totals == [series[0].roundCount])
    }
}
