package import EspalierEfficiency
import EspalierKernels
public import EspalierRuns
import Foundation

extension RunRecord.Machine {
    /// The machine this process runs on, with the instruction set that the kernels use there.
    public static var current: RunRecord.Machine {
        let information = ProcessInfo.processInfo
        return RunRecord.Machine(
            processor: processorName, cores: information.activeProcessorCount,
            instructionSet: DNNLibrary.instructionSet,
            operatingSystem: operatingSystemName ?? information.operatingSystemVersionString)
    }

    private static var processorName: String {
        #if os(Linux)
            let line = lines(of: "/proc/cpuinfo").first {
                $0.hasPrefix("model name") || $0.hasPrefix("Hardware")
            }
            return line?.split(separator: ":").last.map { $0.trimmingCharacters(in: .whitespaces) }
                ?? "unknown"
        #else
            var size = 0
            sysctlbyname("machdep.cpu.brand_string", nil, &size, nil, 0)
            var bytes = [CChar](repeating: 0, count: max(1, size))
            sysctlbyname("machdep.cpu.brand_string", &bytes, &size, nil, 0)
            return String(decoding: bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        #endif
    }

    /// What a Linux distribution calls itself.
    private static var operatingSystemName: String? {
        let line = lines(of: "/etc/os-release").first { $0.hasPrefix("PRETTY_NAME=") }
        return line.map { String($0.dropFirst("PRETTY_NAME=".count).filter { $0 != "\"" }) }
    }

    private static func lines(of file: String) -> [Substring] {
        ((try? String(contentsOfFile: file, encoding: .utf8)) ?? "").split(separator: "\n")
    }
}

extension CalibrationStore.Identity {
    /// Of this machine and this version.
    package static func current(threads: Int) -> Self {
        Self(
            version: EspalierVersion.current, processor: RunRecord.Machine.current.processor,
            threads: threads)
    }
}
