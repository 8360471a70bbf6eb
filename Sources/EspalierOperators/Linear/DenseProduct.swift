import EspalierKernels
import EspalierTensors

/// alpha times a batch of products of row-major matrices, either side perhaps stored transposed: the stages that
/// compute it and its gradients.
///
/// Measured with oneDNN 2.6 on AVX-512 for 784x300, 300x100, 100x10, 800x500 and 500x10 at batch 64 and 1: its matrix
/// product on plain operands, transposed by strides, is within 13 % of the inner product on blocked weights and up to
/// 20 % faster in the gradients, before the reorders (half the time of the product itself) that blocked weights would
/// cost at every training step. Only constant weights of an inference gain by a layout of oneDNN's choice.
struct DenseProduct {
    /// Leading axes of the result and of each side, all of one rank.
    private let batch: Shape
    private let leftBatch: Shape
    private let rightBatch: Shape
    let rows: Int
    let inner: Int
    let columns: Int
    private let leftTransposed: Bool
    private let rightTransposed: Bool
    private var alpha: Float

    init(
        _ product: MatrixProduct, leftTransposed: Bool = false, rightTransposed: Bool = false,
        alpha: Float = 1
    ) throws(OperatorError) {
        inner = product.inner
        columns = product.columns
        self.leftTransposed = leftTransposed
        self.rightTransposed = rightTransposed
        self.alpha = alpha
        let count = product.batch.count
        if product.rightBatch.count == 1, !leftTransposed {
            // One matrix on the right: the rows of all entries are rows of one product.
            rows = count * product.rows
            batch = []
            leftBatch = []
            rightBatch = []
        } else {
            rows = product.rows
            let isPlain = product.leftBatch.count == count && product.rightBatch.count == count
            func aligned(_ side: Shape) -> Shape {
                if isPlain { return count == 1 ? [] : [count] }
                return Shape([Int](repeating: 1, count: product.batch.rank - side.rank) + side.extents)
            }
            batch = aligned(product.batch)
            leftBatch = aligned(product.leftBatch)
            rightBatch = aligned(product.rightBatch)
        }
        guard batch.count * rows * columns > 0, inner > 0 else { throw .unsupported("an empty product") }
    }

    /// The shape of the result as the stages see it.
    var output: Shape { Shape(batch.extents + [rows, columns]) }
    var leftCount: Int { leftBatch.count * rows * inner }
    var rightCount: Int { rightBatch.count * inner * columns }
    var outputCount: Int { output.count }

    /// The product of squares that the squared gradient is.
    func squaringAlpha() -> DenseProduct {
        var result = self
        result.alpha = alpha * alpha
        return result
    }

    // MARK: Views

    /// Matrices of `rows` x `columns`, in memory transposed or not.
    private static func view(
        _ batch: Shape, _ rows: Int, _ columns: Int, transposed: Bool
    ) throws(OperatorError) -> DNNLayout {
        let shape = Shape(batch.extents + [rows, columns])
        return try oneDNN { () throws(DNNError) in
            guard transposed else { return try .plain(shape) }
            return try .strided(
                shape, strides: batch.strides.map { $0 * rows * columns } + [1, rows])
        }
    }

    private func left() throws(OperatorError) -> DNNLayout {
        try Self.view(leftBatch, rows, inner, transposed: leftTransposed)
    }

    private func leftSwapped() throws(OperatorError) -> DNNLayout {
        try Self.view(leftBatch, inner, rows, transposed: !leftTransposed)
    }

    private func right() throws(OperatorError) -> DNNLayout {
        try Self.view(rightBatch, inner, columns, transposed: rightTransposed)
    }

    private func rightSwapped() throws(OperatorError) -> DNNLayout {
        try Self.view(rightBatch, columns, inner, transposed: !rightTransposed)
    }

    private func result(swapped: Bool = false) throws(OperatorError) -> DNNLayout {
        swapped
            ? try Self.view(batch, columns, rows, transposed: true)
            : try Self.view(batch, rows, columns, transposed: false)
    }

    // MARK: Forward

    /// Adds the product of inputs 0 and 1 as output 0, followed by `fused`.
    ///
    /// - Parameters:
    ///   - bias: one element per column.
    ///   - choosesRight: whether the right side, one constant matrix, may be in a layout of oneDNN's choice.
    ///   - precision: of the factors, if the right side is chosen.
    /// - Returns: the layout of the right side as the port has it.
    func addForward(
        to builder: inout StagedKernel.Builder, bias: StagedKernel.Place?, fused: FusedOperations,
        choosesRight: Bool, precision: Precision
    ) throws(OperatorError) -> Layout {
        let ownRight = try right()
        let operands = (left: try left(), output: try result())
        let chooses = choosesRight && rightBatch.rank == 0
        let biasShape = Shape([Int](repeating: 1, count: batch.rank + 1) + [columns])
        func product(_ source: DNNLayout) throws(OperatorError) -> DNNPrimitive {
            try oneDNN { () throws(DNNError) in
                try DNNPrimitive.matrixProduct(
                    source: .layout(source),
                    weights: chooses ? .any(ownRight.shape, source.element) : .layout(ownRight),
                    bias: bias == nil ? nil : .plain(biasShape), destination: .layout(operands.output),
                    postOperations: fused.operations)
            }
        }
        var converted: (primitive: DNNPrimitive, source: StagedKernel.Place)?
        if chooses, format(precision) == .denseBFloat16 {
            let narrow = try oneDNN { () throws(DNNError) in
                try DNNLayout.plain(operands.left.shape).converted(to: .bfloat16)
            }
            converted = try builder.convertSource(.input(0), from: operands.left, to: narrow) {
                () throws(OperatorError) in try product(narrow)
            }
        }
        let primitive: DNNPrimitive
        if let converted { primitive = converted.primitive } else { primitive = try product(operands.left) }
        let source = converted?.source ?? .input(0)
        var arguments: [(argument: DNNArgument, place: StagedKernel.Place)] = [
            (.source, source), (.weights, .input(1)), (.destination, .output(0)),
        ]
        if let bias { arguments.append((.bias, bias)) }
        try builder.primitive(primitive, arguments + fused.arguments)
        try fused.addRest(to: &builder, output: operands.output)
        guard chooses else { return .plain }
        return Layout(
            try oneDNN { () throws(DNNError) in
                let layout = try primitive.layout(of: .weights)
                return rightTransposed ? try layout.transposed([1, 0]) : layout
            })
    }

    /// How dense kernels keep the right side, if it is constant.
    private func format(_ precision: Precision) -> KernelFormat {
        .dense(
            in: precision, multiplyAccumulates: saturatingProduct(rows, inner, columns),
            activations: rows * (inner + columns))
    }

    // MARK: Gradients

    /// Adds the gradient of the left side, in its own orientation.
    func addLeftGradient(
        to builder: inout StagedKernel.Builder, right: StagedKernel.Place, gradient: StagedKernel.Place,
        into target: StagedKernel.Place
    ) throws(OperatorError) {
        // The destination is always row-major; where the left side is stored transposed, so is the whole product.
        let shape = leftTransposed ? (inner, rows) : (rows, inner)
        if leftTransposed {
            try addProduct(
                to: &builder, self.right(), right, result(swapped: true), gradient, shape, leftBatch, target)
        } else {
            try addProduct(
                to: &builder, result(), gradient, rightSwapped(), right, shape, leftBatch, target)
        }
    }

    /// Adds the gradient of the right side, in its own orientation.
    func addRightGradient(
        to builder: inout StagedKernel.Builder, left: StagedKernel.Place, gradient: StagedKernel.Place,
        into target: StagedKernel.Place
    ) throws(OperatorError) {
        let shape = rightTransposed ? (columns, inner) : (inner, columns)
        if rightTransposed {
            try addProduct(
                to: &builder, result(swapped: true), gradient, self.left(), left, shape, rightBatch, target)
        } else {
            try addProduct(
                to: &builder, leftSwapped(), left, result(), gradient, shape, rightBatch, target)
        }
    }

    /// alpha times a product over the whole batch, summed over the axes that `kept` was broadcast along.
    private func addProduct(
        to builder: inout StagedKernel.Builder, _ source: DNNLayout, _ sourcePlace: StagedKernel.Place,
        _ weights: DNNLayout, _ weightsPlace: StagedKernel.Place, _ shape: (rows: Int, columns: Int),
        _ kept: Shape, _ target: StagedKernel.Place
    ) throws(OperatorError) {
        let output = try Self.view(batch, shape.rows, shape.columns, transposed: false)
        let primitive = try oneDNN { () throws(DNNError) in
            try DNNPrimitive.matrixProduct(
                source: .layout(source), weights: .layout(weights), destination: .layout(output),
                postOperations: alpha == 1 ? [] : [.elementwise(.linear(scale: alpha))])
        }
        let isBroadcast = kept.count != batch.count
        let destination = isBroadcast ? builder.scratch(byteCount: output.byteCount) : target
        try builder.primitive(
            primitive, [.source: sourcePlace, .weights: weightsPlace, .destination: destination])
        guard isBroadcast else { return }
        let count = shape.rows * shape.columns
        let entries = kept.broadcastPositions(in: batch)
        let keptCount = kept.count
        builder.loop([destination, target]) { memory in
            guard let source = memory[0]?.assumingMemoryBound(to: Float.self),
                let target = memory[1]?.assumingMemoryBound(to: Float.self)
            else { return }
            target.update(repeating: 0, count: keptCount * count)
            for (index, entry) in entries.enumerated() {
                ElementLoops.add(source + index * count, to: target + entry * count, count: count)
            }
        }
    }
}
