internal import EspalierTensors

extension Dataset {
    /// 16 hexadecimal digits which tell data sets apart: 64-bit FNV-1a over names, types, shapes, values and labels.
    ///
    /// A resumed run compares it with the recorded one. It guards against mistakes, not against forgery. Costs one
    /// pass over all bytes, about a second per gigabyte.
    public var fingerprint: String {
        var hash = FNV1a()
        for input in inputs {
            hash.add(input.name)
            hash.add(input.values)
        }
        switch labels {
        case .none: hash.add("none")
        case .classes(let classes, let count):
            hash.add("classes \(count)")
            classes.withUnsafeBytes { hash.add($0) }
        case .targets(let targets):
            hash.add("targets")
            hash.add(targets)
        }
        let digits = String(hash.value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}

/// The hash of Fowler, Noll and Vo, variant 1a, in 64 bits.
private struct FNV1a {
    private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325

    mutating func add(_ bytes: UnsafeRawBufferPointer) {
        var hash = value
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        value = hash
    }

    /// The text and a zero, so that the end of one text is not the start of the next.
    mutating func add(_ text: String) {
        (Array(text.utf8) + [0]).withUnsafeBytes { add($0) }
    }

    mutating func add(_ tensor: Tensor) {
        add("\(tensor.dtype.rawValue) \(tensor.shape)")
        tensor.withUnsafeBytes { add($0) }
    }
}
