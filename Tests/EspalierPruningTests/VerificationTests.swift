import EspalierPruning
import EspalierTensors
import Testing

/// How outputs are compared before a cut is trusted.
struct VerificationTests {
    private func tensor(_ values: Float...) -> Tensor { Tensor(shape: [values.count], scalars: values) }

    private func isWithin(_ outputs: [Tensor], _ expected: [Tensor]) throws -> Bool {
        try #require(Verification(comparing: outputs, with: expected)).isWithin(relative: 1e-3)
    }

    /// What is rounding in a large output is an error in a small one.
    @Test func everyOutputHasARangeOfItsOwn() throws {
        let expected = [tensor(1000, -500), tensor(1, 0.5)]
        let wrong = try #require(
            Verification(comparing: [tensor(1000, -500), tensor(1, 0.6)], with: expected))
        #expect(abs(wrong.relativeDifference - 0.1) < 1e-6)
        #expect(abs(wrong.maxAbsoluteDifference - 0.1) < 1e-6 && wrong.outputMagnitude == 1000)
        #expect(!wrong.isWithin(relative: 1e-3))
        #expect(try isWithin([tensor(1000.1, -500), tensor(1, 0.5)], expected))
        #expect(try isWithin(expected, expected))
    }

    /// Zero need not be met to the last digit, but nearly.
    @Test func zeroAndTinyOutputsAreRounded() throws {
        for least: Float in [0, 1e-8] {
            let expected = [tensor(10, 5), tensor(least, 0)]
            #expect(try isWithin([tensor(10, 5), tensor(least, 1e-6)], expected))
            #expect(try !isWithin([tensor(10, 5), tensor(least, 1e-3)], expected))
            // On its own, too.
            #expect(try isWithin([tensor(least, 1e-10)], [tensor(least, 0)]))
            #expect(try !isWithin([tensor(least, 1e-6)], [tensor(least, 0)]))
        }
    }

    @Test func whatIsNotFiniteMustBeTheSame() throws {
        for odd: Float in [.infinity, -.infinity, .nan] {
            #expect(try isWithin([tensor(odd, 1)], [tensor(odd, 1)]))
            #expect(try !isWithin([tensor(1, 1)], [tensor(odd, 1)]))
            #expect(try !isWithin([tensor(odd, 1)], [tensor(1, 1)]))
        }
    }

    /// The range is that of an output over all inputs.
    @Test func batchesCountTogether() throws {
        let expected = [[tensor(1), tensor(100)], [tensor(0), tensor(0)]]
        func found(_ last: Tensor...) throws -> Verification {
            try #require(Verification(comparingBatches: [expected[0], last], with: expected))
        }
        #expect(try found(tensor(1e-4), tensor(1e-2)).isWithin(relative: 1e-3))
        #expect(try !found(tensor(1e-2), tensor(0)).isWithin(relative: 1e-3))
        #expect(Verification(comparingBatches: [expected[0]], with: expected) == nil)
        #expect(Verification(comparingBatches: [expected[0], [tensor(0)]], with: expected) == nil)
    }
}
