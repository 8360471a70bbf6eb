import EspalierExecution
import EspalierGraphs
import EspalierKernels
import EspalierOperators
import EspalierPruning
import EspalierSearch
import EspalierTensors
import EspalierTraining
import Foundation
import Testing

struct GatedUnitsTests {
    private func run(
        _ graph: Graph, seed: UInt64 = 1, epochs: Int, samples: Int = 48, batchSize: Int = 16,
        optimizer: any Optimizer = StochasticGradientDescent(), peak: Double = 0.02, validation: Bool = false,
        freezesNormalization: Bool = false, hooks: [any StepHook]
    ) throws -> TrainingRun {
        try TrainingRun(
            graph, training: SmallNetwork.samples(samples, seed: seed),
            validation: validation ? SmallNetwork.samples(30, seed: seed + 1) : nil,
            recipe: TrainingRecipe(
                epochs: epochs, batchSize: batchSize, optimizer: optimizer,
                schedule: ConstantRate(peak: peak), seed: seed, freezesNormalization: freezesNormalization),
            hooks: hooks, lane: Lane(threads: 1))
    }

    /// The state's ln alpha of all gates, and Adam's first moments of them.
    private func logAlphas(_ hook: GatedUnits) throws -> [Double] {
        let numbers = try #require(hook.state["gates"]).scalars(as: Double.self)
        return stride(from: 0, to: numbers.count, by: 3).map { numbers[$0] }
    }

    private func firstMoments(_ hook: GatedUnits) throws -> [Double] {
        let numbers = try #require(hook.state["gates"]).scalars(as: Double.self)
        return stride(from: 1, to: numbers.count, by: 3).map { numbers[$0] }
    }

    /// Begins with other gates than all open, as from a checkpoint.
    private func set(_ logAlphas: [Double], of hook: GatedUnits, groups: Int, lambda: Double) throws {
        try hook.restore([
            "gates": Tensor(shape: [logAlphas.count, 3], scalars: logAlphas.flatMap { [$0, 0, 0] }),
            "savings": Tensor(shape: [groups], scalars: [Double](repeating: 0, count: groups)),
            "price": Tensor(shape: [2], scalars: [lambda, 1]),
        ])
    }

    /// `values` with every unit's gate multiplied in.
    private func gated(_ values: [Float], _ units: [CoupledUnits], _ gates: [Double]) -> [Double] {
        var (values, gate) = (values.map { Double($0) }, 0)
        for slices in units.flatMap(\.gates) {
            for position in slices.flatMap(\.positions) { values[position] *= gates[gate] }
            gate += 1
        }
        return values
    }

    /// The mean cross-entropy with `values` for parameters, in double precision.
    private func loss(
        _ graph: Graph, _ store: ParameterStore, _ values: [Double], _ data: Dataset
    ) throws -> Double {
        var inputs = [try #require(graph.inputs.first): data.x]
        for entry in store.entries {
            inputs[entry.value] = Tensor(shape: entry.shape, scalars: Array(values[entry.range]))
        }
        let output = try #require(graph.outputs.first)
        let logits = try #require(
            ReferenceRunner.values(of: graph, inputs: inputs, inDouble: true)[output]
        ).scalars(as: Double.self)
        guard case .classes(let classes, let count) = data.labels else { return .nan }
        return classes.enumerated().reduce(0) { sum, entry in
            let row = logits[(entry.offset * count)..<((entry.offset + 1) * count)]
            let largest = row.max() ?? 0
            let total = row.reduce(0) { $0 + exp($1 - largest) }
            return sum + log(total) + largest - row[row.startIndex + Int(entry.element)]
        } / Double(classes.count)
    }

    /// The first step's gradient of the expected loss, with the noise that it drew, is that of finite differences.
    @Test(arguments: SmallNetwork.allCases, [0, 0.7])
    func gradientsAreFiniteDifferences(network: SmallNetwork, lambda: Double) throws {
        let graph = try network.graph(seed: 4)
        let pruner = try Pruner(graph)
        let hook = try GatedUnits(
            pruner, request: channelRequest(), cost: .parameters, lambda: lambda, seed: 5)
        var random = RandomSource(seed: 6)
        let groups = pruner.groups.open
        let count = groups.reduce(0) { $0 + $1.size }
        let alphas = (0..<count).map { _ in 3 * random.uniform() - 1 }
        try set(alphas, of: hook, groups: groups.count, lambda: lambda)
        let witness = Witness()
        var (raw, used, savings): ([Float], [Float], [Double]) = ([], [], [])
        let before = Witness()
        before.onCompute = { run in
            raw = Array(run.store.values)
            savings = try #require(hook.state["savings"]).scalars(as: Double.self)
        }
        witness.onCompute = { used = Array($0.store.values) }
        let run = try run(
            graph, epochs: 1, samples: 12, batchSize: 12, freezesNormalization: true,
            hooks: [before, hook, witness])
        try run.train()
        let units = try coupledUnits(pruner, channelRequest(), run)

        // The gates that were used, from one weight of each; of those that were not clipped the noise is known.
        var gates: [Double] = []
        for slices in units.flatMap(\.gates) {
            let position = try #require(
                slices.flatMap(\.positions).max { abs(raw[$0]) < abs(raw[$1]) })
            gates.append(Double(used[position]) / Double(raw[position]))
        }
        #expect(zip(gated(raw, units, gates), used).allSatisfy { abs($0 - Double($1)) <= 1e-6 * abs($0) })
        let data = run.training
        let charge = zip(savings, units).flatMap { saving, group in group.gates.map { _ in saving } }
        let found = try firstMoments(hook).map { $0 / (1 - 0.9) }
        // Of each group the most open unit is not charged for.
        var spared: Set<Int> = []
        var start = 0
        for group in units {
            let range = start..<start + group.gates.count
            if let gate = range.max(by: { alphas[$0] < alphas[$1] }) { spared.insert(gate) }
            start = range.upperBound
        }
        var inner = 0
        for gate in 0..<count {
            let penalty = spared.contains(gate) ? 0 : lambda * charge[gate]
            func expected(_ x: Double) -> Double {
                penalty * HardConcrete.probabilityNonzero(logAlpha: x).value
            }
            let step = 1e-4
            let cost = (expected(alphas[gate] + step) - expected(alphas[gate] - step)) / (2 * step)
            guard gates[gate] > 0.01, gates[gate] < 0.99 else {
                if gates[gate] == 0 || gates[gate] == 1 { #expect(abs(found[gate] - cost) < 1e-7) }
                continue
            }
            inner += 1
            // z = clip(1.2 sigmoid((noise + ln a) / b) - 0.1).
            let share = (gates[gate] + 0.1) / 1.2
            let noise = HardConcrete.temperature * log(share / (1 - share)) - alphas[gate]
            let uniform = 1 / (1 + exp(-noise))
            func risk(_ x: Double) throws -> Double {
                var moved = gates
                moved[gate] = HardConcrete.sample(logAlpha: x, uniform: uniform).value
                return try loss(graph, run.store, gated(raw, units, moved), data)
            }
            let wide = 1e-5
            let slope = try (risk(alphas[gate] + wide) - risk(alphas[gate] - wide)) / (2 * wide)
            #expect(
                abs(found[gate] - slope - cost) < 1e-2 * abs(slope + cost) + 1e-4,
                "gate \(gate): \(found[gate]), not \(slope) + \(cost)")
        }
        #expect(inner > count / 5)
    }

    /// What a step looks like to a hook at four points: before gates are drawn, with gates, and on both sides of what the
    /// gates do before the update.
    private struct Step {
        var raw: [Float] = []
        var used: [Float] = []
        var computed: [Float] = []
        var gradients: [Float] = []
        var restored: [Float] = []
        var chained: [Float] = []
        var updated: [Float] = []
    }

    /// Only the passes see the gates: the optimiser has the weights themselves, with the gradients that belong to them, and
    /// running statistics stay as the forward pass left them.
    @Test(arguments: SmallNetwork.allCases)
    func weightsAreRestored(network: SmallNetwork) throws {
        let graph = try network.graph(seed: 2)
        let pruner = try Pruner(graph)
        let hook = try GatedUnits(pruner, request: channelRequest(), cost: .parameters, lambda: 1, seed: 3)
        let count = pruner.groups.open.reduce(0) { $0 + $1.size }
        try set(
            [Double](repeating: 0.5, count: count), of: hook, groups: pruner.groups.open.count, lambda: 1)
        let (before, after) = (Witness(), Witness())
        var (step, steps): (Step, [Step]) = (Step(), [])
        before.onCompute = { step.raw = Array($0.store.values) }
        after.onCompute = { step.used = Array($0.store.values) }
        before.onUpdate = { run in
            step.computed = Array(run.store.values)
            step.gradients = Array(run.store.gradients)
        }
        after.onUpdate = { run in
            step.restored = Array(run.store.values)
            step.chained = Array(run.store.gradients)
        }
        after.onUpdated = { run in
            step.updated = Array(run.store.values)
            steps.append(step)
        }
        let rate: Float = 0.015625
        let run = try run(
            graph, epochs: 2, optimizer: StochasticGradientDescent(momentum: 0), peak: Double(rate),
            hooks: [before, hook, after])
        try run.train()
        let extent = run.store.trainableExtent
        #expect(steps.count == 6)
        for step in steps {
            #expect(step.used[..<extent] != step.raw[..<extent])
            #expect(step.computed[..<extent] == step.used[..<extent])
            #expect(step.restored[..<extent] == step.raw[..<extent])
            #expect(step.restored[extent...] == step.computed[extent...])
            if !run.store.state.isEmpty { #expect(step.restored[extent...] != step.raw[extent...]) }
            for place in 0..<extent where step.raw[place] != 0 {
                // w z has the gradient g; w has z g.
                let expected = step.gradients[place] * step.used[place] / step.raw[place]
                #expect(abs(step.chained[place] - expected) <= 1e-5 * abs(step.gradients[place]) + 1e-9)
                let next = step.raw[place] - rate * step.chained[place]
                #expect(abs(step.updated[place] - next) <= 1e-6 * max(1, abs(next)))
            }
        }
    }

    /// Folded, the network is the one whose channels are multiplied with the gates.
    @Test func foldingIsMultiplication() throws {
        func network(gates: [[Float]]?) throws -> Graph {
            var builder = GraphBuilder(name: "gated")
            var random = RandomSource(seed: 3)
            func parameter(_ name: String, _ shape: Shape, around center: Double = 0) -> ValueID {
                let values = (0..<shape.count).map { _ in Float(center + 0.5 * random.normal()) }
                return builder.constant(name, Tensor(shape: shape, scalars: values))
            }
            func gate(_ place: Int, _ value: ValueID) -> ValueID {
                guard let gates = gates?[place] else { return value }
                let factor = builder.constant(
                    "gate\(place)", Tensor(shape: [1, gates.count, 1, 1], scalars: gates))
                return builder.node("Mul", inputs: [value, factor])
            }
            let x = builder.input(
                "x",
                type: ValueType(
                    dtype: .float32, dimensions: [.symbolic("N"), .fixed(1), .fixed(6), .fixed(6)]))
            var value = builder.node(
                "Conv", inputs: [x, parameter("a.weight", [4, 1, 3, 3]), parameter("a.bias", [4])])
            value = builder.node("Relu", inputs: [gate(0, value)])
            value = builder.node("Conv", inputs: [value, parameter("b.weight", [5, 4, 3, 3])])
            let ones = [Float](repeating: 1, count: 5)
            value = builder.node(
                "BatchNormalization",
                inputs: [
                    value, parameter("norm.scale", [5], around: 1), parameter("norm.shift", [5]),
                    parameter("norm.mean", [5]),
                    builder.constant("norm.variance", Tensor(shape: [5], scalars: ones)),
                ])
            value = builder.node("Relu", inputs: [gate(1, value)])
            value = builder.node("Flatten", inputs: [builder.node("GlobalAveragePool", inputs: [value])])
            let end = builder.node("MatMul", inputs: [value, parameter("end", [5, 3])])
            return try builder.finish(outputs: [end])
        }
        let plain = try network(gates: nil)
        let hook = try GatedUnits(
            try Pruner(plain), request: channelRequest(), cost: .parameters, lambda: 0, seed: 1)
        // Closed, half open, and open.
        let alphas = [-3.0, -1, 0, 1, -4, 0.5, 3, -0.5, 2]
        try set(alphas, of: hook, groups: 2, lambda: 0)
        let gates = alphas.map { Float(HardConcrete.testGate(logAlpha: $0).value) }
        #expect(gates.contains(0) && gates.contains(1))
        let run = try run(plain, epochs: 0, hooks: [hook])
        let values = Array(run.store.values)
        let folded = try hook.folded(run)
        #expect(Array(run.store.values) == values)
        let expected = try network(gates: [Array(gates[..<4]), Array(gates[4...])])
        let found = try difference(folded, expected, on: SmallNetwork.samples(12, seed: 5))
        #expect(found.outputMagnitude > 0.1 && found.isWithin(relative: 1e-6), "\(found)")
        #expect(hook.plan.channels?.filter { $0.refused == nil }.map(\.dropped) == [[0], [0]])
        // Cutting what is closed changes nothing.
        let cut = try difference(
            try Pruner(folded).cut(hook.plan), folded, on: SmallNetwork.samples(12, seed: 5))
        #expect(cut.isWithin(relative: 1e-12), "\(cut)")
    }

    @Test(arguments: [SmallNetwork.chain, .separable])
    func validationSeesTestTimeGates(network: SmallNetwork) throws {
        let hook = try GatedUnits(
            try Pruner(network.graph(seed: 1)), request: channelRequest(), cost: .parameters, lambda: 2,
            seed: 3)
        let run = try run(network.graph(seed: 1), epochs: 4, validation: true, hooks: [hook])
        try run.train()
        let lane = try Lane(threads: 1)
        let validation = try #require(run.validation)
        func loss(_ graph: Graph) throws -> Double {
            try Evaluator(graph, lane: lane).evaluate(validation).value.mean
        }
        let seen = try #require(run.history.last?.validationLoss)
        #expect(seen == (try loss(try hook.folded(run))))
        #expect(seen != (try loss(try run.currentGraph())))
        // No epoch counts as the best while gates are random.
        #expect(run.bestEpoch == nil)
    }

    /// Without a price gates move by the loss alone: what it closes it is no worse without.
    @Test(arguments: SmallNetwork.allCases)
    func withoutAPriceTheLossDecides(network: SmallNetwork) throws {
        let pruner = try Pruner(network.graph(seed: 1))
        let hook = try GatedUnits(pruner, request: channelRequest(), cost: .parameters, lambda: 0, seed: 3)
        let run = try run(network.graph(seed: 1), epochs: 40, hooks: [hook])
        try run.train()
        #expect(hook.path.lambda == 0)
        let lane = try Lane(threads: 1)
        func loss() throws -> Double {
            try Evaluator(hook.folded(run), lane: lane).evaluate(run.training).value.mean
        }
        let alphas = try logAlphas(hook)
        let found = try loss()
        let groups = pruner.groups.open.count
        try set(alphas.map { $0 > HardConcrete.closing ? $0 : 3 }, of: hook, groups: groups, lambda: 0)
        #expect(try found < loss() + 0.01)
        // Most stay.
        #expect(alphas.count { $0 <= HardConcrete.closing } < alphas.count / 2)
    }

    /// Under a price that nothing is worth each group keeps its minimum, and that works.
    @Test(arguments: SmallNetwork.allCases, [1, 3])
    func aHugePriceLeavesTheMinimum(network: SmallNetwork, minimum: Int) throws {
        let pruner = try Pruner(network.graph(seed: 1))
        let hook = try GatedUnits(
            pruner, request: channelRequest(minimum: minimum), cost: .parameters, lambda: 1e4, seed: 3)
        let run = try run(network.graph(seed: 1), epochs: 40, hooks: [hook])
        try run.train()
        let channels = hook.plan.channels?.filter { $0.refused == nil } ?? []
        #expect(channels.count == pruner.groups.open.count)
        let alphas = try logAlphas(hook)
        var start = 0
        for entry in channels {
            #expect(entry.size - entry.dropped.count == minimum, "\(entry.group)")
            for unit in 0..<entry.size {
                let gate = HardConcrete.testGate(logAlpha: alphas[start + unit]).value
                #expect((gate == 0) == entry.dropped.contains(unit), "\(entry.group), \(unit): \(gate)")
            }
            start += entry.size
        }
        let folded = try hook.folded(run)
        let slim = try Pruner(folded).cut(hook.plan)
        let samples = try SmallNetwork.samples(16, seed: 9)
        #expect(try difference(slim, folded, on: samples).isWithin(relative: 1e-12))
    }
}
