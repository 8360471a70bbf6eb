import EspalierGraphs
import EspalierKernels
import EspalierOperators
import EspalierRobustness
import EspalierTensors
import EspalierTraining
import Foundation
import Testing

/// What is certified of trained networks, against what attacks find.
///
/// 200 images each; with `ESPALIER_SOUNDNESS=all` the whole test sets (`make soundness`).
struct SoundnessTests {
    struct Subject: CustomTestStringConvertible, Sendable {
        let architecture: String
        let data: String
        let norm: VectorNorm
        /// Beyond any certified radius.
        let largest: Double

        var testDescription: String { "\(architecture) on \(data), \(norm.rawValue)" }
    }

    static let subjects = [
        Subject(architecture: "lenet-300-100", data: "digits", norm: .maximum, largest: 0.2),
        Subject(architecture: "lenet-300-100", data: "digits", norm: .euclidean, largest: 1.5),
        Subject(architecture: "tiny-cnn", data: "digits", norm: .maximum, largest: 0.1),
        Subject(architecture: "lenet-300-100", data: "fashion-mnist", norm: .maximum, largest: 0.05),
        Subject(architecture: "lenet-300-100", data: "fashion-mnist", norm: .euclidean, largest: 1),
    ].filter { $0.data != "fashion-mnist" || FileManager.default.fileExists(atPath: fashion) }

    private static let fashion = "/usr/share/datasets/fashion-mnist"
    private static let isWhole = ProcessInfo.processInfo.environment["ESPALIER_SOUNDNESS"] == "all"

    private static func trained(_ subject: Subject, lane: Lane) throws -> (graph: Graph, test: Dataset) {
        let source: DataSource = subject.data == "digits" ? .digits : .fashionMNIST(directory: nil)
        var training = try source.load(.train)
        if training.sampleCount > 12_000 { training = try training.selecting(Array(0..<12_000)) }
        let shape = training.sampleShape
        let architecture = try #require(Architectures.named(subject.architecture))
        let graph = try architecture.graph(
            ArchitectureOptions(
                channels: shape[0], height: shape[1], width: shape[2], classCount: training.classCount ?? 10,
                seed: 5))
        let run = try TrainingRun(
            graph, training: training,
            recipe: TrainingRecipe(
                epochs: subject.data == "digits" ? 6 : 2, batchSize: 64, optimizer: Adam(weightDecay: 0),
                schedule: ConstantRate(peak: 0.001), threads: 1), lane: lane)
        try run.train()
        let test = try source.load(.test)
        return (
            try run.trainedGraph(), isWhole ? test : try test.selecting(Array(0..<min(200, test.sampleCount)))
        )
    }

    /// No attack succeeds within what is certified; and what is certified is a fair part of what attacks need.
    @Test(arguments: subjects)
    func nothingIsFoundWithinCertifiedRadii(subject: Subject) throws {
        let lane = try Lane(threads: 1)
        let (graph, test) = try Self.trained(subject, lane: lane)
        let certifier = try RelaxationCertifier(graph, dataset: test, norm: subject.norm, lane: lane)
        let samples = Array(0..<test.sampleCount)
        let certified = try certifier.largestRadii(samples: samples, largest: subject.largest, halvings: 6)
        let network = try AttackedNetwork(graph, dataset: test, lane: lane)
        let attacks: [any Attack] = [
            FastGradient(norm: subject.norm), RandomNoise(norm: subject.norm, draws: 5),
            ProjectedGradientDescent(norm: subject.norm, steps: 20, restarts: 1, targets: 2),
        ]
        let proven = samples.filter { certified[$0] > 0 }
        for attack in attacks {
            let broken = try attack.succeeds(
                on: network, samples: proven, radii: proven.map { certified[$0] }, seed: 1)
            #expect(!broken.contains(true), "seed 1: samples \(zip(proven, broken).filter(\.1).map(\.0))")
        }
        let right = try certifier.certifies(samples: samples, radii: samples.map { _ in 0 })
        // Everything that is told right has a radius.
        #expect(proven.count >= right.count { $0 } * 9 / 10)
        let compared = Self.isWhole ? proven : Array(proven.prefix(100))
        let found = try attacks[2].smallestRadii(
            on: network, samples: compared, largest: 20 * subject.largest, halvings: 8, seed: 2)
        let ratios = zip(compared, found).map { $1 / certified[$0] }.sorted()
        let median = ratios[ratios.count / 2]
        print(
            "\(subject.testDescription): \(proven.count) of \(samples.count) certified, attacks need \(String(format: "%.2f", median)) times the radius (median)"
        )
        #expect(ratios[0] > 1 && median < 12)
    }

    /// Some hundred thousand points around samples of a trained network, at a radius where half its neurons could bend.
    @Test func pointsAroundSamplesStayWithinBounds() throws {
        let lane = try Lane(threads: 1)
        let (graph, test) = try Self.trained(Self.subjects[2], lane: lane)
        let radius = 0.02
        let samples = Array(0..<20)
        let certifier = try RelaxationCertifier(
            graph, dataset: test, norm: .maximum, method: .optimizedCrown(steps: 5), lane: lane)
        let bounds = try certifier.margins(samples: samples, radii: samples.map { _ in radius })
        guard case .classes(let classes, _) = test.labels else { return }
        let network = try AttackedNetwork(graph, dataset: test, lane: lane)
        let size = network.sampleSize
        let count = network.batchSize
        let values = test.x.scalars(as: Float.self)
        let units = certifier.units
        var random = RandomSource(seed: 11)
        for sample in samples {
            for _ in 0..<25 {
                let points = (0..<(count * size)).map { place -> Float in
                    let element = place % size
                    // Corners and what lies between them.
                    let change = max(-1, min(1, Float(random.normal()) * 2)) * Float(radius)
                    let moved = values[sample * size + element] + 0.999 * change / units.deviations[element]
                    return min(max(moved, units.lower[element]), units.upper[element])
                }
                let outputs = try lane.run {
                    try Array(
                        network.outputs(count: count) { input in
                            for (place, value) in points.enumerated() { input[place] = value }
                        })
                }
                let columns = outputs.count / count
                let right = Int(classes[sample])
                for point in 0..<count {
                    for other in 0..<columns where other != right {
                        let margin = Double(
                            outputs[point * columns + right] - outputs[point * columns + other])
                        #expect(margin >= bounds[sample][other], "seed 11, sample \(sample)")
                    }
                }
            }
        }
    }
}
