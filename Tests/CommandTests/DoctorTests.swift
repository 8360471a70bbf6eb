import Espalier
import EspalierKernels
import Testing

struct DoctorTests {
    @Test func documentTellsWhatIsThere() throws {
        let result = tool("doctor", "--json")
        #expect(result.code == 0)
        let document = try result.document()
        #expect(document["version"] as? String == EspalierVersion.current)
        let library = try #require(document["oneDNN"] as? [String: Any])
        #expect(library["version"] as? String == DNNLibrary.version)
        let data = try #require(document["data"] as? [[String: Any]])
        #expect(data.map { $0["name"] as? String } == ["digits", "fashion-mnist"])
        #expect(data[0]["problem"] == nil)
        let missing = try #require(document["missing"] as? [String])
        #expect(missing.isEmpty == (data[1]["problem"] == nil) || !missing.isEmpty)
    }

    @Test func tableIsForPeople() {
        let result = tool("doctor")
        #expect(result.code == 0)
        #expect(result.output.contains("oneDNN"))
        #expect(result.output.contains("data digits"))
    }
}
