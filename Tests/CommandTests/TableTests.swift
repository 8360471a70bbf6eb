import EspalierCommands
import Testing

struct TableTests {
    private var table: Table {
        var table = Table([("layer", .left), ("MACs", .right)])
        table.add("features/0/a-rather-long-name/conv", "1,000")
        table.add("fc", "7")
        table.setFooter("total", "1,007")
        return table
    }

    @Test func columnsAreAligned() {
        #expect(
            table.rendered() == """
                layer                                MACs
                ──────────────────────────────────  ─────
                features/0/a-rather-long-name/conv  1,000
                fc                                      7
                ──────────────────────────────────  ─────
                total                               1,007
                """)
    }

    @Test func longNamesGiveWayOnNarrowTerminals() {
        let lines = table.rendered(width: 30).split(separator: "\n")
        #expect(lines.allSatisfy { $0.count <= 30 })
        #expect(
            lines[2].hasPrefix("features/0/") && lines[2].contains("…") && lines[2].contains("conv  1,000"))
        // Names are kept readable even where the table does not fit at all.
        #expect(table.rendered(width: 5).contains("feature…ame/conv"))
    }

    @Test func factsStandInTwoColumns() {
        var sheet = FactSheet()
        sheet.add("accuracy", "90 %")
        sheet.add("loss", "0.1")
        #expect(sheet.rendered() == "accuracy  90 %\nloss      0.1")
    }
}
