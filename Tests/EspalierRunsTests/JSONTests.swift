import EspalierRuns
import Foundation
import Testing

struct JSONTests {
    private func parse(_ text: String) throws -> JSONValue { try JSONValue(parsing: Array(text.utf8)) }

    @Test(arguments: [
        (#"{"b": 1, "a": [true, null, "x"]}"#, #"{"a":[true,null,"x"],"b":1}"#),
        ("1.0", "1"), ("-0.0", "0"), ("0.1", "0.1"), ("1e-7", "1e-07"),
        ("18446744073709551615", "18446744073709551615"),
        ("9223372036854775807", "9223372036854775807"), (#""\u0001\n\"é/""#, "\"\\u0001\\n\\\"é/\""),
        (#"{"é": 1, "z": 2, "B": 3}"#, #"{"B":3,"z":2,"é":1}"#), ("[]", "[]"), ("{}", "{}"),
    ])
    func canonicalText(text: String, canonical: String) throws {
        let value = try parse(text)
        #expect(value.canonicalText == canonical)
        #expect(try parse(canonical) == value)
    }

    @Test func booleansAreNotNumbers() throws {
        #expect(try parse("[true, 1, false, 0]") == [true, 1, false, 0])
    }

    /// Every double comes back to the bit.
    @Test(arguments: [UInt64(7)])
    func numbersSurvive(seed: UInt64) throws {
        var bits = seed
        for _ in 0..<2_000 {
            bits = bits &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let number = Double(bitPattern: bits)
            guard number.isFinite else { continue }
            #expect(try parse(JSONValue(number).canonicalText).decoded(as: Double.self) == number)
        }
    }

    @Test func documentsAreKeptWhole() throws {
        var original = record("train", seed: .max, accuracy: 0.1 + 0.2)
        original.loss = .nan
        original.epochs = [.init(epoch: 1, trainingLoss: .infinity, learningRate: 1e-3, seconds: 1)]
        let value = try JSONValue(encoding: original)
        let back = try parse(value.canonicalText).decoded(as: RunRecord.self)
        #expect(back.seed == .max && back.accuracy == 0.1 + 0.2 && back.loss?.isNaN == true)
        #expect(back.epochs?.first?.trainingLoss == .infinity)
    }

    @Test func documentsAreFound() {
        let text = """
            {"a": "}{",
              "b": [1, 2]}
            {"c": "\\"\\\\"}{"d": 1}

            nonsense [1
            """
        let documents = JSONText.documents(in: Array(text.utf8))
        #expect(documents.map(\.line) == [1, 3, 3, 5, 5])
        #expect(
            documents.map { String(decoding: $0.bytes, as: UTF8.self) }
                == [
                    "{\"a\": \"}{\",\n  \"b\": [1, 2]}", "{\"c\": \"\\\"\\\\\"}", "{\"d\": 1}", "nonsense",
                    "[1",
                ])
    }

    /// What decides whether results are used again must not depend on the order in which it was written down.
    @Test func experimentsAreToldApart() throws {
        var other = experiment
        #expect(other.hash == experiment.hash)
        other.configuration = try parse(#"{"epochs": 3.0}"#)
        #expect(other.hash == experiment.hash)
        other.configuration = ["epochs": 4]
        #expect(other.hash != experiment.hash)
        other = experiment
        other.codeVersion = "2"
        #expect(other.hash != experiment.hash)
        other = experiment
        other.dataFingerprint = "abd"
        #expect(other.hash != experiment.hash)
    }
}
