import EspalierGraphs
import EspalierLottery
import EspalierPruning
import EspalierTensors
import EspalierTraining
import Foundation
import Testing

struct MaskControlsTests {
    /// A network with two convolutions and three linear layers, and a mask of each weight that keeps rows unequally.
    private func ticket() throws -> (pruner: Pruner, masks: MaskSet) {
        let options = ArchitectureOptions(
            channels: 1, height: 8, width: 8, classCount: 4, widthMultiplier: 0.1)
        let pruner = try Pruner(#require(Architectures.named("conv-2")).graph(options))
        var masks = MaskSet()
        for layer in pruner.groups.layers {
            let inner = layer.shape.count / layer.shape[0]
            masks[layer.weight] = Mask(
                shape: layer.shape,
                kept: (0..<layer.shape.count).map { position in
                    let row = position / inner
                    return position % inner < 1 + row % inner
                })
        }
        return (pruner, masks)
    }

    @Test func randomMasksKeepAsManyOfEachWeight() throws {
        let (pruner, masks) = try ticket()
        let random = MaskControls.random(masks, of: pruner.graph, seed: 3)
        for (id, mask) in masks.masks {
            #expect(random[id]?.keptCount == mask.keptCount)
            #expect(random[id] != mask)
        }
        #expect(MaskControls.random(masks, of: pruner.graph, seed: 3) == random)
        #expect(MaskControls.random(masks, of: pruner.graph, seed: 4) != random)
    }

    @Test func shuffledMasksKeepAsManyOfEachUnit() throws {
        let (pruner, masks) = try ticket()
        func shuffled(_ seed: UInt64) -> MaskSet {
            MaskControls.shuffledWithinUnits(masks, of: pruner.groups, in: pruner.graph, seed: seed)
        }
        for layer in pruner.groups.layers {
            let (mask, other) = (masks[layer.weight], shuffled(5)[layer.weight])
            let axis = try #require(layer.producerAxis)
            #expect(mask?.keptCounts(axis: axis) == other?.keptCounts(axis: axis))
            #expect(mask != other)
        }
        #expect(shuffled(5) == shuffled(5))
        #expect(shuffled(5) != shuffled(6))
    }

    /// Every place is as likely as any other.
    @Test func randomPlacesAreUniform() throws {
        let (pruner, masks) = try ticket()
        let id = try #require(pruner.groups.layers.last?.weight)
        let mask = try #require(masks[id])
        var counts = [Double](repeating: 0, count: mask.shape.count)
        let draws = 3000
        for seed in 0..<UInt64(draws) {
            let kept = MaskControls.random(MaskSet([id: mask]), of: pruner.graph, seed: seed)[id]?.kept ?? []
            for (place, keep) in kept.enumerated() where keep { counts[place] += 1 }
        }
        let expected = Double(draws) * Double(mask.keptCount) / Double(mask.shape.count)
        let deviation = (expected * (1 - expected / Double(draws))).squareRoot()
        // Five deviations: once in two million places by chance, with fixed seeds always the same.
        for count in counts { #expect(abs(count - expected) < 5 * deviation) }
    }

    @Test func signedConstantsKeepSignsZerosAndTheMeanSquare() throws {
        let (pruner, masks) = try ticket()
        let graph = try masks.applied(to: pruner.graph)
        let id = try #require(pruner.groups.layers.first?.weight)
        let signed = try SignedConstants.applied(to: graph, weights: [id], times: { $0 == id ? 2 : 1 })
        let before = try #require(graph.constants[id]).scalars(as: Float.self)
        let after = try #require(signed.constants[id]).scalars(as: Float.self)
        let meanSquare = before.reduce(0.0) { $0 + Double($1) * Double($1) } / Double(before.count)
        for (old, new) in zip(before, after) {
            #expect(old == 0 ? new == 0 : old.sign == new.sign)
            if old != 0 { #expect(abs(Double(new.magnitude) - 2 * meanSquare.squareRoot()) < 1e-6) }
        }
        for other in pruner.groups.layers.dropFirst() {
            let values = try [graph, signed].map {
                try #require($0.constants[other.weight]).scalars(as: Float.self)
            }
            #expect(values[0] == values[1])
        }
    }
}
