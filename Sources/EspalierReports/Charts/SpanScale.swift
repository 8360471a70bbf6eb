import Foundation

/// A scale from data to pixels that suits how far the values lie apart: logarithmic where the largest is more than
/// ``factor`` times the least, linear otherwise.
///
/// Values are not negative and have a place on an ``Axis``. On a logarithmic scale zeros lie at the lower end, with a tick of
/// their own.
struct SpanScale {
    private enum Kind {
        case linear(Axis)
        case logarithmic(lower: Double, upper: Double)
    }

    /// Below it a linear scale tells neighbours apart well enough, and is read without thinking.
    private static let factor = 5.0
    private static let mostTicks = 7

    private let kind: Kind
    let ticks: [Double]

    init(covering values: [Double]) {
        // What is hardly more than zero is zero, so that logarithms and ratios are numbers.
        let finite = values.filter { $0 >= 0 && Axis.hasPlace($0) }.map { $0 < Axis.least ? 0 : $0 }
        let positive = finite.filter { $0 > 0 }
        guard let least = positive.min(), let largest = positive.max() else {
            let axis = Axis(covering: [0, 0.01])
            kind = .linear(axis)
            ticks = axis.ticks
            return
        }
        guard largest > Self.factor * least else {
            let axis = Axis(covering: finite)
            kind = .linear(axis)
            ticks = axis.ticks
            return
        }
        let hasZeros = positive.count < finite.count
        let (lower, upper) = (least / (hasZeros ? 2 : 1.15), largest * 1.1)
        kind = .logarithmic(lower: lower, upper: upper)
        ticks = (hasZeros ? [0] : []) + Self.ticks(from: least / 1.15, to: upper)
    }

    var isLogarithmic: Bool {
        if case .logarithmic = kind { true } else { false }
    }

    func position(_ value: Double, from start: Double, to end: Double) -> Double {
        switch kind {
        case .linear(let axis): axis.position(value, from: start, to: end)
        case .logarithmic(let lower, let upper):
            start + log(max(lower, value) / lower) / log(upper / lower) * (end - start)
        }
    }

    /// Round numbers of the range: as many to a decade as there is room for, or one in every few decades.
    private static func ticks(from lower: Double, to upper: Double) -> [Double] {
        let decades = Int(log10(lower).rounded(.down))...Int(log10(upper).rounded(.up))
        for mantissas in [[1, 1.5, 2, 3, 5, 7], [1, 2, 5], [1, 3]] {
            let ticks = decades.flatMap { decade in mantissas.map { $0 * pow(10, Double(decade)) } }
                .filter { lower...upper ~= $0 }
            if ticks.count <= mostTicks { return ticks }
        }
        let powers = decades.map { pow(10, Double($0)) }.filter { lower...upper ~= $0 }
        let step = (powers.count + mostTicks - 1) / mostTicks
        return stride(from: 0, to: powers.count, by: step).map { powers[$0] }
    }
}
