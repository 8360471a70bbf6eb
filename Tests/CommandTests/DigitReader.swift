import Espalier

/// Reads digits for many clients at once: as many sessions as may compute side by side, of one model.
actor DigitReader {
    private var idle: [InferenceSession] = []
    private var waiting: [CheckedContinuation<InferenceSession, Never>] = []

    init(model: String, sessions: Int) throws {
        // One graph, so that the sessions share what it holds.
        let graph = try ONNXModel.load(from: model)
        let options = InferenceSession.Options().forThisMachine()
        for _ in 0..<sessions {
            idle.append(try InferenceSession(graph: graph, options: options))
        }
    }

    /// The digit in an image of 8 x 8 pixels from 0 to 1.
    nonisolated func digit(in pixels: [Float]) async throws -> Int {
        let session = await take()
        defer { Task { await give(session) } }
        return try session.infer { pass in
            try pass.withInput("x") { input in
                for index in input.indices { input[index] = pixels[index] }
            }
            try pass.run()
            return try pass.withOutput("logits") { logits in
                logits.indices.max { logits[$0] < logits[$1] } ?? 0
            }
        }
    }

    private func take() async -> InferenceSession {
        if let session = idle.popLast() { return session }
        return await withCheckedContinuation { waiting.append($0) }
    }

    private func give(_ session: InferenceSession) {
        if waiting.isEmpty { idle.append(session) } else { waiting.removeFirst().resume(returning: session) }
    }
}
