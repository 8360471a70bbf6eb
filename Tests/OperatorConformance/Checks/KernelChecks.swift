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
            for threads in 1...2 {
                let context = LoweringContext(
                    signature: signature, inputLayouts: signature.inputs.map { _ in .plain }, phase: phase,
                    threads: threads)
                guard let kernel = try lowering.lowerIfSupported(context) else { continue }
                for inPlace in kernel.inPlaceInput == nil ? [false] : [false, true] {
                    let runner = KernelRunner(kernel)
                    let actual = try runner.run(inputs, outputs: signature.outputs, inPlace: inPlace)
                    let place = "\(phase), \(threads) threads\(inPlace ? ", in place" : "")"
                    problems += runner.problems.map { "\(place): \($0)" }
                    problems += compare(actual, expected).map { "\(place): \($0)" }
                }
            }
        }
        return problems
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
