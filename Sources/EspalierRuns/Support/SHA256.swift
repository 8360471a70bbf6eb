import Foundation

/// The hash SHA-256 (FIPS 180-4), as 64 hexadecimal digits.
///
/// It identifies experiments, documents and model files. Written here because it is the only function of a
/// cryptographic library that the package needs, and such a library is larger than the package.
package struct SHA256 {
    private var state: [UInt32] = [
        0x6A09_E667, 0xBB67_AE85, 0x3C6E_F372, 0xA54F_F53A, 0x510E_527F, 0x9B05_688C, 0x1F83_D9AB,
        0x5BE0_CD19,
    ]
    private var schedule = [UInt32](repeating: 0, count: 64)
    private var pending: [UInt8] = []
    private var byteCount: UInt64 = 0

    package init() {}

    package mutating func update(_ bytes: some Collection<UInt8>) {
        byteCount += UInt64(bytes.count)
        pending.append(contentsOf: bytes)
        let whole = pending.count / 64 * 64
        let state = self.state
        self.state = pending.withUnsafeBufferPointer { bytes in
            schedule.withUnsafeMutableBufferPointer { schedule in
                stride(from: 0, to: whole, by: 64).reduce(state) {
                    Self.compress($0, bytes, at: $1, schedule)
                }
            }
        }
        pending.removeFirst(whole)
    }

    /// The digest of all that was added, in lower-case hexadecimal digits.
    package consuming func hexDigest() -> String {
        let bitCount = byteCount &* 8
        let padding = (119 - Int(byteCount % 64)) % 64
        update([0x80] + [UInt8](repeating: 0, count: padding))
        update((0..<8).map { UInt8(truncatingIfNeeded: bitCount >> (56 - 8 * $0)) })
        return state.map { word in
            let digits = String(word, radix: 16)
            return String(repeating: "0", count: 8 - digits.count) + digits
        }.joined()
    }

    package static func hexDigest(of text: String) -> String {
        var hash = SHA256()
        hash.update(Array(text.utf8))
        return hash.hexDigest()
    }

    /// The digest of a file, read in parts.
    ///
    /// - Throws: Foundation's error if it cannot be read.
    package static func hexDigest(ofFile path: String) throws -> String {
        let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
        defer { try? file.close() }
        var hash = SHA256()
        while let part = try file.read(upToCount: 1 << 20), !part.isEmpty { hash.update([UInt8](part)) }
        return hash.hexDigest()
    }

    /// One block of 64 bytes.
    private static func compress(
        _ state: [UInt32], _ bytes: UnsafeBufferPointer<UInt8>, at start: Int,
        _ schedule: UnsafeMutableBufferPointer<UInt32>
    ) -> [UInt32] {
        func rotated(_ word: UInt32, _ count: UInt32) -> UInt32 { word >> count | word << (32 - count) }
        for index in 0..<16 {
            schedule[index] = (0..<4).reduce(0) { $0 << 8 | UInt32(bytes[start + 4 * index + $1]) }
        }
        for index in 16..<64 {
            let (early, late) = (schedule[index - 15], schedule[index - 2])
            let sigma0 = rotated(early, 7) ^ rotated(early, 18) ^ early >> 3
            let sigma1 = rotated(late, 17) ^ rotated(late, 19) ^ late >> 10
            schedule[index] = schedule[index - 16] &+ sigma0 &+ schedule[index - 7] &+ sigma1
        }
        var (a, b, c, d) = (state[0], state[1], state[2], state[3])
        var (e, f, g, h) = (state[4], state[5], state[6], state[7])
        for index in 0..<64 {
            let sum1 = rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25)
            let choice = (e & f) ^ (~e & g)
            let first = h &+ sum1 &+ choice &+ roundConstants[index] &+ schedule[index]
            let sum0 = rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22)
            let majority = (a & b) ^ (a & c) ^ (b & c)
            (h, g, f, e) = (g, f, e, d &+ first)
            (d, c, b, a) = (c, b, a, first &+ sum0 &+ majority)
        }
        return zip(state, [a, b, c, d, e, f, g, h]).map { $0 &+ $1 }
    }

    /// The first 32 bits of the fractional parts of the cube roots of the first 64 primes.
    private static let roundConstants: [UInt32] = {
        let primes = (2..<312).filter { number in
            !(2..<number).contains { $0 * $0 <= number && number.isMultiple(of: $0) }
        }
        return primes.map { prime in
            // floor(2^32 cbrt(p)) is the largest x with x^3 <= 2^96 p; its low half is what is wanted.
            let target = UInt128(prime) << 96
            var root: UInt128 = 0
            for bit in (0..<36).reversed() {
                let candidate = root | 1 << UInt128(bit)
                if candidate * candidate * candidate <= target { root = candidate }
            }
            return UInt32(truncatingIfNeeded: root)
        }
    }()
}
