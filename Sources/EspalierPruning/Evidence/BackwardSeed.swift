import EspalierExecution
import EspalierTensors
import EspalierTraining

/// What one backward pass starts from: for every sample of a batch a vector at the network's outputs.
///
/// The pass then gives each parameter the product of that vector with the outputs' Jacobian.
enum BackwardSeed {
    /// The gradient of the sample's own loss.
    case loss
    /// A column of a factor of the loss's curvature: squares summed over all columns are the diagonal of the true Fisher
    /// matrix.
    case curvature(column: Int)
    /// The gradient of the loss for a target drawn from the network's own distribution.
    case sampledLoss(draw: Int)
    /// One output: squares summed over all outputs are the squared Jacobian.
    case output(Int)
    /// All outputs with random signs.
    case probe(Int)

    /// The evidence to which squares of what comes back belong.
    var squares: EvidenceKind {
        switch self {
        case .loss: .meanSquaredGradients
        case .curvature: .fisherDiagonal
        case .sampledLoss: .sampledFisherDiagonal
        case .output: .squaredJacobian
        case .probe: .probedSquaredJacobian
        }
    }

    /// The backward passes that `wanted` needs after one forward pass.
    static func all(
        for wanted: Set<EvidenceKind>, outputs: Int, context: EvidenceContext
    ) -> [BackwardSeed] {
        var seeds: [BackwardSeed] = []
        if wanted.contains(.meanGradients) || wanted.contains(.meanSquaredGradients) { seeds.append(.loss) }
        if wanted.contains(.fisherDiagonal) { seeds += (0..<outputs).map { .curvature(column: $0) } }
        if wanted.contains(.sampledFisherDiagonal) {
            seeds += (0..<context.drawCount).map { .sampledLoss(draw: $0) }
        }
        if wanted.contains(.squaredJacobian) { seeds += (0..<outputs).map { .output($0) } }
        if wanted.contains(.probedSquaredJacobian) { seeds += (0..<context.probeCount).map { .probe($0) } }
        return seeds
    }

    /// How many random vectors the mean of a kind is taken over, besides samples.
    static func repetitions(of kind: EvidenceKind, context: EvidenceContext) -> Int {
        switch kind {
        case .sampledFisherDiagonal: context.drawCount
        case .probedSquaredJacobian: context.probeCount
        default: 1
        }
    }

    /// Writes the vectors of a batch that has just run forward.
    ///
    /// What is drawn depends on the sample and not on the batch it is in.
    func write(
        _ batch: Batch, of batcher: Batcher, in session: TrainingSession, pass: GradientPass,
        context: EvidenceContext
    ) throws {
        guard let outputs = session.outputs[0].baseAddress,
            let gradient = session.outputGradients[0].baseAddress, batch.count > 0
        else { return }
        let columns = session.outputs[0].count / batch.count
        /// Calls `body` with each sample's number in the data, outputs and place for the vector.
        func eachRow(_ body: (Int, UnsafePointer<Float>, UnsafeMutablePointer<Float>) -> Void) {
            for (row, sample) in batch.samples.enumerated() {
                body(sample, outputs + row * columns, gradient + row * columns)
            }
        }
        switch self {
        case .loss:
            try pass.writeGradient(of: try context.requiredLoss(), batch, of: batcher, in: session)
        case .curvature(let column):
            let loss = try context.likelihood()
            eachRow { loss.writeCurvatureFactor(column, outputs: $1, columns: columns, into: $2) }
        case .sampledLoss(let draw):
            let loss = try context.likelihood()
            let source = context.random.split("labels").split(draw)
            eachRow { sample, outputs, gradient in
                var random = source.split(sample)
                loss.writeSampledGradient(
                    outputs: outputs, columns: columns, random: &random, into: gradient)
            }
        case .output(let output):
            eachRow { _, _, gradient in
                gradient.update(repeating: 0, count: columns)
                gradient[output] = 1
            }
        case .probe(let number):
            let source = context.random.split("probes").split(number)
            eachRow { sample, _, gradient in
                var random = source.split(sample)
                for column in 0..<columns { gradient[column] = random.next() & 1 == 0 ? 1 : -1 }
            }
        }
    }
}
