import ArgumentParser
import Espalier
import EspalierGraphs
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
}
