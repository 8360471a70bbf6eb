public import EspalierGraphs
public import EspalierTensors
internal import Foundation

/// What was done to raw values before the network saw them: `(scale * raw - mean) / standardDeviation`, and the
/// order of the axes.
///
/// It is stored as text in a model's metadata under ``metadataKey``, so that whoever evaluates the model later
/// prepares its data in the same way without being told.
public struct Preprocessing: Sendable, Hashable {
    /// Where the values of a sample lie.
    public enum Layout: String, Sendable, Hashable, Codable, CaseIterable {
        /// As the source has them.
        case asGiven
        /// Images as [channels, height, width].
        case channelsFirst
        /// Images as [height, width, channels].
        case channelsLast
        /// All values of a sample in one axis.
        case flat
    }

    /// The key of the metadata entry.
    public static let metadataKey = "espalier.preprocessing"

    /// Raw values, untouched.
    public static let identity = Preprocessing()

    /// The factor that raw values are multiplied with first: 1/255 for bytes.
    public var scale: Float
    /// Subtracted after scaling: one value for all, one for each extent of axis 1 (the channels), or none.
    public var mean: [Float]
    /// Divided by in the end: as ``mean``.
    public var standardDeviation: [Float]
    /// How the axes of a sample are ordered in the end.
    public var layout: Layout

    public init(
        scale: Float = 1, mean: [Float] = [], standardDeviation: [Float] = [], layout: Layout = .asGiven
    ) {
        self.scale = scale
        self.mean = mean
        self.standardDeviation = standardDeviation
        self.layout = layout
    }

    /// What a raw value of zero becomes in `channel`: the colour that shifted images are filled up with.
    package func valueOfZero(channel: Int) -> Float {
        -(entry(mean, channel) ?? 0) / (entry(standardDeviation, channel) ?? 1)
    }

    private func entry(_ list: [Float], _ channel: Int) -> Float? {
        list.count > 1 ? list[channel] : list.first
    }
}

// MARK: - Application

extension Preprocessing {
    /// Prepared values as `float32`, from raw ones of any type in shape [samples, channels, ...].
    ///
    /// - Throws: ``DataError`` `inconsistent` if a list has neither one value nor one for each channel, a value is
    ///   not finite, a deviation is not positive, samples have no values, or the layout needs images and these are none.
    public func apply(to raw: Tensor, place: String = "preprocessing") throws(DataError) -> Tensor {
        let sample = Shape(Array(raw.shape.extents.dropFirst()))
        guard sample.count > 0 else {
            throw DataError(.inconsistent, place, "samples of shape \(sample) have no values")
        }
        let channels = sample.rank > 0 ? sample[0] : 1
        try check(channels: channels, place: place)
        var values = Self.floats(raw)
        if scale != 1 || !mean.isEmpty || !standardDeviation.isEmpty {
            let inner = raw.shape.rank > 2 ? raw.shape.count(2..<raw.shape.rank) : 1
            values.withUnsafeMutableScalars(of: Float.self) { scalars in
                for start in stride(from: 0, to: scalars.count, by: inner) {
                    let channel = start / inner % channels
                    let (mean, deviation) = (
                        entry(mean, channel) ?? 0, entry(standardDeviation, channel) ?? 1
                    )
                    for position in start..<(start + inner) {
                        scalars[position] = (scale * scalars[position] - mean) / deviation
                    }
                }
            }
        }
        return try arranged(values, place: place)
    }

    /// `raw` as `float32`. Bytes, the type of nearly all large data sets, are spared the general way's detour.
    private static func floats(_ raw: Tensor) -> Tensor {
        guard raw.dtype == .uint8 else { return raw.converted(to: .float32) }
        return Tensor(shape: raw.shape, dtype: .float32) { target in
            raw.withUnsafeBytes { source in
                let target = target.bindMemory(to: Float.self)
                for position in source.indices { target[position] = Float(source[position]) }
            }
        }
    }

    private func check(channels: Int, place: String) throws(DataError) {
        guard scale.isFinite, mean.allSatisfy(\.isFinite),
            standardDeviation.allSatisfy({ $0.isFinite && $0 > 0 })
        else {
            throw DataError(
                .inconsistent, place, "scale and means must be finite, standard deviations positive")
        }
        for (name, list) in [("means", mean), ("standard deviations", standardDeviation)]
        where list.count > 1 && list.count != channels {
            throw DataError(.inconsistent, place, "\(list.count) \(name) for \(channels) channels")
        }
    }

    private func arranged(_ values: Tensor, place: String) throws(DataError) -> Tensor {
        let shape = values.shape
        switch layout {
        case .asGiven: return values
        case .flat:
            guard shape.rank > 0 else { return values }
            return values.reshaped(to: [shape[0], shape.count(1..<shape.rank)])
        case .channelsFirst, .channelsLast:
            guard shape.rank == 4 else {
                throw DataError(
                    .inconsistent, place,
                    "layout \(layout.rawValue) needs images, but a sample's shape is "
                        + "\(Shape(Array(shape.extents.dropFirst())))")
            }
            return layout == .channelsFirst ? values : Self.channelsMovedLast(values)
        }
    }

    private static func channelsMovedLast(_ images: Tensor) -> Tensor {
        let (samples, channels) = (images.shape[0], images.shape[1])
        let pixels = images.shape[2] * images.shape[3]
        var result = Tensor(zeros: [samples, images.shape[2], images.shape[3], channels])
        if channels == 1 { return images.reshaped(to: result.shape) }
        result.withUnsafeMutableScalars(of: Float.self) { target in
            images.withUnsafeScalars(of: Float.self) { source in
                for sample in 0..<samples {
                    let base = sample * channels * pixels
                    for channel in 0..<channels {
                        for pixel in 0..<pixels {
                            target[base + pixel * channels + channel] =
                                source[base + channel * pixels + pixel]
                        }
                    }
                }
            }
        }
        return result
    }
}

// MARK: - As text

extension Preprocessing: Codable {
    private enum CodingKeys: String, CodingKey {
        case schemaVersion, scale, mean, standardDeviation, layout
    }

    private static let schemaVersion = 1

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let version = try container.decode(Int.self, forKey: .schemaVersion)
        guard version == Self.schemaVersion else {
            throw DecodingError.dataCorruptedError(
                forKey: .schemaVersion, in: container, debugDescription: "unknown schema version \(version)")
        }
        self.init(
            scale: try container.decode(Float.self, forKey: .scale),
            mean: try container.decode([Float].self, forKey: .mean),
            standardDeviation: try container.decode([Float].self, forKey: .standardDeviation),
            layout: try container.decode(Layout.self, forKey: .layout))
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(Self.schemaVersion, forKey: .schemaVersion)
        try container.encode(scale, forKey: .scale)
        try container.encode(mean, forKey: .mean)
        try container.encode(standardDeviation, forKey: .standardDeviation)
        try container.encode(layout, forKey: .layout)
    }

    /// This record as one line of JSON.
    ///
    /// - Throws: ``DataError`` `inconsistent` if a value is not finite, which JSON cannot hold.
    public func text() throws(DataError) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do { return String(decoding: try encoder.encode(self), as: UTF8.self) } catch {
            throw DataError(.inconsistent, "preprocessing", "cannot be written: \(error)")
        }
    }

    /// What the data that `graph` was trained on were prepared by; nil if it does not say.
    ///
    /// - Throws: ``DataError`` `malformed`.
    public init?(recordedIn graph: Graph) throws(DataError) {
        guard let text = graph.metadata[Self.metadataKey] else { return nil }
        try self.init(text: text)
    }

    /// Reads what ``text()`` wrote.
    ///
    /// - Throws: ``DataError`` `malformed`.
    public init(text: String) throws(DataError) {
        do { self = try JSONDecoder().decode(Self.self, from: Data(text.utf8)) } catch {
            throw DataError(
                .malformed, "preprocessing",
                "the model's metadata entry '\(Self.metadataKey)' cannot be read: \(error)")
        }
    }
}
