import EspalierOperators
import EspalierTensors

/// Collects steps and buffers, then lays the buffers out in one arena.
struct ProgramBuilder {
    private(set) var buffers: [Buffer] = []
    private(set) var steps: [Step] = []
    /// If set, steps from this one on may be run again and again: what earlier steps made and these read is kept.
    var repeatsFrom: Int?

    mutating func addBuffer(
        byteCount: Int, place: Buffer.Place = .arena, layout: Layout = .plain, owner: AlignedStorage? = nil
    ) -> BufferID {
        buffers.append(Buffer(byteCount: byteCount, place: place, layout: layout, owner: owner))
        return BufferID(index: buffers.count - 1)
    }

    mutating func addStep(_ step: Step) {
        steps.append(step)
    }

    mutating func makePersistent(_ buffer: BufferID) {
        if case .arena = buffers[buffer.index].place { buffers[buffer.index].place = .persistent }
    }

    func layout(of buffer: BufferID) -> Layout { buffers[buffer.index].layout }

    struct MemoryLayout {
        var offsets: [Int?]
        var scratchOffsets: [Int?]
        var byteCount: Int
    }

    /// Liveness, in-place reuse, and offsets.
    func layOut() -> MemoryLayout {
        var first = [Int](repeating: .max, count: buffers.count)
        var last = [Int](repeating: -1, count: buffers.count)
        for (index, step) in steps.enumerated() {
            let read = step.inputs.enumerated().filter { !step.kernel.unreadInputs.contains($0.offset) }
            for case let buffer? in read.map(\.element) + step.outputs + [step.workspace] {
                first[buffer.index] = min(first[buffer.index], index)
                last[buffer.index] = max(last[buffer.index], index)
            }
        }
        if let repeatsFrom {
            for index in buffers.indices where first[index] < repeatsFrom && last[index] >= repeatsFrom {
                last[index] = steps.count
            }
        }
        // Buffers that share memory are one request, led by the buffer that had the memory first.
        var leader = Array(buffers.indices)
        for (index, step) in steps.enumerated() {
            guard let port = step.kernel.inPlaceInput, port < step.inputs.count,
                let input = step.inputs[port], let output = step.outputs.first.flatMap({ $0 }),
                isArena(input), isArena(output)
            else { continue }
            let root = leader[input.index]
            guard last[root] == index, first[output.index] == index, isArena(BufferID(index: root)),
                buffers[root].byteCount >= buffers[output.index].byteCount,
                !isUsedTwice(input, in: step)
            else { continue }
            leader[output.index] = root
            last[root] = last[output.index]
        }
        var requests: [MemoryPlanner.Request] = []
        var requestOfLeader: [Int: Int] = [:]
        for index in buffers.indices where leader[index] == index {
            switch buffers[index].place {
            case .external: continue
            case .persistent:
                requests.append(.init(byteCount: buffers[index].byteCount, lifetime: -1...steps.count))
            case .arena:
                guard last[index] >= 0 else { continue }
                requests.append(
                    .init(byteCount: buffers[index].byteCount, lifetime: first[index]...last[index]))
            }
            requestOfLeader[index] = requests.count - 1
        }
        var scratchRequest: [Int: Int] = [:]
        for (index, step) in steps.enumerated() where step.kernel.scratchByteCount > 0 {
            scratchRequest[index] = requests.count
            requests.append(.init(byteCount: step.kernel.scratchByteCount, lifetime: index...index))
        }
        let placed = MemoryPlanner.place(requests)
        return MemoryLayout(
            offsets: buffers.indices.map { requestOfLeader[leader[$0]].map { placed.offsets[$0] } },
            scratchOffsets: steps.indices.map { scratchRequest[$0].map { placed.offsets[$0] } },
            byteCount: placed.byteCount)
    }

    /// What the step is called that writes most.
    var largestStep: String {
        var largest = (label: "the inputs", byteCount: 0)
        for step in steps {
            var byteCount = step.kernel.scratchByteCount
            for case let buffer? in step.outputs + [step.workspace] {
                byteCount += buffers[buffer.index].byteCount
            }
            if byteCount > largest.byteCount { largest = (step.label, byteCount) }
        }
        return largest.label
    }

    private func isArena(_ buffer: BufferID) -> Bool {
        if case .arena = buffers[buffer.index].place { return true }
        return false
    }

    /// An input that a step reads at two ports must not be overwritten through one of them.
    private func isUsedTwice(_ buffer: BufferID, in step: Step) -> Bool {
        step.inputs.count { $0 == buffer } > 1
    }
}
