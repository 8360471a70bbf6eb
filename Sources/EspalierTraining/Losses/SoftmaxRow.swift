#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The softmax of one row of logits at a temperature, computed without overflow for finite logits of any size.
struct SoftmaxRow {
    private let logits: UnsafePointer<Float>
    private let inverseTemperature: Double
    private let logSumExp: Double
    /// The position of the largest logit, the first of several; nil if one is not a number.
    let largest: Int?

    init(_ logits: UnsafePointer<Float>, count: Int, temperature: Double = 1) {
        self.logits = logits
        inverseTemperature = 1 / temperature
        var largest = 0
        var hasNaN = false
        for column in 0..<count {
            if logits[column].isNaN { hasNaN = true }
            if logits[column] > logits[largest] { largest = column }
        }
        let maximum = Double(logits[largest]) * inverseTemperature
        var sum = 0.0
        for column in 0..<count { sum += exp(Double(logits[column]) * inverseTemperature - maximum) }
        logSumExp = maximum + log(sum)
        self.largest = hasNaN ? nil : largest
    }

    func logProbability(_ column: Int) -> Double {
        Double(logits[column]) * inverseTemperature - logSumExp
    }

    func probability(_ column: Int) -> Double { exp(logProbability(column)) }
}
