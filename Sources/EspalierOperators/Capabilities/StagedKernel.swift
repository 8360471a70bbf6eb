package import EspalierKernels

/// A kernel made of oneDNN primitives and loops of our own, run one after the other; some perhaps once per sample.
///
/// ```swift
/// var builder = StagedKernel.Builder()
/// let squares = builder.scratch(byteCount: 4 * count)
/// builder.loop([.input(0), squares]) { memory in ... }
/// try builder.primitive(product, [.source: squares, .weights: .input(1), .destination: .output(0)])
/// return builder.kernel(inputLayouts: [.plain, .plain], outputLayouts: [.plain])
/// ```
package final class StagedKernel: Kernel {
    /// Where an argument of a stage lies: in a port's memory or in this kernel's scratch, from some byte on.
    package struct Place: Hashable, Sendable {
        enum Base: Hashable, Sendable {
            case input(Int)
            case output(Int)
            case scratch
            case workspace
        }

        let base: Base
        var offset = 0
        /// How far it moves from one sample to the next, in bytes.
        var step = 0

        package static func input(_ port: Int) -> Place { Place(base: .input(port)) }
        package static func output(_ port: Int) -> Place { Place(base: .output(port)) }
        package static let workspace = Place(base: .workspace)

        package func advanced(by bytes: Int) -> Place {
            var place = self
            place.offset += bytes
            return place
        }

        /// The same place in a stage that runs once per sample, where it moves by `bytes` each time.
        package func perSample(_ bytes: Int) -> Place {
            var place = self
            place.step = bytes
            return place
        }

        func pointer(in memory: KernelMemory) -> UnsafeMutableRawPointer? {
            let start =
                switch base {
                case .input(let port): memory.input(port)
                case .output(let port): memory.output(port)
                case .scratch: memory.scratch
                case .workspace: memory.workspace
                }
            return start.map { $0 + offset }
        }
    }

    /// The pointers of a loop's places, in their order; nil where a port has no memory.
    package typealias Pointers = [UnsafeMutableRawPointer?]

    /// Stages that run `count` times, for samples 0 ..< count.
    fileprivate struct Section {
        var count: Int
        var stages: [Stage]
    }

    package let inputLayouts: [Layout]
    package let outputLayouts: [Layout]
    package let scratchByteCount: Int
    package let workspaceByteCount: Int
    package let unreadInputs: Set<Int>
    package let inPlaceInput: Int?
    package let mutatedInputs: Set<Int>
    /// The names of oneDNN's implementations, for profiles and tests.
    package let implementationNames: [String]
    package let weightFormat: KernelFormat?
    private let sections: [Section]
    /// Where in the scratch memory the primitives' own begins.
    private let primitiveScratch: Int

    fileprivate init(
        _ sections: [Section], inputLayouts: [Layout], outputLayouts: [Layout], scratchByteCount: Int,
        primitiveScratch: Int, workspaceByteCount: Int, unreadInputs: Set<Int>, inPlaceInput: Int?,
        mutatedInputs: Set<Int>, implementationNames: [String], weightFormat: KernelFormat?
    ) {
        self.sections = sections
        self.inputLayouts = inputLayouts
        self.outputLayouts = outputLayouts
        self.scratchByteCount = scratchByteCount
        self.primitiveScratch = primitiveScratch
        self.workspaceByteCount = workspaceByteCount
        self.unreadInputs = unreadInputs
        self.inPlaceInput = inPlaceInput
        self.mutatedInputs = mutatedInputs
        self.implementationNames = implementationNames
        self.weightFormat = weightFormat
    }

    package func bind(_ memory: KernelMemory) {
        for section in sections {
            for stage in section.stages { stage.bind(memory, primitiveScratch: primitiveScratch) }
        }
    }

    package func run() {
        for section in sections {
            for sample in 0..<section.count {
                for stage in section.stages { stage.run(sample: sample) }
            }
        }
    }
}

/// One primitive or one loop, and where its arguments lie.
private final class Stage {
    enum Work {
        case call(DNNCall, [DNNArgument])
        case loop((StagedKernel.Pointers) -> Void)
    }

    private let work: Work
    private let places: [StagedKernel.Place]
    private var pointers: StagedKernel.Pointers
    /// The arguments that move from sample to sample: their index, first pointer and step.
    private var moving: [(index: Int, start: UnsafeMutableRawPointer, step: Int)] = []

    init(_ work: Work, _ places: [StagedKernel.Place]) {
        self.work = work
        self.places = places
        pointers = places.map { _ in nil }
    }

    func bind(_ memory: KernelMemory, primitiveScratch: Int) {
        pointers = places.map { $0.pointer(in: memory) }
        moving = places.indices.compactMap { index in
            guard places[index].step != 0, let start = pointers[index] else { return nil }
            return (index, start, places[index].step)
        }
        if case .call(let call, let arguments) = work {
            for (index, argument) in arguments.enumerated() {
                call.setPointer(pointers[index], of: argument)
            }
            call.setScratch(memory.scratch.map { $0 + primitiveScratch })
        }
    }

    func run(sample: Int) {
        switch work {
        case .call(let call, let arguments):
            for (index, start, step) in moving {
                call.setPointer(start + sample * step, of: arguments[index])
            }
            call.runTrusted()
        case .loop(let body):
            for (index, start, step) in moving { pointers[index] = start + sample * step }
            body(pointers)
        }
    }
}

extension StagedKernel.Pointers {
    /// A pointer to numbers.
    package func floats(_ index: Int) -> UnsafeMutablePointer<Float>? {
        self[index]?.assumingMemoryBound(to: Float.self)
    }
}

extension StagedKernel {
    /// Collects the stages of a kernel and lays out its scratch memory.
    package struct Builder {
        private var sections: [Section] = []
        private var scratchByteCount = 0
        /// The largest scratch that a primitive needs; they take turns.
        private var primitiveByteCount = 0
        private var implementationNames: [String] = []
        /// See ``Kernel/weightFormat``.
        var weightFormat: KernelFormat?

        package init() {}

        /// Memory of this kernel's own, 64-byte aligned, kept from the first stage to the last.
        package mutating func scratch(byteCount: Int) -> Place {
            let place = Place(base: .scratch, offset: scratchByteCount)
            scratchByteCount += (byteCount + 63) / 64 * 64
            return place
        }

        /// - Throws: ``OperatorError`` if `arguments` are not those of the primitive.
        package mutating func primitive(
            _ primitive: DNNPrimitive, _ arguments: KeyValuePairs<DNNArgument, Place>
        ) throws(OperatorError) {
            try self.primitive(primitive, arguments.map { ($0.key, $0.value) })
        }

        package mutating func primitive(
            _ primitive: DNNPrimitive, _ arguments: [(argument: DNNArgument, place: Place)]
        ) throws(OperatorError) {
            let names = arguments.map(\.argument)
            let call = try oneDNN { () throws(DNNError) in try DNNCall(primitive, arguments: names) }
            primitiveByteCount = max(primitiveByteCount, primitive.scratchByteCount)
            implementationNames.append(primitive.implementationName)
            append(Stage(.call(call, names), arguments.map(\.place)))
        }

        /// - Parameter body: gets the places' pointers; it may not allocate.
        package mutating func loop(_ places: [Place], _ body: @escaping (Pointers) -> Void) {
            append(Stage(.loop(body), places))
        }

        /// Copies from one layout to another.
        package mutating func reorder(
            _ source: Place, from sourceLayout: DNNLayout, to target: Place, _ targetLayout: DNNLayout
        ) throws(OperatorError) {
            let primitive = try oneDNN { () throws(DNNError) in
                try DNNPrimitive.reorder(from: sourceLayout, to: targetLayout)
            }
            try self.primitive(primitive, [.source: source, .destination: target])
        }

        /// The stages added by `body` run `count` times, with the places that move per sample moved each time.
        package mutating func forEachSample(
            _ count: Int, _ body: (inout Builder) throws(OperatorError) -> Void
        ) throws(OperatorError) {
            sections.append(Section(count: count, stages: []))
            try body(&self)
            sections.append(Section(count: 1, stages: []))
        }

        private mutating func append(_ stage: Stage) {
            if sections.isEmpty { sections.append(Section(count: 1, stages: [])) }
            sections[sections.count - 1].stages.append(stage)
        }

        package consuming func kernel(
            inputLayouts: [Layout], outputLayouts: [Layout], workspaceByteCount: Int = 0,
            unreadInputs: Set<Int> = [], inPlaceInput: Int? = nil, mutatedInputs: Set<Int> = []
        ) -> StagedKernel {
            StagedKernel(
                sections, inputLayouts: inputLayouts, outputLayouts: outputLayouts,
                scratchByteCount: scratchByteCount + primitiveByteCount, primitiveScratch: scratchByteCount,
                workspaceByteCount: workspaceByteCount, unreadInputs: unreadInputs,
                inPlaceInput: inPlaceInput, mutatedInputs: mutatedInputs,
                implementationNames: implementationNames, weightFormat: weightFormat)
        }
    }
}
