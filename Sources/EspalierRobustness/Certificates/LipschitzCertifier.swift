import EspalierGraphs
package import EspalierOperators

/// Radii from Lipschitz constants (Tsuzuku, Sato & Sugiyama 2018): an output that lies above the others by a margin stays above
/// them as long as no difference of outputs can have moved that far.
///
/// Radii are rounded down, and margins are lessened by ``Logits/rounding(_:)`` before.
package final class LipschitzCertifier: Certifier {
    package let name: String
    package let norm: VectorNorm
    /// Of each sample, in units of ``InputUnits``; 0 where the network errs. Every smaller one is proven.
    package let radii: [Double]

    /// From one constant of all outputs together: the margin divided by sqrt(2) L, in l-infinity by 2 L, since a difference of two
    /// outputs moves by that much at most.
    ///
    /// - Parameter constant: L, by how much outputs move when inputs move by 1 in units of ``InputUnits``.
    package init(_ logits: Logits, constant: Double, norm: VectorNorm) {
        name = "lipschitz"
        self.norm = norm
        let pair = constant * (norm == .euclidean ? 2.0.squareRoot() : 2) * (1 + Rounding.relative(3))
        radii = (0..<logits.sampleCount).map { sample in
            Self.radius(logits.margin(sample), rounding: logits.rounding(sample), constant: pair)
        }
    }

    /// From a constant of each pair of outputs: the least of (f_y - f_j) / L_{y,j} over other classes j.
    ///
    /// - Parameter constants: by how much differences of two outputs move when inputs move by 1 in units of ``InputUnits``.
    package init(_ logits: Logits, constants: PairConstants, norm: VectorNorm) {
        name = "lipschitz-pairs"
        self.norm = norm
        radii = (0..<logits.sampleCount).map { sample in
            let rounding = logits.rounding(sample)
            return logits.margins(sample).map { other, margin in
                Self.radius(
                    margin, rounding: rounding, constant: constants[Int(logits.classes[sample]), other])
            }.min() ?? 0
        }
    }

    private static func radius(_ margin: Double, rounding: Double, constant: Double) -> Double {
        let left = (margin - rounding) * (1 - Rounding.relative(1))
        // A constant that is not a number proves nothing.
        guard left > 0, constant >= 0 else { return 0 }
        return constant > 0 ? left / constant * (1 - Rounding.relative(1)) : .infinity
    }

    package func certifies(samples: [Int], radii: [Double]) -> [Bool] {
        zip(samples, radii).map { self.radii[$0] > $1 }
    }

    /// At once, and below the radii by a rounding, since at them outputs can be equal.
    package func largestRadii(samples: [Int], largest: Double, halvings: Int) -> [Double] {
        samples.map { max(0, min(largest, radii[$0].nextDown)) }
    }
}

/// For each pair of a network's outputs, by how much their difference moves when inputs move by 1.
package struct PairConstants: Sendable {
    private let count: Int
    private let values: [Double]

    /// - Parameters:
    ///   - rows: the last layer's matrix: outputs are what it makes of a value, and constants.
    ///   - constant: of that value.
    package init(rows: MatrixMap, constant: Double, norm: VectorNorm) {
        count = rows.rows
        let (count, columns) = (rows.rows, rows.columns)
        var values = [Double](repeating: 0, count: count * count)
        // Coefficients are rounded up to four times when layers are folded, and differences once.
        let roundings = Rounding.relative(columns + 8)
        func length(_ row: Int, _ other: Int) -> Double {
            (0..<columns).reduce(0.0) { length, column in
                let (a, b) = (
                    rows.elements[row * columns + column], rows.elements[other * columns + column]
                )
                // What rounding of the coefficients themselves did to a difference is relative to them, not to it.
                let difference = abs(a - b) + Rounding.relative(4) * (abs(a) + abs(b))
                return length + (norm == .euclidean ? difference * difference : difference)
            }
        }
        for row in 0..<count {
            for other in 0..<row {
                let length = length(row, other)
                // A change acts on a difference of rows by the dual norm: l2 by l2, l-infinity by l1.
                let norm = (norm == .euclidean ? length.squareRoot() : length) * (1 + roundings)
                values[row * count + other] = norm * constant * (1 + Rounding.relative(2))
                values[other * count + row] = values[row * count + other]
            }
        }
        self.values = values
    }

    package subscript(one: Int, other: Int) -> Double { values[one * count + other] }
}

extension CertifiedNetwork {
    /// - Throws: ``RobustnessError`` where there is no Lipschitz constant.
    package func lipschitzCertifier(_ norm: VectorNorm) throws(RobustnessError) -> LipschitzCertifier {
        LipschitzCertifier(logits, constant: try lipschitzConstant(norm), norm: norm)
    }

    /// An upper bound of L, in units of ``InputUnits``.
    ///
    /// - Throws: ``RobustnessError`` where there is no Lipschitz constant.
    package func lipschitzConstant(_ norm: VectorNorm) throws(RobustnessError) -> Double {
        try constant(of: output, bound(norm))
    }

    /// - Throws: ``RobustnessError`` where there is no Lipschitz constant, or where the outputs are not those of a matrix product.
    package func pairCertifier(_ norm: VectorNorm) throws(RobustnessError) -> LipschitzCertifier {
        guard let last = layers.last(where: { $0.output == output }), case .matrix(let rows) = last.map,
            rows.rows == logits.columns
        else { throw .noLastLayer(output: graph.name(of: output)) }
        let before = try constant(of: last.input, bound(norm))
        return LipschitzCertifier(
            logits, constants: PairConstants(rows: rows, constant: before, norm: norm), norm: norm)
    }

    private func constant(of value: ValueID, _ bound: LipschitzBound) -> Double {
        (bound.values[value] ?? 0) * units.largestStretch * (1 + Rounding.relative(1))
    }
}
