import ArgumentParser

/// Some of what has a name, separated by commas, or all of it.
///
/// An option of this type reads it by its `transform`, so that a wrong name is answered with the known ones.
struct NameList<Name: CaseIterable & RawRepresentable & Hashable & Sendable>: Sendable
where Name.RawValue == String {
    /// Each once.
    let values: [Name]

    init(_ values: [Name]) { self.values = values }

    @Sendable static func read(_ text: String) throws -> NameList<Name> {
        if text == "all" { return NameList(Array(Name.allCases)) }
        var values: [Name] = []
        for part in text.split(separator: ",") {
            let name = String(part.filter { !$0.isWhitespace })
            guard let value = Name(rawValue: name) else {
                let known = Name.allCases.map { $0.rawValue }.joined(separator: ", ")
                throw ValidationError("\(name) is none of \(known); for all of them say all")
            }
            values.append(value)
        }
        guard !values.isEmpty, Set(values).count == values.count else {
            throw ValidationError("name each once, separated by commas, or all")
        }
        return NameList(values)
    }

    /// As it is written.
    var text: String { values.map { $0.rawValue }.joined(separator: ",") }
}
