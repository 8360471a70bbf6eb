import EspalierOperators
import EspalierTensors
import EspalierTraining
import Foundation

/// Changes of a batch of samples under way: each within its radius, and within what samples can be. One at a time on a network.
package final class PerturbationSearch {
    /// What is to grow.
    enum Aim {
        /// The largest output of a wrong class minus that of the right one.
        case margin
        /// The output of one wrong class of each sample minus that of the right one.
        case target([Int])
        case crossEntropy
    }

    private let network: AttackedNetwork
    private let samples: [Int]
    private let radii: [Double]
    private let norm: VectorNorm
    private let size: Int
    /// In units of radii, one sample after the other.
    private var changes: [Float]
    /// Whether the network was run with these changes last.
    private var isRun = false

    init(_ network: AttackedNetwork, samples: [Int], radii: [Double], norm: VectorNorm) {
        self.network = network
        self.samples = samples
        self.radii = radii
        self.norm = norm
        size = network.sampleSize
        changes = [Float](repeating: 0, count: samples.count * size)
    }

    /// Begins anew at random.
    func drawStarts(seed: UInt64, restart: Int) {
        let source = RandomSource(seed: seed).split("attack").split(restart)
        forEachChange { place, change in
            var random = source.split(samples[place])
            norm.drawUniform(in: radii[place], into: change, random: &random)
        }
        keepValid()
    }

    /// Of each sample as it is now the wrong class with the output of that rank among wrong classes, 0 for the largest.
    func wrongClasses(rank: Int) throws -> [Int] {
        let outputs = try outputs()
        let columns = outputs.count / max(1, samples.count)
        return samples.indices.map { place in
            let right = Int(network.classes[samples[place]])
            let ranked = (0..<columns).filter { $0 != right }.sorted {
                (outputs[place * columns + $0], $1) > (outputs[place * columns + $1], $0)
            }
            return ranked.isEmpty ? right : ranked[min(rank, ranked.count - 1)]
        }
    }

    /// Whether the network tells another class than the right one of each changed sample.
    func isWrong() throws -> [Bool] {
        let outputs = try outputs()
        let columns = outputs.count / max(1, samples.count)
        return samples.indices.map { place in
            let row = outputs[(place * columns)..<((place + 1) * columns)]
            let right = row[row.startIndex + Int(network.classes[samples[place]])]
            // A tie is an error: which of equal outputs is taken is an accident.
            return row.indices.contains { index in
                index != row.startIndex + Int(network.classes[samples[place]]) && row[index] >= right
            } || !right.isFinite
        }
    }

    /// Goes a share of each radius along the gradient, and back to what is allowed.
    func step(along aim: Aim, share: Double) throws {
        let outputs = try outputs()
        let columns = outputs.count / max(1, samples.count)
        let gradient = try network.gradient(count: samples.count) { target in
            for place in samples.indices {
                let range = (place * columns)..<((place + 1) * columns)
                Self.write(
                    aim, place: place, UnsafeBufferPointer(rebasing: outputs[range]),
                    right: Int(network.classes[samples[place]]),
                    into: UnsafeMutableBufferPointer(rebasing: target[range]))
            }
        }
        let deviations = network.units.deviations
        var inUnits = [Float](repeating: 0, count: size)
        forEachChange { place, change in
            for position in 0..<size {
                inUnits[position] = gradient[place * size + position] / deviations[position]
            }
            inUnits.withUnsafeBufferPointer {
                norm.addSteepest($0, length: share * radii[place], to: change)
            }
            norm.project(change, to: radii[place])
        }
        keepValid()
    }

    private static func write(
        _ aim: Aim, place: Int, _ outputs: UnsafeBufferPointer<Float>, right: Int,
        into gradient: UnsafeMutableBufferPointer<Float>
    ) {
        switch aim {
        case .margin, .target:
            var other = right == 0 ? 1 : 0
            if case .target(let classes) = aim {
                other = classes[place]
            } else {
                for index in outputs.indices where index != right && outputs[index] > outputs[other] {
                    other = index
                }
            }
            gradient.update(repeating: 0)
            guard outputs.count > 1 else { return }
            gradient[other] = 1
            gradient[right] = -1
        case .crossEntropy:
            let largest = outputs.max() ?? 0
            let total = outputs.reduce(Float(0)) { $0 + exp($1 - largest) }
            for index in outputs.indices { gradient[index] = exp(outputs[index] - largest) / total }
            gradient[right] -= 1
        }
    }

    /// A change of a sample that leaves what samples can be is cut off there, which makes it smaller.
    private func keepValid() {
        let units = network.units
        network.dataset.x.withUnsafeScalars(of: Float.self) { values in
            forEachChange { place, change in
                let sample = samples[place] * size
                for position in 0..<size {
                    let (value, deviation) = (values[sample + position], units.deviations[position])
                    let low = min(0, (units.lower[position] - value) * deviation)
                    let high = max(0, (units.upper[position] - value) * deviation)
                    change[position] = min(max(change[position], low), high)
                }
            }
        }
    }

    private func outputs() throws -> UnsafeBufferPointer<Float> {
        if isRun { return network.outputs(count: samples.count) }
        let deviations = network.units.deviations
        let outputs = try network.outputs(count: samples.count) { target in
            network.dataset.x.withUnsafeScalars(of: Float.self) { values in
                for (place, sample) in samples.enumerated() {
                    for position in 0..<size {
                        let index = place * size + position
                        target[index] =
                            values[sample * size + position] + changes[index] / deviations[position]
                    }
                }
            }
        }
        isRun = true
        return outputs
    }

    private func forEachChange(_ body: (_ place: Int, _ change: UnsafeMutableBufferPointer<Float>) -> Void) {
        isRun = false
        changes.withUnsafeMutableBufferPointer { changes in
            for place in samples.indices {
                body(
                    place,
                    UnsafeMutableBufferPointer(rebasing: changes[(place * size)..<((place + 1) * size)]))
            }
        }
    }
}
