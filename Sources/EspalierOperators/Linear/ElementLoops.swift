/// Loops over floats that oneDNN has no primitive for.
enum ElementLoops {
    /// target += source.
    static func add(_ source: UnsafePointer<Float>, to target: UnsafeMutablePointer<Float>, count: Int) {
        for index in 0..<count { target[index] += source[index] }
    }

    /// target += source^2.
    static func addSquares(
        of source: UnsafePointer<Float>, to target: UnsafeMutablePointer<Float>, count: Int
    ) {
        for index in 0..<count { target[index] += source[index] * source[index] }
    }

    /// target = source^2.
    static func square(_ source: UnsafePointer<Float>, into target: UnsafeMutablePointer<Float>, count: Int) {
        for index in 0..<count { target[index] = source[index] * source[index] }
    }
}
