import EspalierOperators
import Testing

/// Everything an operator promises, on every case. What each check means is told where it is implemented, in `Checks/`.
@Suite struct OperatorConformanceTests {
    @Test(arguments: ConformanceCase.all)
    func inferenceAgreesWithTheReference(_ source: ConformanceCase) throws {
        expectNone(try PreparedCase(source).checkReference(), source)
    }

    @Test(arguments: ConformanceCase.all)
    func kernelsAgreeWithTheReference(_ source: ConformanceCase) throws {
        expectNone(try PreparedCase(source).checkKernels(), source)
    }

    @Test(arguments: ConformanceCase.all)
    func gradientsAreCentralDifferences(_ source: ConformanceCase) throws {
        expectNone(try PreparedCase(source).checkGradients(), source)
    }

    @Test(arguments: ConformanceCase.all)
    func perSampleSquaresAreALoopOverSamples(_ source: ConformanceCase) throws {
        expectNone(try PreparedCase(source).checkPerSampleSquares(), source)
    }

    @Test(arguments: ConformanceCase.all)
    func pruneThenRunEqualsMaskThenRun(_ source: ConformanceCase) throws {
        let prepared = try PreparedCase(source)
        expectNone(prepared.checkLinksAreWellFormed(), source)
        expectNone(try prepared.checkAxisLinks(), source)
    }

    @Test(arguments: ConformanceCase.all)
    func fusionChangesNothing(_ source: ConformanceCase) throws {
        let prepared = try PreparedCase(source)
        expectNone(try prepared.checkEpilogueStep(), source)
        expectNone(try prepared.checkFusedKernels(), source)
        expectNone(try prepared.checkChannelAffine(), source)
    }

    @Test(arguments: ConformanceCase.all)
    func boundsAreMadeOfWhatTheReferenceDoes(_ source: ConformanceCase) throws {
        expectNone(try PreparedCase(source).checkBounds(), source)
    }

    private func expectNone(
        _ problems: [String], _ source: ConformanceCase, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        guard let first = problems.first else { return }
        let more = problems.count > 1 ? " (and \(problems.count - 1) more)" : ""
        Issue.record("\(source.name): \(first)\(more)", sourceLocation: sourceLocation)
    }
}
