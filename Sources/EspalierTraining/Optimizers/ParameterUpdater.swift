import CSparseKernels
import EspalierKernels
import EspalierTensors

/// A range of the flat parameters that is trained, and how.
package struct ParameterRange: Hashable, Sendable {
    package var range: Range<Int>
    package var learningRateMultiplier: Double
    package var weightDecayMultiplier: Double

    package init(
        _ range: Range<Int>, learningRateMultiplier: Double = 1, weightDecayMultiplier: Double = 1
    ) {
        self.range = range
        self.learningRateMultiplier = learningRateMultiplier
        self.weightDecayMultiplier = weightDecayMultiplier
    }
}

/// Applies an optimiser to a network's flat parameters: the ranges that are trained, masks, clipping.
package final class ParameterUpdater {
    package let optimizer: any Optimizer
    package let state: OptimizerState
    package let ranges: [ParameterRange]
    package let count: Int
    /// One byte per parameter, 0 where it is pruned; nil while none is.
    private var mask: AlignedStorage?
    /// Pieces of the ranges, of fixed size, whose sums of squares the gradient's norm is made of.
    private let normPieces: [Range<Int>]
    private let normPartials: AlignedStorage

    /// - Parameters:
    ///   - count: the length of the flat array.
    ///   - ranges: what is trained, disjoint and within it; all else stays as it is.
    package init(optimizer: some Optimizer, count: Int, ranges: [ParameterRange]) {
        precondition(ranges.allSatisfy { $0.range.lowerBound >= 0 && $0.range.upperBound <= count })
        self.optimizer = optimizer
        self.count = count
        self.ranges = ranges
        state = OptimizerState(for: optimizer, count: count)
        normPieces = ranges.flatMap { part in
            stride(from: part.range.lowerBound, to: part.range.upperBound, by: Self.normPieceSize).map {
                $0..<min($0 + Self.normPieceSize, part.range.upperBound)
            }
        }
        normPartials = AlignedStorage(byteCount: normPieces.count * MemoryLayout<Double>.stride)
    }

    private static let normPieceSize = 4096
    /// The smallest number of parameters worth waking a thread for.
    private static let elementsPerThread = 16_384

    /// Says which parameters of `range` are kept from the next step on; the others' weights, which the caller zeroes
    /// now or the next step does, and their state stay exactly zero.
    package func setMask(_ kept: [Bool], at range: Range<Int>) {
        precondition(kept.count == range.count && range.lowerBound >= 0 && range.upperBound <= count)
        let bytes = maskBytes()
        for (position, keep) in zip(range, kept) { bytes[position] = keep ? 1 : 0 }
    }

    /// Keeps every parameter again.
    package func removeMasks() { mask = nil }

    /// Whether a mask was set.
    package var hasMask: Bool { mask != nil }

    /// Sets masked weights to zero now.
    package func applyMask(to weights: UnsafeMutablePointer<Float>) {
        guard let mask = maskBase else { return }
        for position in 0..<count where mask[position] == 0 { weights[position] = 0 }
    }

    private func maskBytes() -> UnsafeMutablePointer<UInt8> {
        let storage: AlignedStorage
        if let mask {
            storage = mask
        } else {
            storage = AlignedStorage(byteCount: count)
            storage.base.initializeMemory(as: UInt8.self, repeating: 1, count: count)
            mask = storage
        }
        return storage.base.assumingMemoryBound(to: UInt8.self)
    }

    private var maskBase: UnsafePointer<UInt8>? {
        mask.map { UnsafePointer($0.base.assumingMemoryBound(to: UInt8.self)) }
    }
}

// MARK: - Steps

extension ParameterUpdater {
    /// The Euclidean norm of the gradients of all trained, unmasked parameters, summed in double precision in an
    /// order that depends on nothing but the ranges, not even on the number of threads.
    package func gradientNorm(_ gradients: UnsafePointer<Float>) -> Double {
        let instructions = espalier_isa_active()
        let partials = normPartials.base.assumingMemoryBound(to: Double.self)
        let mask = maskBase
        let minimum = Self.elementsPerThread / Self.normPieceSize
        ThreadTeam.parallel(normPieces.count, minimum: minimum) { pieces in
            for index in pieces {
                let start = normPieces[index].lowerBound
                partials[index] = espalier_sum_of_squares(
                    instructions, gradients + start, mask.map { $0 + start }, normPieces[index].count)
            }
        }
        var sum = 0.0
        for index in normPieces.indices { sum += partials[index] }
        return sum.squareRoot()
    }

    /// One step of the optimiser on all ranges.
    ///
    /// - Parameters:
    ///   - maximumNorm: gradients whose norm is larger are scaled down to it (Pascanu 2013).
    /// - Returns: the gradients' norm before clipping, nil if it was not asked for by `maximumNorm`.
    @discardableResult
    package func step(
        weights: UnsafeMutablePointer<Float>, gradients: UnsafePointer<Float>, learningRate: Double,
        maximumNorm: Double? = nil
    ) -> Double? {
        var scale = 1.0
        var norm: Double?
        if let maximumNorm {
            let found = gradientNorm(gradients)
            // PyTorch's small constant keeps a vanishing gradient from a division by zero.
            scale = min(1, maximumNorm / (found + 1e-6))
            norm = found
        }
        state.stepCount += 1
        // Elementwise, so where threads divide the parameters changes no bit.
        ThreadTeam.parallel(count, minimum: Self.elementsPerThread) { span in
            for part in ranges {
                let range = part.range.clamped(to: span)
                guard !range.isEmpty else { continue }
                update(
                    range, of: part, weights: weights, gradients: gradients, learningRate: learningRate,
                    scale: scale)
            }
        }
        return norm
    }

    private func update(
        _ range: Range<Int>, of part: ParameterRange, weights: UnsafeMutablePointer<Float>,
        gradients: UnsafePointer<Float>, learningRate: Double, scale: Double
    ) {
        let start = range.lowerBound
        let slice = ParameterSlice(
            count: range.count, weights: weights + start, gradients: gradients + start,
            mask: maskBase.map { $0 + start }, states: state.base.map { $0 + start },
            stateStride: state.stride)
        let step = OptimizerStep(
            number: state.stepCount, learningRate: learningRate * part.learningRateMultiplier,
            gradientScale: scale, weightDecayMultiplier: part.weightDecayMultiplier)
        optimizer.update(slice, step: step)
    }
}
