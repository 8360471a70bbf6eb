public import EspalierGraphs
public import EspalierTraining

extension Pruning {
    /// The parts of the data.
    public struct Samples: Sendable {
        /// What is measured on and trained with.
        public var fit: Dataset
        /// What the best epoch is chosen by.
        public var validation: Dataset?
        /// What accuracies are reported on.
        public var test: Dataset?

        public init(fit: Dataset, validation: Dataset? = nil, test: Dataset? = nil) {
            self.fit = fit
            self.validation = validation
            self.test = test
        }

        /// The parts of `source`, prepared as `graph` wants its data.
        ///
        /// - Parameter options: what they say of preparation goes before what the network says.
        /// - Throws: ``DataError``.
        public init(
            _ source: DataSource, for graph: Graph, options: LoadOptions = LoadOptions()
        ) throws(DataError) {
            var options = options
            if options.preprocessing == nil { options.preprocessing = try Preprocessing(recordedIn: graph) }
            fit = try source.load(.fit, options: options)
            validation = try source.load(.validation, options: options)
            test = try source.load(.test, options: options)
        }
    }
}
