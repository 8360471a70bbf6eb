internal import EspalierTensors

/// Noise in the shape of a network's inputs: enough to run it, to measure its speed and to compare two networks.
///
/// Floating-point inputs are standard normal. Integers and booleans are 0 or 1, which are valid as an index, a token
/// and a mask alike.
enum RandomSamples {
    /// More values than that are a mistake in a shape.
    private static let mostValues = 1 << 32

    static func make(_ options: LoadOptions) throws(DataError) -> RawSamples {
        let samples = options.randomSampleCount
        guard samples > 0, !options.randomInputs.isEmpty else {
            throw DataError(
                .inconsistent, "random data", "needs a number of samples and the shape of an input")
        }
        let random = RandomSource(seed: options.randomSeed).split("random data")
        let inputs = try options.randomInputs.map { specification throws(DataError) in
            let shape = Shape([samples] + specification.sampleShape.extents)
            guard let count = shape.checkedCount(limit: mostValues) else {
                throw DataError(
                    .inconsistent, "random data", "input '\(specification.name)' has shape \(shape)")
            }
            var stream = random.split(specification.name)
            let values =
                specification.dtype.isFloatingPoint
                ? Tensor(shape: shape, scalars: (0..<count).map { _ in Float(stream.normal()) })
                : Tensor(shape: shape, scalars: (0..<count).map { _ in UInt8(stream.next() >> 63) })
            return Dataset.Input(name: specification.name, values: values.converted(to: specification.dtype))
        }
        guard let classCount = options.classCount else { return RawSamples(inputs: inputs, labels: .none) }
        guard (1...LabelReading.mostClasses).contains(classCount) else {
            throw DataError(
                .inconsistent, "class count", "\(classCount) is not between 1 and \(LabelReading.mostClasses)"
            )
        }
        var stream = random.split("labels of random data")
        let classes = (0..<samples).map { _ in Int32(stream.index(below: classCount)) }
        return RawSamples(inputs: inputs, labels: .classes(classes, count: classCount))
    }
}
