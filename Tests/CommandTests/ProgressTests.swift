import EspalierCommands
import Synchronization
import Testing

struct ProgressTests {
    private func written(isTerminal: Bool, quiet: Bool = false, _ body: (ProgressMeter) -> Void) -> String {
        let text = Mutex("")
        let invocation = Invocation(
            arguments: [], output: { _ in }, error: { part in text.withLock { $0 += part } },
            errorIsTerminal: isTerminal)
        body(
            ProgressMeter(
                unit: "steps", console: Console(json: false, quiet: quiet, invocation: invocation),
                interval: .zero))
        return text.withLock { $0 }
    }

    @Test func terminalsGetABarThatIsRemoved() {
        let text = written(isTerminal: true) { meter in
            meter.begin("training")
            meter.update(50, of: 100, detail: "loss 0.5")
            meter.finish("done")
        }
        #expect(text.contains("training ████████████░░░░░░░░░░░░ 50/100 steps"))
        #expect(text.contains("loss 0.5"))
        #expect(text.hasSuffix("\r\u{1B}[2Kdone\n"))
    }

    @Test func filesGetLines() {
        let text = written(isTerminal: false) { meter in
            meter.begin("training")
            meter.update(1, of: 2)
            meter.finish()
        }
        #expect(text.hasPrefix("training: 1/2 steps, "))
        #expect(text.hasSuffix("\n") && !text.contains("\u{1B}"))
    }

    @Test func whatWasThereTellsNothingOfTheRest() {
        let text = written(isTerminal: false) { meter in
            meter.begin("runs")
            meter.found(80)
            meter.update(80, of: 100)
        }
        #expect(text == "runs: 80/100 steps, 0.0/s, ? left\n")
    }

    @Test func slowWorkIsCountedByTheHour() {
        let text = written(isTerminal: false) { meter in
            meter.begin("runs", at: .now - .seconds(7200))
            meter.update(12, of: 24)
        }
        #expect(text == "runs: 12/24 steps, 6.0/h, 2 h 00 min left\n")
    }

    @Test func quietSaysNothing() {
        let text = written(isTerminal: true, quiet: true) { meter in
            meter.begin("training")
            meter.update(1, of: 2)
            meter.finish("done")
        }
        #expect(text.isEmpty)
    }
}
