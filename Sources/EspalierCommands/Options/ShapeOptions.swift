import ArgumentParser
import Espalier
import EspalierGraphs
import EspalierOperators
import EspalierTensors

/// The shape of one input as the command line gives it: `x=1x3x224x224`.
struct InputShape: ExpressibleByArgument, Equatable {
    let name: String
    let shape: Shape

    init?(argument: String) {
        // A name may hold anything but what follows the last '='.
        guard let separator = argument.lastIndex(of: "=") else { return nil }
        let extents = argument[argument.index(after: separator)...].split(
            separator: "x", omittingEmptySubsequences: false
        ).map { Int($0) }
        guard extents.allSatisfy({ $0.map { $0 > 0 } ?? false }) else { return nil }
        name = String(argument[..<separator])
        shape = Shape(extents.compactMap { $0 })
        guard shape.checkedCount() != nil else { return nil }
    }
}

/// Shapes for inputs whose declared ones are open.
struct ShapeOptions: ParsableArguments {
    @Option(
        name: .customLong("shape"),
        help: ArgumentHelp(
            "Shape of an input which the model leaves open, as in x=1x3x224x224; may be repeated.",
            valueName: "input=shape"))
    var shapes: [InputShape] = []

    /// The shapes by input.
    ///
    /// - Throws: ``CommandFailure`` if the network has no such input, or one declared otherwise.
    func inputShapes(of graph: Graph) throws -> [ValueID: Shape] {
        var result: [ValueID: Shape] = [:]
        for given in shapes {
            guard let id = graph.inputs.first(where: { graph.name(of: $0) == given.name }) else {
                let names = graph.inputs.map { "'\(graph.name(of: $0))'" }.joined(separator: ", ")
                throw CommandFailure("--shape: the model has no input '\(given.name)'; it has \(names)")
            }
            if let declared = graph.values[id]?.type?.dimensions {
                guard declared.count == given.shape.rank,
                    zip(declared, given.shape.extents).allSatisfy({ dimension, extent in
                        if case .fixed(let wanted) = dimension { wanted == extent } else { true }
                    })
                else {
                    throw CommandFailure(
                        "--shape: input '\(given.name)' is declared as \(declared.text), which \(given.shape) does not fit"
                    )
                }
            }
            result[id] = given.shape
        }
        return result
    }

    /// The network with everything inferred for these shapes.
    ///
    /// - Throws: ``CommandFailure`` if something does not fit, with what to do where open extents may be the reason.
    func resolve(_ model: LoadedModel, console: Console) throws -> ResolvedGraph {
        let shapes = try inputShapes(of: model.graph)
        let hint = Self.openInputs(of: model.graph, given: shapes)
        do throws(ResolutionError) {
            let resolved = try ResolvedGraph(model.graph, inputShapes: shapes)
            if let hint { console.status("note: \(hint)") }
            return resolved
        } catch {
            throw CommandFailure("\(model.path): \(error)" + (hint.map { "; \($0)" } ?? ""))
        }
    }

    /// What to do about extents, other than the number of samples, that the model does not tell.
    private static func openInputs(of graph: Graph, given: [ValueID: Shape]) -> String? {
        for id in graph.inputs where given[id] == nil {
            let name = graph.name(of: id)
            guard let dimensions = graph.values[id]?.type?.dimensions else {
                return "input '\(name)' has no declared shape: give it with --shape \(name)=1x3x224x224"
            }
            let isOpen = dimensions.dropFirst().contains {
                if case .fixed = $0 { false } else { true }
            }
            if isOpen {
                return "input '\(name)' is declared as \(dimensions.text), and open sizes count as 1: "
                    + "give them with --shape"
            }
        }
        return nil
    }
}
