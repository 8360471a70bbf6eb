import Espalier
import EspalierKernels
import Foundation
import Testing

/// `bench --precision`.
struct BenchPrecisionTests {
    private static func arguments(_ model: String, _ precision: String) -> [String] {
        ["bench", model, "--precision", precision, "--batch", "8", "--seconds", "0.01"]
    }

    private static func model(_ result: ToolResult) throws -> [String: Any] {
        #expect(result.code == 0, "\(result.error)")
        return try #require((try result.document()["models"] as? [[String: Any]])?.first)
    }

    private static func formats(_ model: [String: Any]) throws -> Set<String> {
        Set(try #require(model["layers"] as? [[String: Any]]).compactMap { $0["format"] as? String })
    }

    private static func loss(_ model: [String: Any]) throws -> Double {
        let loss = try #require(model["precisionLoss"] as? [String: Double])
        let (difference, range) = (
            try #require(loss["maxAbsoluteDifference"]), try #require(loss["outputRange"])
        )
        let relative = try #require(loss["relativeDifference"])
        // There is one output. Numbers go through decimal text.
        #expect(range > 0 && abs(relative - difference / range) <= 1e-12)
        return difference / range
    }

    @Test(arguments: ["bfloat16", "bf16"])
    func denseLayersAreRounded(name: String) throws {
        let folder = try TrainedModel.folder()
        let arguments = Self.arguments(folder("dense.onnx"), name)
        let model = try Self.model(tool(arguments + ["--json", "--quiet"]))
        let dense = DNNLibrary.hasNativeBFloat16 ? "bfloat16" : "float32"
        #expect(model["precision"] as? String == "bfloat16" && model["densePrecision"] as? String == dense)
        let loss = try Self.loss(model)
        #expect(DNNLibrary.hasNativeBFloat16 ? loss > 1e-5 && loss < 0.05 : loss == 0, "\(loss)")
        #expect(try Self.formats(model).contains("dense-bfloat16") == DNNLibrary.hasNativeBFloat16)
        let table = tool(arguments)
        #expect(table.output.contains("1 thread, bfloat16, inputs in place"))
        #expect(table.output.contains("from float32"))
        #expect(table.output.contains("no bfloat16") == !DNNLibrary.hasNativeBFloat16)
    }

    @Test func float32IsTheDefault() throws {
        let model = try Self.model(
            tool("bench", Fixture.path("classifier.onnx"), "--seconds", "0.01", "--json", "--quiet"))
        #expect(model["precision"] as? String == "float32" && model["densePrecision"] as? String == "float32")
        #expect(model["precisionLoss"] == nil)
    }

    /// Dense layers, of which this network has no others, are in float32.
    @Test func integersAreForWeightsWhoseZerosAreLeftOut() throws {
        let model = try Self.model(
            tool(Self.arguments(Fixture.path("classifier.onnx"), "int8-weights") + ["--json", "--quiet"]))
        #expect(
            model["precision"] as? String == "int8-weights" && model["densePrecision"] as? String == "float32"
        )
        #expect(try Self.loss(model) == 0)
    }

    @Test func reportsNameThePrecision() throws {
        let folder = try TemporaryFolder()
        let page = folder("bench.html")
        let result = tool(
            Self.arguments(Fixture.path("classifier.onnx"), "bfloat16") + ["--quiet", "--report", page])
        #expect(result.code == 0, "\(result.error)")
        let text = try String(contentsOfFile: page, encoding: .utf8)
        #expect(text.contains("in bfloat16, inputs in place"))
        #expect(text.contains("outputs differ from those in float32 by at most"))
    }

    /// Where oneDNN may not use instructions for bfloat16, dense layers are computed in float32, to the last bit.
    @Test func processorsWithoutBFloat16ComputeInFloat32() throws {
        let folder = try TrainedModel.folder()
        let arguments = Self.arguments(folder("dense.onnx"), "bfloat16")
        let environment = ["DNNL_MAX_CPU_ISA": "AVX2", "XDG_CACHE_HOME": folder("cache")]
        let model = try Self.model(
            try Program.run(arguments + ["--json", "--quiet"], environment: environment))
        #expect(
            model["precision"] as? String == "bfloat16" && model["densePrecision"] as? String == "float32")
        #expect(try Self.loss(model) == 0)
        #expect(try !Self.formats(model).contains("dense-bfloat16"))
        let table = try Program.run(arguments, environment: environment)
        #expect(table.code == 0, "\(table.error)")
        #expect(table.output.contains("no bfloat16"))
    }

    /// Restricting our own kernels restricts nothing of oneDNN's.
    @Test func narrowerKernelsOfOurOwnRoundWeightsAsWell() throws {
        let folder = try TrainedModel.folder()
        let environment = ["ESPALIER_ISA": "avx2", "XDG_CACHE_HOME": folder("cache")]
        let model = try Self.model(
            try Program.run(
                Self.arguments(folder("dense.onnx"), "bfloat16") + ["--json", "--quiet"],
                environment: environment))
        let dense = DNNLibrary.hasNativeBFloat16 ? "bfloat16" : "float32"
        #expect(model["densePrecision"] as? String == dense)
        #expect(try Self.formats(model).contains("dense-bfloat16") == DNNLibrary.hasNativeBFloat16)
    }

    @Test func unknownPrecisionsAreUsageErrors() {
        let result = tool(Self.arguments(Fixture.path("classifier.onnx"), "float8"))
        #expect(result.code == 64)
        for name in ["float32", "bfloat16", "int8-weights"] { #expect(result.error.contains(name)) }
    }
}
