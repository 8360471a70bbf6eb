import ArgumentParser
import Espalier
import EspalierGraphs
import EspalierOperators
import EspalierPruning
import EspalierReports
import EspalierTensors

/// Shows what a model is made of and what of it can be pruned.
struct Inspect: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Shows a model's layers, costs and sparsity, and what of it can be pruned.",
        discussion: """
            Multiply-accumulates (MACs) are for one sample, where the model leaves the number of samples open. \
            Channels that can only be removed together form a group; --groups shows what belongs to each.

            EXAMPLE
              espalier inspect model.onnx
              espalier inspect model.onnx --groups --shape x=1x3x224x224
            """)

    @Argument(help: ArgumentHelp("The model.", valueName: "model.onnx"), completion: .onnx)
    var model: String

    @OptionGroup var shapeOptions: ShapeOptions

    @Flag(help: "Show what belongs to each pruning group.")
    var groups = false

    @OptionGroup var output: ConsoleOptions

    func run() throws {
        let console = output.console
        let model = try LoadedModel(model)
        let resolved = try shapeOptions.resolve(model, console: console)
        let pruning = PruningGroups(resolved)
        let document = InspectionDocument(
            summary: ModelSummary(resolved), groups: pruning.summaries,
            refusals: pruning.layers.compactMap { layer in
                layer.refused.map { .init(name: layer.weightName, reason: $0.message) }
            }, graph: model.graph, path: model.path, fileBytes: model.byteCount)
        try console.document(document)
        tellHead(document, on: console)
        tellLayers(document.summary, on: console)
        tellOpaque(document.summary, on: console)
        tellFrozen(document, on: console)
        if groups { tellGroups(document, on: console) }
    }

    // MARK: Tables

    private func tellHead(_ document: InspectionDocument, on console: Console) {
        let graph = document.graph
        var sheet = FactSheet()
        let opset = graph.opsetVersions[""].map { ", operator set \($0)" } ?? ""
        sheet.add("model", document.path + (document.fileBytes.map { ", \(Format.bytes($0))" } ?? "") + opset)
        sheet.add("inputs", LoadedModel.declaration(graph.inputs, in: graph))
        sheet.add("outputs", LoadedModel.declaration(graph.outputs, in: graph))
        console.result(sheet.rendered() + "\n")
    }

    private func tellLayers(_ summary: ModelSummary, on console: Console) {
        let totals = summary.totals
        var table = Table([
            ("layer", .left), ("op", .left), ("output", .right), ("parameters", .right), ("nonzero", .right),
            ("sparsity", .right), ("MACs", .right), ("of nonzero", .right),
        ])
        for layer in summary.layers {
            let own = layer.totals
            table.add(
                layer.name, layer.op, layer.outputShape.map { Shape($0).description } ?? "?",
                Format.count(own.parameters), Format.count(own.nonzero),
                own.parameters == 0 ? "" : Format.percent(own.sparsity),
                Format.short(own.multiplyAccumulates),
                Format.short(own.effectiveMultiplyAccumulates))
        }
        table.setFooter(
            "total", "", "", Format.count(totals.parameters), Format.count(totals.nonzero),
            Format.percent(totals.sparsity), Format.short(totals.multiplyAccumulates),
            Format.short(totals.effectiveMultiplyAccumulates))
        console.result(table)
    }

    private func tellOpaque(_ summary: ModelSummary, on console: Console) {
        guard !summary.opaque.isEmpty else { return }
        var table = Table([("kept as it is", .left), ("op", .left), ("why", .left)])
        for node in summary.opaque { table.add(node.name, node.op, node.reason) }
        console.result("")
        console.result(table)
    }

    private func tellFrozen(_ document: InspectionDocument, on console: Console) {
        let open = document.groups.filter { $0.frozen == nil }
        let channels = open.reduce(0) { $0 + $1.size }
        console.result(
            "\n\(document.groups.count) pruning groups, of which \(open.count) can be cut: "
                + "\(Format.count(channels)) channels")
        guard open.count < document.groups.count || !document.refusals.isEmpty else { return }
        var table = Table([("frozen", .left), ("channels", .right), ("why", .left)])
        for group in document.groups {
            if let reason = group.frozen { table.add(group.id, Format.count(group.size), reason) }
        }
        for refusal in document.refusals { table.add(refusal.name, "all", refusal.reason) }
        console.result(table)
    }

    private func tellGroups(_ document: InspectionDocument, on console: Console) {
        var table = Table([
            ("group and members", .left), ("channels", .right), ("axis", .right), ("role", .left),
            ("slices per channel", .right),
        ])
        for group in document.groups {
            table.add(group.id, Format.count(group.size), "", group.frozen == nil ? "" : "frozen")
            for member in group.members {
                table.add(
                    "  \(member.parameter)", "", "\(member.axis)", member.role, "\(member.slicesPerChannel)")
            }
        }
        console.result("")
        console.result(table)
    }
}
