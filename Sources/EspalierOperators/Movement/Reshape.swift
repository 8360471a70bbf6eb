import EspalierGraphs
import EspalierTensors

/// Reads a tensor's elements under the shape that input 1 gives, where -1 is what remains and 0 (unless
/// `allowzero`) the input's extent at the same place.
package struct Reshape: ReshapingOperator {
    package static let schemas = [OperatorSchema("Reshape", since: 5)]

    private let allowsZero: Bool

    package init(_ attributes: AttributeReader) throws(OperatorError) {
        allowsZero = try attributes.bool("allowzero", default: false)
    }

    package func inferOutputs(_ inputs: OperatorInputs) throws(OperatorError) -> [ValueFacts] {
        let input = try inputs.required(0)
        guard let target = try inputs.knownIntegers(1) else { throw .missingInput(1) }
        return [ValueFacts(dtype: input.dtype, shape: try shape(of: input.shape, target: target))]
    }

    private func shape(of input: Shape, target: [Int]) throws(OperatorError) -> Shape {
        let count = try input.requireCount()
        var extents: [Int] = []
        for (axis, entry) in target.enumerated() {
            switch entry {
            case 0 where !allowsZero:
                guard axis < input.rank else {
                    throw .shapes("the target \(target) copies axis \(axis), which \(input) does not have")
                }
                extents.append(input[axis])
            case (-1)...: extents.append(entry)
            default: throw .shapes("the target \(target) is not a shape")
            }
        }
        // The extent that remains is looked for at the place of a -1, of which there may be one.
        let open = extents.indices.filter { extents[$0] == -1 }
        guard open.count <= 1 else { throw .shapes("the target \(target) leaves two extents open") }
        if let open = open.first {
            extents[open] = 1
            let known = try Shape(extents).requireCount()
            guard known > 0, count % known == 0 else {
                throw .shapes("\(input) cannot be read under the shape \(target)")
            }
            extents[open] = count / known
        }
        guard try Shape(extents).requireCount() == count else {
            throw .shapes("\(input) cannot be read under the shape \(target)")
        }
        return Shape(extents)
    }

    package func axisLinks(_ signature: Signature) -> AxisLinks {
        let all = AxisMatching(signature.inputShape(0), signature.outputShape()).links
        guard signature.inputs.count > 1, signature.inputs[1]?.isDerived == true,
            let target = target(signature)
        else { return all }
        // A target that is computed within the graph cannot be edited: only what it leaves open may change.
        var links = AxisLinks()
        links.frozen = all.frozen
        for link in all.links {
            let ends = [link.from, link.to]
            let isIdentity = link.map == .identity && link.from.axis == link.to.axis
            let fits = ends.allSatisfy { end in
                guard target.indices.contains(end.axis) else { return true }
                let entry = target[end.axis]
                let isCopied = entry == 0 && !allowsZero
                return end.port == .output(0)
                    ? entry == -1 || isCopied && isIdentity
                    : !isCopied || isIdentity
            }
            if fits {
                links.links.append(link)
            } else {
                for end in ends {
                    links.frozen.append((end, "the reshape's target is computed in the graph"))
                }
            }
        }
        return links
    }

    package func resized(by cut: AxisCut, signature: Signature) throws(OperatorError) -> NodeEdits {
        guard let target = target(signature) else { throw .inputNotConstant(1) }
        let (input, output) = (signature.inputShape(0), signature.outputShape())
        var edited = target
        for axis in target.indices {
            let extent = cut.extent(.output(0, axis: axis), of: output)
            switch target[axis] {
            case -1: continue
            case 0 where !allowsZero:
                if extent != cut.extent(.input(0, axis: axis), of: input) { edited[axis] = extent }
            default: edited[axis] = extent
            }
        }
        var edits = NodeEdits()
        guard edited != target else { return edits }
        guard signature.inputs[1]?.isDerived == false else {
            throw .unsupported("a cut of a shape that is computed in the graph")
        }
        edits.constants[1] = Tensor(shape: [edited.count], scalars: edited.map { Int64($0) })
        return edits
    }

    private func target(_ signature: Signature) -> [Int]? {
        signature.constant(1)?.scalars(as: Int64.self).map { Int(truncatingIfNeeded: $0) }
    }
}

extension AxisCut {
    /// The extent of an axis after the cut.
    func extent(_ axis: PortAxis, of shape: Shape) -> Int {
        self[axis]?.count ?? shape[axis.axis]
    }
}
