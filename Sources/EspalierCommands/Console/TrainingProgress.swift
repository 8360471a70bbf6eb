import EspalierReports
import EspalierTraining

/// Shows a training run: a bar over its steps, and a line for each epoch.
struct TrainingProgress {
    private let console: Console
    private let meter: ProgressMeter
    private let label: String

    init(_ label: String, console: Console) {
        self.label = label
        self.console = console
        meter = ProgressMeter(unit: "steps", console: console)
        meter.begin(label)
    }

    func show(_ event: TrainingEvent) {
        switch event {
        case .step(let done, let total, let epoch, let meanLoss):
            meter.update(done, of: total, detail: "epoch \(epoch + 1), loss \(Format.fixed(meanLoss, 4))")
        case .epoch(let summary):
            meter.finish(Self.line(summary, label: label))
        }
    }

    func finish() { meter.finish() }

    private static func line(_ summary: EpochSummary, label: String) -> String {
        var parts = ["\(label) epoch \(summary.epoch + 1)", "loss \(Format.fixed(summary.trainingLoss, 4))"]
        if let accuracy = summary.validationAccuracy {
            parts.append("validation accuracy \(Format.percent(accuracy, digits: 2))")
        } else if let loss = summary.validationLoss {
            parts.append("validation loss \(Format.fixed(loss, 4))")
        }
        if let sparsity = summary.sparsity { parts.append("sparsity \(Format.percent(sparsity))") }
        parts.append(Format.duration(seconds: summary.seconds))
        return parts.joined(separator: ", ") + (summary.isBest ? " *" : "")
    }
}
