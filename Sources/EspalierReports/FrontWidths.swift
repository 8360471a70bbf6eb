import EspalierRuns

/// How the widths of channel groups change along a front: a table with a row for each group, a column for each network by
/// ascending cost, and the share kept as a shade.
struct FrontWidths {
    private let networks: [(number: Int, point: RunRecord.FrontPoint)]
    private let texts: FrontTexts
    private let chosen: String?
    private let groups: [Group]

    /// Groups of one name and several sizes, in records of several models, have a row each.
    private struct Group: Hashable {
        var name: String
        var size: Int
    }

    /// Nil where no network tells its widths.
    ///
    /// - Parameter front: Numbered by their order.
    init?(_ front: [RunRecord.FrontPoint], texts: FrontTexts, chosen: String?) {
        networks = front.enumerated().filter { $0.element.widths?.isEmpty == false }
            .map { (number: $0.offset, point: $0.element) }
            .sorted { ($0.point.cost, $0.number) < ($1.point.cost, $1.number) }
        guard !networks.isEmpty else { return nil }
        self.texts = texts
        self.chosen = chosen
        var seen: Set<Group> = []
        groups = networks.flatMap { $0.point.widths ?? [] }.map { Group(name: $0.group, size: $0.size) }
            .filter { seen.insert($0).inserted }
    }

    var context: [String: Any] {
        let widths = networks.map { network in
            Dictionary(
                (network.point.widths ?? []).map { (Group(name: $0.group, size: $0.size), $0.kept) },
                uniquingKeysWith: { first, _ in first })
        }
        return [
            "cost": texts.costs.first?.objective.title ?? "",
            "columns": networks.map { network in
                [
                    "network": network.number, "isChosen": isChosen(network.point),
                    "cost": texts.costs.first.map { texts.text(network.point, of: $0) } ?? "",
                    "accuracy": texts.accuracy(1 - network.point.error),
                ] as [String: Any]
            },
            "rows": groups.map { group in
                [
                    "name": group.name, "size": Format.count(group.size),
                    "cells": zip(networks, widths).map { cell($0, $1[group], group.size) },
                ] as [String: Any]
            },
        ]
    }

    private func isChosen(_ point: RunRecord.FrontPoint) -> Bool { point.key == chosen }

    private func cell(
        _ network: (number: Int, point: RunRecord.FrontPoint), _ kept: Int?, _ size: Int
    ) -> [String: Any] {
        var cell: [String: Any] = [
            "network": network.number, "isChosen": isChosen(network.point),
            "kept": kept.map(Format.count) ?? "",
        ]
        if let kept, size > 0 {
            let share = min(1, max(0, Double(kept) / Double(size)))
            cell["share"] = Format.fixed(share, 3)
            cell["tooltip"] = "\(Format.count(kept)) of \(Format.count(size)) kept, \(Format.percent(share))"
        }
        return cell
    }
}
