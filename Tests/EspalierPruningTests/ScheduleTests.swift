import EspalierPruning
import Testing

struct ScheduleTests {
    @Test func oneShotRemovesEverythingAtOnce() {
        let schedule = PruningSchedule.oneShot(at: 10)
        #expect(schedule.removedShare(at: 9, final: 0.8) == 0)
        #expect(schedule.removedShare(at: 10, final: 0.8) == 0.8)
        #expect((0..<30).filter { schedule.prunes(at: $0) } == [10])
    }

    @Test func iterativeRemovesAnEqualShareOfTheRest() {
        let schedule = PruningSchedule(.iterative(rounds: 4), begin: 0, end: 30)
        #expect((0...40).filter { schedule.prunes(at: $0) } == [0, 10, 20, 30])
        var remaining = 1.0
        for step in [0, 10, 20, 30] {
            remaining *= 0.5
            let share = schedule.removedShare(at: step, final: 1 - 0.0625)
            #expect(abs(share - (1 - remaining)) < 1e-12)
        }
        #expect(schedule.removedShare(at: 19, final: 0.9375) == schedule.removedShare(at: 10, final: 0.9375))
    }

    @Test func cubicFollowsItsClosedForm() {
        let schedule = PruningSchedule(.cubic(interval: 5), begin: 100, end: 200)
        for step in stride(from: 100, through: 200, by: 5) {
            let rest = 1 - Double(step - 100) / 100
            let expected = 0.9 + (0.1 - 0.9) * rest * rest * rest
            #expect(abs(schedule.removedShare(at: step, final: 0.9, initial: 0.1) - expected) < 1e-12)
        }
        #expect(schedule.removedShare(at: 99, final: 0.9, initial: 0.1) == 0.1)
        #expect(schedule.removedShare(at: 104, final: 0.9) == schedule.removedShare(at: 100, final: 0.9))
        #expect(schedule.removedShare(at: 5000, final: 0.9) == 0.9)
        #expect((0...300).filter { schedule.prunes(at: $0) } == Array(stride(from: 100, through: 200, by: 5)))
    }

    @Test(arguments: [
        PruningSchedule(.oneShot, begin: 3), PruningSchedule(.iterative(rounds: 3), begin: 2, end: 17),
        PruningSchedule(.cubic(interval: 4), begin: 1, end: 18),
        PruningSchedule(.iterative(rounds: 1), begin: 5, end: 9),
        PruningSchedule(.cubic(interval: 7), begin: 4, end: 4),
    ])
    func sharesRiseToTheFinalOneAndChangeOnlyWherePruningIsDue(_ schedule: PruningSchedule) {
        var last = 0.0
        for step in 0...20 {
            let share = schedule.removedShare(at: step, final: 0.75)
            #expect(share >= last)
            if share != last { #expect(schedule.prunes(at: step), "step \(step)") }
            last = share
        }
        #expect(last == 0.75)
    }

    @Test func targetsOnTheWayKeepTheirMeasure() throws {
        let schedule = PruningSchedule(.iterative(rounds: 2), begin: 0, end: 10)
        let targets = schedule.targets(at: 0, final: [.sparsity(0.75), .maxMultiplyAccumulates(0.25)])
        #expect(targets.map(\.kind) == ["sparsity", "max-macs"])
        #expect(abs(targets[0].value - 0.5) < 1e-12)
        #expect(abs(targets[1].value - 0.5) < 1e-12)
    }

    /// Not but for rounding: a resumed run knows by it that the schedule has ended.
    @Test(arguments: [0.1, 0.2, 0.3, 0.7]) func atTheEndTargetsAreThoseAskedFor(share: Double) {
        let targets = [PruningTarget.sparsity(share), .maxMultiplyAccumulates(share)]
        let schedule = PruningSchedule(.cubic(interval: 3), begin: 0, end: 10)
        #expect(schedule.targets(at: 10, final: targets).map(\.value) == targets.map(\.value))
    }
}
