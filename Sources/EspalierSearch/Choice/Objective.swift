/// Something to be minimised that conditions can be put on.
package struct Objective: Hashable, Sendable {
    /// As it is written on the command line.
    package let name: String
    package let unit: ObjectiveUnit

    package init(_ name: String, unit: ObjectiveUnit) {
        self.name = name
        self.unit = unit
    }

    /// The accuracy lost against the unpruned network.
    package static let accuracyDrop = Objective("accuracy-drop", unit: .share)
    /// Multiply-accumulates, as a share of the unpruned network's.
    package static let multiplyAccumulates = Objective("macs", unit: .share)
    /// Parameters that are left, as a share of the unpruned network's.
    package static let parameters = Objective("parameters", unit: .share)
    /// The model file, as a share of the unpruned one's.
    package static let bytes = Objective("bytes", unit: .share)
    /// Of one inference.
    package static let latency = Objective("latency", unit: .milliseconds)
    /// The bound on the network's Lipschitz constant, in the euclidean norm.
    package static let lipschitz = Objective("lipschitz", unit: .number)

    package static let known: [Objective] = [
        .accuracyDrop, .multiplyAccumulates, .parameters, .bytes, .latency, .lipschitz,
    ]
}

/// What an objective is measured in, and how people write it.
package enum ObjectiveUnit: Hashable, Sendable {
    /// A share of 1, which may also be written in per cent.
    case share
    /// A time, which must be written with its unit and is kept in milliseconds.
    case milliseconds
    case number

    /// What stands behind a value in records and tables: "share", "ms" or nothing.
    package var symbol: String {
        switch self {
        case .share: "share"
        case .milliseconds: "ms"
        case .number: ""
        }
    }

    /// What may follow a number, in words for messages.
    package var suffixes: [String] {
        switch self {
        case .share: ["%", "no unit"]
        case .milliseconds: ["ms", "us", "s"]
        case .number: ["no unit"]
        }
    }

    /// The value of `number` with `suffix` behind it; nil for a suffix that is none of this unit.
    func value(_ number: Double, suffix: String) -> Double? {
        switch (self, suffix) {
        case (.share, ""), (.number, ""), (.milliseconds, "ms"): number
        // Divided, so that 0.5% is the double that 0.005 is.
        case (.share, "%"): number / 100
        case (.milliseconds, "us"): number / 1000
        case (.milliseconds, "s"): number * 1000
        default: nil
        }
    }

    /// `value` as a condition may state it.
    package func text(_ value: Double) -> String {
        self == .milliseconds ? "\(value)ms" : "\(value)"
    }
}
