import EspalierGraphs
import EspalierOperators
import EspalierTensors
import TestSupport

extension PreparedCase {
    /// Links name axes that exist and map indices that exist.
    func checkLinksAreWellFormed() -> [String] {
        guard let operation = operation as? any AxisLinking else { return [] }
        let links = operation.axisLinks(signature)
        var problems: [String] = []
        let contracted = links.contractions.flatMap { [$0.first, $0.second] }
        for axis in contracted + links.free where signature.extent(of: axis) == nil {
            problems.append("\(axis) does not exist")
        }
        for axis in links.frozen.map(\.axis) + links.roles.keys where signature.extent(of: axis) == nil {
            problems.append("\(axis) does not exist")
        }
        for link in links.links {
            guard let from = signature.extent(of: link.from), let to = signature.extent(of: link.to) else {
                problems.append("a link joins \(link.from) and \(link.to), one of which does not exist")
                continue
            }
            let fits =
                switch link.map {
                case .identity: from == to
                case .offset(let offset): offset < to && offset + from > 0
                case .spread(let outer, let inner): from * outer * inner == to
                case .table(let table):
                    table.count == from && table.allSatisfy { $0.allSatisfy((0..<to).contains) }
                }
            if !fits {
                problems.append("\(link.map) cannot map \(link.from) of \(from) to \(link.to) of \(to)")
            }
        }
        for axis in links.roles.keys {
            if case .output = axis.port { problems.append("\(axis) has a role, but is no parameter's") }
        }
        return problems
    }

    /// The classes of indices that may be cut and leave something on every axis.
    func cuttableClasses() -> [[AxisIndex]] {
        guard let operation = operation as? any AxisLinking else { return [] }
        return AxisClosure(operation.axisLinks(signature), signature).classes
            .filter { keptIndices(without: $0).values.allSatisfy { !$0.isEmpty } }
    }

    /// Prune-then-run equals mask-then-run: for each class of linked indices alone, and for a random half of them.
    func checkAxisLinks() throws(OperatorError) -> [String] {
        guard let operation = operation as? any AxisLinking else { return [] }
        var problems: [String] = []
        let classes = cuttableClasses()
        for members in classes {
            problems += try checkCut(operation, members).map { "cutting \(describe(members)): \($0)" }
        }
        var random = RandomSource.named(source.name).split("cuts")
        var several: [AxisIndex] = []
        for members in classes.shuffled(using: &random).prefix((classes.count + 1) / 2)
        where keptIndices(without: several + members).values.allSatisfy({ !$0.isEmpty }) {
            several += members
        }
        guard classes.count > 1 else { return problems }
        do throws(OperatorError) {
            problems += try checkCut(operation, several).map { "cutting \(describe(several)): \($0)" }
        } catch .unsupported {
            // Any one class can be cut, but not every set of them (groups must stay even).
        } catch {
            throw error
        }
        return problems
    }

    private func describe(_ members: [AxisIndex]) -> String {
        let names = members.prefix(8).map { member in
            switch member.axis.port {
            case .input(let port): "input \(port)[\(member.axis.axis)]:\(member.index)"
            case .output(let port): "output \(port)[\(member.axis.axis)]:\(member.index)"
            }
        }
        return names.joined(separator: " ") + (members.count > 8 ? " ..." : "")
    }

    /// What stays on each axis that the members lie on.
    private func keptIndices(without members: [AxisIndex]) -> [PortAxis: [Int]] {
        let cut = Dictionary(grouping: members, by: \.axis).mapValues { Set($0.map(\.index)) }
        var kept: [PortAxis: [Int]] = [:]
        for (axis, indices) in cut {
            kept[axis] = (0..<(signature.extent(of: axis) ?? 0)).filter { !indices.contains($0) }
        }
        return kept
    }

    private func checkCut(
        _ operation: any AxisLinking, _ members: [AxisIndex]
    ) throws(OperatorError) -> [String] {
        let kept = keptIndices(without: members)
        let pruned = try runPruned(operation, kept)
        // Masked: parameters' slices are zero; what flows in is zero in one run and anything in others, since a masked filter
        // followed by a sigmoid gives 0.5, not 0. Only of two activations that are multiplied and summed one must be zero.
        var runs = [("zero", try runMasked(members) { _ in true })]
        let pairs = operation.axisLinks(signature).contractions.filter { pair in
            !isParameter(pair.first) && !isParameter(pair.second)
        }
        let (first, second) = (Set(pairs.map(\.first)), Set(pairs.map(\.second)))
        runs.append(("arbitrary", try runMasked(members) { first.contains($0) }))
        if !second.isEmpty {
            runs.append(("arbitrary on the other side", try runMasked(members) { second.contains($0) }))
        }
        var problems: [String] = []
        for (port, facts) in pruned.signature.outputs.enumerated() {
            let actual = pruned.outputs[port].tensor(as: .float64)
            if actual.shape != facts.shape {
                problems.append("output \(port) inferred as \(facts.shape), computed \(actual.shape)")
            }
            for (activations, outputs) in runs {
                let expected = outputs[port].cut(port: .output(port), kept).tensor(as: .float64)
                if let problem = difference(actual, from: expected, source.tolerances.pruning) {
                    problems.append("output \(port), masked activations \(activations): \(problem)")
                }
            }
            // Consumers multiply what is masked by zero, which only removes finite numbers.
            if let elements = runs.first?.1[port].realElements, !elements.allSatisfy(\.isFinite) {
                problems.append("output \(port) is not finite when masked")
            }
        }
        return problems
    }

    private func runPruned(
        _ operation: any AxisLinking, _ kept: [PortAxis: [Int]]
    ) throws(OperatorError) -> (signature: Signature, outputs: [ReferenceValue<Double>]) {
        let edits = try operation.resized(by: AxisCut(kept: kept), signature: signature)
        let attributes = source.attributes.merging(edits.attributes) { _, new in new }
            .filter { !edits.removedAttributes.contains($0.key) }
        let smaller = try Self.makeOperator(source, attributes: attributes, type: type(of: operation))
        let ports = 0..<max(inputs.count, (edits.constants.keys.max() ?? -1) + 1)
        let cutInputs = ports.map { port -> Tensor? in
            if let edited = edits.constants[port] { return edited }
            guard inputs.indices.contains(port), let tensor = inputs[port] else { return nil }
            return ReferenceValue<Double>(tensor).cut(port: .input(port), kept).tensor(as: tensor.dtype)
        }
        let signature = try Self.infer(
            smaller, cutInputs, isConstant: ports.map { edits.constants[$0] != nil || isConstant($0) },
            outputCount: source.outputCount)
        let outputs = try smaller.reference(
            ReferenceCall<Double>(
                inputs: cutInputs.map { $0.map(ReferenceValue.init) }, outputs: signature.outputs))
        return (signature, outputs)
    }

    private func isParameter(_ axis: PortAxis) -> Bool {
        if case .input(let port) = axis.port { isParameter(port) } else { false }
    }

    /// - Parameter isZero: whether slices on an axis are masked where they are of activations.
    private func runMasked(
        _ members: [AxisIndex], where isZero: (PortAxis) -> Bool
    ) throws(OperatorError) -> [ReferenceValue<Double>] {
        let masked = inputs.enumerated().map { port, tensor -> ReferenceValue<Double>? in
            guard let tensor else { return nil }
            let value = ReferenceValue<Double>(tensor)
            guard case .real(var array) = value else { return value }
            for member in members
            where member.axis.port == .input(port) && (isParameter(port) || isZero(member.axis)) {
                array = array.settingSlices([member.index], axis: member.axis.axis, to: 0)
            }
            return .real(array)
        }
        return try reference(Double.self, masked)
    }
}

extension ReferenceValue {
    /// The kept slices of the value at `port`.
    func cut(port: PortAxis.Port, _ kept: [PortAxis: [Int]]) -> ReferenceValue {
        var result = self
        for (axis, indices) in kept where axis.port == port {
            switch result {
            case .real(let array): result = .real(array.slices(indices, axis: axis.axis))
            case .integer(let array): result = .integer(array.slices(indices, axis: axis.axis))
            case .unsigned(let array): result = .unsigned(array.slices(indices, axis: axis.axis))
            case .boolean(let array): result = .boolean(array.slices(indices, axis: axis.axis))
            }
        }
        return result
    }
}
