import EspalierGraphs
import EspalierTensors

extension Graph {
    /// Random numbers for every input, of the declared type and shape, in which open extents count as 1: standard normal where
    /// they are real, else 0 and 1, which are valid as an index, a token and a mask alike.
    func randomInputs() -> [ValueID: Tensor] {
        var random = RandomSource(seed: 1)
        var tensors: [ValueID: Tensor] = [:]
        for input in inputs {
            let type = values[input]?.type
            let extents = (type?.dimensions ?? []).map { dimension in
                if case .fixed(let extent) = dimension { extent } else { 1 }
            }
            let shape = Shape(extents)
            let dtype = type?.dtype ?? .float32
            var scalars = [Float](repeating: 0, count: shape.count)
            for index in scalars.indices {
                scalars[index] =
                    dtype.isFloatingPoint ? Float(random.normal()) : Float(random.index(below: 2))
            }
            tensors[input] = Tensor(shape: shape, scalars: scalars).converted(to: dtype)
        }
        return tensors
    }
}
