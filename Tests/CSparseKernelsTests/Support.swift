import CSparseKernels
import Testing

/// An instruction set that this machine runs.
struct InstructionSet: Sendable, CustomTestStringConvertible {
    let raw: espalier_isa

    var testDescription: String { String(cString: espalier_isa_name(raw)) }

    static let supported: [InstructionSet] = (0..<UInt32(ESPALIER_ISA_COUNT)).map { espalier_isa($0) }
        .filter { espalier_isa_is_supported($0) }.map { InstructionSet(raw: $0) }
}
