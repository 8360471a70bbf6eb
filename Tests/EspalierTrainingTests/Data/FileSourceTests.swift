import EspalierArchives
import EspalierTensors
import EspalierTraining
import Testing

struct IDXTests {
    /// An IDX file: type, big-endian extents, data.
    private func idx(_ type: UInt8, _ extents: [Int], _ data: [UInt8]) -> [UInt8] {
        [0, 0, type, UInt8(extents.count)]
            + extents.flatMap { extent in (0..<4).map { UInt8(truncatingIfNeeded: extent >> (24 - 8 * $0)) } }
            + data
    }

    /// A folder of three training and two test images of 2 x 2 pixels.
    private func write(to folder: borrowing TemporaryFolder, compressed: Bool) throws {
        let files: [(String, [UInt8])] = [
            ("train-images-idx3-ubyte", idx(0x08, [3, 2, 2], (0..<12).map { $0 * 20 })),
            ("train-labels-idx1-ubyte", idx(0x08, [3], [0, 4, 1])),
            ("t10k-images-idx3-ubyte", idx(0x08, [2, 2, 2], (0..<8).map { 255 - $0 })),
            ("t10k-labels-idx1-ubyte", idx(0x08, [2], [1, 2])),
        ]
        for (name, bytes) in files {
            if compressed {
                _ = try folder.file(name + ".gz", Deflate.compress(bytes[...], .gzip, place: name))
            } else {
                _ = try folder.file(name, bytes)
            }
        }
    }

    @Test(arguments: [false, true])
    func bothPartsCompressedOrNot(compressed: Bool) throws {
        let folder = try TemporaryFolder()
        try write(to: folder, compressed: compressed)
        let train = try DataSource.idx(directory: folder.path).load(.train)
        #expect(train.x.shape == [3, 1, 2, 2])
        let scale: Float = 1 / 255
        let pixels = (0..<12).map { Float($0 * 20) * scale }
        #expect(train.x.scalars(as: Float.self) == pixels)
        #expect(train.classes == [0, 4, 1])
        let test = try DataSource.idx(directory: folder.path).load(.test)
        #expect(test.classes == [1, 2])
        #expect(test.classCount == 5, "the training labels show that there are five classes")
        let all = try DataSource.idx(directory: folder.path).load(.all)
        #expect(all.classes == [0, 4, 1, 1, 2])
        #expect(all.x.scalars(as: Float.self).suffix(8) == test.x.scalars(as: Float.self)[...])
    }

    @Test func wideElementsAreBigEndian() throws {
        let folder = try TemporaryFolder()
        let floats = [1.5, -2] as [Float]
        _ = try folder.file(
            "train-images-idx2-float",
            idx(
                0x0D, [2, 1],
                floats.flatMap { value in (0..<4).map { UInt8(value.bitPattern >> (24 - 8 * $0) & 0xFF) } }))
        _ = try folder.file("train-labels-idx1-int", idx(0x0C, [2], [0, 0, 0, 3, 0, 0, 0, 0]))
        _ = try folder.file("test-labels-idx1-int", idx(0x0C, [1], [0, 0, 0, 1]))
        let options = LoadOptions(preprocessing: .identity)
        let train = try DataSource.idx(directory: folder.path).load(.train, options: options)
        #expect(train.x.scalars(as: Float.self) == floats)
        #expect(train.classes == [3, 0])
    }

    @Test(
        arguments: [
            [], [0, 0, 8], [1, 0, 8, 1, 0, 0, 0, 1, 5], [0, 0, 7, 1, 0, 0, 0, 1, 5], [0, 0, 8, 0, 5],
            [0, 0, 8, 1, 0, 0, 0, 2, 5], [0, 0, 8, 1, 0, 0, 0, 1, 5, 5],
            [0, 0, 8, 1, 0xFF, 0xFF, 0xFF, 0xFF, 5],
            [0, 0, 14, 3] + [UInt8](repeating: 0xFF, count: 12),
            [0, 0, 8, 255] + [UInt8](repeating: 1, count: 60),
            [0, 0, 8, 2, 0, 0, 0, 1],
        ] as [[UInt8]], [false, true])
    func headersThatLie(bytes: [UInt8], compressed: Bool) throws {
        let folder = try TemporaryFolder()
        try write(to: folder, compressed: false)
        let content = compressed ? try Deflate.compress(bytes[...], .gzip, place: "test") : bytes
        let path = try folder.file("train-labels-idx1-ubyte", content)
        let source = DataSource.idx(directory: folder.path)
        let error = dataError(.malformed) { _ = try source.load(.train) }
        #expect(error?.place == path)
    }

    @Test func filesMustBeThereAndUnambiguous() throws {
        let folder = try TemporaryFolder()
        let source = DataSource.idx(directory: folder.path)
        dataError(.unreadable) { _ = try source.load(.train) }
        try write(to: folder, compressed: false)
        try write(to: folder, compressed: true)
        let error = dataError(.unreadable) { _ = try source.load(.train) }
        #expect(error?.reason.contains("train-labels-idx1-ubyte.gz") == true)
    }
}

struct CSVTests {
    private func load(_ text: String, _ options: LoadOptions = LoadOptions()) throws -> Dataset {
        let folder = try TemporaryFolder()
        return try DataSource.csv(file: folder.file("data.csv", Array(text.utf8))).load(
            .all, options: options)
    }

    @Test(
        arguments: [
            "1,2.5,0\n3,-4e1,2\n", "a,b,label\n1,2.5,0\n3,-4e1,2", "\u{FEFF}1,2.5,0\r\n3,-4e1,2\r\n",
            "\n 1 ,\t2.5,0\n\n\"3\",\"-40\",\"2\"\n\n", "1,2.5,0\r3,-4e1,2\r",
            "0,1,label\n1,2.5,0\n3,-4e1,2\n", ",b,label\n1,2.5,0\n3,-4e1,2\n",
        ])
    func manyWaysToWriteTheSame(text: String) throws {
        let data = try load(text)
        #expect(data.x.shape == [2, 2])
        #expect(data.x.scalars(as: Float.self) == [1, 2.5, 3, -40])
        #expect(data.classes == [0, 2])
        #expect(data.classCount == 3)
    }

    @Test func wordsBecomeClasses() throws {
        let data = try load("w,h,kind\n1,2,plum\n3,4,apple\n5,6,\"pear, \"\"green\"\"\"\n7,8,apple\n")
        #expect(data.classNames == ["apple", "pear, \"green\"", "plum"])
        #expect(data.classes == [2, 0, 1, 0])
    }

    @Test func fractionsAndNegativesAreTargets() throws {
        #expect(try load("1,0.5\n2,3\n").targetValues == [0.5, 3])
        #expect(try load("1,-1\n2,1\n").targetValues == [-1, 1])
    }

    @Test func kindOfLabelsCanBeSaid() throws {
        var options = LoadOptions()
        options.labelKind = .targets
        #expect(try load("1,4\n2,5\n", options).targetValues == [4, 5])
        options.labelKind = .absent
        let unlabelled = try load("1,4\n2,5\n", options)
        #expect(unlabelled.x.shape == [2, 2])
        #expect(unlabelled.classCount == nil)
        options.labelKind = .classes
        options.classCount = 9
        #expect(try load("1,4\n2,5\n", options).classCount == 9)
    }

    @Test(
        arguments: [
            ("1,2,0\n3,0\n", 2, "2 columns"), ("1,2,0\n3,x,0\n", 2, "column 2: 'x'"),
            ("1,2,0\n\n3,,0\n", 3, "column 2"), ("1,2,0\n3,nan,1\n", 2, "'nan'"),
            ("1,2,0\n3,inf,1\n", 2, "'inf'"),
            // A sample with a missing value is no header.
            ("1,,0\n3,4,1\n", 1, "column 2: ''"), ("nan,2,0\n3,4,1\n", 1, "column 1: 'nan'"),
            ("NA,2,0\n3,4,1\n", 1, "column 1: 'NA'"), ("NaN,plum\n3,apple\n", 1, "'NaN'"),
            // Beyond what the features are kept in.
            ("1,2,0\n3,1e39,1\n", 2, "column 2: '1e39' is not a finite number"),
            ("1,2,0\n3,4,1e39\n", 2, "the label '1e39' is not a finite number"),
            ("-1e300,2,0\n3,4,1\n", 1, "column 1: '-1e300' is not a finite number"),
            ("1,2,0\n3,4,\n", 2, "label"), ("1,2,0\n3,4,1\n5,6,plum\n", 3, "plum"), ("1,\"2,0\n", 1, "quote"),
            ("1,\"2\"3,0\n", 1, "closing quote"), ("5\n6\n", 1, "single column"),
            ("1,2,0\n3,4,5,0\n", 2, "4 columns"),
        ] as [(String, Int, String)])
    func errorsNameTheLine(text: String, line: Int, fragment: String) {
        let error = dataError(.malformed) { _ = try load(text) }
        #expect(error?.place.hasSuffix("data.csv, line \(line)") == true, "\(error?.place ?? "")")
        #expect(error?.reason.contains(fragment) == true, "\(error?.reason ?? "")")
    }

    @Test(arguments: ["", "\n\n", "a,b,c\n"])
    func filesWithoutSamples(text: String) {
        dataError(.malformed) { _ = try load(text) }
    }

    @Test func classesOutOfRangeNameTheLine() {
        var options = LoadOptions()
        options.classCount = 2
        let error = dataError(.inconsistent) { _ = try load("1,0\n1,1\n1,2\n", options) }
        #expect(error?.place.hasSuffix("line 3") == true)
        options.labelKind = .classes
        let fraction = dataError(.malformed) { _ = try load("1,0\n1,0.5\n", options) }
        #expect(fraction?.place.hasSuffix("line 2") == true)
    }
}

struct NpzSourceTests {
    private func load(
        _ arrays: [(name: String, tensor: Tensor)], _ split: DataSplit = .all,
        _ options: LoadOptions = LoadOptions()
    ) throws -> Dataset {
        let folder = try TemporaryFolder()
        let path = try folder.file("data.npz", NpzArchive.encode(arrays, place: "test"))
        return try DataSource.npz(file: path).load(split, options: options)
    }

    private let x = Tensor(shape: [4, 2], scalars: (0..<8).map { Double($0) })

    @Test func arraysXAndY() throws {
        let data = try load([("x", x), ("y", Tensor(shape: [4], scalars: [0, 1, 2, 1] as [Int64]))])
        #expect(data.x.dtype == .float32)
        #expect(data.x.scalars(as: Float.self) == (0..<8).map { Float($0) })
        #expect(data.classes == [0, 1, 2, 1])
        #expect(data.classCount == 3)
    }

    @Test func labelsMayBeMissing() throws {
        guard case .none = try load([("x", x)]).labels else {
            Issue.record("labels from nowhere")
            return
        }
    }

    @Test func floatsAreTargetsUnlessSaidOtherwise() throws {
        let y = Tensor(shape: [4], scalars: [0, 1, 0, 1] as [Float])
        let data = try load([("x", x), ("y", y)])
        guard case .targets(let targets) = data.labels else {
            Issue.record("not targets")
            return
        }
        #expect(targets.shape == [4, 1])
        var options = LoadOptions()
        options.labelKind = .classes
        #expect(try load([("x", x), ("y", y)], .all, options).classes == [0, 1, 0, 1])
        dataError(.inconsistent) {
            let half = Tensor(shape: [4], scalars: [0, 0.5, 0, 1] as [Float])
            _ = try load([("x", x), ("y", half)], .all, options)
        }
    }

    @Test func severalInputsKeepTheirNamesAndIntegers() throws {
        let tokens = Tensor(shape: [4, 3], scalars: (0..<12).map { Int64($0) })
        let data = try load([
            ("input_ids", tokens), ("scores", x),
            ("y", Tensor(shape: [4], scalars: [0, 1, 0, 1] as [UInt8])),
        ])
        #expect(data.inputs.map(\.name) == ["input_ids", "scores"])
        #expect(data.inputs.map(\.values.dtype) == [.int64, .float32])
        dataError(.inconsistent) {
            _ = try load(
                [("input_ids", tokens), ("scores", x)], .all,
                LoadOptions(preprocessing: Preprocessing(scale: 2)))
        }
    }

    @Test func ownPartsAreUsed() throws {
        let arrays: [(name: String, tensor: Tensor)] = [
            ("x_train", x), ("y_train", Tensor(shape: [4], scalars: [0, 1, 2, 5] as [UInt8])),
            ("x_test", Tensor(zeros: [1, 2], dtype: .float64)),
            ("y_test", Tensor(shape: [1], scalars: [1] as [UInt8])),
        ]
        #expect(try load(arrays, .train).sampleCount == 4)
        let test = try load(arrays, .test)
        #expect(test.classes == [1])
        #expect(test.classCount == 6)
        #expect(try load(arrays, .all).classes == [0, 1, 2, 5, 1])
    }

    @Test func disagreementIsAnError() {
        dataError(.inconsistent) {
            _ = try load([("x", x), ("y", Tensor(shape: [3], scalars: [0, 1, 2] as [Int64]))])
        }
        dataError(.malformed) { _ = try load([("y", Tensor(shape: [3], scalars: [0, 1, 2] as [Int64]))]) }
        dataError(.unreadable) { _ = try DataSource.npz(file: "/nonexistent.npz").load(.all) }
    }
}
