import EspalierKernels
import EspalierTensors
import Testing

@Suite struct CallTests {
    @Test func pointersMayChangeBetweenRuns() throws {
        let layout = try DNNLayout.plain([4])
        let primitive = try DNNPrimitive.elementwise(.square, source: layout)
        let call = try DNNCall(primitive, arguments: [.source, .destination])
        let result = Memory(layout)
        call.setPointer(result.pointer, of: .destination)
        for values in [[1, 2, 3, 4], [5, 6, 7, 8]] as [[Float]] {
            let source = try Memory(values, in: layout)
            call.setPointer(source.pointer, of: .source)
            try call.run()
            #expect(Array(result.floats) == values.map { $0 * $0 })
        }
    }

    @Test func wrongArgumentsAreRefused() throws {
        let primitive = try DNNPrimitive.elementwise(.square, source: .plain([4]))
        func message(_ arguments: [DNNArgument]) -> String {
            let error = #expect(throws: DNNError.self) { try DNNCall(primitive, arguments: arguments) }
            return error?.message ?? ""
        }
        #expect(message([.source]).contains("with 1 arguments, but it takes and gives 2"))
        #expect(message([.source, .weights]).contains("has no argument"))
        #expect(message([.source, .source]).contains("bound twice"))
        let unbound = try DNNCall(primitive, arguments: [.source, .destination])
        let error = #expect(throws: DNNError.self) { try unbound.run() }
        #expect(error?.message.contains("got no memory") == true)
    }

    @Test func scratchMemoryIsDemanded() throws {
        let normalization = try DNNPrimitive.batchNormalization(
            DNNNormalization(givenStatistics: false), source: .plain([3, 5, 4, 4]))
        try #require(normalization.scratchByteCount > 0)
        let x = Memory(try .plain([3, 5, 4, 4]))
        let y = Memory(x.layout)
        let parameters = Memory(try .plain([5]))
        let call = try normalization.call([
            .source: x.pointer, .destination: y.pointer, .scale: parameters.pointer,
            .shift: parameters.pointer,
        ])
        let error = #expect(throws: DNNError.self) { try call.run() }
        #expect(error?.message.contains("no memory for its scratch") == true)
    }

    @Test func aPrimitiveRunsOnlyWithItsThreadCount() throws {
        let two = try Lane(threads: 2)
        try #require(two.threads == 2)
        let layout = try DNNLayout.plain([64])
        let primitive = try two.run { () throws(DNNError) in
            try DNNPrimitive.elementwise(.square, source: layout)
        }
        #expect(primitive.threads == 2)
        let (x, y) = (Memory(layout), Memory(layout))
        let error = #expect(throws: DNNError.self) {
            try Lane(threads: 1).run {
                try primitive.runOnce([.source: x.pointer, .destination: y.pointer])
            }
        }
        #expect(error?.message.contains("compiled for 2 threads and is run with 1") == true)
    }

    /// User-owned scratch memory makes a primitive independent of the thread that made it.
    @Test func lanesShareAPrimitive() throws {
        let lanes = try (0..<3).map { _ in try Lane(threads: 1) }
        let convolution = try DNNConvolution(source: [1, 8, 9, 9], weights: [16, 8, 3, 3])
        let primitive = try lanes[0].run { try DNNPrimitive.convolution(convolution, bias: false) }
        var random = RandomSource(seed: 83)
        let x = random.floats(convolution.source.count)
        let w = random.floats(convolution.weights.count)
        let results = try lanes.map { lane in
            try lane.run {
                try Execution(primitive, [.source: x, .weights: w], outputs: [.destination])
                    .values(.destination)
            }
        }
        #expect(results[0] == results[1] && results[0] == results[2])
    }
}
