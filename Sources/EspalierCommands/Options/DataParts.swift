import EspalierRuns
import EspalierTraining

/// The parts of a data source that training uses: `fit` to train on, `validation` to choose by, `test` to report.
struct DataParts {
    let source: DataSource
    let fit: Dataset
    let validation: Dataset
    let test: Dataset

    /// - Throws: ``DataError``.
    init(_ source: DataSource, options: LoadOptions) throws {
        self.source = source
        fit = try source.load(.fit, options: options)
        validation = try source.load(.validation, options: options)
        test = try source.load(.test, options: options)
    }

    var description: RunRecord.DataDescription {
        .init(
            name: "\(source)", fingerprint: fit.fingerprint, trainingSamples: fit.sampleCount,
            validationSamples: validation.sampleCount, testSamples: test.sampleCount)
    }
}
