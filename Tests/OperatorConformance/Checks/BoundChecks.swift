import EspalierGraphs
import EspalierOperators
import EspalierTensors
import TestSupport

extension PreparedCase {
    /// The operator's rule for bounds, with all activations varying; nil if it gives none.
    func boundPropagation() throws(OperatorError) -> BoundPropagation? {
        guard let operation = operation as? any BoundPropagating, isSinglePrecision, isReal(output: 0),
            !varying.isEmpty, varying.allSatisfy(isReal(input:))
        else { return nil }
        do throws(OperatorError) {
            return try operation.boundPropagation(varying: Set(varying), signature)
        } catch {
            switch error {
            case .unsupported, .inputNotConstant: return nil
            default: throw error
            }
        }
    }

    /// What the rule says of output 0, against the reference in Double.
    func checkBounds() throws(OperatorError) -> [String] {
        switch try boundPropagation() {
        case .affine(let propagation): try checkAffine(propagation)
        case .sum(let signs): try checkSum(signs)
        case .slopes(let below): try checkSlopes(below)
        case .maximum(let windows): try checkMaximum(windows)
        case nil: []
        }
    }

    private var varying: [Int] { inputs.indices.filter { inputs[$0] != nil && !isConstant($0) } }

    /// By varying port.
    private typealias Point = [Int: [Double]]

    private func point(_ name: String, in range: ClosedRange<Float> = -2...2) -> Point {
        let random = RandomSource.named(source.name).split(name)
        return Dictionary(
            uniqueKeysWithValues: varying.map { port in
                var stream = random.split(port)
                return (
                    port,
                    (0..<signature.inputShape(port).count).map { _ in Double(stream.uniform(in: range)) }
                )
            })
    }

    private var origin: Point { point("origin", in: 0...0) }

    /// Output 0 at a point, with constants replaced.
    private func output(
        at point: Point, constant: (Int, Double) -> Double = { $1 }
    ) throws(OperatorError) -> [Double] {
        let values = inputs.enumerated().map { port, tensor -> ReferenceValue<Double>? in
            guard let tensor else { return nil }
            if let elements = point[port] {
                return .real(NDArray(shape: tensor.shape, elements: elements))
            }
            guard isReal(input: port) else { return ReferenceValue(tensor) }
            let elements = tensor.scalars(as: Double.self).map { constant(port, $0) }
            return .real(NDArray(shape: tensor.shape, elements: elements))
        }
        return try reference(Double.self, values).first?.realElements ?? []
    }

    private func compare(_ actual: [Double], _ expected: [Double], _ what: String) -> [String] {
        difference(
            actual, from: expected, shape: [expected.count], Tolerance(relative: 1e-9, absolute: 1e-9)
        ).map { ["\(what): \($0)"] } ?? []
    }

    // MARK: - Affine

    /// The matrix of a varying input, [outputs][inputs], probed with unit vectors.
    private func matrix(_ port: Int, offset: [Double]) throws(OperatorError) -> [[Double]] {
        let count = signature.inputShape(port).count
        var rows = offset.map { _ in [Double](repeating: 0, count: count) }
        var unit = origin
        for column in 0..<count {
            unit[port]?[column] = 1
            for (row, value) in try output(at: unit).enumerated() { rows[row][column] = value - offset[row] }
            unit[port]?[column] = 0
        }
        return rows
    }

    private func checkAffine(_ propagation: AffinePropagation) throws(OperatorError) -> [String] {
        let offset = try output(at: origin)
        var matrices: [Int: [[Double]]] = [:]
        for port in varying { matrices[port] = try matrix(port, offset: offset) }
        func image(_ point: Point, offset: [Double], _ entry: (Double) -> Double = { $0 }) -> [Double] {
            matrices.reduce(into: offset) { sums, matrix in
                for (row, entries) in matrix.value.enumerated() {
                    for (index, x) in (point[matrix.key] ?? []).enumerated() {
                        sums[row] += entry(entries[index]) * x
                    }
                }
            }
        }
        var problems: [String] = []
        let inner = point("inner")
        problems += compare(try output(at: inner), image(inner, offset: offset), "is not affine")

        // The same nodes with magnitudes for constants.
        let reach = point("reach", in: 0...2)
        let nothing = offset.map { _ in 0.0 }
        let magnitudes = try output(at: reach) { port, value in
            if propagation.factors.contains(port) { return value.magnitude }
            return propagation.addends[port] == nil ? value : 0
        }
        problems += compare(magnitudes, image(reach, offset: nothing, abs), "magnitudes")
        let all = try output(at: reach, constant: propagation.magnitude)
        let least = image(reach, offset: offset.map(abs), abs)
        for (index, value) in all.enumerated() where value < least[index] * (1 - 1e-9) {
            problems.append("all magnitudes: \(value) at \(index), of which \(least[index]) is in sums")
        }

        for (port, matrix) in matrices {
            problems += try checkReach(propagation.reach, matrix, port).map { "input \(port): \($0)" }
        }
        problems += try checkRoundings(propagation, matrices)
        return problems
    }

    /// That the matrix has zeros wherever the reach says that an output depends on nothing.
    private func checkReach(
        _ reach: AffinePropagation.Reach, _ matrix: [[Double]], _ port: Int
    ) throws(OperatorError) -> [String] {
        let (input, output) = (signature.inputShape(port), signature.outputShape())
        // Bounds refuse a node that changes how many samples there are.
        let keepsSamples = source.isBatched && input.extents.first == output.extents.first
        var problems: [String] = []
        for (row, entries) in matrix.enumerated() {
            let to = output.position(of: row)
            for (column, entry) in entries.enumerated() where entry != 0 {
                let from = input.position(of: column)
                let isReached =
                    switch reach {
                    case .sample: true
                    case .position: to.dropFirst(2) == from.dropFirst(2)
                    case .windows(let windows, _): windows.see(from, from: to)
                    }
                if (keepsSamples && to.first != from.first) || !isReached {
                    problems.append("output \(to) depends on \(from)")
                }
            }
        }
        if case .windows(let windows, let unpadded) = reach {
            problems += try checkUnpadded(windows, unpadded, port)
        }
        return problems
    }

    /// That with the attributes for it the node makes the same of its input with zeros around it.
    private func checkUnpadded(
        _ windows: Windows, _ attributes: [String: Attribute], _ port: Int
    ) throws(OperatorError) -> [String] {
        let shape = signature.inputShape(port)
        let padded = Shape(
            shape.extents.prefix(2) + windows.axes.map { ($0.output - 1) * $0.stride + $0.span })
        let value = point("padded")
        var elements = [Double](repeating: 0, count: padded.count)
        for (index, x) in (value[port] ?? []).enumerated() {
            var place = shape.position(of: index)
            for (axis, window) in windows.axes.enumerated() { place[axis + 2] += window.paddingBefore }
            // What no window sees need not be there.
            guard zip(place, padded.extents).allSatisfy({ $0 < $1 }) else { continue }
            elements[padded.index(of: place)] = x
        }
        let operation = try Self.makeOperator(
            source, attributes: source.attributes.merging(attributes) { $1 }, type: nil)
        var values = inputs.map { $0.map(ReferenceValue<Double>.init) }
        values[port] = .real(NDArray(shape: padded, elements: elements))
        let found = try operation.reference(ReferenceCall(inputs: values, outputs: signature.outputs))
        return compare(found.first?.realElements ?? [], try output(at: value), "without padding")
    }

    /// That kernels in single precision err by no more than the roundings told.
    private func checkRoundings(
        _ propagation: AffinePropagation, _ matrices: [Int: [[Double]]]
    ) throws(OperatorError) -> [String] {
        var problems: [String] = []
        func gamma(_ count: Int) -> Double { Double(count) * 0x1p-24 / (1 - Double(count) * 0x1p-24) }

        let given = Dictionary(
            uniqueKeysWithValues: varying.map { ($0, inputs[$0]?.scalars(as: Double.self) ?? []) })
        let exact = try output(at: given)
        let magnitudes = try output(at: given.mapValues { $0.map(abs) }, constant: propagation.magnitude)
        if let lowering = operation as? any Lowering {
            let context = LoweringContext(
                signature: signature, inputLayouts: inputs.map { _ in .plain }, phase: .inference, threads: 1)
            let found = try onLane(threads: 1) { () throws(OperatorError) -> [Double] in
                guard let kernel = try lowering.lowerIfSupported(context) else { return [] }
                let outputs = try KernelRunner(kernel).run(inputs, outputs: signature.outputs)
                return outputs.first.flatMap { $0?.scalars(as: Double.self) } ?? []
            }
            for (index, value) in found.enumerated()
            where abs(value - exact[index]) > gamma(propagation.roundings) * magnitudes[index] {
                problems.append(
                    "output \(index) is off by \(value - exact[index]), more than \(propagation.roundings) roundings"
                )
            }
        }

        guard let operation = operation as? any Differentiable else { return problems }
        let projection = projection([0])
        let weights = projection[0]?.scalars(as: Double.self) ?? []
        let gradients = try gradients(
            operation, in: .training(frozenNormalization: true), threads: 1, projection: projection,
            wanted: varying
        ).gradients
        for (port, matrix) in matrices {
            for (column, value) in (gradients[port]?.scalars(as: Double.self) ?? []).enumerated() {
                let products = matrix.indices.map { weights[$0] * matrix[$0][column] }
                let error = abs(value - products.reduce(0, +))
                let allowed = gamma(propagation.gradientRoundings) * products.reduce(0) { $0 + abs($1) }
                // The matrix itself was found by differences in double precision.
                if error > allowed + 1e-12 {
                    problems.append(
                        "gradient \(column) of input \(port) is off by \(error), more than "
                            + "\(propagation.gradientRoundings) roundings")
                }
            }
        }
        return problems
    }

    // MARK: - Others

    private func checkSum(_ signs: [Int: Float]) throws(OperatorError) -> [String] {
        let inner = point("inner")
        var expected = try output(at: origin)
        for (port, elements) in inner {
            guard let sign = signs[port], elements.count == expected.count else {
                return ["input \(port) is no part of the sum"]
            }
            for (index, x) in elements.enumerated() { expected[index] += Double(sign) * x }
        }
        return compare(try output(at: inner), expected, "is not the sum")
    }

    private func checkSlopes(_ below: Float) throws(OperatorError) -> [String] {
        guard varying == [0], (0...1).contains(below) else { return ["slope \(below) of \(varying)"] }
        let inner = point("inner")
        let expected = (inner[0] ?? []).map { $0 < 0 ? Double(below) * $0 : $0 }
        return compare(try output(at: inner), expected, "does not bend so")
    }

    private func checkMaximum(_ windows: Windows) throws(OperatorError) -> [String] {
        let inner = point("inner")
        let (input, output) = (signature.inputShape(0), signature.outputShape())
        guard varying == [0], windows.axes.count == output.rank - 2 else {
            return ["windows along \(windows.axes.count) axes"]
        }
        var expected = [Double](repeating: -.infinity, count: output.count)
        for (index, x) in (inner[0] ?? []).enumerated() {
            let from = input.position(of: index)
            for place in 0..<output.count {
                let to = output.position(of: place)
                if windows.see(from, from: to), to.prefix(2) == from.prefix(2) {
                    expected[place] = max(expected[place], x)
                }
            }
        }
        return compare(try self.output(at: inner), expected, "is not the largest of windows")
    }
}

extension AffinePropagation {
    /// A constant where all magnitudes are added up.
    fileprivate func magnitude(_ port: Int, _ value: Double) -> Double {
        if factors.contains(port) { return value.magnitude }
        return addends[port].map { Double($0) * value.magnitude } ?? value
    }
}

extension Windows {
    /// Whether the window of an output sees a place of the input; axes 0 and 1 do not count.
    fileprivate func see(_ input: [Int], from output: [Int]) -> Bool {
        axes.enumerated().allSatisfy { axis, window in
            let (place, position) = (output[axis + 2], input[axis + 2])
            return window.taps(at: place).contains { window.position(output: place, tap: $0) == position }
        }
    }
}

extension Shape {
    /// Along each axis, of an element in memory's order.
    fileprivate func position(of index: Int) -> [Int] {
        var rest = index
        var place = extents
        for axis in extents.indices.reversed() {
            (rest, place[axis]) = rest.quotientAndRemainder(dividingBy: extents[axis])
        }
        return place
    }

    fileprivate func index(of place: [Int]) -> Int {
        zip(place, extents).reduce(0) { $0 * $1.1 + $1.0 }
    }
}
