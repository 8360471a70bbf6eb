/// The derivative of `function` by each of the listed elements of `point`, in units of its result per unit of the
/// element, from (f(x + h) - f(x - h)) / 2h; the error is about h^2 times the third derivative.
package func centralDifferences<Failure: Error>(
    of function: ([Double]) throws(Failure) -> Double, at point: [Double], positions: [Int],
    step: Double = 1e-5
) throws(Failure) -> [Double] {
    var result: [Double] = []
    var moved = point
    for position in positions {
        let size = step * max(1, abs(point[position]))
        moved[position] = point[position] + size
        let above = try function(moved)
        moved[position] = point[position] - size
        let below = try function(moved)
        moved[position] = point[position]
        result.append((above - below) / (2 * size))
    }
    return result
}
