import EspalierTensors
import EspalierTraining
import Foundation
import Testing

struct DataSourceNameTests {
    @Test(
        arguments: [
            ("digits", .digits), ("fashion-mnist", .fashionMNIST(directory: nil)),
            ("fashion-mnist:/data/f", .fashionMNIST(directory: "/data/f")), ("idx:d", .idx(directory: "d")),
            ("npz:C:/x.npz", .npz(file: "C:/x.npz")), ("csv:a b.csv", .csv(file: "a b.csv")),
            ("random", .random),
        ] as [(String, DataSource)])
    func everySourceHasAName(text: String, source: DataSource) throws {
        #expect(try DataSource(text) == source)
        #expect(source.description == text)
    }

    @Test(arguments: [
        "", "mnist", "digits:x", "random:3", "npz", "npz:", "csv", "idx:", "fashion-mnist:", "Digits",
    ])
    func otherNamesAreRefused(text: String) {
        let error = dataError(.unknownSource) { _ = try DataSource(text) }
        #expect(error?.place == "data '\(text)'")
    }

    @Test func imageFoldersAreToCome() {
        let error = dataError(.unsupported) { _ = try DataSource("images:photos") }
        #expect(error?.reason.contains("npz") == true)
    }
}

struct DigitsTests {
    @Test func allImagesAreThere() throws {
        let all = try DataSource.digits.load(.all)
        #expect(all.x.shape == [1797, 1, 8, 8])
        // As scikit-learn documents them.
        #expect(all.histogram == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180])
        #expect(all.classNames == (0..<10).map { "\($0)" })
        let pixels = all.x.scalars(as: Float.self)
        #expect(pixels.min() == 0)
        #expect(pixels.max() == 1)
        // The second line of the first image, in sixteenths.
        #expect(pixels[8..<16].map { $0 * 16 } == [0, 0, 13, 15, 10, 15, 5, 0])
        // The sum of all pixels, computed by the script that wrote the file.
        #expect(pixels.reduce(0.0) { $0 + Double($1) } * 16 == 561_718)
    }

    @Test func partsAreStratifiedAndApart() throws {
        let parts = try [DataSplit.train, .test, .fit, .validation].map { try DataSource.digits.load($0) }
        #expect(parts.map(\.sampleCount) == [1437, 360, 1317, 120])
        let whole = try DataSource.digits.load(.all).histogram
        for part in parts {
            let shares = zip(part.histogram, whole).map { Double($0) - Double($1 * part.sampleCount) / 1797 }
            #expect(shares.allSatisfy { abs($0) < 2 }, "\(part.name): \(shares)")
        }
        #expect(parts.map(\.name) == ["digits/train", "digits/test", "digits/fit", "digits/validation"])
        // Images are all different but for a few: no image may be in two parts.
        func images(_ part: Dataset) -> Set<[Float]> {
            let pixels = part.x.scalars(as: Float.self)
            return Set((0..<part.sampleCount).map { Array(pixels[($0 * 64)..<($0 * 64 + 64)]) })
        }
        #expect(images(parts[0]).isDisjoint(with: images(parts[1])))
        #expect(images(parts[2]).isDisjoint(with: images(parts[3])))
        #expect(images(parts[2]).union(images(parts[3])) == images(parts[0]))
    }

    @Test func splitSeedDecides() throws {
        var options = LoadOptions()
        let first = try DataSource.digits.load(.test, options: options).fingerprint
        #expect(try DataSource.digits.load(.test, options: options).fingerprint == first)
        options.splitSeed = 1
        #expect(try DataSource.digits.load(.test, options: options).fingerprint != first)
    }

    @Test func recordedPreprocessingReplacesTheSourcesOwn() throws {
        let preprocessing = Preprocessing(scale: 1, mean: [8], standardDeviation: [4], layout: .flat)
        let part = try DataSource.digits.load(.test, options: LoadOptions(preprocessing: preprocessing))
        #expect(part.x.shape == [360, 64])
        #expect(part.x.scalars(as: Float.self).min() == -2)
        #expect(part.preprocessing == preprocessing)
    }
}

struct FashionMNISTTests {
    static let isInstalled = FileManager.default.fileExists(
        atPath: "/usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz")

    @Test(.enabled(if: isInstalled, "the package dataset-fashion-mnist is not installed"))
    func testPart() throws {
        let test = try DataSource("fashion-mnist").load(.test)
        #expect(test.x.shape == [10_000, 1, 28, 28])
        #expect(test.histogram == [Int](repeating: 1000, count: 10))
        #expect(Array(test.classes.prefix(10)) == [9, 2, 1, 1, 6, 1, 4, 6, 5, 7])
        #expect(test.classNames[9] == "ankle boot")
        let pixels = test.x.scalars(as: Float.self)
        #expect(pixels.max() == 1)
        // The mean pixel, by NumPy.
        #expect(abs(pixels.reduce(0.0) { $0 + Double($1) } / Double(pixels.count) - 0.286_849) < 1e-5)
    }

    @Test(.enabled(if: isInstalled, "the package dataset-fashion-mnist is not installed"))
    func validationPart() throws {
        let validation = try DataSource("fashion-mnist").load(.validation)
        #expect(validation.histogram == [Int](repeating: 500, count: 10))
    }

    @Test func missingFolderIsNamed() {
        dataError(.unreadable) { _ = try DataSource("fashion-mnist:/nonexistent").load(.test) }
    }
}

struct RandomDataTests {
    private func options(seed: UInt64) -> LoadOptions {
        var options = LoadOptions()
        options.randomInputs = [
            .init(name: "pixels", sampleShape: [3, 10, 10]),
            .init(name: "mask", sampleShape: [7], dtype: .int64),
        ]
        options.randomSampleCount = 100
        options.randomSeed = seed
        options.classCount = 4
        return options
    }

    @Test func shapesTypesAndMoments() throws {
        let data = try DataSource.random.load(.all, options: options(seed: 3))
        #expect(data.inputs.map(\.values.shape) == [[100, 3, 10, 10], [100, 7]])
        #expect(data.inputs.map(\.values.dtype) == [.float32, .int64])
        #expect(Set(data.inputs[1].values.scalars(as: Int64.self)) == [0, 1])
        let values = data.inputs[0].values.scalars(as: Double.self)
        // 30,000 normal values: their mean has a standard error of 0.0058.
        #expect(abs(values.reduce(0, +) / 30_000) < 0.03)
        #expect(Set(data.classes) == [0, 1, 2, 3])
    }

    @Test func seedDecides() throws {
        let fingerprints = try [3, 3, 4].map {
            try DataSource.random.load(.all, options: options(seed: $0)).fingerprint
        }
        #expect(fingerprints[0] == fingerprints[1])
        #expect(fingerprints[0] != fingerprints[2])
    }

    @Test func shapeMustBeGivenAndSane() {
        dataError(.inconsistent) { _ = try DataSource.random.load(.all) }
        dataError(.inconsistent) {
            var options = LoadOptions()
            options.randomInputs = [.init(name: "x", sampleShape: [1 << 30, 1 << 30])]
            _ = try DataSource.random.load(.all, options: options)
        }
    }
}
