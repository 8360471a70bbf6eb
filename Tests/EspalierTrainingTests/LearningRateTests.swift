import EspalierTraining
import Testing

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

struct LearningRateTests {
    @Test func constantStays() {
        let schedule = ConstantRate(peak: 0.3)
        #expect((0..<7).allSatisfy { schedule.rate(at: $0, of: 7) == 0.3 })
    }

    @Test func stepsFallAtTheirMilestones() {
        let schedule = StepDecay(peak: 1, factor: 0.5, milestones: [0.25, 0.5, 0.9])
        let rates = (0..<20).map { schedule.rate(at: $0, of: 20) }
        #expect(rates[4] == 1 && rates[5] == 0.5 && rates[9] == 0.5 && rates[10] == 0.25)
        #expect(rates[17] == 0.25 && rates[18] == 0.125)
    }

    @Test(arguments: [0, 1, 30, 60, 99])
    func cosineFollowsItsFormula(step: Int) {
        let schedule = CosineAnnealing(peak: 0.5, final: 0.1)
        let expected = 0.1 + 0.4 * (1 + cos(.pi * Double(step) / 100)) / 2
        #expect(abs(schedule.rate(at: step, of: 100) - expected) < 1e-15)
    }

    @Test func oneCycleTouchesItsThreeRates() {
        // PyTorch's phases end at steps rise * total - 1 and total - 1.
        let schedule = OneCycle(peak: 1, rise: 0.3, initialDivisor: 25, finalDivisor: 1e4)
        let rates = (0..<100).map { schedule.rate(at: $0, of: 100) }
        #expect(abs(rates[0] - 0.04) < 1e-15)
        #expect(abs(rates[29] - 1) < 1e-15)
        #expect(abs(rates[99] - 4e-6) < 1e-15)
        #expect(zip(rates[0..<29], rates[1..<30]).allSatisfy { $0 < $1 })
        #expect(zip(rates[29..<99], rates[30..<100]).allSatisfy { $0 > $1 })
        // Half way up, and half way down.
        #expect(abs(schedule.rate(at: 15, of: 104) - 0.52) < 0.02)
        #expect(abs(rates[64] - (1 + 4e-6) / 2) < 1e-12)
    }

    @Test func warmUpRisesLinearlyAndHandsOver() {
        let schedule = LinearWarmUp(share: 1.0 / 3, then: CosineAnnealing(peak: 0.8))
        let rates = (0..<12).map { schedule.rate(at: $0, of: 12) }
        for (found, expected) in zip(rates, [0.2, 0.4, 0.6, 0.8]) { #expect(abs(found - expected) < 1e-15) }
        #expect(rates[4] == 0.8)
        #expect(abs(rates[8] - 0.4) < 1e-15)
    }

    @Test(arguments: [1, 2, 3], [0, 1, 2, 3])
    func shortRunsHaveFiniteRates(total: Int, which: Int) {
        let schedule = LearningRates.all[which].init(peak: 0.1)
        for warmUp in [0, 0.3, 1] {
            let combined = LinearWarmUp(share: warmUp, then: schedule)
            for step in 0..<total {
                let rate = combined.rate(at: step, of: total)
                #expect(rate.isFinite && rate >= 0 && rate <= 0.1 + 1e-15)
            }
        }
    }

    /// Sections one after another have the rates of the whole, wherever it is divided between epochs.
    @Test(arguments: LearningRates.all.indices, [0, 0.3])
    func sectionsInARowAreTheWhole(which: Int, warmUp: Double) {
        let whole = LinearWarmUp(share: warmUp, then: LearningRates.all[which].init(peak: 0.1))
        for (epochs, steps) in [(2, 1), (3, 7), (10, 22), (7, 13), (30, 469)] {
            let total = epochs * steps
            let expected = (0..<total).map { whole.rate(at: $0, of: total) }
            for cut in 1..<epochs {
                let share = Double(cut) / Double(epochs)
                let sections = [
                    (ScheduleSection(whole, from: 0, to: share), cut * steps),
                    (ScheduleSection(whole, from: share, to: 1), total - cut * steps),
                ]
                let rates = sections.flatMap { section, count in
                    (0..<count).map { section.rate(at: $0, of: count) }
                }
                #expect(rates == expected, "\(cut) of \(epochs) epochs of \(steps) steps")
            }
        }
    }

    @Test func sectionsOfSectionsNest() {
        let whole = CosineAnnealing(peak: 1)
        let middle = ScheduleSection(ScheduleSection(whole, from: 0.5, to: 1), from: 0, to: 0.5)
        let direct = ScheduleSection(whole, from: 0.5, to: 0.75)
        for step in 0..<20 { #expect(middle.rate(at: step, of: 20) == direct.rate(at: step, of: 20)) }
        #expect(direct.rate(at: 0, of: 20) == whole.rate(at: 40, of: 80))
        // Never past the end, whatever rounding makes of a number of steps that no share fits.
        let third = ScheduleSection(StepDecay(peak: 1), from: 1.0 / 3, to: 1)
        for total in 1...50 {
            #expect((0..<total).allSatisfy { (0.01...1).contains(third.rate(at: $0, of: total)) })
        }
    }

    @Test func everyScheduleIsFoundByItsNameAndDescribesItself() {
        for type in LearningRates.all { #expect(LearningRates.named(type.name) == type) }
        #expect(LearningRates.named("no-such") == nil)
        let description = String(describing: LinearWarmUp(share: 0.375, then: CosineAnnealing(peak: 0.25)))
        #expect(
            description.contains("0.375") && description.contains("CosineAnnealing")
                && description.contains("0.25"))
    }
}
