internal import EspalierTensors

/// Turning what a file holds into labels.
enum LabelReading {
    /// More classes than any classifier has: a larger number is not a class.
    static let mostClasses = 1 << 20
    /// Among numbers that may be either, larger ones are taken for targets.
    private static let mostAutomaticClasses = 1 << 16

    /// The labels in an array of a file.
    ///
    /// - Throws: ``DataError`` `inconsistent` for negative, broken or absurd classes.
    static func labels(
        _ values: Tensor, _ options: LoadOptions, place: String
    ) throws(DataError) -> Dataset.Labels {
        guard options.labelKind != .absent else { return .none }
        // A column is as good as a vector; anything wider is no class index.
        let isColumn = values.shape.rank == 1 || (values.shape.rank == 2 && values.shape[1] == 1)
        if options.labelKind == .classes {
            let numbers = values.scalars(as: Int64.self)
            guard isColumn, zip(values.scalars(as: Double.self), numbers).allSatisfy({ $0 == Double($1) })
            else {
                throw DataError(.inconsistent, place, "classes must be one whole number for each sample")
            }
            return try classes(numbers, count: options.classCount) { "\(place): sample \($0)" }
        }
        if options.labelKind == .automatic && isColumn && !values.dtype.isFloatingPoint {
            let numbers = values.scalars(as: Int64.self)
            if numbers.allSatisfy({ (0..<Int64(mostAutomaticClasses)).contains($0) }) {
                return try classes(numbers, count: options.classCount) { "\(place): sample \($0)" }
            }
        }
        return targets(values)
    }

    /// Whole numbers as classes.
    ///
    /// - Parameter place: names the entry at a position, for errors.
    static func classes(
        _ values: [Int64], count known: Int?, place: (Int) -> String
    ) throws(DataError) -> Dataset.Labels {
        let limit = known ?? mostClasses
        guard (1...mostClasses).contains(limit) else {
            throw DataError(.inconsistent, "class count", "\(limit) is not between 1 and \(mostClasses)")
        }
        var largest = 0
        for (position, value) in values.enumerated() {
            guard value >= 0, value < limit else {
                throw DataError(.inconsistent, place(position), "class \(value) is not in 0..<\(limit)")
            }
            largest = max(largest, Int(value))
        }
        return .classes(values.map { Int32($0) }, count: known ?? largest + 1)
    }

    /// Values to come near to; a vector becomes a column, as networks put them out.
    static func targets(_ values: Tensor) -> Dataset.Labels {
        let floats = values.converted(to: .float32)
        return .targets(floats.shape.rank == 1 ? floats.reshaped(to: [floats.count, 1]) : floats)
    }
}
