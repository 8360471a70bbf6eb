import EspalierPruning
import EspalierReports
import EspalierRuns

/// The receipt as people read it.
enum ReceiptTable {
    static func table(_ receipt: Receipt) -> Table {
        var table = Table([
            ("layer", .left), ("asked", .right), ("removed", .right), ("parameters", .right),
            ("MACs", .right),
            ("why less", .left),
        ])
        for layer in receipt.layers {
            table.add(
                layer.name, layer.requested.map { Format.percent($0) } ?? "", Format.percent(layer.achieved),
                change(layer.before.parameters, layer.after.nonzero),
                change(layer.before.multiplyAccumulates, layer.after.effectiveMultiplyAccumulates),
                layer.refused ?? "")
        }
        table.setFooter(
            "all", "", Format.percent(receipt.achievedSparsity),
            change(receipt.before.parameters, receipt.after.nonzero),
            change(receipt.before.multiplyAccumulates, receipt.after.effectiveMultiplyAccumulates))
        return table
    }

    static func facts(_ record: RunRecord, receipt: Receipt) -> String {
        var sheet = FactSheet()
        for target in receipt.targets {
            let done = target.achieved.map { ", reached \(Format.percent($0))" } ?? ""
            // What is asked of a latency is told below; to plans it is corrected by what predictions miss.
            let isCorrected = record.latency != nil && target.kind == "max-latency"
            let asked = isCorrected ? "asked of the cost model" : "asked"
            sheet.add(target.kind, "\(asked) \(Format.percent(target.requested))\(done)")
        }
        sheet.add(
            "removed",
            "\(Format.percent(receipt.prunableSparsity)) of the prunable parameters, "
                + "\(Format.percent(receipt.achievedSparsity)) of all")
        if let latency = record.latency {
            let figures = [
                ("asked", latency.targetMs), ("modelled", latency.modelMs),
                ("predicted", latency.predictedMs),
                ("measured", latency.achievedMs),
            ].compactMap { name, figure in figure.map { "\(name) \(BenchTable.milliseconds($0))" } }
            sheet.add(
                "latency",
                "\(BenchTable.milliseconds(latency.beforeMs)) ms before; \(figures.joined(separator: ", "))")
        }
        if let before = record.before?.accuracy {
            sheet.add("accuracy before", Format.percent(before, digits: 2))
        }
        if let pruned = record.pruned?.accuracy {
            sheet.add("just pruned", "\(Format.percent(pruned, digits: 2)) (validation data)")
        }
        if let drop = record.figures?["validationAccuracyDrop"] {
            sheet.add("accuracy lost", "\(Format.fixed(100 * drop, 2)) points (validation data)")
        }
        if let after = record.after?.accuracy {
            sheet.add("accuracy after", Format.percent(after, digits: 2))
        }
        if let verification = record.verification {
            sheet.add(
                "verified",
                "file read back differs by at most \(Format.scientific(verification.maxAbsoluteDifference))")
        }
        for note in record.notes ?? [] { sheet.add("note", note) }
        if let sizes = fileSizes(record) { sheet.add("file", sizes) }
        if let output = record.outputs?.first { sheet.add("wrote", output) }
        return "\n" + sheet.rendered()
    }

    /// The sizes of the model's file and of the one that was written, if one was.
    static func fileSizes(_ record: RunRecord) -> String? {
        guard let before = record.before?.fileBytes, before > 0, let after = record.after?.fileBytes else {
            return nil
        }
        return "\(Format.bytes(before)) → \(Format.bytes(after)), "
            + "\(Format.percent(Double(after) / Double(before))) of it"
    }

    private static func change(_ before: Int, _ after: Int) -> String {
        "\(Format.short(before)) → \(Format.short(after))"
    }
}
