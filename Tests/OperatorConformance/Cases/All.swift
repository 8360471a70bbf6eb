extension ConformanceCase {
    /// Every case of every family; one line per file in this folder.
    static let all: [ConformanceCase] = [
        functions,
        arithmetic,
        logic,
        linear,
        movement,
        normalization,
        pooling,
        reduction,
    ].flatMap { $0 }
}
