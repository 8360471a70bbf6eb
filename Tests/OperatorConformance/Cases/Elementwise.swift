import EspalierTensors

extension ConformanceCase {
    static let elementwise: [ConformanceCase] = [
        ConformanceCase("Relu", "Relu", inputs: [.activation([2, 3, 4], .avoiding([0], in: -2...2))])
    ]
}
