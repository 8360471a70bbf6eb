import EspalierExecution
import EspalierGraphs
import EspalierPruning
import EspalierSearch
import EspalierTensors
import EspalierTraining
import Testing

/// Which parameters a unit is made of in training.
struct CoupledUnitsTests {
    /// What reads the first of two convolutions of four channels each.
    enum Reading: String, CaseIterable, Sendable {
        case normalization
        case activation
        case normalizationAndMore
        case normalizationAndOutput
        case twoNormalizations
        case concatenation
    }

    private func graph(_ reading: Reading) throws -> Graph {
        var builder = GraphBuilder(name: reading.rawValue)
        var random = RandomSource(seed: 1)
        func weight(_ name: String, _ shape: Shape) -> ValueID {
            builder.constant(
                name, Tensor(shape: shape, scalars: (0..<shape.count).map { _ in Float(random.normal()) }))
        }
        func convolution(_ name: String, _ input: ValueID, inputs: Int, outputs: Int = 4) -> ValueID {
            builder.node(
                "Conv", name: name,
                inputs: [
                    input, weight("\(name).weight", [outputs, inputs, 1, 1]),
                    weight("\(name).bias", [outputs]),
                ])
        }
        func normalization(_ name: String, _ input: ValueID, channels: Int = 4) -> ValueID {
            let ones = Tensor(shape: [channels], scalars: [Float](repeating: 1, count: channels))
            return builder.node(
                "BatchNormalization", name: name,
                inputs: [
                    input, builder.constant("\(name).scale", ones), builder.constant("\(name).shift", ones),
                    builder.constant("\(name).mean", ones), builder.constant("\(name).variance", ones),
                ])
        }
        let x = builder.input(
            "x",
            type: ValueType(dtype: .float32, dimensions: [.symbolic("N"), .fixed(2), .fixed(3), .fixed(3)]))
        let first = convolution("first", x, inputs: 2)
        var outputs: [ValueID] = []
        var last: ValueID
        switch reading {
        case .normalization: last = normalization("norm", first)
        case .activation: last = normalization("norm", builder.node("Relu", inputs: [first]))
        case .normalizationAndMore:
            last = builder.node("Add", inputs: [normalization("norm", first), first])
        case .normalizationAndOutput:
            last = normalization("norm", first)
            outputs = [first]
        case .twoNormalizations:
            last = builder.node(
                "Add", inputs: [normalization("norm", first), normalization("norm2", first)])
        case .concatenation:
            let joined = builder.node("Concat", inputs: [first, x], attributes: ["axis": .int(1)])
            last = normalization("norm", joined, channels: 6)
            last = convolution("second", last, inputs: 6)
            return try builder.finish(outputs: [last])
        }
        last = convolution("second", last, inputs: 4)
        return try builder.finish(outputs: [last] + outputs)
    }

    /// By unit, the elements of each parameter that belong to it.
    private func names(_ slices: [WeightSlice], _ store: ParameterStore) -> [String: Set<Int>] {
        var result: [String: Set<Int>] = [:]
        for position in slices.flatMap(\.positions) {
            guard let entry = store.trainable.first(where: { $0.range.contains(position) }) else {
                result["none", default: []].insert(position)
                continue
            }
            result[entry.name, default: []].insert(position - entry.offset)
        }
        return result
    }

    @Test(arguments: Reading.allCases)
    func onlyWhatFeedsABatchNormAndNothingElseIsLeftOut(reading: Reading) throws {
        let graph = try graph(reading)
        let pruner = try Pruner(graph)
        let store = ParameterStore(pruner.resolved)
        let group = try #require(pruner.groups["first.weight"])
        let units = CoupledUnits(group, minimum: 1, graph: graph, store: store)
        let isLeftOut = reading == .normalization || reading == .twoNormalizations
        for unit in 0..<4 {
            let inputs = reading == .concatenation ? 6 : 4
            var expected: [String: Set<Int>] = [
                "norm.scale": [unit], "norm.shift": [unit],
                "second.weight": Set((0..<4).map { $0 * inputs + unit }),
            ]
            if reading == .twoNormalizations {
                expected["norm2.scale"] = [unit]
                expected["norm2.shift"] = [unit]
            }
            if !isLeftOut {
                expected["first.weight"] = [2 * unit, 2 * unit + 1]
                expected["first.bias"] = [unit]
            }
            #expect(names(units.slices[unit], store) == expected)
            expected["second.weight"] = nil
            #expect(names(units.gates[unit], store) == expected)
        }
    }

    /// Each element of a unit once, whatever the network; and no element is in the gates of two units.
    @Test(arguments: SmallNetwork.allCases)
    func elementsAreThereOnce(network: SmallNetwork) throws {
        let graph = try network.graph(seed: 1)
        let pruner = try Pruner(graph)
        let store = ParameterStore(pruner.resolved)
        var gated: [Int] = []
        for (group, minimum) in try pruner.openGroups(for: channelRequest()) {
            let units = CoupledUnits(group, minimum: minimum, graph: graph, store: store)
            #expect(units.slices.count == group.size && units.gates.count == group.size)
            for slices in units.slices {
                let positions = slices.flatMap(\.positions)
                #expect(!positions.isEmpty && Set(positions).count == positions.count)
            }
            gated += units.gates.joined().flatMap(\.positions)
        }
        #expect(Set(gated).count == gated.count)
    }

    /// A square weight that is used twice makes a channel and reads it, both for one group: where row and column cross there is
    /// one element, not two.
    @Test func sharedWeightsCountOnce() throws {
        var builder = GraphBuilder(name: "shared")
        var random = RandomSource(seed: 2)
        func weight(_ name: String, _ shape: Shape) -> ValueID {
            builder.constant(
                name, Tensor(shape: shape, scalars: (0..<shape.count).map { _ in Float(random.normal()) }))
        }
        let x = builder.input(
            "x", type: ValueType(dtype: .float32, dimensions: [.symbolic("N"), .fixed(3)]))
        let start = builder.node("MatMul", inputs: [x, weight("start", [3, 4])])
        let shared = weight("shared", [4, 4])
        let once = builder.node("MatMul", inputs: [start, shared])
        let twice = builder.node("MatMul", inputs: [once, shared])
        let end = builder.node("MatMul", inputs: [twice, weight("end", [4, 2])])
        let graph = try builder.finish(outputs: [end])
        let pruner = try Pruner(graph)
        let store = ParameterStore(pruner.resolved)
        let group = try #require(pruner.groups.open.first)
        let units = CoupledUnits(group, minimum: 1, graph: graph, store: store)
        for (unit, slices) in units.slices.enumerated() {
            let positions = slices.flatMap(\.positions)
            #expect(Set(positions).count == positions.count)
            let cross = Set((0..<4).flatMap { [unit * 4 + $0, $0 * 4 + unit] })
            #expect(names(slices, store)["shared"] == cross)
        }
    }
}
