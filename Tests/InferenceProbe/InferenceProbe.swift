import CAllocationCounter
import EspalierExecution
import EspalierONNX
import EspalierTensors

/// Counts the allocations of inferences in a session's memory, once everything is planned.
///
///     InferenceProbe MODEL.onnx INPUT OUTPUT INFERENCES PRECISION THREADS
///
/// Zeros among the weights are left out wherever there is a kernel for that. Prints the count and the bytes, of all threads but
/// without what oneDNN allocates itself, or `unavailable` where allocations can't be counted. With several threads all inferences
/// are made in one call of the session, as handing it over to another thread allocates. A program of its own, since counting
/// stands in for the C library's functions.
@main
enum InferenceProbe {
    static func main() throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 7, let inferences = Int(arguments[4]),
            let precision = Precision(rawValue: arguments[5]), let threads = Int(arguments[6])
        else { throw ProbeError.usage }
        guard allocation_counter_is_available() else { return print("unavailable") }
        let before = allocation_counter_value()
        var options = InferenceSession.Options()
        options.threads = threads
        options.sparsity = .always
        options.precision = precision
        let session = try InferenceSession(
            graph: try ONNXModel.load(from: arguments[1]), options: options)
        guard allocation_counter_value() > before else { throw ProbeError.countsNothing }
        let (input, output) = (arguments[2], arguments[3])
        var total: Float = 0
        func infer(_ pass: borrowing InferencePass) throws {
            try pass.withInput(input) { numbers in
                for index in numbers.indices { numbers[index] = Float(index % 7) }
            }
            try pass.run()
            total += try pass.withOutput(output) { numbers in numbers[0] }
        }
        try session.infer { pass in try infer(pass) }
        let made: Allocations
        if threads == 1 {
            let start = Allocations.current
            for _ in 0..<inferences { try session.infer { pass in try infer(pass) } }
            made = Allocations.current - start
        } else {
            made = try session.infer { pass in
                let start = Allocations.current
                for _ in 0..<inferences { try infer(pass) }
                return Allocations.current - start
            }
        }
        guard total.isFinite else { throw ProbeError.noNumber }
        print(made.count, made.byteCount)
    }
}

/// How many there were, and how large.
private struct Allocations {
    var count: Int
    var byteCount: Int

    static var current: Allocations {
        Allocations(count: allocation_counter_value(), byteCount: allocation_counter_bytes())
    }

    static func - (later: Allocations, earlier: Allocations) -> Allocations {
        Allocations(count: later.count - earlier.count, byteCount: later.byteCount - earlier.byteCount)
    }
}

enum ProbeError: Error {
    case usage, countsNothing, noNumber
}
