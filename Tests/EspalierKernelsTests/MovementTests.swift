import EspalierKernels
import EspalierTensors
import Testing

@Suite struct MovementTests {
    @Test(arguments: [0, 1, 2])
    func concatenation(axis: Int) throws {
        var shapes: [Shape] = [[2, 3, 4], [2, 3, 4], [2, 3, 4]]
        for (place, extent) in [3, 1, 5].enumerated() { shapes[place][axis] = extent }
        var random = RandomSource(seed: 61)
        let inputs = shapes.map { random.floats($0.count) }
        let primitive = try DNNPrimitive.concatenation(shapes.map { try .plain($0) }, axis: axis)
        var arguments: [DNNArgument: [Float]] = [:]
        for (place, values) in inputs.enumerated() { arguments[.input(place)] = values }
        let result = try Execution(primitive, arguments, outputs: [.destination]).values(.destination)
        var whole: Shape = [2, 3, 4]
        whole[axis] = 9
        #expect(try primitive.layout(of: .destination).shape == whole)
        for (place, index) in indices(of: whole.extents).enumerated() {
            var local = index
            var part = 0
            while local[axis] >= shapes[part][axis] {
                local[axis] -= shapes[part][axis]
                part += 1
            }
            #expect(result[place] == inputs[part][offset(local, in: shapes[part].extents)])
        }
    }

    @Test func sumWithScales() throws {
        let layout = try DNNLayout.plain([3, 5])
        var random = RandomSource(seed: 67)
        let inputs = (0..<3).map { _ in random.floats(15) }
        let scales: [Float] = [1, -0.5, 2]
        let result = try Execution(
            .sum([layout, layout, layout], scales: scales),
            [.input(0): inputs[0], .input(1): inputs[1], .input(2): inputs[2]], outputs: [.destination]
        ).values(.destination)
        let expected = (0..<15).map { place in
            (0..<3).reduce(0.0) { $0 + Double(scales[$1]) * Double(inputs[$1][place]) }
        }
        #expect(relativeDifference(result, expected) < 1e-6)
    }

    @Test func mismatchedInputsAreRefused() {
        #expect(throws: DNNError.self) { try DNNPrimitive.concatenation([], axis: 0) }
        #expect(throws: DNNError.self) {
            try DNNPrimitive.concatenation([.plain([2, 3]), .plain([3, 3])], axis: 1)
        }
        #expect(throws: DNNError.self) { try DNNPrimitive.sum([.plain([2]), .plain([3])]) }
        let error = #expect(throws: DNNError.self) {
            try DNNPrimitive.reorder(from: .plain([2, 3]), to: .plain([3, 2]))
        }
        #expect(error?.message.contains("reorder (from 2x3:ab, to 3x2:ab)") == true)
    }
}
