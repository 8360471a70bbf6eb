import Espalier
import EspalierKernels
import Testing

struct DoctorTests {
    @Test func documentTellsWhatIsThere() throws {
        let result = tool("doctor", "--json")
        #expect(result.code == 0)
        let document = try result.document()
        #expect(document["version"] as? String == EspalierVersion.current)
        let library = try #require(document["oneDNN"] as? [String: Any])
        #expect(library["version"] as? String == DNNLibrary.version)
        let data = try #require(document["data"] as? [[String: Any]])
        #expect(data.map { $0["name"] as? String } == ["digits", "fashion-mnist"])
        #expect(data[0]["problem"] == nil)
        let missing = try #require(document["missing"] as? [String])
        #expect(missing.isEmpty == (data[1]["problem"] == nil) || !missing.isEmpty)
    }

    /// `ESPALIER_ISA` picks any that the machine has.
    @Test(arguments: KernelInstructions.supported)
    func kernelsUseWhatIsForced(name: String) throws {
        let environment = ["ESPALIER_ISA": name]
        let result = try Program.run(["doctor", "--json"], environment: environment)
        #expect(result.code == 0, "\(result.error)")
        let document = try result.document()
        let kernels = try #require(document["kernels"] as? [String: Any])
        #expect(kernels["instructionSet"] as? String == name)
        #expect(kernels["forced"] as? Bool == true)
        #expect(kernels["supported"] as? [String] == KernelInstructions.supported)
        let missing = try #require(document["missing"] as? [String])
        #expect(!missing.contains { $0.contains("ESPALIER_ISA") })
        let table = try Program.run(["doctor"], environment: environment)
        #expect(table.output.contains("\(name), ESPALIER_ISA=\(name)"))
    }

    /// The best one is used instead of what the machine does not have, and that is told.
    @Test func unknownInstructionSetsAreTold() throws {
        let environment = ["ESPALIER_ISA": "avx9"]
        let document = try Program.run(["doctor", "--json"], environment: environment).document()
        let kernels = try #require(document["kernels"] as? [String: Any])
        #expect(kernels["instructionSet"] as? String == KernelInstructions.supported.last)
        #expect(kernels["requested"] as? String == "avx9")
        #expect(kernels["forced"] as? Bool == false)
        let table = try Program.run(["doctor"], environment: environment)
        #expect(table.code == 0, "\(table.error)")
        let lines = table.output.split(separator: "\n")
        let problem = try #require(lines.first { $0.contains("ESPALIER_ISA=avx9") })
        for name in KernelInstructions.supported { #expect(problem.contains(name)) }
    }

    /// An empty variable is one that is not set.
    @Test func emptyInstructionSetAsksForNothing() throws {
        let document = try Program.run(["doctor", "--json"], environment: ["ESPALIER_ISA": ""]).document()
        let kernels = try #require(document["kernels"] as? [String: Any])
        #expect(kernels["forced"] as? Bool == false)
        #expect(kernels["requested"] == nil)
        let missing = try #require(document["missing"] as? [String])
        #expect(!missing.contains { $0.contains("ESPALIER_ISA") })
    }

    @Test func tableIsForPeople() {
        let result = tool("doctor")
        #expect(result.code == 0)
        #expect(result.output.contains("oneDNN"))
        #expect(result.output.contains("data digits"))
    }
}
