import EspalierOperators
import EspalierTensors
import TestSupport

extension PreparedCase {
    /// The kernel in every phase, on one thread and two, also in place, against the reference.
    func checkKernels() throws(OperatorError) -> [String] {
        guard let lowering = operation as? any Lowering, isSinglePrecision else { return [] }
        var problems: [String] = []
        for phase in Phase.all {
            guard let expected = try expected(in: phase) else { continue }
            for (name, layouts) in try offeredLayouts() {
                // The library picks its kernels by layout and number of threads; each once is enough.
                for threads in phase == .inference ? 1...2 : 1...1 {
                    let found = try onLane(threads: threads) { () throws(OperatorError) in
                        try checkKernel(
                            lowering, in: phase, layouts: layouts, threads: threads, expected: expected)
                    }
                    problems += found.map { "\(phase), \(name) inputs, \(threads) threads\($0)" }
                }
            }
        }
        return problems
    }

    private func checkKernel(
        _ lowering: any Lowering, in phase: Phase, layouts: [Layout], threads: Int,
        expected: [ReferenceValue<Double>]
    ) throws(OperatorError) -> [String] {
        let context = LoweringContext(
            signature: signature, inputLayouts: layouts, phase: phase, threads: threads)
        guard let kernel = try lowering.lowerIfSupported(context) else { return [] }
        var problems: [String] = []
        for inPlace in kernel.inPlaceInput == nil ? [false] : [false, true] {
            let runner = KernelRunner(kernel)
            let actual = try runner.run(inputs, outputs: signature.outputs, inPlace: inPlace)
            let found = runner.problems + compare(actual, expected)
            problems += found.map { "\(inPlace ? ", in place" : ""): \($0)" }
        }
        return problems
    }

    /// The ways in which the inputs' layouts may be offered: all plain; those of three and more axes with channels last;
    /// and the same of the first input only.
    func offeredLayouts() throws(OperatorError) -> [(name: String, layouts: [Layout])] {
        let plain = inputs.map { _ in Layout.plain }
        var last = plain
        for (port, tensor) in inputs.enumerated() where isReal(input: port) && !isConstant(port) {
            last[port] =
                try tensor.map { tensor throws(OperatorError) in try .channelsLast(tensor.shape) } ?? .plain
        }
        var result = [("plain", plain)]
        if last != plain { result.append(("channels-last", last)) }
        if let first = last.first, first != plain[0], last.count > 1,
            last.dropFirst().contains(where: { $0 != .plain })
        {
            result.append(("first channels-last", [first] + plain.dropFirst()))
        }
        return result
    }

    func compare(_ actual: [Tensor?], _ expected: [ReferenceValue<Double>]) -> [String] {
        zip(actual, expected).enumerated().compactMap { port, pair in
            guard let tensor = pair.0 else { return nil }
            return difference(
                tensor.converted(to: .float64), from: pair.1.tensor(as: .float64), source.tolerances.forward
            ).map { "output \(port): \($0)" }
        }
    }
}

extension Lowering {
    /// The kernel, or nil where the operator says that this case has none.
    func lowerIfSupported(_ context: LoweringContext) throws(OperatorError) -> (any Kernel)? {
        do throws(OperatorError) {
            return try lower(context)
        } catch .unsupported {
            return nil
        } catch {
            throw error
        }
    }
}
