import CSparseKernels

/// The instruction sets that our own kernels are compiled for. oneDNN picks its own, see ``DNNLibrary/instructionSet``.
package enum KernelInstructions {
    /// The environment variable that names the one to use instead of the best. What names none of ``supported`` counts for
    /// nothing.
    package static let variable = "ESPALIER_ISA"

    /// What the kernels use.
    package static var active: String { name(espalier_isa_active()) }

    /// Those that this machine runs, the best one last.
    package static var supported: [String] {
        (0..<UInt32(ESPALIER_ISA_COUNT)).map { espalier_isa($0) }.filter { espalier_isa_is_supported($0) }
            .map(name)
    }

    private static func name(_ isa: espalier_isa) -> String { String(cString: espalier_isa_name(isa)) }
}
