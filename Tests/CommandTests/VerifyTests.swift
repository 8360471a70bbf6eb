import Testing

struct VerifyTests {
    @Test(arguments: ["one-sample.onnx", "classifier.onnx"])
    func sameNetworksAgree(other: String) throws {
        let result = tool("verify", Fixture.path("classifier.onnx"), Fixture.path(other), "--json")
        #expect(result.code == 0, "\(result.error)")
        let document = try result.document()
        #expect(try #require(document["maxAbsoluteDifference"] as? Double) < 1e-5)
        #expect(document["samples"] as? Int == 16)
    }

    @Test(arguments: [
        [], ["--data", "digits"], ["--input", Fixture.path("prepared.npz")], ["--data", "random"],
    ])
    func differenceFails(inputs: [String]) throws {
        let models = ["verify", Fixture.path("classifier.onnx"), Fixture.path("changed.onnx")]
        let result = tool(models + inputs + ["--json"])
        #expect(result.code == 1)
        #expect(result.error.contains("the models differ"))
        let difference = try #require(try result.document()["maxAbsoluteDifference"] as? Double)
        #expect(difference > 1e-3)
        #expect(tool(models + inputs + ["--tolerance", "10"]).code == 0)
    }

    @Test func openShapesMustBeGiven() {
        let model = Fixture.path("open-size.onnx")
        let open = tool("verify", model, model)
        #expect(open.code == 1)
        #expect(open.error.contains("'x' is declared as Nx3xHxW"))
        #expect(tool("verify", model, model, "--shape", "x=2x3x9x7").code == 0)
        #expect(tool("verify", model, model, "--shape", "x=2x4x9x7").error.contains("does not fit"))
        #expect(tool("verify", model, model, "--shape", "z=2x3x9x7").error.contains("no input 'z'"))
        for wrong in ["x", "x=", "x=2xy", "x=0x3", "x=-1x3", "x=99999999999x99999999999"] {
            #expect(tool("verify", model, model, "--shape", wrong).code == 64, "\(wrong)")
        }
    }

    @Test func networksThatCannotBeComparedAreRefused() {
        let interfaces = tool("verify", Fixture.path("classifier.onnx"), Fixture.path("two-inputs.onnx"))
        #expect(interfaces.code == 1)
        #expect(interfaces.error.contains("1 and 2 inputs"))
        let opaque = tool("verify", Fixture.path("opaque.onnx"), Fixture.path("opaque.onnx"))
        #expect(opaque.code == 1)
        #expect(opaque.error.contains("node 'fancy'"))
    }
}
