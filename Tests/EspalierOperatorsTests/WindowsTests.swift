import EspalierGraphs
import Testing

import EspalierOperators

struct WindowsTests {
    private static func attributes(_ attributes: [String: Attribute]) throws -> WindowAttributes {
        let node = Node(
            id: NodeID(index: 0), name: "pool", operatorName: OperatorName("MaxPool"), inputs: [],
            outputs: [],
            attributes: attributes)
        return try WindowAttributes(AttributeReader(node, opsetVersion: 17), pools: true)
    }

    /// One spatial axis: input, attributes, and what ONNX's formulas give for output and paddings.
    struct Case: Sendable, CustomTestStringConvertible {
        let input: Int
        var kernel = 3
        var stride = 1
        var dilation = 1
        var pads: [Int64] = []
        var automatic = "NOTSET"
        var ceil = false
        let output: Int
        var before = 0
        var after = 0
        var testDescription: String {
            "\(input) k\(kernel) s\(stride) d\(dilation) \(pads) \(automatic) \(ceil)"
        }
    }

    @Test(arguments: [
        Case(input: 5, output: 3),
        Case(input: 5, pads: [1, 1], output: 5, before: 1, after: 1),
        Case(input: 6, stride: 2, output: 2),
        Case(input: 6, stride: 2, ceil: true, output: 3),
        Case(input: 6, stride: 2, automatic: "VALID", ceil: true, output: 3),
        Case(input: 6, stride: 2, automatic: "VALID", output: 2),
        Case(input: 7, dilation: 3, output: 1),
        Case(input: 7, dilation: 2, pads: [0, 3], output: 6, after: 3),
        Case(input: 6, kernel: 4, stride: 3, automatic: "SAME_UPPER", output: 2, after: 1),
        Case(input: 6, kernel: 4, stride: 3, automatic: "SAME_LOWER", output: 2, before: 1),
        Case(input: 6, kernel: 2, stride: 2, dilation: 2, automatic: "SAME_UPPER", output: 3, after: 1),
        Case(input: 4, kernel: 1, stride: 2, automatic: "SAME_UPPER", output: 2),
        // The last window would start behind the input.
        Case(input: 5, kernel: 1, stride: 3, ceil: true, output: 2),
        Case(input: 6, kernel: 1, stride: 4, ceil: true, output: 2),
        Case(input: 2, kernel: 2, stride: 3, pads: [0, 1], ceil: true, output: 1, after: 1),
        Case(input: 3, kernel: 4, stride: 2, ceil: true, output: 1),
    ])
    func extentsFollowTheSpecification(_ example: Case) throws {
        var attributes: [String: Attribute] = [
            "kernel_shape": .ints([Int64(example.kernel)]), "strides": .ints([Int64(example.stride)]),
            "dilations": .ints([Int64(example.dilation)]), "auto_pad": .text(example.automatic),
            "ceil_mode": .int(example.ceil ? 1 : 0),
        ]
        if !example.pads.isEmpty { attributes["pads"] = .ints(example.pads) }
        let axis = try Self.attributes(attributes).windows(over: [example.input]).axes[0]
        #expect(axis.output == example.output)
        #expect(axis.paddingBefore == example.before)
        #expect(axis.paddingAfter == example.after)
        // Rounding down with the padding really reached arrives at the same extent.
        let reached = axis.input + axis.paddingBefore + axis.reachedPaddingAfter - axis.span
        #expect(reached / axis.stride + 1 == axis.output)
        // Taps are exactly those whose position exists.
        for output in 0..<axis.output {
            let inside = (0..<axis.kernel).filter {
                (0..<axis.input).contains(axis.position(output: output, tap: $0))
            }
            #expect(Array(axis.taps(at: output)) == inside)
            let padded = (0..<axis.kernel).filter {
                (-axis.paddingBefore..<axis.input + axis.paddingAfter).contains(
                    axis.position(output: output, tap: $0))
            }
            #expect(Array(axis.paddedTaps(at: output)) == padded)
        }
    }

    @Test func absurdAttributesAreRefused() throws {
        let huge = Int64.max
        for (name, values) in [
            ("kernel_shape", [0]), ("kernel_shape", [huge]), ("strides", [0]), ("strides", [-1]),
            ("dilations", [huge]), ("pads", [-1, 0]), ("pads", [0, huge]),
        ] {
            var attributes: [String: Attribute] = ["kernel_shape": .ints([2])]
            attributes[name] = .ints(values)
            #expect(throws: OperatorError.self, "\(name) \(values)") {
                try Self.attributes(attributes).windows(over: [5])
            }
        }
        #expect(throws: OperatorError.self) { try Self.attributes(["auto_pad": .text("ROUND")]) }
        #expect(throws: OperatorError.missingAttribute("kernel_shape")) {
            try Self.attributes([:]).windows(over: [5])
        }
        // Each alone is believed, but not the padding that they make: sums in 32 bits would not hold it.
        let wide = try Self.attributes([
            "kernel_shape": .ints([129]), "dilations": .ints([1 << 24]), "auto_pad": .text("SAME_UPPER"),
        ])
        #expect(throws: OperatorError.self) { try wide.windows(over: [5]) }
        let two = try Self.attributes(["kernel_shape": .ints([2, 2])])
        #expect(throws: OperatorError.self) { try two.windows(over: [5]) }
        #expect(throws: OperatorError.self) { try two.windows(over: [5, 1]) }
    }
}
