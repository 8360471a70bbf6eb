package import EspalierKernels
import Foundation

/// Keeps cost models between runs of the program, in the user's cache folder.
///
/// A file is for one machine, one version of this software and one number of threads; a file of another, or one that cannot
/// be read, is measured again and replaced.
package struct CalibrationStore {
    /// What constants depend on.
    package struct Identity: Sendable, Codable, Hashable {
        package let version: String
        package let processor: String
        /// oneDNN's, and that of our own kernels.
        package let instructionSet: String
        package let library: String
        /// In bytes, of each level: clouds give processors of several generations one name.
        package let caches: [Int]
        package let threads: Int

        /// - Parameters:
        ///   - version: of this software.
        ///   - processor: its name.
        package init(version: String, processor: String, threads: Int) {
            self.version = version
            self.processor = processor
            instructionSet = "\(DNNLibrary.instructionSet), \(KernelInstructions.active)"
            caches = MachineCeilings.cacheByteCounts
            library = "oneDNN \(DNNLibrary.version)"
            self.threads = threads
        }
    }

    /// What a file holds.
    private struct Document: Codable {
        var schemaVersion = Self.currentSchemaVersion
        let machine: Identity
        let model: KernelCostModel

        static let currentSchemaVersion = 6
    }

    /// A model, and where it is from.
    package struct Found {
        package let model: KernelCostModel
        /// Whether it was measured just now.
        package let isNew: Bool
        /// Why it could not be kept, if so.
        package let problem: String?
    }

    package let folder: String

    package init(folder: String) { self.folder = folder }

    /// `espalier` in `$XDG_CACHE_HOME` or, where that is not set, in `~/.cache`.
    package static var standard: CalibrationStore {
        let cache = ProcessInfo.processInfo.environment["XDG_CACHE_HOME"].flatMap { $0.isEmpty ? nil : $0 }
        return CalibrationStore(folder: (cache ?? NSHomeDirectory() + "/.cache") + "/espalier")
    }

    package func path(threads: Int) -> String { "\(folder)/kernel-costs-\(threads).json" }

    /// The model that is kept for `identity` or, if there is none or `recalibrates`, the one that `measure` finds; if that finds
    /// none either, a typical one, which is not kept.
    ///
    /// - Throws: what `measure` throws.
    package func model<Failure: Error>(
        for identity: Identity, recalibrates: Bool = false, measure: () throws(Failure) -> KernelCostModel?
    ) throws(Failure) -> Found {
        let path = path(threads: identity.threads)
        if !recalibrates, let model = read(path, identity) {
            return Found(model: model, isNew: false, problem: nil)
        }
        guard let model = try measure() else {
            return Found(
                model: .typical(threads: identity.threads), isNew: false,
                problem: "other programs keep the machine busy, so typical ones are taken")
        }
        return Found(model: model, isNew: true, problem: write(model, identity, to: path))
    }

    /// The model that is kept for `identity`, if there is one.
    package func model(keptFor identity: Identity) -> KernelCostModel? {
        read(path(threads: identity.threads), identity)
    }

    private func read(_ path: String, _ identity: Identity) -> KernelCostModel? {
        guard let data = FileManager.default.contents(atPath: path),
            let document = try? JSONDecoder().decode(Document.self, from: data),
            document.schemaVersion == Document.currentSchemaVersion, document.machine == identity,
            document.model.isSound, document.model.ceilings.threads == identity.threads
        else { return nil }
        return document.model
    }

    /// - Returns: why that failed, if it did.
    private func write(_ model: KernelCostModel, _ identity: Identity, to path: String) -> String? {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try encoder.encode(Document(machine: identity, model: model)).write(
                to: URL(fileURLWithPath: path), options: .atomic)
            return nil
        } catch {
            return error.localizedDescription
        }
    }
}

extension KernelCostModel {
    /// Whether it can be computed with, as one from a file that somebody edited may not.
    fileprivate var isSound: Bool {
        func isRate(_ value: Double) -> Bool { value > 0 && value.isFinite }
        func isTime(_ value: Double) -> Bool { value >= 0 && value.isFinite }
        func isSound(_ ceilings: MachineCeilings, _ formats: [KernelFormat: Constants]) -> Bool {
            isRate(ceilings.multiplyAccumulatesPerSecond) && !ceilings.levels.isEmpty
                && ceilings.levels.last?.byteCount == nil
                && ceilings.levels.allSatisfy { isRate($0.bytesPerSecond) } && formats[.dense] != nil
                && formats.values.allSatisfy { constants in
                    isRate(constants.multiplyAccumulatesPerSecond) && isTime(constants.secondsPerVisit)
                        && isTime(constants.secondsPerSum) && isTime(constants.secondsPerCopy)
                        && isTime(constants.secondsPerShift)
                        && isTime(constants.fixedSeconds)
                }
        }
        return isSound(ceilings, formats) && isTime(reorders.secondsPerByteToPlain)
            && isTime(reorders.secondsPerByteToChannelsLast)
            && (alone.map { isSound($0.ceilings, $0.formats) } ?? (ceilings.threads == 1))
    }
}
