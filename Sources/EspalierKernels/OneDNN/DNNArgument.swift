import COneDNN

/// The role of a tensor in a primitive.
package struct DNNArgument: RawRepresentable, Sendable, Hashable {
    package let rawValue: Int32

    package init(rawValue: Int32) {
        self.rawValue = rawValue
    }

    private init(_ argument: Int) {
        rawValue = Int32(truncatingIfNeeded: argument)
    }

    package static let source = DNNArgument(ESPALIER_DNN_ARG_SRC)
    /// The second operand of a binary operation.
    package static let secondSource = DNNArgument(ESPALIER_DNN_ARG_SRC_1)
    package static let weights = DNNArgument(ESPALIER_DNN_ARG_WEIGHTS)
    package static let bias = DNNArgument(ESPALIER_DNN_ARG_BIAS)
    package static let destination = DNNArgument(ESPALIER_DNN_ARG_DST)
    package static let mean = DNNArgument(ESPALIER_DNN_ARG_MEAN)
    package static let variance = DNNArgument(ESPALIER_DNN_ARG_VARIANCE)
    package static let scale = DNNArgument(ESPALIER_DNN_ARG_SCALE)
    package static let shift = DNNArgument(ESPALIER_DNN_ARG_SHIFT)
    /// What a forward primitive leaves for its backward one, in a format that only oneDNN knows.
    package static let workspace = DNNArgument(ESPALIER_DNN_ARG_WORKSPACE)

    package static let sourceGradient = DNNArgument(ESPALIER_DNN_ARG_DIFF_SRC)
    package static let weightsGradient = DNNArgument(ESPALIER_DNN_ARG_DIFF_WEIGHTS)
    package static let biasGradient = DNNArgument(ESPALIER_DNN_ARG_DIFF_BIAS)
    package static let destinationGradient = DNNArgument(ESPALIER_DNN_ARG_DIFF_DST)
    package static let scaleGradient = DNNArgument(ESPALIER_DNN_ARG_DIFF_SCALE)
    package static let shiftGradient = DNNArgument(ESPALIER_DNN_ARG_DIFF_SHIFT)

    /// The `index`-th input of a concatenation or a sum.
    package static func input(_ index: Int) -> DNNArgument {
        DNNArgument(ESPALIER_DNN_ARG_MULTIPLE + index)
    }

    /// The operand of the `index`-th fused operation, which must be a binary one.
    package static func postOperand(_ index: Int) -> DNNArgument {
        DNNArgument(ESPALIER_DNN_ARG_POST_OP + index)
    }
}

/// The memory of one argument.
package struct DNNBinding {
    package let argument: DNNArgument
    package let pointer: UnsafeMutableRawPointer

    package init(_ argument: DNNArgument, _ pointer: UnsafeMutableRawPointer) {
        self.argument = argument
        self.pointer = pointer
    }
}
