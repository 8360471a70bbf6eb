package import EspalierKernels

/// Which layouts of activations an operator's kernels take and make, as is known before one is made.
package enum LayoutChoice: Hashable, Sendable {
    /// Kernels take input 0 as it lies, ask for the others in the same layout, and leave the output in it.
    case follows
    /// Nothing to choose. An input of nil is read as it lies.
    case fixed(input: ActivationLayout?, output: ActivationLayout)
    /// A product by constant weights of which some are zero: row-major where the zeros are left out, otherwise `dense`.
    case product(KernelWork, dense: ActivationLayout)
}

/// The two layouts that kernels for activations know.
package enum ActivationLayout: Hashable, Sendable {
    case plain
    /// See ``Layout/channelsLast(_:)``; of values with one axis or two the same as plain.
    case channelsLast
}
