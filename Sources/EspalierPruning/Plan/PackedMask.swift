import Foundation

/// Flags packed into bits, written as base64: row-major, least significant bit first, set where the element
/// is kept.
package struct PackedMask: Sendable, Hashable {
    package let count: Int
    private let bytes: [UInt8]

    package init(_ kept: [Bool]) {
        count = kept.count
        var bytes = [UInt8](repeating: 0, count: (kept.count + 7) / 8)
        for (position, keep) in kept.enumerated() where keep { bytes[position / 8] |= 1 << (position % 8) }
        self.bytes = bytes
    }

    /// - Returns: nil if `text` is not base64 of that many flags.
    package init?(base64 text: String, count: Int) {
        guard let data = Data(base64Encoded: text), data.count == (count + 7) / 8 else { return nil }
        self.count = count
        bytes = Array(data)
    }

    package var base64: String { Data(bytes).base64EncodedString() }

    package var kept: [Bool] {
        (0..<count).map { bytes[$0 / 8] >> ($0 % 8) & 1 == 1 }
    }
}
