package import Foundation

extension PrunePlan {
    /// The plan as a JSON document for people to read: indented, lists of numbers on one line.
    package func json() throws(PruningError) -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        do {
            return Data(
                Self.joiningNumberLists(String(decoding: try encoder.encode(self), as: UTF8.self)).utf8)
        } catch {
            throw .planUnreadable("\(error)")
        }
    }

    /// Reads a plan. Whether it fits a model is checked when it is applied.
    ///
    /// - Throws: ``PruningError/planUnreadable(_:)`` with the place in the document,
    ///   ``PruningError/planVersion(_:)``.
    package init(json: Data) throws(PruningError) {
        struct Version: Decodable { let schemaVersion: Int }
        do {
            let version = try JSONDecoder().decode(Version.self, from: json).schemaVersion
            guard version == Self.schemaVersion else { throw PruningError.planVersion(version) }
            self = try JSONDecoder().decode(PrunePlan.self, from: json)
        } catch let error as PruningError {
            throw error
        } catch let error as DecodingError {
            throw .planUnreadable(error.explanation)
        } catch {
            throw .planUnreadable("\(error)")
        }
    }

    /// Takes the line breaks out of lists that hold nothing but numbers.
    private static func joiningNumberLists(_ text: String) -> String {
        var result = ""
        result.reserveCapacity(text.utf8.count)
        var isInString = false
        var isEscaped = false
        var list: String?
        for character in text {
            if isInString {
                result.append(character)
                if isEscaped {
                    isEscaped = false
                } else if character == "\\" {
                    isEscaped = true
                } else if character == "\"" {
                    isInString = false
                }
                continue
            }
            guard var pending = list else {
                if character == "[" { list = "[" } else { result.append(character) }
                if character == "\"" { isInString = true }
                continue
            }
            pending.append(character)
            switch character {
            case "]":
                let numbers = pending.dropFirst().dropLast().split(separator: ",")
                    .map { $0.filter { !$0.isWhitespace } }.filter { !$0.isEmpty }
                result += "[\(numbers.joined(separator: ", "))]"
                list = nil
            case "{", "\"", "[":
                // Not a list of numbers: as it was.
                result += character == "[" ? String(pending.dropLast()) : pending
                list = character == "[" ? "[" : nil
                isInString = character == "\""
            default: list = pending
            }
        }
        return result + (list ?? "")
    }
}
