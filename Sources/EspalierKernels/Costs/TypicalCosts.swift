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
        ceilings: ceilings(multiplyAccumulatesPerSecond: 6e10),
        formats: [
            .dense: .init(
                multiplyAccumulatesPerSecond: 6e10),
            .rows: .init(
                multiplyAccumulatesPerSecond: 6e10),
            .tiles: .init(
                multiplyAccumulatesPerSecond: 6e10),
        ], reorders: .init(secondsPerByteToPlain: 3e-10, secondsPerByteToChannelsLast: 1e-10))

    /// With AVX2.
    private static let narrow = wide

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
        model.reorders.secondsPerByteToPlain /= share
        model.reorders.secondsPerByteToChannelsLast /= share
        return model
    }
}
