import EspalierKernels
import EspalierTensors

/// Draws a mask at every run, keeps it in the workspace (a byte per element), and applies it.
///
/// The mask depends on the source it was made with and on ``step`` only, and not on the number of threads: elements
/// are drawn in chunks, each from a stream of its own.
final class DropoutKernel: RandomKernel {
    let inputLayouts: [Layout]
    let outputLayouts: [Layout]
    var inPlaceInput: Int? { 0 }
    var workspaceByteCount: Int { isRandom ? count : 0 }
    var step = 0

    private let layout: Layout
    private let shape: Shape
    private let count: Int
    private let ratio: Float
    private let maskType: DType?
    private let source: RandomSource?
    private var memory = KernelMemory(inputs: [], outputs: [])

    private static let chunk = 4096

    /// - Parameters:
    ///   - ratio: the share to drop where there is no input 1 that says it.
    ///   - mask: the type of output 1, if there is one.
    ///   - source: nil keeps everything.
    init(
        layout: Layout, shape: Shape, inputCount: Int, ratio: Float, mask: DType?, source: RandomSource?
    ) {
        inputLayouts = (0..<inputCount).map { $0 == 0 ? layout : .plain }
        outputLayouts = mask == nil ? [layout] : [layout, .plain]
        self.layout = layout
        self.shape = shape
        count = layout.byteCount(shape: shape, dtype: .float32) / DType.float32.byteCount
        self.ratio = ratio
        maskType = mask
        self.source = source
    }

    var isRandom: Bool { source != nil }

    func bind(_ memory: KernelMemory) { self.memory = memory }

    func run() {
        guard let input = memory.input(0)?.assumingMemoryBound(to: Float.self),
            let output = memory.output(0)?.assumingMemoryBound(to: Float.self)
        else { return }
        guard let source, let kept = memory.workspace?.assumingMemoryBound(to: UInt8.self) else {
            if input != output { output.update(from: input, count: count) }
            writeMask(nil)
            return
        }
        let ratio = Self.ratio(memory, default: ratio)
        let stepSource = source.split(step)
        ThreadTeam.parallel((count + Self.chunk - 1) / Self.chunk, minimum: 4) { chunks in
            for chunk in chunks {
                let elements = chunk * Self.chunk..<min((chunk + 1) * Self.chunk, count)
                var random = stepSource.split(chunk)
                Self.draw(kept, elements, ratio: ratio, &random)
                Self.apply(kept, to: input, into: output, elements, ratio: ratio)
            }
        }
        writeMask(kept)
        step += 1
    }

    /// The backward kernel, which reads the mask that this one has drawn.
    func makeBackward(_ context: BackwardContext) -> any Kernel {
        let gradientPort = context.gradientPort()
        let (layout, ratio) = (layout, ratio)
        var layouts = [Layout](repeating: .plain, count: context.backwardInputCount)
        layouts[gradientPort] = layout
        let readsRatio = context.signature.hasInput(1)
        let unread = Set(0..<gradientPort).subtracting(readsRatio ? [1] : [])
        return ElementwiseKernel(
            inputs: layouts, outputs: [layout], shape: shape, unreadInputs: unread, inPlaceInput: gradientPort
        ) { memory, range in
            guard let kept = memory.workspace?.assumingMemoryBound(to: UInt8.self),
                let result = memory.output(0)?.assumingMemoryBound(to: Float.self)
            else { return }
            guard let gradient = memory.input(gradientPort)?.assumingMemoryBound(to: Float.self) else {
                // Only the mask is used further on, which has no gradient.
                for index in range { result[index] = 0 }
                return
            }
            let ratio = readsRatio ? Self.ratio(memory, default: ratio) : ratio
            Self.apply(kept, to: gradient, into: result, range, ratio: ratio)
        }
    }

    // MARK: Parts

    private static func ratio(_ memory: borrowing KernelMemory, default fallback: Float) -> Float {
        guard let pointer = memory.input(1) else { return fallback }
        return min(max(pointer.assumingMemoryBound(to: Float.self)[0], 0), 1)
    }

    /// Writes 1 for an element to keep and 0 for one to drop. Each takes 32 random bits.
    private static func draw(
        _ kept: UnsafeMutablePointer<UInt8>, _ range: Range<Int>, ratio: Float, _ random: inout RandomSource
    ) {
        let limit = UInt64(Double(ratio) * 0x1p32)
        var index = range.lowerBound
        while index < range.upperBound {
            let word = random.next()
            kept[index] = word & 0xFFFF_FFFF < limit ? 0 : 1
            if index + 1 < range.upperBound { kept[index + 1] = word >> 32 < limit ? 0 : 1 }
            index += 2
        }
    }

    private static func apply(
        _ kept: UnsafePointer<UInt8>, to input: UnsafePointer<Float>,
        into output: UnsafeMutablePointer<Float>,
        _ range: Range<Int>, ratio: Float
    ) {
        let scale = ratio < 1 ? 1 / (1 - ratio) : 0
        // A choice and not a product: what is dropped may be infinite.
        for index in range { output[index] = kept[index] != 0 ? scale * input[index] : 0 }
    }

    private func writeMask(_ kept: UnsafePointer<UInt8>?) {
        guard let maskType, let pointer = memory.output(1) else { return }
        if maskType == .bool {
            let mask = pointer.assumingMemoryBound(to: UInt8.self)
            for index in 0..<count { mask[index] = kept?[index] ?? 1 }
        } else {
            let mask = pointer.assumingMemoryBound(to: Float.self)
            for index in 0..<count { mask[index] = Float(kept?[index] ?? 1) }
        }
    }
}
