import Espalier
import Foundation
import Testing

struct ProgramTests {
    @Test func exitCodesReachTheShell() throws {
        #expect(try Program.run(["--version"]).output == EspalierVersion.current + "\n")
        #expect(try Program.run(["frobnicate"]).code == 64)
        #expect(try Program.run(["verify", "missing.onnx", "missing.onnx"]).code == 1)
    }

    #if os(Linux)
        /// A full disk does not look like success.
        @Test(arguments: [
            ["--version"], ["prune", "--help"], ["doctor", "--json"],
            ["theory", "redundancy", "--units", "10", "--q", "0.5"],
        ])
        func lostOutputIsAFailure(arguments: [String]) throws {
            let result = try Program.run(
                URL(filePath: "/bin/sh"),
                ["-c", #"exec "$0" "$@" > /dev/full"#, Program.url.path] + arguments)
            #expect(result.code == 1)
            #expect(result.error.contains("standard output cannot be written"), "\(result.error)")
        }

        /// It starts over once, unless told not to.
        @Test func spinningIsLimited() throws {
            let untold: [String: String?] = ["GOMP_SPINCOUNT": nil, "OMP_WAIT_POLICY": nil]
            let limited =
                try Program.run(["doctor", "--json"], environment: untold).document()["threads"]
                as? [String: Any]
            #expect(limited?["spinCount"] as? String == "30000")
            let told = try Program.run(["doctor", "--json"], environment: ["GOMP_SPINCOUNT": "5"]).document()
            #expect((told["threads"] as? [String: Any])?["spinCount"] as? String == "5")
        }
    #endif

    /// Ctrl-C leaves a checkpoint, from which the run ends with the bytes it would have had.
    @Test func interruptedTrainingIsResumed() throws {
        let folder = try TemporaryFolder()
        func arguments(_ output: String) -> [String] {
            [
                "train", "--arch", "tiny-cnn", "--data", "digits", "--epochs", "3", "--batch-size", "128",
                "--seed", "3", "-o", folder(output),
            ]
        }
        let whole = try Program.run(arguments("whole.onnx"))
        #expect(whole.code == 0, "\(whole.error)")
        let parts = arguments("parts.onnx") + ["--checkpoint", folder("run.npz")]
        let first = try Program.run(parts, interruptedAfter: "epoch 1,")
        #expect(first.code == 130, "\(first.error)")
        #expect(throws: (any Error).self) { try bytes(folder("parts.onnx")) }
        let second = try Program.run(parts + ["--resume"])
        #expect(second.code == 0, "\(second.error)")
        #expect(second.error.contains("resuming after"))
        #expect(try bytes(folder("parts.onnx")) == bytes(folder("whole.onnx")))
        let other = try Program.run(parts + ["--resume", "--learning-rate", "0.5"])
        #expect(other.code == 1, "a checkpoint of another run was taken: \(other.error)")
    }
}
