extension GoldenTests {
    /// Cases, or single outputs of one, for which ONNX Runtime gives nothing to compare with, and why. A listed one that
    /// agrees after all fails the test.
    static let exceptions: [String: String] = [
        "BatchNormalization in the old training mode/y4":
            "the saved variance of the specification; there, the inverse of the deviation",
        "Cast float to bfloat16": "NumPy has no such type",
        "Conv in double precision": "not implemented there",
        "Dropout before operator set 10/y1": "not specified in inference",
        "GlobalAveragePool of four axes": "not implemented there",
    ]
}
