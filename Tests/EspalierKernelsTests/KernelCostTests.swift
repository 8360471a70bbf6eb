import EspalierKernels
import EspalierTensors
import Testing

/// The closed form, and that its constants are found again from times that follow it.
struct KernelCostTests {
    /// Exactly representable rates, so that the closed forms are equal and not only close.
    private static let ceilings = MachineCeilings(
        threads: 1, multiplyAccumulatesPerSecond: 0x1p37,
        levels: [
            .init(name: "L1", byteCount: 0x8000, bytesPerSecond: 0x1p38),
            .init(name: "L2", byteCount: 0x10_0000, bytesPerSecond: 0x1p36),
            .init(name: "memory", byteCount: nil, bytesPerSecond: 0x1p33),
        ])
    private static let dense = KernelCostModel.Constants(
        multiplyAccumulatesPerSecond: 0x1p36, secondsPerSum: 0x1p-36, fixedSeconds: 0x1p-20)
    private static let sparse = KernelCostModel.Constants(
        multiplyAccumulatesPerSecond: 0x1p34, secondsPerVisit: 0x1p-30, secondsPerSum: 0x1p-27,
        secondsPerCopy: 0x1p-28, fixedSeconds: 0x1p-20)
    private static let reorders = KernelCostModel.Reorders(
        secondsPerByteToPlain: 0x1p-30, secondsPerByteToChannelsLast: 0x1p-32)
    private static let model = KernelCostModel(
        ceilings: ceilings, formats: [.dense: dense, .csr: sparse, .tiles: sparse, .bands: sparse],
        reorders: reorders)

    @Test func levelsHoldWhatFits() {
        #expect(Self.ceilings.level(holding: 0).name == "L1")
        #expect(Self.ceilings.level(holding: 0x8000).name == "L1")
        #expect(Self.ceilings.level(holding: 0x8001).name == "L2")
        #expect(Self.ceilings.level(holding: .max).name == "memory")
    }

    /// 256 x 512 weights, 64 samples: 2^23 multiply-accumulates, 2^19 bytes of weights, 196,608 of activations.
    @Test func partsAreThoseOfTheFormula() throws {
        let work = KernelWork(rows: 256, columns: 512, samples: 64, nonzeros: 0x1000)
        let dense = try #require(Self.model.prediction(work, format: .dense))
        #expect(dense.compute == 0x1p23 / 0x1p36)
        #expect(dense.memory == (0x1p19 + 4 * 64 * 768) / 0x1p36)
        #expect(dense.sums == 0x1p-22 && dense.visits == 0 && dense.copies == 0 && dense.fixed == 0x1p-20)
        #expect(dense.seconds == 0x1p-13 + 0x1p-22 + 0x1p-20)
        #expect(dense.limit == .compute)

        let sparse = try #require(Self.model.prediction(work, format: .csr))
        #expect(sparse.compute == 0x1000 * 64 / 0x1p34)
        // Values and columns take eight bytes for each weight that is left.
        #expect(work.weightByteCount(.csr) == 8 * 0x1000)
        #expect(sparse.visits == 0x1000 * 0x1p-30 && sparse.sums == 256 * 0x1p-27 && sparse.copies == 0)
        let speedup = try #require(Self.model.speedup(work, format: .csr))
        #expect(speedup == dense.seconds / sparse.seconds)
        #expect(work.theoreticalSpeedup == 32)
        #expect(Self.model.speedup(work, format: .dense) == 1)
    }

    /// 200 samples are 13 lines in three tiles of at most six; 512 inputs are six blocks of at most 96.
    @Test func tilesAreFilledUp() throws {
        let work = KernelWork(rows: 256, columns: 512, samples: 200, nonzeros: 0x1000)
        #expect(work.sparseFormat == .tiles)
        let tiles = try #require(Self.model.prediction(work, format: .tiles))
        #expect(tiles.compute == 0x1000 * 208 / 0x1p34)
        #expect(tiles.visits == 3 * 0x1000 * 0x1p-30 && tiles.sums == 256 * 13 * 6 * 0x1p-27)
        #expect(tiles.copies == 512 * 13 * 0x1p-28)
        #expect(KernelWork(rows: 256, columns: 512, samples: 16, nonzeros: 1).sparseFormat == .rows)
        let convolution = KernelWork(
            rows: 256, columns: 512, samples: 16, nonzeros: 1, activationByteCount: 0, taps: 1)
        #expect(convolution.sparseFormat == .tiles)
    }

    /// Of two thousand weights, numbers and what tells their places.
    @Test func narrowFormatsTakeFewerBytes() {
        let work = KernelWork(rows: 256, columns: 512, samples: 4, nonzeros: 2000)
        #expect(Precision.allCases.map { work.sparseFormat(in: $0) } == [.rows, .rowsBFloat16, .rowsInt8])
        #expect(
            Precision.allCases.map { work.weightByteCount(work.sparseFormat(in: $0)) } == [12000, 8000, 6000])
        #expect(work.weightByteCount(.denseBFloat16) == 2 * 256 * 512)
        for format in [KernelFormat.rows, .rowsBFloat16, .rowsInt8] {
            #expect(work.multiplyAccumulates(format) == 4 * 2000)
        }
        #expect(work.multiplyAccumulates(.denseBFloat16) == work.multiplyAccumulates(.dense))
        let many = KernelWork(rows: 256, columns: 512, samples: 40, nonzeros: 2000)
        #expect(Precision.allCases.allSatisfy { many.sparseFormat(in: $0) == .tiles })
    }

    /// Where it takes longer to convert the input than is saved, dense layers stay in float32.
    @Test func denseFormatsFitTheWork() {
        let native: KernelFormat = DNNLibrary.hasNativeBFloat16 ? .denseBFloat16 : .dense
        func formats(_ rows: Int, _ columns: Int, _ samples: Int) -> [KernelFormat] {
            let work = KernelWork(rows: rows, columns: columns, samples: samples, nonzeros: rows * columns)
            return Precision.allCases.map { work.denseFormat(in: $0) }
        }
        #expect(formats(256, 512, 64) == [.dense, native, .dense])
        #expect(formats(256, 512, 1) == [.dense, native, .dense])
        // Few multiply-accumulates, and few for each number read and written.
        #expect(formats(128, 128, 1) == [.dense, .dense, .dense])
        #expect(formats(7, 4096, 4096) == [.dense, .dense, .dense])
    }

    /// Narrow numbers are multiplied faster than the ceiling of float32 allows.
    @Test func ratesAboveTheCeilingAreFound() throws {
        let rate = 0x1p38
        let measurements = [(64, 64, 64), (512, 512, 256), (1024, 256, 512)].map { rows, columns, samples in
            let work = KernelWork(rows: rows, columns: columns, samples: samples, nonzeros: rows * columns)
            let seconds = Double(rows * columns * samples) / rate + 0x1p-30
            return KernelCostFit.Measurement(work: work, seconds: seconds)
        }
        let ceilings = MachineCeilings(
            threads: 1, multiplyAccumulatesPerSecond: 0x1p37,
            levels: [.init(name: "memory", byteCount: nil, bytesPerSecond: .infinity)])
        let found = KernelCostFit(ceilings: ceilings, format: .denseBFloat16).constants(measurements)
        #expect(abs(found.multiplyAccumulatesPerSecond / rate - 1) < 0.03)
    }

    /// Costs are shared out, sizes and what is done once are not.
    @Test func typicalCostsServeAnyTeam() throws {
        let (one, two) = (KernelCostModel.typical(threads: 1), KernelCostModel.typical(threads: 2))
        let work = KernelWork(rows: 512, columns: 512, samples: 256, nonzeros: 0x8000)
        for format in [KernelFormat.dense, .tiles] {
            let first = try #require(one.prediction(work, format: format))
            let second = try #require(two.prediction(work, format: format))
            #expect(abs((first.seconds - first.fixed) / (second.seconds - second.fixed) - 2) < 1e-9)
        }
        #expect(try #require(one.speedup(work, format: .tiles)) > 2)
    }

    /// One sample reads every weight for one multiply-accumulate: memory decides, and it decides by where the network lies.
    @Test func singleSamplesAreBoundByMemory() throws {
        let work = KernelWork(rows: 1024, columns: 1024, samples: 1, nonzeros: 1024 * 1024)
        let alone = try #require(Self.model.prediction(work, format: .dense))
        #expect(alone.limit == .memory)
        #expect(alone.memory == 0x1p22 / 0x1p33 + 0x2000 / 0x1p38)
        let small = KernelWork(rows: 64, columns: 64, samples: 1, nonzeros: 64 * 64)
        let (near, far) = (
            try #require(Self.model.prediction(small, format: .dense)),
            try #require(Self.model.prediction(small, format: .dense, residentByteCount: 1 << 30))
        )
        #expect(far.memory - near.memory == 0x4000 / 0x1p33 - 0x4000 / 0x1p38)
    }

    @Test func formatsWithoutConstantsAreNotGuessed() {
        let model = KernelCostModel(
            ceilings: Self.ceilings, formats: [.dense: Self.dense], reorders: Self.reorders)
        let work = KernelWork(rows: 8, columns: 8, samples: 1, nonzeros: 8)
        #expect(model.prediction(work, format: .csr) == nil && model.speedup(work, format: .csr) == nil)
    }

    @Test func constantsAreFoundAgain() throws {
        var measurements: [KernelCostFit.Measurement] = []
        for (rows, columns, samples) in [
            (1, 1, 1), (4096, 1, 1), (64, 4096, 1), (256, 256, 256), (512, 1024, 64), (16, 16, 4096),
            (32, 8, 8),
        ] {
            let work = KernelWork(
                rows: rows, columns: columns, samples: samples, nonzeros: max(1, rows * columns / 8))
            let seconds = try #require(Self.model.prediction(work, format: .csr)).seconds
            measurements.append(.init(work: work, seconds: seconds))
        }
        let found = KernelCostFit(ceilings: Self.ceilings, format: .csr).constants(measurements)
        let model = KernelCostModel(ceilings: Self.ceilings, formats: [.csr: found], reorders: Self.reorders)
        for measurement in measurements {
            let predicted = try #require(model.prediction(measurement.work, format: .csr)).seconds
            // Rates are tried in steps of 2 %.
            #expect(abs(predicted / measurement.seconds - 1) < 0.02, "\(measurement.work)")
        }
    }

    /// With a negative coefficient out of bounds the rest is fitted without it.
    @Test func leastSquaresAreNotNegative() {
        let exact = KernelCostFit.nonnegativeLeastSquares([[1, 0], [0, 2], [1, 2]], [3, 8, 11])
        #expect(abs(exact[0] - 3) < 1e-9 && abs(exact[1] - 4) < 1e-9)
        let bounded = KernelCostFit.nonnegativeLeastSquares([[1, 1], [1, -1]], [0, 2])
        #expect(abs(bounded[0] - 1) < 1e-9 && bounded[1] == 0)
        #expect(KernelCostFit.nonnegativeLeastSquares([[1], [1]], [-1, -2]) == [0])
    }

    /// What one thread is to do by itself is predicted by what one thread does.
    @Test func smallWorkIsNotShared() throws {
        var model = Self.model
        model.ceilings = MachineCeilings(
            threads: 2, multiplyAccumulatesPerSecond: 2e9, levels: Self.ceilings.levels)
        model.formats = [.dense: .init(multiplyAccumulatesPerSecond: 2e9, fixedSeconds: 0.5)]
        model.alone = .init(
            ceilings: Self.ceilings,
            formats: [.dense: .init(multiplyAccumulatesPerSecond: 1e9, fixedSeconds: 0.25)])
        let small = KernelWork(rows: 511, columns: 512, samples: 1, nonzeros: 511 * 512)
        let large = KernelWork(rows: 512, columns: 512, samples: 1, nonzeros: 512 * 512)
        #expect(try #require(model.prediction(small, format: .dense)).fixed == 0.25)
        #expect(try #require(model.prediction(large, format: .dense)).fixed == 0.5)
        #expect(ThreadTeam.size(for: .moving(byteCount: 1 << 10), of: 4) == 1)
        #expect(ThreadTeam.size(for: .moving(byteCount: 1 << 20), of: 4) == 4)
        #expect(ThreadTeam.size(for: .product(.csr, multiplyAccumulates: .max - 1), of: 4) == 1)
    }

    /// What is measured is positive and ordered; how much it is depends on the machine.
    @Test(arguments: [1, 2])
    func machineIsMeasured(threads: Int) throws {
        let lane = try Lane(threads: threads)
        // On a machine that is too busy there is none.
        guard let model = try lane.run({ try KernelCalibration.measured() }) else { return }
        let ceilings = model.ceilings
        #expect(ceilings.threads == lane.threads && ceilings.multiplyAccumulatesPerSecond > 0)
        #expect(ceilings.levels.map(\.name) == ["L1", "L2", "L3", "memory"])
        #expect(ceilings.levels.allSatisfy { $0.bytesPerSecond > 0 && $0.bytesPerSecond.isFinite })
        let sizes = ceilings.levels.dropLast().map { $0.byteCount ?? 0 }
        #expect(sizes == sizes.sorted() && sizes[0] > 0 && ceilings.levels.last?.byteCount == nil)
        #expect(
            model.formats[.dense] != nil && model.formats[.rows] != nil && model.formats[.tiles] != nil)
        #expect(
            model.reorders.secondsPerByteToPlain > 0 && model.reorders.secondsPerByteToChannelsLast > 0)
        #expect((model.formats[.csr] == nil) == (lane.threads > 1))
        #expect((model.alone == nil) == (lane.threads == 1))
        #expect(model.formats[.rowsBFloat16] != nil && model.formats[.rowsInt8] != nil)
        #expect((model.formats[.denseBFloat16] != nil) == DNNLibrary.hasNativeBFloat16)
        for constants in model.formats.values {
            #expect(constants.multiplyAccumulatesPerSecond > 0)
            #expect(
                [
                    constants.secondsPerVisit, constants.secondsPerSum, constants.secondsPerCopy,
                    constants.secondsPerShift, constants.fixedSeconds,
                ].min() ?? -1 >= 0
            )
        }
    }
}
