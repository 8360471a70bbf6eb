internal import EspalierArchives
internal import EspalierTensors

/// Samples in a table of numbers: one a line, the label in the last column.
///
/// The first line may be a header. Labels may be words, which become classes in alphabetical order.
struct CSVSamples {
    static func load(file: String, options: LoadOptions) throws(DataError) -> RawSamples {
        let bytes = try translatingArchiveErrors { () throws(ArchiveError) in try FileBytes.read(file) }
        return try parse(bytes, place: file, options: options)
    }

    static func parse(_ bytes: [UInt8], place: String, options: LoadOptions) throws(DataError) -> RawSamples {
        var table = CSVSamples(bytes, place: place, isLabelled: options.labelKind != .absent)
        try table.read()
        try table.dropHeaderOfNumbers()
        let samples = table.lines.count
        guard samples > 0 else { throw DataError(.malformed, place, "no line with numbers") }
        let x = Tensor(shape: [samples, table.features.count / samples], scalars: table.features)
        let (labels, names) = try table.labels(options)
        return RawSamples(inputs: [Dataset.Input(name: "x", values: x)], labels: labels, classNames: names)
    }

    private let place: String
    private let isLabelled: Bool
    private var records: CSVRecords
    private var columns = 0
    private var features: [Float] = []
    /// The line that each sample stands in.
    private var lines: [Int] = []
    /// The label of each sample; 0 for words.
    private var numbers: [Double] = []
    /// The labels that are no numbers, with their samples.
    private var words: [(sample: Int, word: String)] = []

    private init(_ bytes: [UInt8], place: String, isLabelled: Bool) {
        self.place = place
        self.isLabelled = isLabelled
        records = CSVRecords(bytes, place: place)
    }

    private mutating func read() throws(DataError) {
        while try records.advance() {
            let fields = records.fields
            let featureCount = fields.count - (isLabelled ? 1 : 0)
            if columns == 0 {
                columns = fields.count
                guard featureCount > 0 else {
                    throw records.error(
                        "a single column: samples need a value and, in the last column, a label")
                }
                if areNames(fields.prefix(featureCount)) { continue }
            }
            guard fields.count == columns else {
                throw records.error("\(fields.count) columns, where the lines before have \(columns)")
            }
            for (column, field) in fields.prefix(featureCount).enumerated() {
                guard let value = records.number(field), Float(value).isFinite else {
                    throw records.error(
                        "column \(column + 1): '\(records.text(field))' is not a finite number")
                }
                features.append(Float(value))
            }
            if isLabelled, let field = fields.last {
                let number = records.number(field)
                if let number, !Float(number).isFinite {
                    throw records.error("the label '\(records.text(field))' is not a finite number")
                }
                if number == nil {
                    guard !field.range.isEmpty else { throw records.error("the label is missing") }
                    words.append((lines.count, records.text(field)))
                }
                numbers.append(number ?? 0)
            }
            lines.append(records.line)
        }
    }

    /// Whether these are the names of columns: words, of which the first may be missing, as tables with row numbers have it. A line with
    /// any number is a sample, even if it lacks others, and so is one of nothing but missing values.
    private func areNames(_ fields: ArraySlice<CSVRecords.Field>) -> Bool {
        var hasWord = false
        for field in fields where !field.range.isEmpty {
            let text = records.text(field)
            if Double(text) != nil { return false }
            if !Self.missing.contains(text.lowercased()) { hasWord = true }
        }
        return hasWord
    }

    /// How tables spell missing values, besides `nan`.
    private static let missing: Set<String> = ["na", "n/a", "null", "none", "?"]

    /// A header whose columns are called 0, 1, 2, ... and label looks like a sample until the others are known.
    private mutating func dropHeaderOfNumbers() throws(DataError) {
        guard words.count == 1, words[0].sample == 0, lines.count > 1 else { return }
        features.removeFirst(columns - 1)
        lines.removeFirst()
        numbers.removeFirst()
        words = []
    }

    private func labels(_ options: LoadOptions) throws(DataError) -> (Dataset.Labels, names: [String]) {
        guard isLabelled else { return (.none, []) }
        if let first = words.first {
            guard words.count == lines.count, options.labelKind != .targets else {
                throw records.error(
                    "the label '\(first.word)' is not a number, as others are", line: lines[first.sample])
            }
            let names = Set(words.map(\.word)).sorted()
            let classes = Dictionary(uniqueKeysWithValues: zip(names, Int64(0)...))
            let labels = try LabelReading.classes(words.compactMap { classes[$0.word] }, count: names.count) {
                "\(place), line \(lines[$0])"
            }
            return (labels, names)
        }
        let whole = numbers.compactMap { Int64(exactly: $0) }
        let areClasses = whole.count == numbers.count && whole.allSatisfy { (0..<65_536).contains($0) }
        if options.labelKind == .classes && whole.count < numbers.count {
            let sample = numbers.firstIndex { Int64(exactly: $0) == nil } ?? 0
            throw records.error("the class \(numbers[sample]) is not a whole number", line: lines[sample])
        }
        if options.labelKind == .classes || (options.labelKind == .automatic && areClasses) {
            let labels = try LabelReading.classes(whole, count: options.classCount) {
                "\(place), line \(lines[$0])"
            }
            return (labels, [])
        }
        return (LabelReading.targets(Tensor(shape: [numbers.count], scalars: numbers)), [])
    }
}
