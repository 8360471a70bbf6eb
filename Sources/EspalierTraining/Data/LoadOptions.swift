public import EspalierTensors

/// How a data source is read.
public struct LoadOptions: Sendable {
    /// What the labels of a file are.
    public enum LabelKind: String, Sendable, Hashable, CaseIterable {
        /// Whole numbers from 0, and words, are classes; other numbers are targets.
        case automatic
        case classes, targets
        /// All columns and arrays are inputs.
        case absent
    }

    /// The shape of one sample of an input of the network, for random data.
    public struct InputSpecification: Sendable, Hashable {
        /// The graph input that it is for.
        public var name: String
        /// Without the axis of samples.
        public var sampleShape: Shape
        public var dtype: DType

        public init(name: String, sampleShape: Shape, dtype: DType = .float32) {
            self.name = name
            self.sampleShape = sampleShape
            self.dtype = dtype
        }
    }

    /// Replaces the source's own preparation, for instance by the one recorded in a model.
    public var preprocessing: Preprocessing?
    /// Decides which samples make up a part that the source does not have of its own. Not the seed of the training:
    /// parts must stay the same over repetitions, or one run's test samples were another's training samples.
    public var splitSeed: UInt64 = 0
    /// The share of ``DataSplit/train`` that ``DataSplit/validation`` takes: 5,000 of Fashion-MNIST's 60,000.
    public var validationShare = 1.0 / 12
    /// The share of all samples that ``DataSplit/test`` takes where a source has no test part; rounded up.
    public var testShare = 0.2
    public var labelKind = LabelKind.automatic
    /// The number of classes, where the labels that occur do not show it.
    public var classCount: Int?
    /// For random data: what to make.
    public var randomInputs: [InputSpecification] = []
    /// For random data: how many.
    public var randomSampleCount = 64
    /// For random data: what to draw from.
    public var randomSeed: UInt64 = 0

    public init() {}

    public init(preprocessing: Preprocessing?) {
        self.preprocessing = preprocessing
    }
}
