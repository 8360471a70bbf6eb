import EspalierSearch
import EspalierTensors
import Testing

struct ChoiceTests {
    private let objectives: [Objective] = [.accuracyDrop, .latency, .multiplyAccumulates]
    private let points: [[Double]] = [
        [0.000, 4, 1.0], [0.002, 3, 0.6], [0.004, 3, 0.4], [0.004, 2, 0.5], [0.020, 1, 0.1],
    ]

    private func choice(_ text: String, of points: [[Double]]) throws -> Choice {
        try CandidateSet(points.map { try Objectives($0) })
            .choice(objectives: objectives, conditions: text.isEmpty ? [] : Condition.parse(text))
    }

    @Test func oneObjectiveIsLeft() throws {
        #expect(try choice("accuracy-drop<=0.5%,latency<=3ms", of: points) == .point(2))
        #expect(try choice("accuracy-drop<=0.5%,macs<=0.5", of: points) == .point(3))
        #expect(try choice("latency<=5ms,macs<=1", of: points) == .point(0))
        #expect(try choice("latency<=1ms,macs<=1", of: points) == .point(4))
    }

    /// Drops are differences of shares of samples: 0.98 - 0.975 is above 0.005 by rounding, and 6 of 1,000 more than 5 is not.
    @Test func boundsAreMetButForRounding() throws {
        #expect(try choice("accuracy-drop<=0.5%", of: [[0.98 - 0.975, 1, 1]]) == .point(0))
        guard case .none = try choice("accuracy-drop<=0.5%", of: [[0.006, 1, 1]]) else {
            Issue.record("0.6 % is more than 0.5 %")
            return
        }
    }

    /// Of equally good points the one that the conditions leave better off.
    @Test func tiesDoNotChooseDominatedPoints() throws {
        let tied = [[0.004, 2.0, 0.5], [0.003, 2.0, 0.5], [0.003, 1.5, 0.5], [0.003, 1.5, 0.5]]
        #expect(try choice("accuracy-drop<=0.5%,latency<=3ms", of: tied) == .point(2))
    }

    @Test func noneSatisfiesAlone() throws {
        guard case .none(let miss) = try choice("accuracy-drop<=0.5%,latency<=1.5ms", of: points) else {
            Issue.record("a point was chosen")
            return
        }
        // 0.5 ms of a spread of 3 against 0.015 of 0.02.
        #expect(miss.point == 3)
        #expect(miss.failures.map(\.condition) == [Condition(.latency, atMost: 1.5)])
        #expect(miss.failures.map(\.value) == [2])
        #expect(miss.unattained.isEmpty)
        #expect(
            miss.description == """
                no point satisfies all conditions, though each is satisfied by some; \
                the nearest is point 3, with latency 2.0ms where latency<=1.5ms is asked
                """)
    }

    @Test func whatNoPointAttainsIsNamed() throws {
        guard case .none(let miss) = try choice("macs<=5%,latency<=0.5ms,accuracy-drop<=1", of: points) else {
            Issue.record("a point was chosen")
            return
        }
        #expect(miss.point == 4)
        #expect(miss.unattained.map(\.condition.objective) == [.multiplyAccumulates, .latency])
        #expect(miss.unattained.map(\.value) == [0.1, 1])
        #expect(miss.description.contains("no point satisfies latency<=0.5ms: the least is 1.0ms"))
    }

    /// A point in the bend of a concave front, which no weighted sum prefers.
    @Test func severalObjectivesAreLeft() throws {
        let concave = (0...10).map { [0, Double($0) / 10, 1 - Double($0 * $0) / 100] }
        #expect(try choice("accuracy-drop<=1", of: concave) == .point(6))
        // A dominated point far off does not change what the others are worth.
        #expect(try choice("accuracy-drop<=1", of: concave + [[0, 5, 0.995]]) == .point(6))
    }

    /// Chosen points satisfy, none that satisfies dominates them, and units do not matter.
    @Test(arguments: 1...40)
    func chosenPointsAreUndominated(seed: Int) throws {
        var random = RandomSource(seed: UInt64(seed))
        let points = try gridPoints(count: 30, dimension: 3, levels: 7, random: &random)
        let candidates = try CandidateSet(points)
        for chosen in [[], [0], [1, 2], [0, 1, 2]] {
            let conditions = chosen.map {
                Condition(objectives[$0], atMost: Double(random.index(below: 7)) + 0.5)
            }
            let choice = try candidates.choice(objectives: objectives, conditions: conditions)
            let satisfying = points.indices.filter { point in
                zip(chosen, conditions).allSatisfy { points[point].values[$0] <= $1.bound }
            }
            switch choice {
            case .point(let point):
                #expect(satisfying.contains(point))
                #expect(!satisfying.contains { points[$0].dominates(points[point]) })
                if chosen.count == 2 {
                    let least = satisfying.map { points[$0].values[0] }.min()
                    #expect(points[point].values[0] == least)
                }
            case .none(let miss):
                #expect(satisfying.isEmpty)
                #expect(!miss.failures.isEmpty)
            }
            // A power of two and a shift that round nothing.
            let factors = [1 / 1024.0, 8, 2]
            let scaled = try CandidateSet(
                points.map { try Objectives(zip($0.values, factors).map { $0 * $1 + 16 * $1 }) })
            let same = try scaled.choice(
                objectives: objectives,
                conditions: zip(chosen, conditions).map {
                    Condition($1.objective, atMost: ($1.bound + 16) * factors[$0])
                })
            switch (choice, same) {
            case (.point(let one), .point(let other)): #expect(one == other)
            case (.none(let one), .none(let other)): #expect(one.point == other.point)
            default: Issue.record("\(choice) became \(same)")
            }
        }
    }

    @Test func divergedRunsAreNotChosen() throws {
        let diverged = [[.infinity, 1, 0.1], [0.001, 3, 0.9], [.infinity, .infinity, .infinity]]
        #expect(try choice("", of: diverged) == .point(1))
        #expect(try choice("macs<=1", of: diverged) == .point(1))
        let bothDiverged = [[.infinity, 3, 0.5], [.infinity, 2, 0.5]]
        #expect(try choice("latency<=5ms,macs<=1", of: bothDiverged) == .point(1))
        guard case .none(let miss) = try choice("latency<=0.5ms,accuracy-drop<=0.1%", of: diverged) else {
            Issue.record("a point was chosen")
            return
        }
        #expect(miss.point == 1)
    }

    @Test func whatDoesNotFitIsRefused() throws {
        #expect(throws: SearchError.notMeasured("bytes", measured: objectives.map(\.name))) {
            try choice("bytes<=1", of: points)
        }
        #expect(throws: SearchError.self) {
            try CandidateSet([Objectives([1, 2])]).choice(objectives: objectives, conditions: [])
        }
    }
}
