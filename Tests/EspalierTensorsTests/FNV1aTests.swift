import EspalierTensors
import Testing

struct FNV1aTests {
    /// Vectors of the hash's authors.
    @Test(
        arguments: [("", "cbf29ce484222325"), ("a", "af63dc4c8601ec8c"), ("foobar", "85944171f73967e8")])
    func knownVectors(text: String, expected: String) {
        var hash = FNV1a()
        Array(text.utf8).withUnsafeBytes { hash.add($0) }
        #expect(hash.text == expected)
    }

    @Test func textsEndWhereTheyEnd() {
        var (one, other) = (FNV1a(), FNV1a())
        one.add("ab")
        one.add("c")
        other.add("a")
        other.add("bc")
        #expect(one.value != other.value)
    }
}
