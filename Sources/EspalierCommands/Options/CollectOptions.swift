import ArgumentParser
import EspalierPruning

/// What training leaves beside the model for criteria.
struct CollectOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Collect while training, for criteria: \(JourneyQuantities.allValueStrings.joined(separator: ", ")), or both "
                + "with a comma. Written beside the model as NAME.evidence.npz.",
            valueName: "what"),
        completion: .list(JourneyQuantities.allValueStrings))
    var collect: JourneyQuantities?

    var journey: JourneyRecorder? { collect.map { JourneyRecorder($0.quantities) } }
}

/// Some of ``JourneyRecorder/Quantity``, separated by commas.
struct JourneyQuantities: ExpressibleByArgument {
    let quantities: Set<JourneyRecorder.Quantity>

    init?(argument: String) {
        let named = argument.split(separator: ",").map {
            JourneyRecorder.Quantity(rawValue: String($0.drop { $0 == " " }))
        }
        guard !named.isEmpty, named.allSatisfy({ $0 != nil }) else { return nil }
        quantities = Set(named.compactMap { $0 })
    }

    static var allValueStrings: [String] { JourneyRecorder.Quantity.allCases.map(\.rawValue) }
}
