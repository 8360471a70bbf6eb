import EspalierExecution
import EspalierGraphs
import EspalierKernels
import EspalierOperators
import EspalierTensors

/// One affine node, run by its own kernels: forward on samples, and backward on rows of coefficients. Belongs to the lane that made
/// it.
final class AffineRunner {
    let propagation: AffinePropagation
    let step: PropagationGraph.Step
    private let graph: PropagationGraph
    private let output: PropagatedValue
    private var backwards: [BackwardKey: BackwardRun] = [:]

    init(
        _ step: PropagationGraph.Step, _ propagation: AffinePropagation, of graph: PropagationGraph,
        output: Int
    ) {
        self.step = step
        self.propagation = propagation
        self.graph = graph
        self.output = graph.values[output]
    }

    // MARK: - Forward

    /// Which numbers stand in for the node's constants.
    enum Constants {
        case own
        /// Magnitudes, and zeros for what is added.
        case magnitudes
        /// Magnitudes of all.
        case allMagnitudes
    }

    func forward(samples: Int, threads: Int, _ constants: Constants) throws -> ForwardRun {
        let (network, inputs, output) = try network(count: samples, constants) { self.graph.values[$0] }
        let shapes = Dictionary(
            uniqueKeysWithValues: inputs.map { ($0, network.values[$0]?.type?.fixedShape ?? []) })
        let plan = try InferencePlan(network, inputShapes: shapes, outputs: [output], threads: threads)
        try require(plan.outputShape(0), count: samples)
        return ForwardRun(plan: plan, inputs: inputs)
    }

    // MARK: - Backward

    /// The frames of the inputs for coefficients of the output that lie in `frame`.
    func inputFrames(of frame: Frame) -> [Frame] {
        step.inputs.map { input in
            let value = graph.values[input.value]
            guard frame != .whole(output) else { return .whole(value) }
            switch propagation.reach {
            case .sample: return .whole(value)
            case .position: return frame
            case .windows(let windows, _):
                return Frame(
                    rows: windows.axes[0].inputAxis(frame.rows),
                    columns: windows.axes[1].inputAxis(frame.columns))
            }
        }
    }

    /// Whether coefficients of the output may lie in windows.
    var takesWindows: Bool {
        switch propagation.reach {
        case .sample: false
        // Only values with rows and columns have planes, whose number is the channel that a position is scaled by.
        case .position:
            (step.node.outputs + step.inputs.map { graph.ids[$0.value] }).allSatisfy { graph.hasPlanes($0) }
        case .windows(let windows, _): windows.axes.count == 2
        }
    }

    func backward(rows: Int, threads: Int, frame: Frame) throws -> BackwardRun {
        let key = BackwardKey(rows: rows, frame: frame)
        if let run = backwards[key] { return run }
        let frames = inputFrames(of: frame)
        let inputs = step.inputs.map(\.value)
        let isWhole = frame == .whole(output)
        let (network, _, result) = try network(count: rows, .own, isUnpadded: !isWhole) { value in
            guard !isWhole, let place = inputs.firstIndex(of: value) else { return self.graph.values[value] }
            return PropagatedValue(
                channels: self.graph.values[value].channels, height: frames[place].rows.extent,
                width: frames[place].columns.extent)
        }
        let resolved = try ResolvedGraph(network)
        try require(resolved.facts[result]?.shape ?? [], count: rows)
        var options = TrainingSession.Options(
            phase: .training(frozenNormalization: true, seed: 0), threads: threads)
        options.inputGradients = true
        options.parameterGradients = false
        let session = try TrainingSession(
            resolved, outputs: [result], parameters: ParameterStore(resolved, trainable: []), options: options
        )
        // Gradients of what is affine need no forward pass but for what it prepares.
        try session.forward()
        let gradients = network.inputs.compactMap { session.inputGradient(network.name(of: $0))?.baseAddress }
        guard let coefficients = session.outputGradients[0].baseAddress,
            gradients.count == network.inputs.count
        else { throw RobustnessError.unsupportedNetwork("'\(step.node.label)' has inputs without elements") }
        let run = BackwardRun(
            session: session, coefficients: coefficients, inputs: gradients, inputFrames: frames)
        backwards[key] = run
        return run
    }

    // MARK: - Networks of one node

    private func network(
        count: Int, _ constants: Constants, isUnpadded: Bool = false,
        extents: (_ value: Int) -> PropagatedValue
    ) throws -> (Graph, inputs: [ValueID], output: ValueID) {
        let resolved = graph.resolved
        let node = step.node
        var builder = GraphBuilder(
            name: node.label, opset: resolved.graph.opsetVersion(of: OperatorName("Conv")))
        builder.edit { $0.opsetVersions = resolved.graph.opsetVersions }
        var inputs: [ValueID?] = []
        var varying: [ValueID] = []
        for (port, id) in node.inputs.enumerated() {
            if let input = step.inputs.first(where: { $0.port == port }) {
                let declared = resolved.facts[graph.ids[input.value]]?.shape ?? []
                let value = extents(input.value)
                var shape = declared
                shape[0] = count
                if declared.rank == 4 { shape = [count, value.channels, value.height, value.width] }
                let added = builder.input("input\(port)", type: ValueType(dtype: .float32, shape: shape))
                varying.append(added)
                inputs.append(added)
            } else if let id, let tensor = resolved.facts[id]?.constant {
                inputs.append(builder.constant("constant\(port)", replaced(tensor, port: port, constants)))
            } else {
                inputs.append(nil)
            }
        }
        var attributes = node.attributes
        if isUnpadded, case .windows(_, let unpadded) = propagation.reach {
            attributes.merge(unpadded) { $1 }
        }
        let output = builder.value("output")
        builder.add(
            node.operatorName.type, domain: node.operatorName.domain, name: node.label, inputs: inputs,
            outputs: [output], attributes: attributes)
        return (try builder.finish(outputs: [output]), varying, output)
    }

    private func replaced(_ tensor: Tensor, port: Int, _ constants: Constants) -> Tensor {
        guard constants != .own, tensor.dtype == .float32 else { return tensor }
        let factor: (Float) -> Float
        if propagation.factors.contains(port) {
            factor = \.magnitude
        } else if let sign = propagation.addends[port] {
            factor = constants == .magnitudes ? { _ in 0 } : { sign * $0.magnitude }
        } else {
            return tensor
        }
        return Tensor(shape: tensor.shape, scalars: tensor.scalars(as: Float.self).map(factor))
    }

    /// Samples must stay apart.
    private func require(_ shape: Shape, count: Int) throws(RobustnessError) {
        guard shape.rank > 0, shape[0] == count else {
            throw .unbounded(
                node: step.node.label, operatorName: step.node.operatorName,
                reason: "it does not keep samples apart on axis 0")
        }
    }
}

/// What a run backwards is planned for: values in different places have their own numbers of rows.
private struct BackwardKey: Hashable {
    let rows: Int
    let frame: Frame
}

/// A node planned for samples.
struct ForwardRun {
    let plan: InferencePlan
    let inputs: [ValueID]
}

/// A node planned for the gradients of rows, which are their coefficients.
final class BackwardRun {
    private let session: TrainingSession
    /// Where the coefficients of the output are to be written.
    let coefficients: UnsafeMutablePointer<Float>
    /// Where those of the inputs are after ``run()``, by varying port.
    let inputs: [UnsafePointer<Float>]
    let inputFrames: [Frame]

    fileprivate init(
        session: TrainingSession, coefficients: UnsafeMutablePointer<Float>, inputs: [UnsafePointer<Float>],
        inputFrames: [Frame]
    ) {
        self.session = session
        self.coefficients = coefficients
        self.inputs = inputs
        self.inputFrames = inputFrames
    }

    func run() throws { try session.backward() }
}

extension WindowAxis {
    /// What windows of outputs see together.
    func inputAxis(_ outputs: Frame.Axis) -> Frame.Axis {
        Frame.Axis(
            stride: outputs.stride * stride, offset: outputs.offset * stride - paddingBefore,
            extent: (outputs.extent - 1) * stride + span)
    }
}

extension ValueType {
    fileprivate var fixedShape: Shape? {
        guard let dimensions else { return nil }
        var extents: [Int] = []
        for case .fixed(let extent) in dimensions { extents.append(extent) }
        return extents.count == dimensions.count ? Shape(extents) : nil
    }
}
