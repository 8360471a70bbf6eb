import EspalierReports
import EspalierRuns

/// What merging did, as people read it.
enum MergeTable {
    static func tell(_ merging: RunRecord.Merging, on console: Console) {
        console.result(layers(merging))
        console.result("")
        console.result(variants(merging))
        console.result("")
    }

    private static func layers(_ merging: RunRecord.Merging) -> Table {
        var table = Table([
            ("layer", .left), ("units", .right), ("merged", .right), ("constant", .right), ("stay", .right),
            ("mean R²", .right), ("why they stay", .left),
        ])
        for layer in merging.layers {
            let merged = layer.merged.filter { $0.representative != nil }
            let fits = merged.flatMap(\.readers).map(\.determination)
            var reasons: [String] = []
            for unit in layer.stayed where !reasons.contains(unit.reason) { reasons.append(unit.reason) }
            table.add(
                layer.name, Format.count(layer.units), Format.count(merged.count),
                Format.count(layer.merged.count - merged.count), Format.count(layer.stayed.count),
                fits.isEmpty ? "" : Format.fixed(fits.reduce(0, +) / Double(fits.count), 3),
                reasons.joined(separator: "; "))
        }
        return table
    }

    private static func variants(_ merging: RunRecord.Merging) -> Table {
        var table = Table([
            ("no repair in any", .left), ("parameters", .right), ("accuracy", .right), ("loss", .right),
        ])
        for variant in merging.variants {
            table.add(
                variant.name.description, Format.count(variant.parameters),
                variant.accuracy.map { Format.percent($0, digits: 2) } ?? "",
                variant.loss.map { Format.fixed($0, 4) } ?? "")
        }
        return table
    }
}
