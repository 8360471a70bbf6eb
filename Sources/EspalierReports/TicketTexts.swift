package import EspalierRuns

/// Frequencies of success and the model fitted to them, in words: what the table of a terminal and a report share.
package struct TicketTexts {
    private let tickets: RunRecord.TicketFrequencies

    package init(_ tickets: RunRecord.TicketFrequencies) {
        self.tickets = tickets
    }

    /// 95 %
    package var confidence: String { Format.percent(tickets.fit.confidence, digits: 0) }

    /// One share of kept weights.
    package struct Row {
        package let share: String
        package let successes: String
        package let frequency: String
        package let interval: String
        package let fitted: String
        package let residual: String
    }

    package var rows: [Row] {
        tickets.points.map { point in
            Row(
                share: Format.digits(point.share, 4),
                successes: "\(Format.count(point.successes)) of \(Format.count(point.trials))",
                frequency: Format.fixed(point.frequency, 4),
                interval: "\(Format.fixed(point.lower, 4)) to \(Format.fixed(point.upper, 4))",
                fitted: Format.fixed(point.fitted, 4), residual: signed(point.residual))
        }
    }

    /// The parameters with their intervals, and the deviance.
    package var facts: [(name: String, value: String)] {
        let fit = tickets.fit
        return [
            ("a", text(fit.trainability)), ("r", text(fit.size)), ("m", text(fit.count)),
            ("deviance", deviance),
        ]
    }

    /// Whether and where the model is wrong.
    package var verdict: String {
        guard let isRejected = tickets.fit.isRejected, let probability = tickets.fit.bootstrapProbability
        else {
            return "\(tickets.points.count) of the 4 shares that it takes to tell whether the model holds: "
                + "its three parameters fit fewer whatever the truth."
        }
        let level = Format.percent(RunRecord.TicketFit.level, digits: 0)
        let text = "(p = \(Format.significant(probability)))"
        guard isRejected else { return "The model is not rejected at \(level) \(text)." }
        let worst = tickets.points.sorted { abs($0.residual) > abs($1.residual) }.prefix(3).map { point in
            "at s = \(Format.digits(point.share, 4)) success is "
                + (point.residual > 0 ? "more" : "less") + " frequent than fitted (\(signed(point.residual)))"
        }
        return "The model is rejected at \(level) \(text): \(worst.joined(separator: ", "))."
    }

    private func text(_ estimate: RunRecord.TicketEstimate) -> String {
        let interval =
            switch (estimate.lower, estimate.upper) {
            case (let lower?, let upper?): "\(Format.significant(lower)) to \(Format.significant(upper))"
            case (let lower?, nil): "from \(Format.significant(lower)) on, without an upper end"
            case (nil, let upper?): "up to \(Format.significant(upper)), without a lower end"
            case (nil, nil): "any value"
            }
        let value = estimate.value.map(Format.significant) ?? "undetermined"
        return "\(value)  (\(confidence): \(interval))"
    }

    private var deviance: String {
        let fit = tickets.fit
        let value = Format.fixed(fit.deviance, 2)
        guard fit.degreesOfFreedom > 0 else { return "\(value), without degrees of freedom" }
        let chi = fit.chiSquaredProbability.map { "; chi-squared p = \(Format.significant($0))" } ?? ""
        let bootstrap = fit.bootstrapProbability.map { "; bootstrap p = \(Format.significant($0))" } ?? ""
        let degrees = fit.degreesOfFreedom == 1 ? "1 degree" : "\(fit.degreesOfFreedom) degrees"
        return "\(value) with \(degrees) of freedom\(chi)\(bootstrap)"
    }

    private func signed(_ value: Double) -> String {
        let text = Format.fixed(value, 2)
        return text.hasPrefix("-") ? text : "+" + text
    }
}
