import ArgumentParser
import EspalierPruning

/// A granularity of those that a command takes, which its help lists.
struct GranularityName<Choice: GranularityChoice>: ExpressibleByArgument {
    let granularity: Granularity

    init(_ granularity: Granularity) { self.granularity = granularity }

    init?(argument: String) {
        guard let granularity = Granularity(rawValue: argument), Choice.kinds.contains(granularity.kind)
        else { return nil }
        self.granularity = granularity
    }

    var defaultValueDescription: String { granularity.rawValue }
    static var allValueStrings: [String] { Choice.kinds.map(\.rawValue) }
}

/// Which granularities a command takes.
protocol GranularityChoice {
    static var kinds: [Granularity.Kind] { get }
}

/// What has scores, and prices, of its own.
enum WeightsOrChannels: GranularityChoice {
    static let kinds: [Granularity.Kind] = [.element, .channel]
}

/// What can be removed to any share.
enum AnyShare: GranularityChoice {
    static let kinds: [Granularity.Kind] = [.element, .blocks, .channel]
}
