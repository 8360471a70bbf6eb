import CAllocationCounter
import EspalierExecution
import EspalierONNX
import EspalierTensors

/// Counts the allocations of inferences in a session's memory, once everything is planned.
///
///     InferenceProbe MODEL.onnx INPUT OUTPUT INFERENCES PRECISION
///
/// Prints the count, without what oneDNN allocates itself, or `unavailable` where allocations can't be counted. A program of its own, since counting stands in for
/// the C library's functions.
@main
enum InferenceProbe {
    static func main() throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 6, let inferences = Int(arguments[4]),
            let precision = Precision(rawValue: arguments[5])
        else { throw ProbeError.usage }
        guard allocation_counter_is_available() else { return print("unavailable") }
        let before = allocation_counter_value()
        var options = InferenceSession.Options()
        options.precision = precision
        let session = try InferenceSession(
            graph: try ONNXModel.load(from: arguments[1]), options: options)
        guard allocation_counter_value() > before else { throw ProbeError.countsNothing }
        let (input, output) = (arguments[2], arguments[3])
        var total: Float = 0
        func infer() throws {
            total += try session.infer { pass in
                try pass.withInput(input) { numbers in
                    for index in numbers.indices { numbers[index] = Float(index % 7) }
                }
                try pass.run()
                return try pass.withOutput(output) { numbers in numbers[0] }
            }
        }
        try infer()
        let start = allocation_counter_value()
        for _ in 0..<inferences { try infer() }
        let count = allocation_counter_value() - start
        guard total.isFinite else { throw ProbeError.noNumber }
        print(count)
    }
}

enum ProbeError: Error {
    case usage, countsNothing, noNumber
}
