import EspalierGraphs
import EspalierKernels
import EspalierOperators
import EspalierRobustness
import EspalierTensors
import EspalierTraining
import Foundation

/// Certified margins of a trained network within a radius of the largest norm, over test images of Fashion-MNIST, on one thread.
struct CertificateThroughput {
    let graph: Graph
    let images: Dataset
    /// Of pixels from 0 to 1.
    let radius: Double

    /// Trains the network for an epoch.
    init(_ architecture: String, images: Int, radius: Double) throws {
        let source = DataSource.fashionMNIST(directory: nil)
        let run = try TrainingRun(
            try TrainingThroughput.network(architecture), training: try source.load(.train),
            recipe: TrainingRecipe(
                epochs: 1, batchSize: 64, optimizer: Adam(weightDecay: 0),
                schedule: ConstantRate(peak: 0.001),
                threads: 1))
        try run.train()
        graph = try run.trainedGraph()
        self.images = try source.load(.test).selecting(Array(0..<images))
        self.radius = radius
    }

    struct Result: Decodable {
        let seconds: Double
        /// The smallest of each image.
        let margins: [Double]
    }

    func measure(_ method: RelaxationCertifier.Method) throws -> Result {
        let certifier = try RelaxationCertifier(
            graph, dataset: images, norm: .maximum, method: method, lane: try Lane(threads: 1))
        let samples = Array(0..<images.sampleCount)
        var margins: [Double] = []
        let time = try ContinuousClock().measure {
            margins = try certifier.margins(samples: samples, radii: samples.map { _ in radius }).map {
                $0.min() ?? -.infinity
            }
        }
        return Result(seconds: time / .seconds(1), margins: margins)
    }

    /// Writes images and classes for the peer, beside the model.
    func write(to folder: URL) throws {
        try images.x.withUnsafeBytes { try Data($0).write(to: folder.appendingPathComponent("images.bin")) }
        guard case .classes(let classes, _) = images.labels else { return }
        try classes.withUnsafeBytes { try Data($0).write(to: folder.appendingPathComponent("classes.bin")) }
    }
}
