import EspalierKernels
import EspalierTensors

/// A nest of loops that visits pairs of elements of two strided arrays.
///
/// Transposition, slicing, concatenation, padding, broadcasting and reduction are all this, with different strides: a
/// stride of 0 on the source repeats elements (broadcasting), on the target it accumulates them (reduction).
/// Loops that continue each other in both arrays are fused beforehand, so that most moves end in long runs.
struct StridedMove: Sendable {
    struct Loop: Sendable {
        var count: Int
        /// In elements; may be negative or 0.
        var sourceStride: Int
        var targetStride: Int
    }

    enum Order { case source, target }

    /// Outermost first; never empty.
    private let loops: [Loop]
    private let sourceOffset: Int
    private let targetOffset: Int
    /// What it comes down to, if it is that.
    private let transposition: Transposition?

    /// - Parameters:
    ///   - extents: how many elements are visited along each axis.
    ///   - source: the source's stride along each axis, in elements.
    ///   - target: the target's stride along each axis.
    ///   - order: whose memory is walked front to back, so that innermost loops are those of small strides.
    init(
        extents: [Int], source: [Int], target: [Int], sourceOffset: Int = 0, targetOffset: Int = 0,
        order: Order
    ) {
        var fused: [Loop] = []
        let leading = order == .target ? target : source
        let axes = extents.indices.filter { extents[$0] != 1 }.sorted {
            // Axes of equal strides (of which all but one repeat) keep their order.
            (leading[$0].magnitude, $1) > (leading[$1].magnitude, $0)
        }
        for axis in axes {
            let loop = Loop(count: extents[axis], sourceStride: source[axis], targetStride: target[axis])
            if let outer = fused.last, outer.sourceStride == loop.count * loop.sourceStride,
                outer.targetStride == loop.count * loop.targetStride
            {
                fused[fused.count - 1] = Loop(
                    count: outer.count * loop.count, sourceStride: loop.sourceStride,
                    targetStride: loop.targetStride)
            } else {
                fused.append(loop)
            }
        }
        if fused.isEmpty { fused.append(Loop(count: 1, sourceStride: 1, targetStride: 1)) }
        loops = fused
        transposition = Self.transposition(fused)
        self.sourceOffset = sourceOffset
        self.targetOffset = targetOffset
    }

    /// Matrices whose columns become rows; nil where elements of one array that follow each other do so in the other too, or
    /// are few.
    private static func transposition(_ loops: [Loop]) -> Transposition? {
        guard loops.count >= 2, loops.count <= 4, let row = loops.last, row.targetStride == 1,
            let position = loops.dropLast().firstIndex(where: { $0.sourceStride == 1 }),
            loops.allSatisfy({ $0.count > 0 && $0.sourceStride > 0 && $0.targetStride > 0 })
        else { return nil }
        let column = loops[position]
        guard row.count >= 4, column.count >= 4 else { return nil }
        var batches = loops.dropLast()
        batches.remove(at: position)
        let levels = batches.map {
            Transposition.Batch(
                count: $0.count, sourceStride: $0.sourceStride, targetStride: $0.targetStride)
        }
        return Transposition(
            rows: row.count, columns: column.count, sourceStride: row.sourceStride,
            targetStride: column.targetStride, outer: levels.count == 2 ? levels[0] : .init(),
            inner: levels.last ?? .init())
    }

    /// The opposite move.
    var reversed: StridedMove {
        StridedMove(
            extents: loops.map(\.count), source: loops.map(\.targetStride), target: loops.map(\.sourceStride),
            sourceOffset: targetOffset, targetOffset: sourceOffset, order: .target)
    }

    /// Calls `body` for every run of the innermost loop with the positions at which it starts.
    @inline(__always)
    func forEachRun(_ body: (_ source: Int, _ target: Int, _ run: Loop) -> Void) {
        loops.withUnsafeBufferPointer { loops in
            guard loops.allSatisfy({ $0.count > 0 }) else { return }
            Self.walk(loops, level: 0, source: sourceOffset, target: targetOffset, body)
        }
    }

    private static func walk(
        _ loops: UnsafeBufferPointer<Loop>, level: Int, source: Int, target: Int,
        _ body: (_ source: Int, _ target: Int, _ run: Loop) -> Void
    ) {
        let loop = loops[level]
        if level == loops.count - 1 { return body(source, target, loop) }
        for index in 0..<loop.count {
            walk(
                loops, level: level + 1, source: source + index * loop.sourceStride,
                target: target + index * loop.targetStride, body)
        }
    }

    /// Copies elements of `width` bytes each.
    func copy(from source: UnsafeRawPointer, to target: UnsafeMutableRawPointer, width: Int) {
        switch width {
        case 1: copy(UInt8.self, from: source, to: target)
        case 2: copy(UInt16.self, from: source, to: target)
        case 4: copy(UInt32.self, from: source, to: target)
        default: copy(UInt64.self, from: source, to: target)
        }
    }

    private func copy<Element: BitwiseCopyable>(
        _: Element.Type, from source: UnsafeRawPointer, to target: UnsafeMutableRawPointer
    ) {
        let source = source.assumingMemoryBound(to: Element.self)
        let target = target.assumingMemoryBound(to: Element.self)
        if Element.self == UInt32.self, let transposition {
            return transposition(
                from: UnsafeRawPointer(source + sourceOffset).assumingMemoryBound(to: Float.self),
                to: UnsafeMutableRawPointer(target + targetOffset).assumingMemoryBound(to: Float.self))
        }
        forEachRun { from, to, run in
            if run.sourceStride == 1, run.targetStride == 1 {
                (target + to).update(from: source + from, count: run.count)
            } else {
                for index in 0..<run.count {
                    target[to + index * run.targetStride] = source[from + index * run.sourceStride]
                }
            }
        }
    }

    /// Adds the source's elements to the target's.
    func accumulate(from source: UnsafePointer<Float>, to target: UnsafeMutablePointer<Float>) {
        forEachRun { from, to, run in
            if run.targetStride == 0 {
                target[to] += Self.sum(source + from, count: run.count, stride: run.sourceStride)
            } else if run.sourceStride == 1, run.targetStride == 1 {
                for index in 0..<run.count { target[to + index] += source[from + index] }
            } else {
                for index in 0..<run.count {
                    target[to + index * run.targetStride] += source[from + index * run.sourceStride]
                }
            }
        }
    }

    /// The sum of a run, in eight partial sums where it is contiguous: faster, and more accurate for long runs.
    private static func sum(_ values: UnsafePointer<Float>, count: Int, stride: Int) -> Float {
        var total: Float = 0
        guard stride == 1 else {
            for index in 0..<count { total += values[index * stride] }
            return total
        }
        var partial = SIMD8<Float>(repeating: 0)
        var index = 0
        while index + 8 <= count {
            partial += UnsafeRawPointer(values + index).loadUnaligned(as: SIMD8<Float>.self)
            index += 8
        }
        while index < count {
            total += values[index]
            index += 1
        }
        return total + partial.sum()
    }
}

extension KernelMemory {
    /// An input as 32-bit numbers.
    func floats(_ port: Int) -> UnsafeMutablePointer<Float>? {
        input(port)?.assumingMemoryBound(to: Float.self)
    }

    /// An output as 32-bit numbers.
    func outputFloats(_ port: Int) -> UnsafeMutablePointer<Float>? {
        output(port)?.assumingMemoryBound(to: Float.self)
    }
}
