import ArgumentParser

/// Some of what has a name, separated by commas.
///
/// An option of this type reads it by its `transform`, so that a wrong name is answered with the known ones.
struct NameList<Choice: NamedChoice>: Sendable {
    /// Each once.
    let values: [Choice]

    init(_ values: [Choice]) { self.values = values }

    /// Reads any number of names, or `all` for every one.
    @Sendable static func read(_ text: String) throws -> NameList<Choice> {
        if text == "all" { return NameList(Choice.choices) }
        return try named(
            text, atMost: Choice.choices.count, hint: "; for all of them say all",
            rule: "name each once, separated by commas, or all")
    }

    /// Reads one name, or two.
    @Sendable static func oneOrTwo(_ text: String) throws -> NameList<Choice> {
        try named(text, atMost: 2, rule: "name one, or two with a comma between them")
    }

    private static func named(
        _ text: String, atMost most: Int, hint: String = "", rule: String
    ) throws -> NameList<Choice> {
        var values: [Choice] = []
        for part in text.split(separator: ",") {
            let name = String(part.filter { !$0.isWhitespace })
            guard let value = Choice.choices.first(where: { $0.name == name }) else {
                let known = Choice.choices.map { $0.name }.joined(separator: ", ")
                throw ValidationError("\(name) is none of \(known)\(hint)")
            }
            values.append(value)
        }
        guard (1...most).contains(values.count), Set(values.map { $0.name }).count == values.count else {
            throw ValidationError(rule)
        }
        return NameList(values)
    }

    /// As it is written.
    var text: String { values.map { $0.name }.joined(separator: ",") }
}

/// What a command line chooses by name.
protocol NamedChoice: Sendable {
    /// All that can be chosen, in the order of help texts.
    static var choices: [Self] { get }
    /// Without commas and spaces.
    var name: String { get }
}

extension NamedChoice where Self: CaseIterable & RawRepresentable, Self.RawValue == String {
    static var choices: [Self] { Array(allCases) }
    var name: String { rawValue }
}
