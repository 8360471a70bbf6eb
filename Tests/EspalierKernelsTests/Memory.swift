import EspalierKernels
import EspalierTensors

/// Memory of a tensor in some layout, filled with not-a-number so that nobody can rely on what was there before.
final class Memory {
    let layout: DNNLayout
    private let storage: AlignedStorage

    init(_ layout: DNNLayout) {
        self.layout = layout
        storage = AlignedStorage(byteCount: layout.byteCount)
        poison()
    }

    /// Holds `values`, given in row-major order.
    convenience init(_ values: [Float], in layout: DNNLayout) throws {
        self.init(layout)
        let plain = Memory(try layout.plain())
        _ = plain.floats.update(fromContentsOf: values)
        try DNNPrimitive.reorder(from: plain.layout, to: layout).runOnce([
            .source: plain.pointer, .destination: pointer,
        ])
    }

    var pointer: UnsafeMutableRawPointer { storage.base }

    func poison() { storage.base.initializeMemory(as: UInt8.self, repeating: 0xFF, count: storage.byteCount) }

    /// The bytes as numbers, padding included.
    var floats: UnsafeMutableBufferPointer<Float> {
        UnsafeMutableRawBufferPointer(start: storage.base, count: storage.byteCount)
            .bindMemory(to: Float.self)
    }

    /// The elements in row-major order.
    func values() throws -> [Float] {
        let plain = Memory(try layout.plain())
        try DNNPrimitive.reorder(from: layout, to: plain.layout).runOnce([
            .source: pointer, .destination: plain.pointer,
        ])
        return Array(plain.floats)
    }
}

/// What a primitive gives for inputs in row-major order, packed into the layouts it wants.
///
/// It runs twice, with the results and the scratch memory poisoned in between as an arena shared with other
/// values would be; the bytes must be the same.
struct Execution {
    private var results: [DNNArgument: Memory] = [:]

    init(
        _ primitive: DNNPrimitive, _ inputs: [DNNArgument: [Float]], outputs: [DNNArgument],
        shared: [DNNArgument: Memory] = [:]
    ) throws {
        var memory = shared
        for (argument, values) in inputs {
            memory[argument] = try Memory(values, in: primitive.layout(of: argument))
        }
        for argument in outputs {
            let result = Memory(try primitive.layout(of: argument))
            results[argument] = result
            memory[argument] = result
        }
        let scratch = AlignedStorage(byteCount: primitive.scratchByteCount)
        func poisonScratch() {
            scratch.base.initializeMemory(as: UInt8.self, repeating: 0xFF, count: scratch.byteCount)
        }
        poisonScratch()
        let call = try DNNCall(
            primitive, bindings: memory.map { DNNBinding($0.key, $0.value.pointer) }, scratch: scratch.base)
        try call.run()
        let first = outputs.map { results[$0].map { $0.floats.map(\.bitPattern) } }
        for memory in results.values { memory.poison() }
        poisonScratch()
        try call.run()
        let second = outputs.map { results[$0].map { $0.floats.map(\.bitPattern) } }
        if first != second { throw NotReproducible(implementation: primitive.implementationName) }
    }

    struct NotReproducible: Error { let implementation: String }

    func memory(_ argument: DNNArgument) throws -> Memory {
        guard let memory = results[argument] else { throw DNNError(.invalid, "no such result") }
        return memory
    }

    /// In row-major order.
    func values(_ argument: DNNArgument) throws -> [Float] { try memory(argument).values() }
}

extension RandomSource {
    /// Uniform in [-1, 1).
    mutating func floats(_ count: Int) -> [Float] {
        (0..<count).map { _ in uniform(in: -1...1) }
    }
}
