package import EspalierGraphs
package import EspalierKernels
import EspalierOperators
import EspalierTensors

/// What a step of a program is of: by identity, as several nodes may have one name.
package enum StepSubject: Hashable, Sendable {
    /// A node, and those that are fused behind it, in order.
    case node(NodeID, fused: [NodeID] = [])
    /// A value that is copied into another layout or, in training, of which gradients are copied or added up.
    case value(ValueID)
}

/// One step of a program, for messages and profiles.
package struct StepListing: Sendable {
    /// The nodes that it computes, or what it moves.
    package let subject: StepSubject
    /// The same for people.
    package let label: String
    /// Whether it runs by its reference, for want of a kernel.
    package let isReference: Bool
    /// How its weights are kept, if there were several ways.
    package let format: KernelFormat?
    /// The threads that it is worth; nil for all of the lane's.
    package let threads: Int?
}

/// A network made ready to run: kernels in order, bound to one arena.
///
/// Belongs to the lane that made it. Running allocates nothing (except where a node runs by its reference).
package final class Program {
    private let steps: [Step]
    private let arena: AlignedStorage
    private let owners: [AlignedStorage]
    private let pointers: [UnsafeMutableRawPointer?]
    private let randomKernels: [any RandomKernel]
    /// The size of the memory shared by all intermediate values.
    package var arenaByteCount: Int { arena.byteCount }

    init(builder: consuming ProgramBuilder, keeping storages: [AlignedStorage] = []) throws(ExecutionError) {
        let layout = builder.layOut()
        if let problem = PhysicalMemory.problem(taking: layout.byteCount) {
            throw .insufficientMemory(
                name: builder.largestStep, reason: "together with what is needed beside it, it \(problem)")
        }
        let arena = AlignedStorage(byteCount: layout.byteCount)
        self.arena = arena
        // What only preparations read need not be kept.
        let repeated = builder.steps.filter { !$0.isPreparation }.flatMap { $0.inputs + $0.outputs }
        owners = repeated.compactMap { $0.flatMap { builder.buffers[$0.index].owner } } + storages
        let pointers = builder.buffers.indices.map { index -> UnsafeMutableRawPointer? in
            switch builder.buffers[index].place {
            case .external(let pointer): pointer
            case .arena, .persistent: layout.offsets[index].map { arena.base + $0 }
            }
        }
        self.pointers = pointers
        for (index, step) in builder.steps.enumerated() {
            step.kernel.bind(
                KernelMemory(
                    inputs: step.inputs.map { $0.flatMap { pointers[$0.index] } },
                    outputs: step.outputs.map { $0.flatMap { pointers[$0.index] } },
                    scratch: layout.scratchOffsets[index].map { arena.base + $0 },
                    workspace: step.workspace.flatMap { pointers[$0.index] }))
        }
        let steps = builder.steps.filter { !$0.isPreparation }
        self.steps = steps
        randomKernels = steps.compactMap { $0.kernel as? any RandomKernel }
        for step in builder.steps where step.isPreparation {
            step.run()
            for case let input? in step.inputs { builder.buffers[input.index].owner?.releasePages() }
        }
    }

    package var stepCount: Int { steps.count }

    /// Runs some of the steps in order.
    package func run(_ range: Range<Int>) throws(ExecutionError) {
        let team = ThreadTeam.count
        var current = team
        defer { if current != team { ThreadTeam.count = team } }
        for index in range {
            let wanted = steps[index].threads ?? team
            if wanted != current {
                ThreadTeam.count = wanted
                current = wanted
            }
            let kernel = steps[index].kernel
            kernel.run()
            if let failure = kernel.failure {
                throw .node(name: steps[index].label, operator: "run", reason: "\(failure)")
            }
        }
    }

    /// Makes what random kernels (dropout) draw next that of a step of training.
    package func setRandomStep(_ step: Int) {
        for kernel in randomKernels { kernel.step = step }
    }

    /// The memory of a buffer.
    ///
    /// - Precondition: `buffer` belongs to the builder this program was made from.
    package func pointer(_ buffer: BufferID) -> UnsafeMutableRawPointer? {
        pointers[buffer.index]
    }

    /// What the steps are.
    package var listing: [StepListing] {
        steps.map {
            StepListing(
                subject: $0.subject, label: $0.label, isReference: $0.kernel is ReferenceKernel,
                format: $0.format, threads: $0.threads)
        }
    }

    /// Runs one step: for profiles.
    package func runStep(_ index: Int) {
        steps[index].run()
    }
}
