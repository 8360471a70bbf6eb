package import EspalierTensors

/// The arrays that an optimiser keeps between steps, and how many steps it has made.
///
/// It belongs to one training run on one lane, like the parameters whose layout it follows.
package final class OptimizerState {
    package let names: [String]
    /// The length of each array.
    package let count: Int
    /// Steps made since the arrays were zero.
    package var stepCount = 0
    /// The distance between arrays: a multiple of a cache line, so that each is aligned.
    package let stride: Int
    private let storage: AlignedStorage

    package init(for optimizer: some Optimizer, count: Int) {
        names = optimizer.stateNames
        self.count = count
        stride = (count + 15) / 16 * 16
        storage = AlignedStorage(byteCount: names.count * stride * MemoryLayout<Float>.stride)
    }

    /// The first array, followed by the others at ``stride``; nil if there is none.
    package var base: UnsafeMutablePointer<Float>? {
        names.isEmpty ? nil : storage.base.assumingMemoryBound(to: Float.self)
    }

    /// Forgets everything: all arrays zero, as before the first step.
    package func reset() {
        storage.base.initializeMemory(as: UInt8.self, repeating: 0, count: storage.byteCount)
        stepCount = 0
    }

    /// Copies of the arrays, bit for bit, in the order of ``names``.
    package func snapshot() -> [Tensor] {
        names.indices.map { position in
            Tensor(shape: [count], dtype: .float32) { bytes in
                guard let array = array(position) else { return }
                bytes.copyMemory(from: UnsafeRawBufferPointer(array))
            }
        }
    }

    /// Takes over what ``snapshot()`` gave.
    ///
    /// - Throws: ``TrainingError/checkpoint(_:)`` if the arrays are not the ones of this optimiser and network.
    package func restore(_ arrays: [Tensor], stepCount: Int) throws(TrainingError) {
        guard arrays.count == names.count, stepCount >= 0,
            arrays.allSatisfy({ $0.dtype == .float32 && $0.count == count })
        else {
            throw .checkpoint("the optimiser's state is not that of this optimiser and network")
        }
        for (position, tensor) in arrays.enumerated() {
            guard let target = array(position) else { continue }
            tensor.withUnsafeBytes { UnsafeMutableRawBufferPointer(target).copyMemory(from: $0) }
        }
        self.stepCount = stepCount
    }

    private func array(_ position: Int) -> UnsafeMutableBufferPointer<Float>? {
        base.map { UnsafeMutableBufferPointer(start: $0 + position * stride, count: count) }
    }
}
