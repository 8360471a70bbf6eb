import CSparseKernels

extension KernelCostModel {
    /// What calibration found on one machine (AMD EPYC, Zen 4), by the instruction set: for where none has been measured.
    ///
    /// What decides between formats are ratios of these numbers, which differ less between machines than the numbers.
    package static func typical(threads: Int) -> KernelCostModel {
        let isWide = espalier_isa_active() == ESPALIER_ISA_AVX512
        return (isWide ? wide : narrow).sharedOut(among: threads)
    }

    /// With AVX-512.
    private static let wide = KernelCostModel(
        ceilings: ceilings(multiplyAccumulatesPerSecond: 6.17e10),
        formats: [
            .dense: .init(
                multiplyAccumulatesPerSecond: 6.17e10, secondsPerSum: 1.07e-10, secondsPerCopy: 6e-12,
                fixedSeconds: 3.6e-7),
            .denseBFloat16: denseBFloat16,
            .rows: .init(
                multiplyAccumulatesPerSecond: 3.76e10, secondsPerSum: 6.2e-10, fixedSeconds: 1.05e-7),
            .rowsBFloat16: .init(
                multiplyAccumulatesPerSecond: 3.9e10, secondsPerVisit: 1.65e-11, secondsPerSum: 5.4e-10,
                fixedSeconds: 1.03e-7),
            .rowsInt8: .init(
                multiplyAccumulatesPerSecond: 3.6e10, secondsPerVisit: 3.75e-11, secondsPerSum: 4.2e-10,
                fixedSeconds: 1.02e-7),
            .tiles: .init(
                multiplyAccumulatesPerSecond: 4.67e10, secondsPerSum: 5.6e-10, secondsPerCopy: 1.08e-9,
                fixedSeconds: 4.5e-7),
            .bands: .init(
                multiplyAccumulatesPerSecond: 5.6e10, secondsPerSum: 5.6e-10, secondsPerCopy: 1.08e-9,
                fixedSeconds: 4.5e-7),
        ], reorders: reorders)

    /// With AVX2.
    private static let narrow = KernelCostModel(
        ceilings: ceilings(multiplyAccumulatesPerSecond: 6.44e10),
        formats: [
            .dense: .init(
                multiplyAccumulatesPerSecond: 5.18e10, secondsPerCopy: 1.8e-11, fixedSeconds: 3.9e-7),
            .denseBFloat16: denseBFloat16,
            .rows: .init(
                multiplyAccumulatesPerSecond: 3.78e10, secondsPerVisit: 6.6e-11, secondsPerSum: 6.8e-10,
                fixedSeconds: 1.13e-7),
            .rowsBFloat16: .init(
                multiplyAccumulatesPerSecond: 4.1e10, secondsPerVisit: 1e-10, secondsPerSum: 4.75e-10,
                fixedSeconds: 1.12e-7),
            .rowsInt8: .init(
                multiplyAccumulatesPerSecond: 4.17e10, secondsPerVisit: 1.23e-10, secondsPerSum: 4.7e-10,
                fixedSeconds: 1.09e-7),
            .tiles: .init(
                multiplyAccumulatesPerSecond: 4.17e10, secondsPerSum: 6.5e-10, secondsPerCopy: 1.38e-9,
                fixedSeconds: 3e-7),
            .bands: .init(
                multiplyAccumulatesPerSecond: 4.5e10, secondsPerSum: 6.5e-10, secondsPerCopy: 1.38e-9,
                fixedSeconds: 3e-7),
        ], reorders: reorders)

    /// By oneDNN, which takes AVX-512 where it has it whatever our own kernels are restricted to.
    private static let denseBFloat16 = KernelCostModel.Constants(
        multiplyAccumulatesPerSecond: 1.25e11, secondsPerSum: 1.4e-10, secondsPerCopy: 1.25e-11,
        fixedSeconds: 5e-7)

    private static let reorders = Reorders(
        secondsPerByteToPlain: 4.2e-11, secondsPerByteToChannelsLast: 9e-11)

    private static func ceilings(multiplyAccumulatesPerSecond: Double) -> MachineCeilings {
        MachineCeilings(
            threads: 1, multiplyAccumulatesPerSecond: multiplyAccumulatesPerSecond,
            levels: [
                .init(name: "L1", byteCount: 32 << 10, bytesPerSecond: 2.1e11),
                .init(name: "L2", byteCount: 1 << 20, bytesPerSecond: 1.15e11),
                .init(name: "L3", byteCount: 32 << 20, bytesPerSecond: 6.5e10),
                .init(name: "memory", byteCount: nil, bytesPerSecond: 1.7e10),
            ])
    }

    /// Of several threads that share the work evenly.
    private func sharedOut(among threads: Int) -> KernelCostModel {
        let share = Double(max(threads, 1))
        var model = self
        model.ceilings = MachineCeilings(
            threads: max(threads, 1),
            multiplyAccumulatesPerSecond: ceilings.multiplyAccumulatesPerSecond * share,
            levels: ceilings.levels.map {
                .init(name: $0.name, byteCount: $0.byteCount, bytesPerSecond: $0.bytesPerSecond * share)
            })
        for (format, constants) in formats {
            model.formats[format]?.multiplyAccumulatesPerSecond *= share
            model.formats[format]?.secondsPerVisit = constants.secondsPerVisit / share
            model.formats[format]?.secondsPerSum = constants.secondsPerSum / share
            model.formats[format]?.secondsPerCopy = constants.secondsPerCopy / share
        }
        if threads > 1 { model.alone = Alone(ceilings: ceilings, formats: formats) }
        model.reorders.secondsPerByteToPlain /= share
        model.reorders.secondsPerByteToChannelsLast /= share
        return model
    }
}
