import Testing

struct InspectTests {
    /// 4 x 1 x 3 x 3 weights at 64 positions; 6 x 4 x 3 x 3 at 9; 54 x 10 once.
    @Test func figuresAreRight() throws {
        let result = tool("inspect", Fixture.path("classifier.onnx"), "--json")
        #expect(result.code == 0, "\(result.error)")
        let document = try result.document()
        #expect(document["parameters"] as? Int == 40 + 222 + 550)
        #expect(document["macs"] as? Int == 36 * 64 + 216 * 9 + 540)
        #expect(document["sparsity"] as? Double == 0)
        let layers = try #require(document["layers"] as? [[String: Any]])
        #expect(layers.map { $0["name"] as? String } == ["conv1", "conv2", "fc"])
        #expect(layers.map { $0["op"] as? String } == ["Conv", "Conv", "Gemm"])
        #expect(layers.map { $0["parameters"] as? Int } == [40, 222, 550])
        let groups = try #require(document["groups"] as? [[String: Any]])
        let second = try #require(groups.first { $0["id"] as? String == "conv2.weight" })
        #expect(second["size"] as? Int == 6)
        let members = try #require(second["members"] as? [[String: Any]])
        #expect(members.map { $0["parameter"] as? String } == ["conv2.weight", "fc.weight", "conv2.bias"])
        #expect(members[1]["slicesPerChannel"] as? Int == 9)
    }

    @Test func zerosAreCounted() throws {
        let document = try tool("inspect", Fixture.path("changed.onnx"), "--json").document()
        #expect(document["nonzero"] as? Int == 40 + 222 + 550 - 270)
        let layers = try #require(document["layers"] as? [[String: Any]])
        #expect(layers.last?["effectiveMacs"] as? Int == 270)
        #expect(layers.last?["macs"] as? Int == 540)
    }

    @Test func whatIsNotUnderstoodIsNamed() throws {
        let result = tool("inspect", Fixture.path("opaque.onnx"), "--json")
        #expect(result.code == 0, "\(result.error)")
        let opaque = try #require(try result.document()["opaque"] as? [[String: Any]])
        #expect(opaque.first?["name"] as? String == "fancy")
        let table = tool("inspect", Fixture.path("opaque.onnx"), "--groups")
        #expect(table.output.contains("frozen"))
        #expect(table.output.contains("example.ops::Fancy"))
        #expect(table.output.contains("  block.conv1") || table.output.contains("  conv1.weight"))
    }

    @Test func openSizesAreAskedFor() throws {
        let open = tool("inspect", Fixture.path("open-size.onnx"))
        #expect(open.code == 1)
        #expect(open.error.contains("Nx3xHxW") && open.error.contains("--shape"))
        let given = tool("inspect", Fixture.path("open-size.onnx"), "--shape", "x=1x3x10x12", "--json")
        #expect(given.code == 0, "\(given.error)")
        #expect(try given.document()["macs"] as? Int == 4 * 3 * 9 * 8 * 10)
    }
}
