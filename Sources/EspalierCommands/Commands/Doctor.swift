import ArgumentParser
import Espalier
import EspalierKernels
import EspalierReports
import EspalierRuns
import EspalierTraining
import Foundation

/// Tells what the program found on this machine, and what is missing.
struct Doctor: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Tells what the program found on this machine, and what is missing.",
        discussion: """
            Exits with 0 also when optional things are missing, such as data sets.

            EXAMPLE
              espalier doctor
            """)

    @OptionGroup var output: ConsoleOptions

    func run() throws {
        let findings = Findings()
        let console = output.console
        try console.document(findings)
        var sheet = FactSheet()
        sheet.add("Espalier", findings.version)
        sheet.add("processor", findings.machine.processor)
        sheet.add("cores", "\(findings.machine.cores)")
        sheet.add("system", findings.machine.operatingSystem)
        sheet.add("oneDNN", "\(findings.oneDNN.version), uses \(findings.oneDNN.instructionSet)")
        sheet.add("kernels", findings.kernels.text)
        sheet.add("threads", findings.threads.text)
        for data in findings.data { sheet.add("data \(data.name)", data.problem ?? "found") }
        console.result(sheet.rendered())
        if findings.missing.isEmpty {
            console.result("\nNothing is missing.")
        } else {
            console.result("\nMissing:\n" + findings.missing.map { "- \($0)" }.joined(separator: "\n"))
        }
    }
}

extension Doctor {
    /// The document.
    private struct Findings: Encodable {
        let schemaVersion = 1
        let version = EspalierVersion.current
        let machine = RunRecord.Machine.current
        let oneDNN = Library()
        let kernels = Kernels()
        let threads = Threads()
        let data = [DataSource.digits, .fashionMNIST(directory: nil)].map(Source.init)

        /// What there could be and is not, with what to do.
        var missing: [String] {
            var missing = data.compactMap(\.problem)
            if let problem = kernels.problem { missing.append(problem) }
            if !threads.openMP {
                missing.append("oneDNN was built without GNU OpenMP: every computation uses one thread")
            }
            return missing
        }

        private enum CodingKeys: String, CodingKey {
            case schemaVersion, version, machine, oneDNN, kernels, threads, data, missing
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(schemaVersion, forKey: .schemaVersion)
            try container.encode(version, forKey: .version)
            try container.encode(machine, forKey: .machine)
            try container.encode(oneDNN, forKey: .oneDNN)
            try container.encode(kernels, forKey: .kernels)
            try container.encode(threads, forKey: .threads)
            try container.encode(data, forKey: .data)
            try container.encode(missing, forKey: .missing)
        }
    }

    private struct Library: Encodable {
        let version = DNNLibrary.version
        let instructionSet = DNNLibrary.instructionSet
    }

    /// Our own kernels.
    private struct Kernels: Encodable {
        let instructionSet = KernelInstructions.active
        /// Those of this machine.
        let supported = KernelInstructions.supported
        /// What the environment asks for; nil if nothing.
        let requested: String?
        /// Whether ``instructionSet`` is what the environment asks for.
        let forced: Bool

        init() {
            let value = ProcessInfo.processInfo.environment[KernelInstructions.variable] ?? ""
            requested = value.isEmpty ? nil : value
            forced = supported.contains(value)
        }

        private var request: String? { requested.map { "\(KernelInstructions.variable)=\($0)" } }

        var text: String {
            guard forced, let request else { return instructionSet }
            return "\(instructionSet), \(request)"
        }

        /// What is wrong with the request, and what to do; nil if it is honoured or there is none.
        var problem: String? {
            guard !forced, let request else { return nil }
            let names = supported.joined(separator: ", ")
            return
                "the instruction set of \(request): kernels use \(instructionSet); set it to one of: \(names)"
        }
    }

    private struct Threads: Encodable {
        /// Whether computations can use more than one.
        let openMP = ThreadTeam.isAvailable
        let spinCount = ProcessInfo.processInfo.environment[SpinSetting.variable]

        var text: String {
            guard openMP else { return "one: no OpenMP" }
            return "OpenMP" + (spinCount.map { ", \(SpinSetting.variable)=\($0)" } ?? "")
        }
    }

    /// A data set that may be used by name.
    private struct Source: Encodable {
        let name: String
        /// Why it cannot be used, and what to do; nil if it can.
        let problem: String?

        init(_ source: DataSource) {
            name = source.description
            do throws(DataError) {
                // The test part is the smaller one.
                _ = try source.load(.test)
                problem = nil
            } catch {
                problem = error.description
            }
        }
    }
}
