import CSparseKernels

/// Batch normalisation of activations with channels last, as rows of channels, and its gradient.
///
/// oneDNN has it too and takes up to fifteen times as long where channels do not fill registers, as they seldom do after pruning.
/// Sums are taken over parts of the rows that do not depend on the number of threads, and so neither do the results.
package struct ChannelsLastNormalization: Sendable, Hashable {
    package let rows: Int
    package let channels: Int
    /// Added to the variance.
    package let epsilon: Float
    /// The memory that either pass needs, in bytes.
    package let scratchByteCount: Int
    private let parts: Int

    /// - Precondition: there is a row and a channel.
    package init(rows: Int, channels: Int, epsilon: Float) {
        precondition(rows > 0 && channels > 0)
        (self.rows, self.channels, self.epsilon) = (rows, channels, epsilon)
        parts = min(rows, 16)
        let sums = 2 * channels * MemoryLayout<Double>.stride
        scratchByteCount = (parts + 1) * sums + 3 * channels * MemoryLayout<Float>.stride
    }

    /// Centres and scales `source` by mean and variance, then scales and shifts it, [rows, channels].
    ///
    /// - Parameters:
    ///   - mean: of each channel: given, or written. The variance is that of a population.
    ///   - isGiven: whether mean and variance are given.
    ///   - scratch: of ``scratchByteCount`` bytes, aligned as `Double`.
    package func forward(
        _ source: UnsafePointer<Float>, scale: UnsafePointer<Float>, shift: UnsafePointer<Float>,
        mean: UnsafeMutablePointer<Float>, variance: UnsafeMutablePointer<Float>, isGiven: Bool,
        result: UnsafeMutablePointer<Float>, scratch: UnsafeMutableRawPointer
    ) {
        let scratch = Scratch(scratch, self)
        if !isGiven { measure(source, mean: mean, variance: variance, scratch: scratch) }
        let scales = scratch.coefficients(0)
        for channel in 0..<channels { scales[channel] = scale[channel] * deviation(variance[channel]) }
        eachRange(of: 2) { start, rows in
            espalier_batch_norm_apply(
                espalier_isa_active(), source + start, rows, channels, mean, scales, shift, result + start)
        }
    }

    /// The gradients of ``forward(_:scale:shift:mean:variance:isGiven:result:scratch:)``.
    ///
    /// - Parameters:
    ///   - gradient: of the result.
    ///   - isGiven: whether mean and variance are constants, and no functions of the source.
    ///   - sourceGradient: nil if it is not wanted, as the two of the parameters.
    package func backward(
        _ source: UnsafePointer<Float>, gradient: UnsafePointer<Float>, scale: UnsafePointer<Float>,
        mean: UnsafePointer<Float>, variance: UnsafePointer<Float>, isGiven: Bool,
        sourceGradient: UnsafeMutablePointer<Float>?, scaleGradient: UnsafeMutablePointer<Float>?,
        shiftGradient: UnsafeMutablePointer<Float>?, scratch: UnsafeMutableRawPointer
    ) {
        let scratch = Scratch(scratch, self)
        let sums = total(scratch) { start, rows, sums in
            espalier_batch_norm_gradient_sums(
                espalier_isa_active(), source + start, gradient + start, rows, channels, mean, sums)
        }
        let (origins, scales, slopes) = (
            scratch.coefficients(0), scratch.coefficients(1), scratch.coefficients(2)
        )
        for channel in 0..<channels {
            let (plain, products) = (sums[channel], sums[channels + channel])
            let inverse = 1 / (Double(variance[channel]) + Double(epsilon)).squareRoot()
            scaleGradient?[channel] = Float(products * inverse)
            shiftGradient?[channel] = Float(plain)
            let factor = Double(scale[channel]) * inverse
            scales[channel] = Float(factor)
            origins[channel] = isGiven ? 0 : Float(plain / Double(rows))
            slopes[channel] = isGiven ? 0 : Float(-factor * inverse * inverse * products / Double(rows))
        }
        guard let sourceGradient else { return }
        eachRange(of: 3) { start, rows in
            espalier_batch_norm_gradient(
                espalier_isa_active(), source + start, gradient + start, rows, channels, mean, origins,
                scales,
                slopes, sourceGradient + start)
        }
    }

    // MARK: Parts

    /// Mean and variance from sums of differences from what is near the mean, since those of the numbers themselves would cancel
    /// (Chan, Golub & LeVeque 1983). The mean of the first of n rows is: if it is d away, they alone make the variance at
    /// least d^2 times their share of n.
    private func measure(
        _ source: UnsafePointer<Float>, mean: UnsafeMutablePointer<Float>,
        variance: UnsafeMutablePointer<Float>, scratch: Scratch
    ) {
        let origins = scratch.coefficients(0)
        origins.update(repeating: 0, count: channels)
        let first = min(rows, 64)
        espalier_batch_norm_sums(espalier_isa_active(), source, first, channels, origins, scratch.total)
        for channel in 0..<channels { origins[channel] = Float(scratch.total[channel] / Double(first)) }
        let sums = total(scratch) { start, rows, sums in
            espalier_batch_norm_sums(espalier_isa_active(), source + start, rows, channels, origins, sums)
        }
        for channel in 0..<channels {
            let distance = sums[channel] / Double(rows)
            mean[channel] = Float(Double(origins[channel]) + distance)
            variance[channel] = Float(max(sums[channels + channel] / Double(rows) - distance * distance, 0))
        }
    }

    private func deviation(_ variance: Float) -> Float {
        Float(1 / (Double(variance) + Double(epsilon)).squareRoot())
    }

    /// Sums over all rows, of what `add` sums up over some: from an element on, over so many rows.
    private func total(
        _ scratch: Scratch, _ add: (_ start: Int, _ rows: Int, _ sums: UnsafeMutablePointer<Double>) -> Void
    ) -> UnsafePointer<Double> {
        ThreadTeam.parallel(parts, of: .moving(byteCount: 4 * rows * channels)) { range in
            for part in range {
                let first = part * rows / parts
                add(first * channels, (part + 1) * rows / parts - first, scratch.sums(part))
            }
        }
        scratch.total.update(repeating: 0, count: 2 * channels)
        for part in 0..<parts {
            let sums = scratch.sums(part)
            for place in 0..<(2 * channels) { scratch.total[place] += sums[place] }
        }
        return UnsafePointer(scratch.total)
    }

    /// Shares the rows out among the calling thread's team.
    ///
    /// - Parameter arrays: read and written.
    private func eachRange(of arrays: Int, _ body: (_ start: Int, _ rows: Int) -> Void) {
        ThreadTeam.parallel(rows, of: .moving(byteCount: arrays * 4 * rows * channels)) { range in
            body(range.lowerBound * channels, range.count)
        }
    }

    /// Sums of every part, sums of all, and coefficients.
    private struct Scratch {
        let total: UnsafeMutablePointer<Double>
        private let channels: Int
        private let firstPart: UnsafeMutablePointer<Double>
        private let firstCoefficient: UnsafeMutablePointer<Float>

        init(_ memory: UnsafeMutableRawPointer, _ owner: ChannelsLastNormalization) {
            channels = owner.channels
            total = memory.assumingMemoryBound(to: Double.self)
            firstPart = total + 2 * channels
            firstCoefficient = UnsafeMutableRawPointer(firstPart + owner.parts * 2 * channels)
                .assumingMemoryBound(to: Float.self)
        }

        func sums(_ part: Int) -> UnsafeMutablePointer<Double> { firstPart + part * 2 * channels }

        func coefficients(_ index: Int) -> UnsafeMutablePointer<Float> { firstCoefficient + index * channels }
    }
}
