/// How a value's elements lie in memory.
package enum Layout: Hashable, Sendable {
    /// Row-major.
    case plain
}
