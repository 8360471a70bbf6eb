import EspalierTensors
import EspalierTraining
import Testing

struct DatasetTests {
    private func inputs(_ samples: Int) -> [Dataset.Input] {
        [Dataset.Input(name: "x", values: Tensor(zeros: [samples, 2]))]
    }

    @Test func whatDoesNotFitTogetherIsRefused() {
        dataError(.inconsistent) { _ = try Dataset(name: "d", inputs: []) }
        dataError(.inconsistent) { _ = try Dataset(name: "d", inputs: inputs(0)) }
        dataError(.inconsistent) { _ = try Dataset(name: "d", inputs: inputs(2) + inputs(2)) }
        dataError(.inconsistent) {
            let other = Dataset.Input(name: "mask", values: Tensor(zeros: [3, 2]))
            _ = try Dataset(name: "d", inputs: inputs(2) + [other])
        }
        dataError(.inconsistent) {
            _ = try Dataset(name: "d", inputs: [Dataset.Input(name: "x", values: Tensor(Float(1)))])
        }
    }

    @Test(arguments: [[0, 1, 3], [0, -1, 1], [0, 1], [0, 1, 2, 0]] as [[Int32]])
    func classesMustBeInRangeAndOneForEachSample(classes: [Int32]) {
        dataError(.inconsistent) {
            _ = try Dataset(name: "d", inputs: inputs(3), labels: .classes(classes, count: 3))
        }
    }

    @Test func selectionKeepsOrderAndLabels() throws {
        let part = try Dataset.numbered(10).selecting([7, 2, 2])
        #expect(part.x.scalars(as: Float.self) == [7, 2, 2])
        #expect(part.classes == [1, 2, 2])
        #expect(part.classCount == 3)
        dataError(.inconsistent) { _ = try Dataset.numbered(10).selecting([10]) }
        dataError(.inconsistent) { _ = try Dataset.numbered(10).selecting([]) }
    }

    @Test func fingerprintIsFNV1aAndSeesEveryPart() throws {
        let base = try Dataset.numbered(10)
        // Computed with a dozen lines of Python from the definition.
        #expect(base.fingerprint == fingerprintOfNumbered10)
        let reordered = try base.selecting([1, 0] + Array(2..<10))
        let renamed = try Dataset(
            name: "n", inputs: [Dataset.Input(name: "z", values: base.x)], labels: base.labels)
        let relabelled = try Dataset(
            name: "n", inputs: base.inputs, labels: .classes(base.classes, count: 4))
        let unlabelled = try Dataset(name: "n", inputs: base.inputs)
        let all = [base, reordered, renamed, relabelled, unlabelled].map(\.fingerprint)
        #expect(Set(all).count == 5)
        #expect(try Dataset.numbered(10).fingerprint == base.fingerprint)
    }

    /// Equal values of different preparations are other data for whatever measures in raw units.
    @Test func identitySeesThePreparation() throws {
        let values = try Dataset.numbered(10).inputs
        let datasets = try [
            Preprocessing(), Preprocessing(scale: 2), Preprocessing(mean: [1]),
            Preprocessing(standardDeviation: [1]), Preprocessing(layout: .flat),
        ].map { try Dataset(name: "n", inputs: values, preprocessing: $0) }
        #expect(Set(datasets.map(\.fingerprint)).count == 1)
        #expect(Set(datasets.map(\.identity)).count == 5)
    }

    private let fingerprintOfNumbered10 = "ba282bb63ed22313"
}

struct StratificationTests {
    @Test(arguments: [UInt64(0), 1, 99])
    func everyClassKeepsItsShare(seed: UInt64) throws {
        // 50, 30 and 20 % of 200.
        let classes = (0..<200).map { Int32($0 % 10 < 5 ? 0 : $0 % 10 < 8 ? 1 : 2) }
        let whole = try Dataset(
            name: "d",
            inputs: [
                Dataset.Input(
                    name: "x", values: Tensor(shape: [200, 1], scalars: (0..<200).map { Float($0) }))
            ], labels: .classes(classes, count: 3))
        let (rest, heldOut) = try whole.stratifiedSplit(holdingOut: 40, seed: seed)
        #expect(heldOut.histogram == [20, 12, 8])
        #expect(rest.histogram == [80, 48, 32])
        let samples = (rest.x.scalars(as: Float.self), heldOut.x.scalars(as: Float.self))
        #expect((samples.0 + samples.1).sorted() == (0..<200).map { Float($0) })
        #expect(samples.0 == samples.0.sorted(), "the order of the whole is kept")
        #expect(samples.1 != (160..<200).map { Float($0) }, "the choice is random")
    }

    @Test func sameSeedSameSamplesAndOthersDiffer() throws {
        let whole = try Dataset.numbered(300)
        func chosen(_ seed: UInt64) -> [Int] { whole.stratifiedIndices(holdingOut: 30, seed: seed).heldOut }
        #expect(chosen(4) == chosen(4))
        #expect(chosen(4) != chosen(5))
    }

    @Test(arguments: [1, 7, 50, 99])
    func countIsMetWhateverTheRounding(count: Int) throws {
        // Seven classes of 14 or 15 samples.
        let (rest, heldOut) = try Dataset.numbered(100, classCount: 7).stratifiedSplit(
            holdingOut: count, seed: 1)
        #expect(heldOut.sampleCount == count)
        #expect(rest.sampleCount == 100 - count)
        let shares = zip(heldOut.histogram, [15, 15, 14, 14, 14, 14, 14]).map {
            Double($0) - Double(count * $1) / 100
        }
        #expect(shares.allSatisfy { abs($0) < 1 }, "\(shares)")
    }

    @Test func samplesWithoutClassesAreSplitPlainly() throws {
        let whole = try Dataset(
            name: "d", inputs: [Dataset.Input(name: "x", values: Tensor(zeros: [50, 1]))])
        let (rest, heldOut) = whole.stratifiedIndices(holdingOut: 10, seed: 1)
        #expect((rest + heldOut).sorted() == Array(0..<50))
        #expect(heldOut.count == 10)
    }

    @Test(arguments: [0, 10, 11, -1])
    func bothPartsNeedASample(count: Int) {
        dataError(.inconsistent) { _ = try Dataset.numbered(10).stratifiedSplit(holdingOut: count, seed: 0) }
    }
}
