import EspalierGraphs
import EspalierOperators
import EspalierTensors

/// Linear relaxation with dense matrices in Double, by its definition and without regard to time: every affine node is probed with
/// unit vectors, and every neuron that intervals leave open gets rows of its own.
final class RelaxationOracle {
    private struct Interval {
        var lower: [Double]
        var upper: [Double]

        mutating func raise(_ element: Int, to bound: Double) { lower[element] = max(lower[element], bound) }
        mutating func sink(_ element: Int, to bound: Double) { upper[element] = min(upper[element], bound) }
    }

    private struct Affine {
        /// By varying port, [outputs][inputs].
        var matrices: [(input: ValueID, rows: [[Double]])]
        var offset: [Double]
    }

    private let resolved: ResolvedGraph
    private let nodes: [Node]
    private var affine: [NodeID: Affine] = [:]
    private var producers: [ValueID: Node] = [:]
    private var readers: [ValueID: [Node]] = [:]

    init(_ graph: Graph) throws {
        resolved = try ResolvedGraph(graph, dimensions: ["N": 1])
        nodes = graph.nodes
        for node in nodes {
            producers[output(of: node)] = node
            for input in node.inputs.compactMap({ $0 }) { readers[input, default: []].append(node) }
            if !isBent(node) { affine[node.id] = try probe(node) }
        }
    }

    /// Test networks have no optional values and one output a node.
    private func output(of node: Node) -> ValueID { node.outputs.first.flatMap { $0 } ?? ValueID(index: -1) }
    private func input(of node: Node) -> ValueID { node.inputs.first.flatMap { $0 } ?? ValueID(index: -1) }
    private func shape(_ value: ValueID) -> Shape { resolved.facts[value]?.shape ?? [] }
    private func interval(_ value: ValueID, _ intervals: [ValueID: Interval]) -> Interval {
        intervals[value] ?? Interval(lower: [], upper: [])
    }

    private func isBent(_ node: Node) -> Bool {
        ["Relu", "LeakyRelu", "MaxPool", "GlobalMaxPool"].contains(node.operatorName.type)
    }

    private func evaluate(_ node: Node, _ replaced: [ValueID: [Double]]) throws -> [Double] {
        guard let signature = resolved.signatures[node.id], let operation = resolved.operators[node.id] else {
            return []
        }
        let inputs = node.inputs.map { id -> ReferenceValue<Double>? in
            guard let id else { return nil }
            if let constant = resolved.facts[id]?.constant { return ReferenceValue<Double>(constant) }
            return .real(NDArray(shape: shape(id), elements: replaced[id] ?? []))
        }
        let outputs = try operation.reference(
            ReferenceCall<Double>(inputs: inputs, outputs: signature.outputs))
        guard case .real(let array) = outputs[0] else { return [] }
        return array.elements
    }

    private func probe(_ node: Node) throws -> Affine {
        let varying = Array(Set(node.inputs.compactMap { $0 }.filter { resolved.facts[$0]?.constant == nil }))
        var zeros: [ValueID: [Double]] = [:]
        for id in varying { zeros[id] = [Double](repeating: 0, count: shape(id).count) }
        let offset = try evaluate(node, zeros)
        var matrices: [(ValueID, [[Double]])] = []
        for id in varying {
            let count = shape(id).count
            var rows = [[Double]](repeating: [Double](repeating: 0, count: count), count: offset.count)
            for column in 0..<count {
                var inputs = zeros
                inputs[id]?[column] = 1
                for (row, value) in try evaluate(node, inputs).enumerated() {
                    rows[row][column] = value - offset[row]
                }
            }
            matrices.append((id, rows))
        }
        return Affine(matrices: matrices.map { (input: $0.0, rows: $0.1) }, offset: offset)
    }

    // MARK: - Bounds

    /// Bounds from below of the right class's output minus each other's.
    ///
    /// - Parameter radius: of the euclidean ball around `center`; nil for the box alone.
    func margins(
        right: Int, lower: [Double], upper: [Double], center: [Double], radius: Double?, usesLines: Bool
    ) throws -> [Double] {
        let input = resolved.graph.inputs[0]
        var intervals = [input: Interval(lower: lower, upper: upper)]
        func bound(_ value: ValueID, _ row: [Double]) throws -> Double {
            var coefficients = [value: row]
            var constant = 0.0
            for node in nodes.reversed() {
                guard let row = coefficients.removeValue(forKey: self.output(of: node)) else { continue }
                constant += try carry(row, node, intervals) { id, added in
                    let before = coefficients[id] ?? [Double](repeating: 0, count: added.count)
                    coefficients[id] = zip(before, added).map { $0 + $1 }
                }
            }
            let row = coefficients[input] ?? []
            if let radius {
                let length = row.reduce(0) { $0 + $1 * $1 }.squareRoot()
                return constant + zip(row, center).reduce(0) { $0 + $1.0 * $1.1 } - radius * length
            }
            return constant + row.indices.reduce(0) { $0 + row[$1] * (row[$1] < 0 ? upper[$1] : lower[$1]) }
        }
        for node in nodes {
            let output = self.output(of: node)
            intervals[output] = try interval(node, intervals)
            guard usesLines, !isBent(node), readers[output, default: []].contains(where: isBent) else {
                continue
            }
            let count = shape(output).count
            for element in try open(output, intervals) {
                var row = [Double](repeating: 0, count: count)
                row[element] = 1
                let below = try bound(output, row)
                row[element] = -1
                let above = -(try bound(output, row))
                intervals[output]?.raise(element, to: below)
                intervals[output]?.sink(element, to: above)
            }
        }
        let output = resolved.graph.outputs[0]
        guard let last = producers[output].flatMap({ affine[$0.id] }) else { return [] }
        return try (0..<last.offset.count).map { other in
            guard other != right else { return .infinity }
            var row = [Double](repeating: 0, count: last.offset.count)
            row[right] = 1
            row[other] = -1
            // Both outputs together, from the intervals before them.
            var early = last.offset[right] - last.offset[other]
            for (id, rows) in last.matrices {
                for (column, (one, two)) in zip(rows[right], rows[other]).enumerated() {
                    let difference = one - two
                    early +=
                        difference
                        * (difference < 0
                            ? interval(id, intervals).upper[column] : interval(id, intervals).lower[column])
                }
            }
            return usesLines ? max(early, try bound(output, row)) : early
        }
    }

    private func interval(_ node: Node, _ intervals: [ValueID: Interval]) throws -> Interval {
        guard let affine = affine[node.id] else {
            let input = self.input(of: node)
            // Both are monotone.
            return Interval(
                lower: try evaluate(node, [input: interval(input, intervals).lower]),
                upper: try evaluate(node, [input: interval(input, intervals).upper]))
        }
        var result = Interval(lower: affine.offset, upper: affine.offset)
        for (id, rows) in affine.matrices {
            let input = interval(id, intervals)
            for (output, row) in rows.enumerated() {
                for (column, factor) in row.enumerated() {
                    result.lower[output] += factor * (factor < 0 ? input.upper[column] : input.lower[column])
                    result.upper[output] += factor * (factor < 0 ? input.lower[column] : input.upper[column])
                }
            }
        }
        return result
    }

    /// Elements that could be on either side of a bend, or of which more than one could be the largest of a window.
    private func open(_ value: ValueID, _ intervals: [ValueID: Interval]) throws -> [Int] {
        guard let own = intervals[value] else { return [] }
        var result: Set<Int> = []
        func addContenders(_ node: Node, _ lower: [Double], _ upper: [Double]) throws {
            for window in try windows(node) {
                let least = window.reduce(-.infinity) { max($0, lower[$1]) }
                let contenders = window.filter { upper[$0] > least }
                if contenders.count > 1 { result.formUnion(contenders) }
            }
        }
        for reader in readers[value, default: []] where isBent(reader) {
            if reader.operatorName.type.hasSuffix("Pool") {
                try addContenders(reader, own.lower, own.upper)
                continue
            }
            result.formUnion(own.lower.indices.filter { own.lower[$0] < 0 && own.upper[$0] > 0 })
            let bent = try interval(reader, intervals)
            for next in readers[output(of: reader), default: []]
            where next.operatorName.type.hasSuffix("Pool") {
                if isBent(next) { try addContenders(next, bent.lower, bent.upper) }
            }
        }
        return result.sorted()
    }

    /// The elements that each output of a maximum sees: those that, alone large, change it.
    private func windows(_ node: Node) throws -> [[Int]] {
        let input = self.input(of: node)
        let count = shape(input).count
        var windows = [[Int]](repeating: [], count: shape(output(of: node)).count)
        for element in 0..<count {
            var values = [Double](repeating: 0, count: count)
            values[element] = 1
            for (output, value) in try evaluate(node, [input: values]).enumerated() where value == 1 {
                windows[output].append(element)
            }
        }
        return windows
    }

    /// Gives the coefficients of a node's inputs to `add`, and returns what is constant.
    private func carry(
        _ row: [Double], _ node: Node, _ intervals: [ValueID: Interval], add: (ValueID, [Double]) -> Void
    ) throws -> Double {
        if let affine = affine[node.id] {
            for (id, rows) in affine.matrices {
                var result = [Double](repeating: 0, count: rows[0].count)
                for (output, coefficient) in row.enumerated() where coefficient != 0 {
                    for column in result.indices { result[column] += coefficient * rows[output][column] }
                }
                add(id, result)
            }
            return zip(row, affine.offset).reduce(0) { $0 + $1.0 * $1.1 }
        }
        let input = self.input(of: node)
        let own = interval(input, intervals)
        var result = [Double](repeating: 0, count: own.lower.count)
        var constant = 0.0
        if node.operatorName.type.hasSuffix("Pool") {
            for (output, window) in try windows(node).enumerated() {
                // Of equals the first.
                func first(_ rank: (Int) -> Double) -> Int {
                    window.reduce(window[0]) { rank($1) > rank($0) ? $1 : $0 }
                }
                let highest = first { own.upper[$0] }
                let (low, high) = (own.lower[highest], own.upper[highest])
                let others = window.reduce(-.infinity) { $1 == highest ? $0 : max($0, own.upper[$1]) }
                if others <= low {
                    result[highest] += row[output]
                } else if row[output] >= 0 {
                    result[first { own.lower[$0] + own.upper[$0] }] += row[output]
                } else {
                    let slope = (high - others) / (high - low)
                    result[highest] += row[output] * slope
                    constant += row[output] * (others - slope * low)
                }
            }
        } else {
            var below = 0.0
            if case .float(let alpha)? = node.attributes["alpha"] { below = Double(alpha) }
            for (element, coefficient) in row.enumerated() {
                let (low, high) = (own.lower[element], own.upper[element])
                if low >= 0 {
                    result[element] = coefficient
                } else if high <= 0 {
                    result[element] = coefficient * below
                } else if coefficient >= 0 {
                    result[element] = coefficient * (high > -low ? 1 : below)
                } else {
                    let slope = (high - below * low) / (high - low)
                    result[element] = coefficient * slope
                    constant += coefficient * (high - slope * high)
                }
            }
        }
        add(input, result)
        return constant
    }
}
