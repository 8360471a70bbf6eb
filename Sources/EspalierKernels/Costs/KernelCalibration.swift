import CSparseKernels
import EspalierTensors

/// Measures what a cost model's constants are fitted to, with the calling thread's team.
package enum KernelCalibration {
    /// The model of this machine, in about a second.
    ///
    /// - Throws: ``DNNError`` if oneDNN has no kernel for a plain product.
    package static func measured() throws(DNNError) -> KernelCostModel {
        let ceilings = MachineCeilings.measured()
        var model = KernelCostModel(ceilings: ceilings, formats: [:])
        let dense = try denseMeasurements()
        model.formats[.dense] = KernelCostFit(ceilings: ceilings, format: .dense).constants(dense)
        model.formats[.element] = KernelCostFit(ceilings: ceilings, format: .element).constants(
            sparseMeasurements(elementTime))
        // The plain loop knows no threads, so it has constants for one alone.
        if ceilings.threads == 1 {
            model.formats[.csr] = KernelCostFit(ceilings: ceilings, format: .csr).constants(
                sparseMeasurements(csrTime))
        }
        return model
    }

    /// Of one product.
    private static let milliseconds = 15.0

    /// The median time of a run, in seconds.
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
        return max(times[times.count / 2], 1e-9)
    }

    // MARK: Dense

    /// Products and convolutions from small to large, of those a pruned network is made of.
    private static let products: [(samples: Int, columns: Int, rows: Int)] = [
        (1, 32, 32), (1, 512, 512), (1, 768, 3072), (8, 256, 256), (16, 768, 768), (64, 64, 64),
        (64, 512, 512),
        (128, 768, 768),
    ]
    private static let convolutions: [(channels: Int, filters: Int, kernel: Int, extent: Int)] = [
        (16, 16, 3, 28), (64, 64, 3, 28), (256, 64, 1, 28), (128, 512, 1, 14), (256, 256, 3, 7),
    ]

    private static func denseMeasurements() throws(DNNError) -> [KernelCostFit.Measurement] {
        var measurements: [KernelCostFit.Measurement] = []
        for (samples, columns, rows) in products {
            let primitive = try DNNPrimitive.innerProduct(
                source: .any([samples, columns]), weights: .any([rows, columns]), bias: false)
            let work = KernelWork(rows: rows, columns: columns, samples: samples, nonzeros: rows * columns)
            measurements.append(.init(work: work, seconds: try time(primitive)))
        }
        for (channels, filters, kernel, extent) in convolutions {
            let padding = [kernel / 2, kernel / 2]
            let convolution = try DNNConvolution(
                source: [1, channels, extent, extent], weights: [filters, channels, kernel, kernel],
                paddingBegin: padding, paddingEnd: padding)
            let primitive = try DNNPrimitive.convolution(
                convolution, bias: false, source: .channelsLast(convolution.source),
                destination: .channelsLast(convolution.destination))
            let columns = channels * kernel * kernel
            let work = KernelWork(
                rows: filters, columns: columns, samples: extent * extent, nonzeros: filters * columns,
                activationByteCount: 4 * (convolution.source.count + convolution.destination.count))
            measurements.append(.init(work: work, seconds: try time(primitive)))
        }
        return measurements
    }

    private static func time(_ primitive: DNNPrimitive) throws(DNNError) -> Double {
        var storages: [AlignedStorage] = []
        var bindings: [DNNBinding] = []
        for argument in [DNNArgument.source, .weights, .destination] {
            let storage = AlignedStorage(byteCount: try primitive.layout(of: argument).byteCount)
            storages.append(storage)
            bindings.append(DNNBinding(argument, storage.base))
        }
        let scratch = AlignedStorage(byteCount: primitive.scratchByteCount)
        let call = try DNNCall(primitive, bindings: bindings, scratch: scratch.base)
        defer { withExtendedLifetime((storages, scratch)) {} }
        return try time { () throws(DNNError) in try call.run() }
    }

    // MARK: Sparse

    /// Weights kept, of the products with dense ones.
    private static let keptShares: [Float] = [0.05, 0.2]

    /// - Parameter time: of a product with weights [rows, columns], in seconds.
    private static func sparseMeasurements(
        _ time: (_ weights: Tensor, _ samples: Int) -> Double
    ) -> [KernelCostFit.Measurement] {
        var random = RandomSource(seed: 1)
        return products.flatMap { samples, columns, rows in
            keptShares.map { share in
                let numbers = (0..<(rows * columns)).map { _ in
                    random.uniform(in: 0...1) < share ? Float(0.5) : 0
                }
                let weights = Tensor(shape: [rows, columns], scalars: numbers)
                let work = KernelWork(
                    rows: rows, columns: columns, samples: samples, nonzeros: weights.nonzeroCount)
                return .init(work: work, seconds: time(weights, samples))
            }
        }
    }

    private static func csrTime(_ weights: Tensor, samples: Int) -> Double {
        let (rows, columns) = (weights.shape[0], weights.shape[1])
        let numbers = weights.scalars(as: Float.self)
        var starts: [UInt32] = [0]
        var places: [UInt32] = []
        for row in 0..<rows {
            for column in 0..<columns where numbers[row * columns + column] != 0 {
                places.append(UInt32(column))
            }
            starts.append(UInt32(places.count))
        }
        let values = [Float](repeating: 0.5, count: places.count)
        let input = [Float](repeating: 1, count: columns * samples)
        var output = [Float](repeating: 0, count: rows * samples)
        let isa = espalier_isa_active()
        return starts.withUnsafeBufferPointer { starts in
            places.withUnsafeBufferPointer { places in
                values.withUnsafeBufferPointer { values in
                    var matrix = espalier_csr_matrix(
                        rows: rows, starts: starts.baseAddress, columns: places.baseAddress,
                        values: values.baseAddress)
                    return time { espalier_csr_multiply(isa, &matrix, input, &output, samples) }
                }
            }
        }
    }

    private static func elementTime(_ weights: Tensor, samples: Int) -> Double {
        let (rows, columns) = (weights.shape[0], weights.shape[1])
        let (input, output) = (
            AlignedStorage(byteCount: 4 * columns * samples), AlignedStorage(byteCount: 4 * rows * samples)
        )
        let (source, target) = (
            UnsafePointer(input.base.assumingMemoryBound(to: Float.self)),
            output.base.assumingMemoryBound(to: Float.self)
        )
        defer { withExtendedLifetime((input, output)) {} }
        if samples <= SparseRows.limit {
            let matrix = SparseRows(weights, rows: samples)
            let scratch = AlignedStorage(byteCount: matrix.scratch)
            return time {
                matrix.multiply(source, into: target, then: SparseEpilogue(), scratch: scratch.base)
            }
        }
        let threads = ThreadTeam.count
        let matrix = SparseMatrix(
            weights, rows: rows, channels: columns, columns: samples, threads: threads)
        let scratch = AlignedStorage(byteCount: threads * matrix.productScratch)
        return time {
            matrix.multiply(
                source, columns: samples, into: target, then: SparseEpilogue(), scratch: scratch.base,
                threads: threads)
        }
    }
}
