// Written out rather than left to the standard library's `shuffle`, whose order may change between its versions.

extension RandomSource {
    /// Uniform in `0..<bound` without bias (Lemire 2019).
    ///
    /// - Precondition: `bound > 0`.
    @inlinable package mutating func index(below bound: Int) -> Int {
        precondition(bound > 0, "no index below \(bound)")
        let range = UInt64(bound)
        var product = next().multipliedFullWidth(by: range)
        if product.low < range {
            // The first 2^64 mod range values of the low half occur once too often.
            let excess = (0 &- range) % range
            while product.low < excess { product = next().multipliedFullWidth(by: range) }
        }
        return Int(product.high)
    }

    /// The numbers `0..<count` in random order (Fisher & Yates 1938, Durstenfeld 1964).
    package mutating func permutation(of count: Int) -> [Int] {
        var order = Array(0..<count)
        shuffle(&order)
        return order
    }

    /// Puts `elements` into random order; every order is equally likely.
    @inlinable package mutating func shuffle<Element>(_ elements: inout [Element]) {
        for last in stride(from: elements.count - 1, to: 0, by: -1) {
            elements.swapAt(last, index(below: last + 1))
        }
    }
}
