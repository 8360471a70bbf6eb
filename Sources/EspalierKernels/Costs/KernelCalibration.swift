import CSparseKernels
import EspalierTensors

/// Measures what a cost model's constants are fitted to, with the calling thread's team.
package enum KernelCalibration {
    /// The model of this machine, in about ten seconds, or half as many again for several threads.
    ///
    /// - Returns: nil if other programs leave the team's threads too little time for that: where together they do not reach
    ///   what a fraction of them could, or calling them takes longer than it can.
    /// - Throws: ``DNNError`` if oneDNN has no kernel for a plain product.
    package static func measured() throws(DNNError) -> KernelCostModel? {
        let ceilings = MachineCeilings.measured()
        guard ceilings.threadEfficiency > leastThreadEfficiency else { return nil }
        var model = KernelCostModel(
            ceilings: ceilings, formats: try formats(ceilings), reorders: reorders())
        if ceilings.threads > 1 {
            model.alone = try ThreadTeam.with(1) { () throws(DNNError) in
                let ceilings = MachineCeilings.measured()
                return KernelCostModel.Alone(ceilings: ceilings, formats: try formats(ceilings))
            }
        }
        let calls = model.formats.values.map(\.fixedSeconds)
        return (calls.max() ?? 0) < mostFixedSeconds ? model : nil
    }

    /// Calling a kernel never takes as long, but waiting for a thread that another program keeps from running does.
    private static let mostFixedSeconds = 30e-6

    private static func formats(
        _ ceilings: MachineCeilings
    ) throws(DNNError) -> [KernelFormat: KernelCostModel.Constants] {
        var formats: [KernelFormat: KernelCostModel.Constants] = [:]
        // What an instruction set has no kernel for (bands, on plain x86) has no measurements and gets no constants.
        func fit(_ format: KernelFormat, _ measurements: [KernelCostFit.Measurement]) {
            // A team does not run what one thread is to do by itself.
            let measurements = measurements.filter {
                ThreadTeam.size(for: $0.work.teamWork(format), of: ceilings.threads) == ceilings.threads
            }
            guard !measurements.isEmpty else { return }
            formats[format] = KernelCostFit(ceilings: ceilings, format: format).constants(measurements)
        }
        fit(.dense, try denseMeasurements())
        if DNNLibrary.hasNativeBFloat16 { fit(.denseBFloat16, try denseMeasurements(.bfloat16)) }
        let few = products.filter { SparseRows.takes(rows: $0.samples, inputs: $0.columns) }
        for format in KernelFormat.allCases {
            guard let storage = format.rowStorage else { continue }
            fit(format, sparseMeasurements(few) { rowsTime($0, samples: $1, storage) })
        }
        let many = products.filter { $0.samples > SparseRows.limit }
        let tiled = sparseMeasurements(many, tilesTime) + sparseConvolutionMeasurements()
        for format in [KernelFormat.tiles, .bands] {
            fit(format, tiled.filter { $0.work.sparseFormat == format })
        }
        // The plain loop knows no threads, so it has constants for one alone.
        if ceilings.threads == 1 { fit(.csr, sparseMeasurements(products, csrTime)) }
        return formats
    }

    /// Two threads of one core may share its units, but no more.
    private static let leastThreadEfficiency = 0.4

    /// Of one product.
    private static let milliseconds = 15.0

    /// The time of a run, in seconds: what a tenth of the runs take less than. Whatever else the machine does can only add.
    private static func time<Failure: Error>(
        _ body: () throws(Failure) -> Void
    ) throws(Failure) -> Double {
        let clock = ContinuousClock()
        try body()
        let start = clock.now
        var times: [Double] = []
        var before = start
        repeat {
            try body()
            let now = clock.now
            times.append((now - before) / .seconds(1))
            before = now
        } while (before - start) / .milliseconds(1) < milliseconds
        times.sort()
        return max(times[times.count / 10], 1e-9)
    }

    // MARK: Dense

    /// Products and convolutions from small to large, of those a pruned network is made of.
    private static let products: [(samples: Int, columns: Int, rows: Int)] = [
        (1, 32, 32), (1, 512, 512), (1, 768, 3072), (3, 768, 768), (8, 256, 256), (16, 768, 768),
        (64, 64, 64), (64, 512, 512), (128, 768, 768), (128, 256, 1024),
    ]
    private static let convolutions: [Convolution] = [
        .init(channels: 16, filters: 16, kernel: 3, extent: 28),
        .init(channels: 32, filters: 32, kernel: 3, extent: 14),
        .init(channels: 64, filters: 64, kernel: 3, extent: 7),
        .init(channels: 64, filters: 128, kernel: 1, extent: 7),
        .init(channels: 64, filters: 64, kernel: 3, extent: 28),
        .init(channels: 256, filters: 64, kernel: 1, extent: 28),
        .init(channels: 128, filters: 512, kernel: 1, extent: 14),
        .init(channels: 256, filters: 256, kernel: 3, extent: 7),
    ]

    /// One of stride 1 that keeps its input's extent.
    private struct Convolution {
        let channels: Int
        let filters: Int
        let kernel: Int
        let extent: Int

        var source: Shape { [1, channels, extent, extent] }
        var destination: Shape { [1, filters, extent, extent] }
        var weights: Shape { [filters, channels, kernel, kernel] }

        func work(nonzeros: Int) -> KernelWork {
            KernelWork(
                rows: filters, columns: channels * kernel * kernel, samples: extent * extent,
                nonzeros: nonzeros, activationByteCount: 4 * (source.count + destination.count),
                taps: kernel * kernel)
        }
    }

    /// - Parameter element: of weights and inputs; the time is with the conversion of the inputs.
    private static func denseMeasurements(
        _ element: DNNElement = .float32
    ) throws(DNNError) -> [KernelCostFit.Measurement] {
        var measurements: [KernelCostFit.Measurement] = []
        for (samples, columns, rows) in products {
            let source = try DNNLayout.plain([samples, columns])
            let primitive = try DNNPrimitive.matrixProduct(
                source: .layout(try source.converted(to: element)),
                weights: .any([columns, rows], element), destination: .plain([samples, rows]))
            let work = KernelWork(rows: rows, columns: columns, samples: samples, nonzeros: rows * columns)
            measurements.append(.init(work: work, seconds: try time(primitive, of: source)))
        }
        for convolution in convolutions {
            let padding = [convolution.kernel / 2, convolution.kernel / 2]
            let source = try DNNLayout.channelsLast(convolution.source)
            let primitive = try DNNPrimitive.convolution(
                try DNNConvolution(
                    source: convolution.source, weights: convolution.weights, paddingBegin: padding,
                    paddingEnd: padding),
                bias: false, source: try source.converted(to: element),
                destination: .channelsLast(convolution.destination))
            let work = convolution.work(nonzeros: convolution.weights.count)
            measurements.append(.init(work: work, seconds: try time(primitive, of: source)))
        }
        return measurements
    }

    /// With the conversion of a source in the layout `given`, if that is another.
    private static func time(_ primitive: DNNPrimitive, of given: DNNLayout) throws(DNNError) -> Double {
        let product = try BoundPrimitive(primitive, [.source, .weights, .destination])
        let source = try primitive.layout(of: .source)
        guard source != given else { return try time(product.run) }
        let conversion = try BoundPrimitive(.reorder(from: given, to: source), [.source, .destination])
        return try time { () throws(DNNError) in
            try conversion.run()
            try product.run()
        }
    }

    /// A primitive with memory of its own.
    private final class BoundPrimitive {
        private let call: DNNCall
        private let storages: [AlignedStorage]

        init(_ primitive: DNNPrimitive, _ arguments: [DNNArgument]) throws(DNNError) {
            var storages = [AlignedStorage(byteCount: primitive.scratchByteCount)]
            var bindings: [DNNBinding] = []
            for argument in arguments {
                let storage = AlignedStorage.written(byteCount: try primitive.layout(of: argument).byteCount)
                storages.append(storage)
                bindings.append(DNNBinding(argument, storage.base))
            }
            call = try DNNCall(primitive, bindings: bindings, scratch: storages[0].base)
            self.storages = storages
        }

        func run() throws(DNNError) { try call.run() }
    }

    // MARK: Reorders

    private static let reordered: Shape = [1, 128, 28, 28]

    private static func reorders() -> KernelCostModel.Reorders {
        let (samples, channels) = (reordered[0], reordered[1])
        let positions = reordered.count / (samples * channels)
        let byteCount = Double(4 * reordered.count)
        func secondsPerByte(_ transposition: Transposition) -> Double {
            time(input: reordered.count, output: reordered.count, scratch: 0) { source, target, _ in
                transposition(from: source, to: target)
            } / byteCount
        }
        return .init(
            secondsPerByteToPlain: secondsPerByte(
                .fromChannelsLast(samples: samples, channels: channels, positions: positions)),
            secondsPerByteToChannelsLast: secondsPerByte(
                .toChannelsLast(samples: samples, channels: channels, positions: positions)))
    }

    // MARK: Sparse

    /// Weights kept, singly and by four consecutive rows.
    private static let patterns: [(share: Float, together: Int)] = [
        (0.05, 1), (0.2, 1), (0.5, 1), (0.1, 4), (0.3, 4),
    ]

    /// Weights [rows, ...] at random places.
    private static func sparse(_ shape: Shape, _ pattern: (share: Float, together: Int)) -> Tensor {
        var random = RandomSource(seed: 1)
        let columns = shape.count / shape[0]
        var isKept = [Bool](repeating: false, count: columns)
        var scalars: [Float] = []
        scalars.reserveCapacity(shape.count)
        for row in 0..<shape[0] {
            if row.isMultiple(of: pattern.together) {
                for column in 0..<columns { isKept[column] = random.uniform(in: 0...1) < pattern.share }
            }
            for column in 0..<columns { scalars.append(isKept[column] ? 0.5 : 0) }
        }
        return Tensor(shape: shape, scalars: scalars)
    }

    /// - Parameter time: of a product with weights [rows, columns], in seconds.
    private static func sparseMeasurements(
        _ products: [(samples: Int, columns: Int, rows: Int)],
        _ time: (_ weights: Tensor, _ samples: Int) -> Double
    ) -> [KernelCostFit.Measurement] {
        products.flatMap { samples, columns, rows in
            patterns.map { pattern in
                let weights = sparse([rows, columns], pattern)
                let work = KernelWork(
                    rows: rows, columns: columns, samples: samples, nonzeros: weights.nonzeroCount,
                    isBanded: SparseMatrix.isBanded(weights, rows: rows, channels: columns, columns: samples))
                return .init(work: work, seconds: time(weights, samples))
            }
        }
    }

    private static func sparseConvolutionMeasurements() -> [KernelCostFit.Measurement] {
        convolutions.flatMap { convolution in
            patterns.map { pattern in
                let weights = sparse(convolution.weights, pattern)
                var work = convolution.work(nonzeros: weights.nonzeroCount)
                work.isBanded = SparseMatrix.isBanded(
                    weights, rows: convolution.filters, channels: convolution.channels,
                    taps: convolution.kernel * convolution.kernel,
                    columns: convolution.extent * convolution.extent)
                return .init(work: work, seconds: time(convolution, weights))
            }
        }
    }

    private static func csrTime(_ weights: Tensor, samples: Int) -> Double {
        let matrix = CompressedRows(weights)
        let input = [Float](repeating: 1, count: matrix.columns * samples)
        var output = [Float](repeating: 0, count: weights.shape[0] * samples)
        return time { matrix.multiply(input, into: &output, samples: samples) }
    }

    private static func rowsTime(
        _ weights: Tensor, samples: Int, _ storage: SparseRows.Storage
    ) -> Double {
        let matrix = SparseRows(weights, rows: samples, storage: storage)
        return time(weights, samples: samples, scratch: matrix.scratch) { source, target, scratch in
            matrix.multiply(source, into: target, then: SparseEpilogue(), scratch: scratch)
        }
    }

    private static func tilesTime(_ weights: Tensor, samples: Int) -> Double {
        let threads = ThreadTeam.count
        let matrix = SparseMatrix(
            weights, rows: weights.shape[0], channels: weights.shape[1], columns: samples, threads: threads)
        return time(weights, samples: samples, scratch: threads * matrix.productScratch) {
            source, target, scratch in
            matrix.multiply(
                source, columns: samples, into: target, then: SparseEpilogue(), scratch: scratch,
                threads: threads)
        }
    }

    private static func time(
        _ weights: Tensor, samples: Int, scratch: Int,
        _ body: (UnsafePointer<Float>, UnsafeMutablePointer<Float>, UnsafeMutableRawPointer) -> Void
    ) -> Double {
        time(
            input: weights.shape[1] * samples, output: weights.shape[0] * samples, scratch: scratch, body)
    }

    private static func time(_ convolution: Convolution, _ weights: Tensor) -> Double {
        let threads = ThreadTeam.count
        let (kernel, extent) = (convolution.kernel, convolution.extent)
        let geometry = SparseGeometry(
            samples: 1, channels: convolution.channels, input: (extent, extent), kernel: (kernel, kernel),
            strides: (1, 1), dilations: (1, 1), paddingBefore: (kernel / 2, kernel / 2),
            output: (extent, extent))
        let matrix = SparseMatrix(
            weights, rows: convolution.filters, channels: convolution.channels, taps: kernel * kernel,
            columns: extent * extent, threads: threads)
        return time(
            input: convolution.source.count, output: convolution.destination.count,
            scratch: threads * matrix.convolutionScratch(geometry)
        ) { source, target, scratch in
            matrix.convolve(
                source, geometry, into: target, then: SparseEpilogue(), scratch: scratch, threads: threads)
        }
    }

    /// - Parameters:
    ///   - input: elements.
    ///   - output: likewise.
    ///   - scratch: bytes.
    private static func time(
        input: Int, output: Int, scratch: Int,
        _ body: (UnsafePointer<Float>, UnsafeMutablePointer<Float>, UnsafeMutableRawPointer) -> Void
    ) -> Double {
        let size = MemoryLayout<Float>.size
        let (source, target, working) = (
            AlignedStorage.written(byteCount: size * input), AlignedStorage(byteCount: size * output),
            AlignedStorage(byteCount: scratch)
        )
        defer { withExtendedLifetime((source, target, working)) {} }
        let (from, to) = (
            UnsafePointer(source.base.assumingMemoryBound(to: Float.self)),
            target.base.assumingMemoryBound(to: Float.self)
        )
        return time { body(from, to, working.base) }
    }
}
