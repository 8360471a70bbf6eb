internal import CBundledData
internal import EspalierTensors

/// The digits that are part of the program: 1,797 images of 8 x 8 pixels in 0...16 (Alpaydin & Kaynak 1998).
enum BundledDigits {
    static func load() throws(DataError) -> RawSamples {
        let bytes = UnsafeBufferPointer(start: espalier_digits_bytes(), count: espalier_digits_length())
        var options = LoadOptions()
        options.classCount = 10
        var samples = try CSVSamples.parse(Array(bytes), place: "bundled digits", options: options)
        samples.inputs = samples.inputs.map { input in
            Dataset.Input(
                name: input.name, values: input.values.reshaped(to: [input.values.shape[0], 1, 8, 8]))
        }
        samples.classNames = (0..<10).map { "\($0)" }
        return samples
    }
}
