import CSparseKernels
import EspalierKernels
import EspalierTensors

/// A convolution of so few input channels and taps that our own kernels beat oneDNN's, as the first one of networks for
/// images: measured on AVX-512 with oneDNN 2.6 (batch 64, one thread), LeNet-5's takes 256 us forward and 241 us for the
/// gradient of its weights, instead of 422 and 580; a 3x3 one from 1 to 16 channels 103 and 82 instead of 203 and 231.
///
/// The input is row-major, as networks get it, and the output has its channels last.
struct NarrowConvolution {
    /// Above it the weights no longer stay in the first-level cache.
    private static let tapLimit = 64
    /// Of the frame, beside the output, in the second-level cache.
    private static let bandByteCount = 128 << 10

    let batch: Int
    let filters: Int
    let taps: Int
    let hasBias: Bool
    let destination: DNNLayout
    private let channels: Int
    private let input: (height: Int, width: Int)
    private let output: (height: Int, width: Int)
    private let padding: (top: Int, left: Int)
    private let frame: (height: Int, width: Int)
    private let step: (row: Int, column: Int)
    /// Lines of the frame that an output row sees, and from one to the next.
    private let lines: (seen: Int, stride: Int)
    /// Where each tap of the first output position lies in the frame, and last a plane of ones.
    private let offsets: [Int32]

    /// nil for convolutions that are not narrow.
    init?(_ geometry: ConvGeometry, signature: Signature) throws(OperatorError) {
        let axes = geometry.windows.axes
        taps = geometry.inputChannels * geometry.kernelPositions
        guard geometry.windows.staysInPadding, geometry.groups == 1, geometry.inputChannels <= 4,
            taps <= Self.tapLimit,
            let columns = axes.last, axes.count <= 2, signature.outputs[0].dtype == .float32,
            signature.inputShape(0).count > 0, geometry.output.count > 0, taps > 0
        else { return nil }
        let rows = axes.count == 2 ? axes[0] : nil
        batch = geometry.batch
        filters = geometry.outputChannels
        channels = geometry.inputChannels
        hasBias = signature.hasInput(2)
        let shape = geometry.output
        destination = try oneDNN { () throws(DNNError) in try .channelsLast(shape) }
        input = (rows?.input ?? 1, columns.input)
        output = (rows?.output ?? 1, columns.output)
        padding = (rows?.paddingBefore ?? 0, columns.paddingBefore)
        let width = columns.input + columns.paddingBefore + columns.paddingAfter
        let height = input.height + padding.top + (rows?.paddingAfter ?? 0)
        guard width < 1 << 20, height < 1 << 20, height * width * (channels + 1) < Int(Int32.max) else {
            return nil
        }
        frame = (height, width)
        step = ((rows?.stride ?? 1) * width, columns.stride)
        lines = (((rows?.kernel ?? 1) - 1) * (rows?.dilation ?? 1) + 1, rows?.stride ?? 1)
        var offsets: [Int32] = []
        for channel in 0..<channels {
            for row in 0..<(rows?.kernel ?? 1) {
                for column in 0..<columns.kernel {
                    let line = channel * height + row * (rows?.dilation ?? 1)
                    offsets.append(Int32(line * width + column * columns.dilation))
                }
            }
        }
        self.offsets = offsets + [Int32(channels * height * width)]
    }

    /// Floats in one row of packed weights.
    private var row: Int { espalier_narrow_row(filters) }
    private var inputCount: Int { channels * input.height * input.width }
    private var outputCount: Int { output.height * output.width * filters }
    private var planeCount: Int { frame.height * frame.width }

    // MARK: Forward

    /// Adds the convolution of input 0 by inputs 1 and 2, or by those constants, as output 0.
    func addForward(
        to builder: inout StagedKernel.Builder, weights: Tensor?, bias: Tensor?, relu: Bool, threads: Int
    ) {
        let frames = builder.scratch(byteCount: 4 * threads * channels * planeCount)
        let packed: StagedKernel.Place
        let constants = weights.map { prepared($0, bias) }
        if constants == nil {
            packed = builder.scratch(byteCount: 4 * (taps + 1) * row)
            builder.loop([.input(1), hasBias ? .input(2) : .input(1), packed]) { memory in
                guard let weights = memory[0]?.assumingMemoryBound(to: Float.self),
                    let bias = memory[1]?.assumingMemoryBound(to: Float.self),
                    let packed = memory[2]?.assumingMemoryBound(to: Float.self)
                else { return }
                pack(weights, hasBias ? bias : nil, into: packed)
            }
        } else {
            packed = frames
        }
        // By bands of rows, so that what is copied is still in a cache when it is read.
        let bandRows = max(min(Self.bandByteCount / max(4 * channels * step.row, 1), output.height), 1)
        let parts = max(
            (output.height + bandRows - 1) / bandRows, batch < threads ? min(threads, output.height) : 1)
        builder.loop([.input(0), packed, frames, .output(0)]) { memory in
            guard let input = memory[0]?.assumingMemoryBound(to: Float.self),
                let packed = constants.map({ $0.base }) ?? memory[1],
                let frames = memory[2]?.assumingMemoryBound(to: Float.self),
                let output = memory[3]?.assumingMemoryBound(to: Float.self)
            else { return }
            let weights = packed.assumingMemoryBound(to: Float.self)
            let chunks = min(threads, batch * parts)
            ThreadTeam.parallel(chunks) { range in
                for chunk in range {
                    let frame = frames + chunk * channels * planeCount
                    for item in (chunk * batch * parts / chunks)..<((chunk + 1) * batch * parts / chunks) {
                        let (sample, part) = item.quotientAndRemainder(dividingBy: parts)
                        let height = self.output.height
                        let rows = (height * part / parts)..<(height * (part + 1) / parts)
                        fill(frame, from: input + sample * inputCount, rows: rows)
                        forward(
                            frame, weights, relu: relu, into: output + sample * outputCount, rows: rows)
                    }
                }
            }
        }
    }

    private func forward(
        _ frame: UnsafePointer<Float>, _ packed: UnsafePointer<Float>, relu: Bool,
        into output: UnsafeMutablePointer<Float>, rows: Range<Int>
    ) {
        withGeometry(rows: rows.count, taps: taps) { geometry in
            espalier_narrow_forward(
                espalier_isa_active(), geometry, frame + rows.lowerBound * step.row, packed,
                packed + taps * row, relu, output + rows.lowerBound * self.output.width * filters)
        }
    }

    /// Packed weights, and the bias or zeros as their last row.
    private func pack(
        _ weights: UnsafePointer<Float>, _ bias: UnsafePointer<Float>?,
        into packed: UnsafeMutablePointer<Float>
    ) {
        espalier_narrow_pack(weights, packed, filters, taps)
        let last = packed + taps * row
        last.update(repeating: 0, count: row)
        if let bias { last.update(from: bias, count: filters) }
    }

    private func prepared(_ weights: Tensor, _ bias: Tensor?) -> AlignedStorage {
        let storage = AlignedStorage(byteCount: 4 * (taps + 1) * row)
        let packed = storage.base.assumingMemoryBound(to: Float.self)
        weights.withUnsafeScalars(of: Float.self) { weights in
            guard let weights = weights.baseAddress else { return }
            guard let bias else { return pack(weights, nil, into: packed) }
            bias.withUnsafeScalars(of: Float.self) { pack(weights, $0.baseAddress, into: packed) }
        }
        return storage
    }

    // MARK: Gradients

    /// Adds the gradients of the weights and the bias as outputs 1 and 2, or the sums over samples of their squares.
    func addParameterGradients(
        to builder: inout StagedKernel.Builder, gradient: StagedKernel.Place, weights: Bool, bias: Bool,
        squares: Bool, threads: Int
    ) {
        let chunks = min(threads, batch)
        let count = (taps + 1) * row
        let frameCount = (channels + 1) * planeCount
        let frames = builder.scratch(byteCount: 4 * chunks * frameCount)
        let sums = builder.scratch(byteCount: 4 * chunks * count)
        let parts = squares ? builder.scratch(byteCount: 4 * chunks * count) : sums
        builder.loop([.input(0), gradient, frames, sums, parts, .output(1), .output(2)]) { memory in
            guard let input = memory[0]?.assumingMemoryBound(to: Float.self),
                let gradient = memory[1]?.assumingMemoryBound(to: Float.self),
                let frames = memory[2]?.assumingMemoryBound(to: Float.self),
                let sums = memory[3]?.assumingMemoryBound(to: Float.self),
                let parts = memory[4]?.assumingMemoryBound(to: Float.self)
            else { return }
            ThreadTeam.parallel(chunks) { range in
                for chunk in range {
                    let frame = frames + chunk * frameCount
                    (frame + channels * planeCount).update(repeating: 1, count: planeCount)
                    let sum = sums + chunk * count
                    sum.update(repeating: 0, count: count)
                    for sample in (chunk * batch / chunks)..<((chunk + 1) * batch / chunks) {
                        fill(frame, from: input + sample * inputCount, rows: 0..<output.height)
                        let part = squares ? parts + chunk * count : sum
                        if squares { part.update(repeating: 0, count: count) }
                        withGeometry(rows: output.height, taps: taps + 1) { geometry in
                            espalier_narrow_weights_gradient(
                                espalier_isa_active(), geometry, frame, gradient + sample * outputCount, part)
                        }
                        if squares { ElementLoops.addSquares(of: part, to: sum, count: count) }
                    }
                }
            }
            // In fixed order, so that the same thread count gives the same bits.
            for chunk in 1..<max(chunks, 1) {
                ElementLoops.add(sums + chunk * count, to: sums, count: count)
            }
            if weights, let target = memory[5]?.assumingMemoryBound(to: Float.self) {
                espalier_narrow_unpack(sums, target, filters, taps)
            }
            if bias, let target = memory[6]?.assumingMemoryBound(to: Float.self) {
                target.update(from: sums + taps * row, count: filters)
            }
        }
    }

    // MARK: Frames

    /// Copies what some output rows see of a sample inside the padding.
    private func fill(
        _ frame: UnsafeMutablePointer<Float>, from sample: UnsafePointer<Float>, rows: Range<Int>
    ) {
        guard !rows.isEmpty else { return }
        let first = rows.lowerBound * lines.stride
        let end = min((rows.upperBound - 1) * lines.stride + lines.seen, self.frame.height)
        let after = self.frame.width - padding.left - input.width
        for channel in 0..<channels {
            for row in first..<end {
                let line = frame + (channel * self.frame.height + row) * self.frame.width
                let origin = row - padding.top
                guard (0..<input.height).contains(origin) else {
                    line.update(repeating: 0, count: self.frame.width)
                    continue
                }
                line.update(repeating: 0, count: padding.left)
                (line + padding.left).update(
                    from: sample + (channel * input.height + origin) * input.width, count: input.width)
                (line + padding.left + input.width).update(repeating: 0, count: after)
            }
        }
    }

    private func withGeometry(
        rows: Int, taps: Int, _ body: (UnsafePointer<espalier_narrow_convolution>) -> Void
    ) {
        offsets.withUnsafeBufferPointer { offsets in
            var geometry = espalier_narrow_convolution(
                offsets: offsets.baseAddress, taps: taps, filters: filters, output_height: rows,
                output_width: output.width, row_step: step.row, column_step: step.column)
            body(&geometry)
        }
    }
}
