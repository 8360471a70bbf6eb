import CBundledData
public import EspalierRuns
import Mustache

/// Renders what runs recorded as one self-contained HTML page, which needs no network.
public enum Report {
    /// The page, with a section for each run in order and, for several, a table to compare them.
    ///
    /// - Throws: ``ReportError`` if the bundled template is damaged.
    public static func html(
        _ records: [RunRecord], title: String? = nil
    ) throws(ReportError) -> String {
        var page: [String: Any] = [
            "title": title ?? Self.title(of: records),
            "subtitle": subtitle(of: records),
            "sections": records.map { RunSection($0).context },
        ]
        if records.contains(where: { FrontSection($0) != nil }) { page["script"] = bundledScript }
        if records.count > 1 { page["overview"] = ["rows": records.map(overviewRow)] }
        return try render(page, with: bundledTemplate)
    }

    /// The text that a template makes of what `page` names.
    ///
    /// - Parameter template: in Mustache's language.
    /// - Throws: ``ReportError`` if it breaks that language's rules.
    package static func render(
        _ page: [String: Any], with template: String
    ) throws(ReportError) -> String {
        do {
            return try MustacheTemplate(string: template).render(page)
        } catch {
            let cause = (error as? MustacheTemplate.ParserError)?.error ?? error
            throw ReportError("the template of reports is damaged (\(cause)): install Espalier anew")
        }
    }

    private static var bundledTemplate: String {
        text(espalier_report_template_bytes(), espalier_report_template_length())
    }

    private static var bundledScript: String {
        text(espalier_front_script_bytes(), espalier_front_script_length())
    }

    private static func text(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> String {
        String(decoding: UnsafeBufferPointer(start: bytes, count: count), as: UTF8.self)
    }

    private static func title(of records: [RunRecord]) -> String {
        guard let first = records.first else { return "Espalier" }
        if records.count > 1 { return "Espalier: \(records.count) runs compared" }
        return "espalier \(first.command): \(first.model?.name ?? first.data?.name ?? "")"
    }

    private static func subtitle(of records: [RunRecord]) -> String {
        guard let first = records.first else { return "" }
        var parts = ["Espalier \(first.espalierVersion)", first.date]
        if let machine = first.machine { parts.append("\(machine.processor), \(machine.cores) cores") }
        return parts.joined(separator: " · ")
    }

    private static func overviewRow(_ record: RunRecord) -> [String: Any] {
        let measures = record.after ?? record.before
        return [
            "name": record.outputs?.first ?? "\(record.command) \(record.model?.name ?? "")",
            "accuracy": (measures?.accuracy ?? record.accuracy).map { Format.percent($0, digits: 2) } ?? "",
            "parameters": measures.map { Format.count($0.parameters) } ?? "",
            "nonzero": measures.map { Format.count($0.nonzero) } ?? "",
            "macs": measures.map { Format.short($0.effectiveMacs) } ?? "",
            "file": measures?.fileBytes.map(Format.bytes) ?? "",
        ]
    }
}
