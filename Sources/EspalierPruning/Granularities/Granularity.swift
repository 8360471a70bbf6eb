import EspalierTensors

/// What is removed at a time.
///
/// In documents and on the command line it is one word: `element`, `channel`, `2:4` or `block:4x1`.
package enum Granularity: Sendable, Hashable, Codable {
    /// Single weights, set to zero.
    case element
    /// N:M sparsity (Mishra et al. 2021): of every `size` consecutive weights along the input axis of a layer, `kept` stay
    /// and the others are zero. The share is fixed by the two numbers.
    case inputGroups(kept: Int, of: Int)
    /// Blocks of consecutive outputs by consecutive inputs, set to zero as a whole.
    case blocks(outputs: Int, inputs: Int)
    /// Whole channels or neurons with all their coupled slices, cut out.
    case channel

    /// The largest group or block side: beyond it nothing reads weights together.
    package static let largestExtent = 64

    /// The granularities without their numbers: what a criterion knows, or does not.
    package enum Kind: String, Sendable, Codable, CaseIterable {
        case element
        case inputGroups = "N:M"
        case blocks = "block:RxC"
        case channel
    }

    package var kind: Kind {
        switch self {
        case .element: .element
        case .inputGroups: .inputGroups
        case .blocks: .blocks
        case .channel: .channel
        }
    }
}

extension Granularity: RawRepresentable {
    /// - Returns: nil for words of another form, and for numbers outside 1...64 or, for N:M, with N not below M.
    package init?(rawValue word: String) {
        switch word {
        case Kind.element.rawValue: self = .element
        case Kind.channel.rawValue: self = .channel
        default:
            let prefix = "block:"
            if word.hasPrefix(prefix) {
                guard let (outputs, inputs) = Self.extents(word.dropFirst(prefix.count), separator: "x")
                else { return nil }
                self = .blocks(outputs: outputs, inputs: inputs)
            } else {
                guard let (kept, size) = Self.extents(word[...], separator: ":"), kept < size else {
                    return nil
                }
                self = .inputGroups(kept: kept, of: size)
            }
        }
    }

    package var rawValue: String {
        switch self {
        case .element, .channel: kind.rawValue
        case .inputGroups(let kept, let size): "\(kept):\(size)"
        case .blocks(let outputs, let inputs): "block:\(outputs)x\(inputs)"
        }
    }

    /// Two numbers from 1 to ``largestExtent``, written with digits alone.
    private static func extents(_ text: Substring, separator: Character) -> (Int, Int)? {
        let parts = text.split(separator: separator, omittingEmptySubsequences: false)
        let numbers = parts.compactMap { part in
            part.allSatisfy { $0.isASCII && $0.isNumber } ? Int(part) : nil
        }
        guard parts.count == 2, numbers.count == 2,
            numbers.allSatisfy({ (1...largestExtent).contains($0) })
        else { return nil }
        return (numbers[0], numbers[1])
    }
}

extension Granularity {
    /// Whether it says by itself how much of every layer goes.
    package var fixesShares: Bool { kind == .inputGroups }

    /// Why a weight cannot be pruned like this; nil if it can.
    ///
    /// - Parameters:
    ///   - rowAxis: the axis of its outputs, if it is known.
    ///   - inputAxis: the axis of its inputs, if it is known.
    func refusal(of shape: Shape, rowAxis: Int?, inputAxis: Int?) -> String? {
        switch self {
        case .element, .channel: return nil
        case .inputGroups(_, let size):
            guard let inputAxis else { return "it is not known along which axis its inputs lie" }
            let extent = shape[inputAxis]
            return extent < size ? "\(rawValue) needs \(size) inputs, it has \(extent)" : nil
        case .blocks(let outputs, let inputs):
            if outputs > 1, rowAxis == nil { return "it is not known along which axis its outputs lie" }
            if inputs > 1, inputAxis == nil { return "it is not known along which axis its inputs lie" }
            return nil
        }
    }
}
