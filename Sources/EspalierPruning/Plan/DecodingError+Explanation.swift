extension DecodingError {
    /// What is wrong and where in the document, in a line.
    var explanation: String {
        func place(_ context: DecodingError.Context) -> String {
            let path = context.codingPath.map { $0.intValue.map { "[\($0)]" } ?? ".\($0.stringValue)" }
                .joined()
            return path.isEmpty ? "the document" : String(path.drop { $0 == "." })
        }
        return switch self {
        case .keyNotFound(let key, let context): "\(place(context)) lacks '\(key.stringValue)'"
        case .typeMismatch(let type, let context): "\(place(context)) should be \(type)"
        case .valueNotFound(let type, let context): "\(place(context)) is null and should be \(type)"
        case .dataCorrupted(let context): "\(place(context)): \(context.debugDescription)"
        @unknown default: "\(self)"
        }
    }
}
