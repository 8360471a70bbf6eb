package import EspalierGraphs
package import EspalierKernels
package import EspalierTensors

/// The capability of running fast: from shapes, layouts and phase to a kernel.
///
/// Kernels work on `float32` values (and whatever their operator needs besides, such as indices); the planner calls
/// ``lower(_:)`` only when all real values of the node are `float32`, and falls back to the reference otherwise.
package protocol Lowering: Operator {
    /// - Throws: ``OperatorError/kernel(_:)`` if the library below refuses, ``OperatorError/unsupported(_:)`` if this
    ///   particular case has no kernel: the reference runs instead.
    func lower(_ context: LoweringContext) throws(OperatorError) -> any Kernel

    /// What there is to choose before kernels are made; row-major from input to output unless an operator knows better.
    func layoutChoice(_ signature: Signature) -> LayoutChoice
}

extension Lowering {
    package func layoutChoice(_ signature: Signature) -> LayoutChoice {
        .fixed(input: .plain, output: .plain)
    }
}

/// What a kernel is made for.
package struct LoweringContext {
    package let signature: Signature
    /// How each input lies now. A kernel may ask for another layout (see ``Kernel/inputLayouts``), at the price of a
    /// reorder; constants are reordered once when the network does not train.
    package let inputLayouts: [Layout]
    package let phase: Phase
    /// Threads of the lane it will run on.
    package let threads: Int
    /// Whether zeros among constant weights are to be left out, if there is a kernel for that.
    package let usesSparsity: Bool
    /// With which numbers products by constant weights may be computed, where that is faster.
    package let precision: Precision
    /// What to apply to output 0 before it is stored; only for operators that are ``EpilogueAccepting``.
    package let epilogues: [EpilogueStep]
    /// For each input, which of its elements may be other than zero, if that is known and does not change while values do: masks of
    /// parameters in training. Gradients of the others may be left zero.
    package let masks: [Mask?]
    /// Whether convolutions may be computed by Winograd's method where that is faster, with larger rounding errors.
    package let allowsWinograd: Bool

    package init(
        signature: Signature, inputLayouts: [Layout], phase: Phase, threads: Int,
        usesSparsity: Bool = false, precision: Precision = .float32, epilogues: [EpilogueStep] = [],
        masks: [Mask?] = [], allowsWinograd: Bool = false
    ) {
        self.signature = signature
        self.inputLayouts = inputLayouts
        self.phase = phase
        self.threads = threads
        self.usesSparsity = usesSparsity
        self.precision = precision
        self.epilogues = epilogues
        self.masks = masks
        self.allowsWinograd = allowsWinograd
    }

    /// The mask of an input, if it has one.
    package func mask(_ port: Int) -> Mask? { masks.indices.contains(port) ? masks[port] : nil }

    /// The layout of an input, plain when it is left out.
    package func inputLayout(_ port: Int) -> Layout {
        inputLayouts.indices.contains(port) ? inputLayouts[port] : .plain
    }
}

/// What a network is run for.
package enum Phase: Hashable, Sendable {
    case inference
    /// Forward for a backward pass to follow. With frozen normalisation, batch norm uses and keeps its stored
    /// statistics and dropout does nothing, so that samples do not influence each other.
    case training(frozenNormalization: Bool, seed: UInt64)

    package var isTraining: Bool { self != .inference }
}

/// A computation made for fixed shapes and layouts, bound to fixed memory, run again and again.
///
/// A kernel belongs to one plan and one lane. After ``bind(_:)``, ``run()`` neither allocates nor throws.
package protocol Kernel: AnyObject {
    /// The layout each input must have.
    var inputLayouts: [Layout] { get }
    var outputLayouts: [Layout] { get }
    /// Memory needed only while running.
    var scratchByteCount: Int { get }
    /// Memory written by a forward kernel and read by its backward kernel (argmax of a pooling, ...).
    var workspaceByteCount: Int { get }
    /// Inputs that are not read at all (for backward kernels, whose ports are many): the planner need not keep them.
    var unreadInputs: Set<Int> { get }
    /// An input whose memory output 0 may take over.
    var inPlaceInput: Int? { get }
    /// Inputs that a run changes in place: a training batch norm's running statistics. They are constants of the
    /// graph; the planner gives such a kernel the trainer's own memory of them, not a shared or reordered copy.
    var mutatedInputs: Set<Int> { get }
    /// How the weights of a product are kept, where that is for the kernel to say; nil where the planner has decided.
    var weightFormat: KernelFormat? { get }
    /// Why the last run failed, which only values can cause (an index out of range); checked after each run.
    var failure: OperatorError? { get }

    /// Fixes the memory. May be called again when it moves.
    func bind(_ memory: KernelMemory)
    func run()
}

extension Kernel {
    package var scratchByteCount: Int { 0 }
    package var workspaceByteCount: Int { 0 }
    package var unreadInputs: Set<Int> { [] }
    package var inPlaceInput: Int? { nil }
    package var mutatedInputs: Set<Int> { [] }
    package var weightFormat: KernelFormat? { nil }
    package var failure: OperatorError? { nil }
}

/// A kernel that draws random numbers in training.
///
/// What it draws depends on the phase's seed, on its node, and on ``step``, which every run raises by one. To resume
/// training exactly, the executor sets it to the number of steps already done.
package protocol RandomKernel: Kernel {
    var step: Int { get set }
}

/// The memory of one kernel. Pointers are 64-byte aligned; nil where an optional port is left out or not wanted.
package struct KernelMemory {
    package var inputs: [UnsafeMutableRawPointer?]
    package var outputs: [UnsafeMutableRawPointer?]
    package var scratch: UnsafeMutableRawPointer?
    package var workspace: UnsafeMutableRawPointer?

    package init(
        inputs: [UnsafeMutableRawPointer?], outputs: [UnsafeMutableRawPointer?],
        scratch: UnsafeMutableRawPointer? = nil, workspace: UnsafeMutableRawPointer? = nil
    ) {
        self.inputs = inputs
        self.outputs = outputs
        self.scratch = scratch
        self.workspace = workspace
    }

    package func input(_ port: Int) -> UnsafeMutableRawPointer? {
        inputs.indices.contains(port) ? inputs[port] : nil
    }

    package func output(_ port: Int) -> UnsafeMutableRawPointer? {
        outputs.indices.contains(port) ? outputs[port] : nil
    }
}

/// A kernel, row-major unless it says otherwise, from a closure, which is given the memory at every run.
///
/// The closure's own captures must be set up beforehand; it may not allocate.
package final class PlainKernel: Kernel {
    package let inputLayouts: [Layout]
    package let outputLayouts: [Layout]
    package let scratchByteCount: Int
    package let workspaceByteCount: Int
    package let unreadInputs: Set<Int>
    package let inPlaceInput: Int?
    private let body: (borrowing KernelMemory) -> Void
    private var memory = KernelMemory(inputs: [], outputs: [])

    package convenience init(
        inputCount: Int, outputCount: Int, scratchByteCount: Int = 0, workspaceByteCount: Int = 0,
        unreadInputs: Set<Int> = [], inPlaceInput: Int? = nil,
        body: @escaping (borrowing KernelMemory) -> Void
    ) {
        self.init(
            inputLayouts: [Layout](repeating: .plain, count: inputCount),
            outputLayouts: [Layout](repeating: .plain, count: outputCount),
            scratchByteCount: scratchByteCount, workspaceByteCount: workspaceByteCount,
            unreadInputs: unreadInputs, inPlaceInput: inPlaceInput, body: body)
    }

    package init(
        inputLayouts: [Layout], outputLayouts: [Layout], scratchByteCount: Int = 0,
        workspaceByteCount: Int = 0, unreadInputs: Set<Int> = [], inPlaceInput: Int? = nil,
        body: @escaping (borrowing KernelMemory) -> Void
    ) {
        self.inputLayouts = inputLayouts
        self.outputLayouts = outputLayouts
        self.scratchByteCount = scratchByteCount
        self.workspaceByteCount = workspaceByteCount
        self.unreadInputs = unreadInputs
        self.inPlaceInput = inPlaceInput
        self.body = body
    }

    package func bind(_ memory: KernelMemory) { self.memory = memory }
    package func run() { body(memory) }
}
