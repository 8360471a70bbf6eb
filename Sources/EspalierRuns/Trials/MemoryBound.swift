import Foundation

/// How much memory trials may take.
package enum MemoryBound {
    /// Three quarters of what this process may use: of the machine's memory, or of its control group's if that is less.
    package static var suggested: Int {
        let machine = Int(clamping: ProcessInfo.processInfo.physicalMemory)
        return min(machine, controlGroup() ?? .max) / 4 * 3
    }

    /// The limit of the control group (Linux, version 2; a container's), in bytes; nil without one.
    static func controlGroup(file: String = "/sys/fs/cgroup/memory.max") -> Int? {
        guard let text = try? String(contentsOfFile: file, encoding: .utf8) else { return nil }
        return Int(text.trimmingCharacters(in: .whitespacesAndNewlines))
    }
}
