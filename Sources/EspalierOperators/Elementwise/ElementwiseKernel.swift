import EspalierKernels
import EspalierTensors

/// A kernel whose outputs' elements depend only on the same elements of its inputs: in any layout, as long as all
/// are in the same one.
///
/// Its thread team shares the elements, which changes nothing in the result.
final class ElementwiseKernel: Kernel {
    let inputLayouts: [Layout]
    let outputLayouts: [Layout]
    let unreadInputs: Set<Int>
    let inPlaceInput: Int?
    private let count: Int
    private let body: (borrowing KernelMemory, Range<Int>) -> Void
    private var memory = KernelMemory(inputs: [], outputs: [])

    /// - Parameter body: computes the elements in a range; it may not allocate.
    init(
        inputs: [Layout], outputs: [Layout], shape: Shape, unreadInputs: Set<Int> = [],
        inPlaceInput: Int? = nil,
        body: @escaping (borrowing KernelMemory, Range<Int>) -> Void
    ) {
        inputLayouts = inputs
        outputLayouts = outputs
        self.unreadInputs = unreadInputs
        self.inPlaceInput = inPlaceInput
        // A blocked layout may pad its axes; the padding is computed on as well.
        count = (outputs.first ?? .plain).byteCount(shape: shape, dtype: .float32) / DType.float32.byteCount
        self.body = body
    }

    func bind(_ memory: KernelMemory) { self.memory = memory }

    func run() {
        ThreadTeam.parallel(count, minimum: Self.workPerThread) { range in body(memory, range) }
    }

    /// The number of elements for which it pays to wake another thread.
    static var workPerThread: Int { 1 << 14 }
}

extension Layout {
    /// This layout, or the plain one if this one pads axes with zeros and the kernel would make something else of
    /// them.
    func forElements(of shape: Shape, paddingStaysZero: Bool) -> Layout {
        let isPadded = byteCount(shape: shape, dtype: .float32) != shape.count * DType.float32.byteCount
        return isPadded && !paddingStaysZero ? .plain : self
    }
}

extension Signature {
    /// For kernels of operators that also take integers, which only the reference computes with.
    func requireSinglePrecision() throws(OperatorError) {
        for facts in inputs + outputs {
            guard let facts, facts.dtype != .float32 else { continue }
            throw .unsupported("a kernel for \(facts.dtype.rawValue)")
        }
    }
}
