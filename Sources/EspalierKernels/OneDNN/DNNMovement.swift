import COneDNN
import EspalierTensors

extension DNNPrimitive {
    /// Copies `.source` to `.destination`, from one layout to another of the same extents; numbers are rounded to the
    /// destination's type, to nearest and ties to even.
    package static func reorder(
        from source: DNNLayout, to destination: DNNLayout
    ) throws(DNNError)
        -> DNNPrimitive
    {
        try DNNPrimitive(adopting: espalier_dnn_reorder(source.handle, destination.handle))
    }

    /// Lays `.input(0)`, `.input(1)`, ... end to end along `axis` in `.destination`.
    package static func concatenation(
        _ inputs: [DNNLayout], axis: Int, destination: DNNLayout? = nil
    ) throws(DNNError) -> DNNPrimitive {
        guard let first = inputs.first, (0..<first.shape.rank).contains(axis),
            inputs.allSatisfy({ $0.shape.rank == first.shape.rank })
        else { throw DNNError(.invalid, "concatenation of \(inputs) along axis \(axis)") }
        var result = first.shape
        result[axis] = inputs.reduce(0) { $0 + $1.shape[axis] }
        try check(destination, is: result, "destination")
        return try makePrimitive { scope throws(DNNError) in
            let handles = inputs.map { Optional($0.handle) }
            defer { withExtendedLifetime(inputs) {} }
            return espalier_dnn_concatenation(
                handles, Int32(inputs.count), Int32(axis), scope.describe(destination, or: result))
        }
    }

    /// Adds `scales[i]` times `.input(i)` into `.destination`; all have the same extents. Scales default to 1.
    package static func sum(
        _ inputs: [DNNLayout], scales: [Float]? = nil, destination: DNNLayout? = nil
    ) throws(DNNError) -> DNNPrimitive {
        let scales = scales ?? [Float](repeating: 1, count: inputs.count)
        guard let first = inputs.first, scales.count == inputs.count,
            inputs.allSatisfy({ $0.shape == first.shape })
        else { throw DNNError(.invalid, "sum of \(inputs) with \(scales.count) scales") }
        return try makePrimitive { scope throws(DNNError) in
            let handles = inputs.map { Optional($0.handle) }
            defer { withExtendedLifetime(inputs) {} }
            return espalier_dnn_sum(
                handles, scales, Int32(inputs.count), scope.describe(destination, or: first.shape))
        }
    }
}
