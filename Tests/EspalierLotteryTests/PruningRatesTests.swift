import EspalierLottery
import EspalierPruning
import EspalierTensors
import EspalierTraining
import Testing

@Suite struct PruningRatesTests {
    @Test func everyKindOfLayerHasItsRate() throws {
        let options = ArchitectureOptions(channels: 1, height: 28, width: 28, classCount: 10)
        let graph = try #require(Architectures.named("conv-2")).graph(options)
        let pruner = try Pruner(graph)
        let allocation = try PruningRates(dense: 0.2).allocation(after: 3, of: pruner.groups)
        let left = Dictionary(uniqueKeysWithValues: allocation.layers.map { ($0.name, 1 - $0.sparsity) })
        for layer in pruner.groups.layers {
            let isDense = layer.shape.rank == 2 && !layer.isLast
            let share = try #require(left[layer.weightName])
            #expect(abs(share - (isDense ? 0.8 * 0.8 * 0.8 : 0.9 * 0.9 * 0.9)) < 1e-12, "\(layer.name)")
        }
        #expect(left.count == 5)
    }
}
