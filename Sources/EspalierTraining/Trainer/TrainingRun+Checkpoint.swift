import EspalierArchives
import EspalierExecution
import EspalierGraphs
import EspalierTensors
import Foundation

/// What a checkpoint says besides arrays.
private struct CheckpointHeader: Codable {
    static let currentVersion = 1

    var schemaVersion = Self.currentVersion
    /// ``TrainingRecipe/identity``, the data's and the hooks'.
    var identity: [String: String]
    var position: TrainingPosition
    var optimizerSteps: Int
    var history: [EpochSummary]
    var best: Best?

    struct Best: Codable {
        var epoch: Int
        var loss: Double
        var accuracy: Double?
    }
}

/// A checkpoint is an `.npz` archive: `header` (JSON as bytes), `parameter/NAME`, `optimizer/STATE/NAME`, `best/NAME`,
/// `mask/NAME` and `hook/NUMBER/NAME` arrays. It can be looked at with NumPy.
extension TrainingRun {
    /// Saves the run, all or nothing.
    ///
    /// - Throws: ``TrainingError/unwritable(_:)`` if the file cannot be written.
    package func save(to path: String) throws {
        var arrays: [(name: String, tensor: Tensor)] = []
        func append(_ prefix: String, _ values: UnsafeBufferPointer<Float>, state: Bool = true) {
            for entry in state ? store.entries : store.trainable {
                arrays.append(
                    (
                        "\(prefix)/\(entry.name)",
                        Tensor(shape: entry.shape, scalars: Array(values[entry.range]))
                    ))
            }
        }
        append("parameter", UnsafeBufferPointer(store.values))
        best?.values.withUnsafeBufferPointer { append("best", $0) }
        for (name, tensor) in zip(updater.state.names, updater.state.snapshot()) {
            tensor.withUnsafeScalars(of: Float.self) { append("optimizer/\(name)", $0, state: false) }
        }
        for (id, mask) in masks.masks.sorted(by: { $0.key < $1.key }) {
            arrays.append(("mask/\(graph.name(of: id))", Tensor(shape: mask.shape, scalars: mask.kept)))
        }
        for (number, hook) in hooks.enumerated() {
            for (name, tensor) in hook.state.sorted(by: { $0.key < $1.key }) {
                arrays.append(("hook/\(number)/\(name)", tensor))
            }
        }
        let header = CheckpointHeader(
            identity: identity, position: position, optimizerSteps: updater.state.stepCount,
            history: history,
            best: best.map { .init(epoch: $0.epoch, loss: $0.loss, accuracy: $0.accuracy) })
        let encoder = JSONEncoder()
        // The validation loss of a network may be infinite, or no number, while it trains on.
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        encoder.outputFormatting = [.sortedKeys]
        let bytes = [UInt8](try encoder.encode(header))
        arrays.insert(("header", Tensor(shape: [bytes.count], scalars: bytes)), at: 0)
        do {
            try NpzArchive.write(arrays, to: path)
        } catch {
            throw TrainingError.unwritable("\(error)")
        }
    }

    /// Continues from what ``save(to:)`` wrote. The run must have been made from the same network, data, recipe and
    /// hooks.
    ///
    /// - Throws: ``TrainingError/checkpoint(_:)`` which says what differs, or that the file is damaged; the run is then as
    ///   it was.
    package func resume(from path: String) throws {
        let archive: NpzArchive
        let header: CheckpointHeader
        do {
            archive = try NpzArchive(contentsOf: path)
            let bytes = try archive.tensor("header").withUnsafeBytes { Data($0) }
            let decoder = JSONDecoder()
            decoder.nonConformingFloatDecodingStrategy = .convertFromString(
                positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
            header = try decoder.decode(CheckpointHeader.self, from: bytes)
        } catch {
            throw TrainingError.checkpoint("'\(path)' is no checkpoint of a training run (\(error))")
        }
        try check(header, path: path)
        let reader = CheckpointReader(archive: archive, path: path)
        let parameters = try reader.flat("parameter", store.entries, extent: store.extent)
        let states = try updater.state.names.map { name throws(TrainingError) in
            Tensor(
                shape: [store.extent],
                scalars: try reader.flat("optimizer/\(name)", store.trainable, extent: store.extent))
        }
        var masks = MaskSet()
        for entry in store.entries where archive.names.contains("mask/\(entry.name)") {
            let kept = try reader.tensor("mask/\(entry.name)", shape: entry.shape)
            masks[entry.value] = Mask(nonzeroOf: kept)
        }
        var best: BestParameters?
        if let saved = header.best {
            best = BestParameters(
                epoch: saved.epoch, loss: saved.loss, accuracy: saved.accuracy,
                values: try reader.flat("best", store.entries, extent: store.extent))
        }
        for (number, hook) in hooks.enumerated() {
            let prefix = "hook/\(number)/"
            var state: [String: Tensor] = [:]
            for name in archive.names where name.hasPrefix(prefix) {
                state[String(name.dropFirst(prefix.count))] = try reader.tensor(name)
            }
            try hook.restore(state)
        }
        try updater.state.restore(states, stepCount: header.optimizerSteps)
        _ = store.values.update(fromContentsOf: parameters)
        try setMasks(masks)
        self.best = best
        position = header.position
        history = header.history
    }

    private func check(_ header: CheckpointHeader, path: String) throws(TrainingError) {
        guard header.schemaVersion == CheckpointHeader.currentVersion else {
            throw .checkpoint(
                "'\(path)' has version \(header.schemaVersion) of the format, which is not known")
        }
        let wanted = identity
        for key in Set(wanted.keys).union(header.identity.keys).sorted()
        where wanted[key] != header.identity[key] {
            throw .checkpoint(
                "'\(path)' was written with \(key) \(header.identity[key] ?? "unset"), this run has \(wanted[key] ?? "unset")"
            )
        }
        guard header.position.epoch >= 0, header.position.step >= 0,
            header.position.epoch <= recipe.epochs, header.position.step <= stepsPerEpoch
        else { throw .checkpoint("'\(path)' is damaged: its position lies outside the run") }
    }

    private var identity: [String: String] {
        var identity = recipe.identity
        identity["network"] = store.entries.map { "\($0.name):\($0.shape)" }.joined(separator: ",")
        // Of two plans with the same shapes each would otherwise go on from the other's checkpoint.
        identity["starting network"] = startingFingerprint
        identity["training data"] = training.identity
        identity["validation data"] = validation?.identity ?? "none"
        identity["teacher"] = (teacher?.graph).map(Self.fingerprint) ?? "none"
        if leavesOutMasked { identity["masked weights"] = "left out" }
        identity["hooks"] = hooks.map(\.identity).joined(separator: "; ")
        return identity
    }

    /// Tells teachers apart.
    private static func fingerprint(_ graph: Graph) -> String {
        "\(graph.name) \(String(graph.fingerprint, radix: 16))"
    }
}
