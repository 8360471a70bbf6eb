/// Goes through the text of conditions from left to right.
struct ConditionReader {
    private let text: String
    private let characters: [Character]
    private let known: [Objective]
    /// Of the next character, counted from 0.
    private var place = 0

    init(_ text: String, known: [Objective]) {
        self.text = text
        self.known = known
        characters = Array(text)
    }

    /// The next condition, and the position of its objective.
    mutating func condition() throws(ConditionError) -> (condition: Condition, position: Int) {
        skipBlanks()
        let start = place
        let name = take { !"<>=,".contains($0) && !$0.isWhitespace }
        guard let objective = known.first(where: { $0.name == name }) else {
            throw error(.unknownObjective(name, known: known.map(\.name)), at: start + 1)
        }
        try comparison()
        return (Condition(objective, atMost: try bound(of: objective)), start + 1)
    }

    /// Whether a comma, and with it another condition, follows. `bound` left nothing else but the end.
    mutating func comma() -> Bool {
        guard place < characters.count else { return false }
        place += 1
        return true
    }

    func error(_ problem: ConditionError.Problem, at position: Int) -> ConditionError {
        ConditionError(problem: problem, text: text, position: position)
    }

    private mutating func comparison() throws(ConditionError) {
        skipBlanks()
        let start = place
        var found = take { "<>=".contains($0) }
        if found.isEmpty { found = take { $0 != "," } }
        guard found == "<=" else { throw error(.comparison(found), at: start + 1) }
    }

    private mutating func bound(of objective: Objective) throws(ConditionError) -> Double {
        skipBlanks()
        let start = place
        let digits = number()
        guard let number = Double(digits), number.isFinite else {
            throw error(.number(digits + take { $0 != "," }), at: start + 1)
        }
        skipBlanks()
        let unitStart = place
        let suffix = trimmed(take { $0 != "," })
        guard let value = objective.unit.value(number, suffix: suffix), value.isFinite else {
            throw error(
                .unit(suffix, of: objective.name, allowed: objective.unit.suffixes), at: unitStart + 1)
        }
        return value
    }

    /// The longest decimal number that begins here: `Double` alone would also take "nan" and hexadecimals, and not leave
    /// the unit.
    private mutating func number() -> String {
        func isDigit(_ character: Character) -> Bool { ("0"..."9").contains(character) }
        var text = sign() + take(while: isDigit)
        if peek() == "." { text += take(1) + take(while: isDigit) }
        guard peek() == "e" || peek() == "E" else { return text }
        let beforeExponent = place
        let exponent = take(1) + sign()
        let digits = take(while: isDigit)
        if digits.isEmpty { place = beforeExponent }
        return digits.isEmpty ? text : text + exponent + digits
    }

    private mutating func sign() -> String { peek() == "-" || peek() == "+" ? take(1) : "" }

    private func peek() -> Character? { place < characters.count ? characters[place] : nil }

    private mutating func take(_ count: Int) -> String {
        defer { place += count }
        return String(characters[place..<place + count])
    }

    private mutating func take(while isPart: (Character) -> Bool) -> String {
        let start = place
        while place < characters.count, isPart(characters[place]) { place += 1 }
        return String(characters[start..<place])
    }

    private mutating func skipBlanks() {
        while place < characters.count, characters[place].isWhitespace { place += 1 }
    }

    private func trimmed(_ text: String) -> String {
        String(text.reversed().drop(while: \.isWhitespace).reversed())
    }
}
