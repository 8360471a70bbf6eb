import EspalierGraphs
import EspalierONNX
import EspalierTensors
import SwiftProtobuf
import Testing

struct ImportTests {
    @Test(arguments: DType.allCases) func everyTypeIsReadFromRawAndTypedData(dtype: DType) throws {
        for file in ["dtypes_raw", "dtypes_typed"] {
            let tensor = try Fixture.load(file).constant(dtype.rawValue)
            #expect(tensor.dtype == dtype)
            #expect(tensor.shape == [2, 3])
            let expected: [Double] = dtype == .bool ? [0, 1, 1, 1, 1, 1] : [0, 1, 2, 3, 4, 100]
            #expect(tensor.scalars(as: Double.self) == expected, "\(file)")
        }
    }

    @Test func extremeValuesScalarsAndEmptyTensorsAreRead() throws {
        let graph = try Fixture.load("signed")
        #expect(try graph.constant("int8").scalars(as: Int64.self) == [-128, -1, 127])
        #expect(try graph.constant("int16").scalars(as: Int64.self) == [-32768, 32767])
        #expect(try graph.constant("int64").scalars(as: Int64.self) == [.min, .max])
        #expect(try graph.constant("uint64").withUnsafeScalars(of: UInt64.self) { Array($0) } == [.max])
        let half = try graph.constant("float16").scalars(as: Float.self)
        #expect(half.prefix(2) == [.infinity, -.infinity])
        #expect(half[2].sign == .minus && half[2] == 0)
        #expect(half[3] == 0x1p-24)
        #expect(try graph.constant("sign_extended").scalars(as: Float.self) == [-2])
        #expect(try graph.constant("scalar").shape == [])
        #expect(try graph.constant("scalar").scalars(as: Float.self) == [2.5])
        #expect(try graph.constant("empty").shape == [0, 3])
    }

    @Test func constantNodesBecomeConstants() throws {
        let graph = try Fixture.load("constants")
        #expect(!graph.nodes.contains { $0.operatorName == OperatorName("Constant") })
        #expect(try graph.constant("tensor").shape == [1, 2])
        #expect(try graph.constant("tensor").scalars(as: Double.self) == [1, 2])
        #expect(try graph.constant("float").scalars(as: Float.self) == [1.5])
        #expect(try graph.constant("int").dtype == .int64)
        #expect(try graph.constant("int").scalars(as: Int64.self) == [-3])
        #expect(try graph.constant("floats").scalars(as: Float.self) == [0.5, 1])
        #expect(try graph.constant("ints").scalars(as: Int64.self) == [4, 5, 6])
        #expect(graph.names(graph.outputs).last == "direct")
    }

    @Test func externalDataAreReadAtTheirOffsets() throws {
        let graph = try Fixture.load("external")
        #expect(try graph.constant("weight").scalars(as: Float.self) == (0..<12).map(Float.init))
        #expect(try graph.constant("bias").scalars(as: Float.self) == [10, 20, 30])
        #expect(try graph.constant("scale").scalars(as: Float.self) == [1, 2, 3])
    }

    @Test func externalDataInSubgraphsAreTakenIn() throws {
        let node = try Fixture.load("external_subgraph").node("choose")
        guard case .opaque(let bytes)? = node.attributes["then_branch"] else {
            Issue.record("the branch is \(String(describing: node.attributes["then_branch"]))")
            return
        }
        let branch = try AttributeProto(serializedBytes: bytes).g
        #expect(branch.initializer.first?.hasDataLocation == false)
        #expect(branch.initializer.first?.rawData.count == 12)
        #expect(branch.initializer.first?.externalData.isEmpty == true)
    }

    @Test func declaredTypesKeepSymbols() throws {
        let graph = try Fixture.load("symbolic")
        #expect(
            graph.type("x")
                == ValueType(dtype: .float32, dimensions: [.symbolic("N"), .unknown, .fixed(8)]))
        #expect(graph.type("middle") == ValueType(dtype: .float32, dimensions: nil))
        #expect(graph.type("z") == ValueType(dtype: .float32, dimensions: [.symbolic("N"), .unknown]))
    }

    @Test func initializersListedAsInputsAreConstants() throws {
        let graph = try Fixture.load("old_ir3")
        #expect(graph.names(graph.inputs) == ["x"])
        #expect(try graph.constant("bias").scalars(as: Float.self) == [1, 2])
        #expect(graph.opsetVersions == ["": 7])
        #expect(graph.modelInformation.irVersion == 3)
    }

    @Test func subgraphsCaptureOuterValuesThroughAllLevels() throws {
        let graph = try Fixture.load("captured")
        let node = try graph.node("choose")
        #expect(Set(graph.names(node.capturedValues)) == ["x", "hidden", "second", "offset"])
        #expect(graph.consumers[try #require(graph.value(named: "offset")?.id)] == [node.id])
        // `outer_local` is read two levels down and defined one level down.
        #expect(graph.value(named: "outer_local") == nil)
        #expect(graph.modelInformation.reservedNames.contains("outer_local"))
        var patch = Patch(for: graph)
        let fresh = patch.newConstant("outer_local", Tensor(Float(1)))
        patch.append(.replaceUses(of: graph.outputs[0], with: fresh))
        #expect(try graph.applying(patch).name(of: fresh) == "outer_local_1")
    }

    @Test func unknownOperatorsKeepTheirAttributes() throws {
        let graph = try Fixture.load("unknown_domain")
        let node = try graph.node("mystery")
        #expect(node.operatorName == OperatorName("Mystery", domain: "com.example"))
        #expect(graph.names(node.inputs) == ["x", nil, "x"])
        #expect(graph.names(node.outputs) == ["y", nil])
        #expect(node.documentation == "nobody knows")
        guard case .int(-7)? = node.attributes["an_int"], case .float(0.5)? = node.attributes["a_float"],
            case .string(Array("text".utf8))? = node.attributes["a_string"],
            case .string([0xFF, 0xFE])? = node.attributes["bytes_string"],
            case .ints([1, -2, 3])? = node.attributes["ints"],
            case .floats([0.25, -1.5])? = node.attributes["floats"],
            case .strings([[97], [98]])? = node.attributes["strings"],
            case .tensor(let tensor)? = node.attributes["a_tensor"]
        else {
            Issue.record("\(node.attributes)")
            return
        }
        #expect(tensor.scalars(as: Int64.self) == [1, 2])
        for name in ["a_graph", "graphs", "a_sparse", "a_type", "a_string_tensor"] {
            guard case .opaque? = node.attributes[name] else {
                Issue.record("\(name) is \(String(describing: node.attributes[name]))")
                continue
            }
        }
        #expect(node.attributes.count == 13)
        #expect(node.unknownFields.contains(subsequence: "in the node"))
        #expect(node.unknownFields.contains(subsequence: "layer.3"))
        #expect(graph.modelInformation.unknownModelFields.contains(subsequence: "in the model"))
        #expect(graph.modelInformation.unknownGraphFields.contains(subsequence: "in the graph"))
    }

    @Test func stringsAreCarried() throws {
        let strings = try Fixture.load("strings")
        let words = try #require(strings.value(named: "words")?.id)
        #expect(strings.opaqueConstants[words]?.kind == .tensor)
        #expect(strings.constants.isEmpty)
        #expect(strings.nodes.filter { $0.operatorName.type == "Constant" }.count == 2)
        #expect(strings.type("y") == nil)
    }

    @Test func whatConcernsNoComputationIsKept() throws {
        let graph = try Fixture.load("information")
        let information = graph.modelInformation
        #expect(graph.metadata == ["author": "nobody", "mean": "0.5"])
        #expect(information.producerName == "espalier-fixtures")
        #expect(information.producerVersion == "1.2")
        #expect(information.domain == "org.example")
        #expect(information.modelVersion == 42)
        #expect(information.documentation == "about the model")
        #expect(information.graphDocumentation == "about the graph")
        #expect(information.unknownModelFields.contains(subsequence: "Twice"))
        #expect(information.unknownGraphFields.contains(subsequence: "SCALE_TENSOR"))
        #expect(graph.value(named: "weight")?.documentation == "all ones")
        #expect(graph.value(named: "h")?.documentation == "scaled")
        #expect(graph.value(named: "h")?.unknownFields.contains(subsequence: "hidden") == true)
        #expect(graph.opsetVersions == ["": 17, "local": 1])
    }

    @Test func nodesOutOfOrderAndLeftOutValuesAreRead() throws {
        let graph = try Fixture.load("optionals")
        #expect(graph.names(try graph.node("clip").inputs) == ["x", nil, "maximum"])
        #expect(graph.names(try graph.node("pool").outputs) == ["pooled", nil])
        let order = graph.nodes.map(\.name)
        #expect(order.firstIndex(of: "collect") ?? 9 < order.firstIndex(of: "pick") ?? 0)
        let list = try #require(graph.value(named: "list"))
        #expect(list.type == nil)
        #expect(list.opaqueType != nil)
    }

    @Test func tensorFilesAreRead() throws {
        let tensor = try ONNXTensorFile.load(Fixture.path("tensor.pb"))
        #expect(tensor.shape == [2, 3])
        #expect(tensor.scalars(as: Float.self) == [0, 1, 2, 3, 4, 5])
        #expect(try onnxError { _ = try ONNXTensorFile.load(Fixture.path("nowhere.pb")) }.file != nil)
    }
}

extension [UInt8] {
    func contains(subsequence text: String) -> Bool {
        let wanted = Array(text.utf8)
        return indices.contains { self[$0...].starts(with: wanted) }
    }
}
