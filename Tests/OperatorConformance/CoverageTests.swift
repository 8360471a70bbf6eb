import EspalierGraphs
import EspalierOperators
import EspalierTensors
import Testing

/// The suite is only as good as its cases: every operator has one, and every capability it declares is exercised.
@Suite struct CoverageTests {
    @Test func everyNameInTheCatalogHasACase() {
        let tested = Set(ConformanceCase.all.map(\.operatorName))
        for type in Catalog.operators {
            for schema in type.schemas {
                #expect(tested.contains(schema.name), "no case for \(schema.name)")
            }
        }
    }

    @Test func casesHaveNamesOfTheirOwn() {
        let names = ConformanceCase.all.map(\.name)
        #expect(Dictionary(grouping: names) { $0 }.filter { $1.count > 1 }.keys.sorted() == [])
    }

    @Test func everyDeclaredCapabilityIsExercised() throws {
        var exercised: [ObjectIdentifier: Set<String>] = [:]
        for source in ConformanceCase.all {
            let prepared = try PreparedCase(source)
            let key = ObjectIdentifier(type(of: prepared.operation))
            exercised[key, default: []].formUnion(try prepared.exercisedCapabilities())
        }
        for type in Catalog.operators {
            let missing = Self.declaredCapabilities(of: type)
                .subtracting(exercised[ObjectIdentifier(type)] ?? [])
            #expect(missing.isEmpty, "\(type): no case exercises \(missing.sorted().joined(separator: ", "))")
        }
    }

    static func declaredCapabilities(of type: any Operator.Type) -> Set<String> {
        var result: Set<String> = []
        if type is any AxisLinking.Type { result.insert("AxisLinking") }
        if type is any Lowering.Type { result.insert("Lowering") }
        if type is any Differentiable.Type { result.insert("Differentiable") }
        if type is any PerSampleSquares.Type { result.insert("PerSampleSquares") }
        if type is any Epilogue.Type { result.insert("Epilogue") }
        if type is any EpilogueAccepting.Type { result.insert("EpilogueAccepting") }
        if type is any ChannelAffine.Type { result.insert("ChannelAffine") }
        if type is any ChannelAffineFolding.Type { result.insert("ChannelAffineFolding") }
        if type is any BoundPropagating.Type { result.insert("BoundPropagating") }
        return result
    }
}

extension PreparedCase {
    /// The capabilities on which a check of this case compares something.
    func exercisedCapabilities() throws(OperatorError) -> Set<String> {
        var result: Set<String> = []
        let frozen = (operation as? any AxisLinking)?.axisLinks(signature).frozen ?? []
        if !cuttableClasses().isEmpty || !frozen.isEmpty { result.insert("AxisLinking") }
        if let lowering = operation as? any Lowering, isSinglePrecision {
            let context = LoweringContext(
                signature: signature, inputLayouts: signature.inputs.map { _ in .plain }, phase: .inference,
                threads: 1)
            if try lowering.lowerIfSupported(context) != nil { result.insert("Lowering") }
        }
        if isSinglePrecision, !differentiableInputs.isEmpty {
            if operation is any Differentiable { result.insert("Differentiable") }
            if operation is any PerSampleSquares, differentiableInputs.contains(where: isParameter) {
                result.insert("PerSampleSquares")
            }
            if let accepting = operation as? any EpilogueAccepting, !acceptedSteps(accepting).isEmpty {
                result.insert("EpilogueAccepting")
            }
        }
        if (operation as? any Epilogue)?.epilogueStep(signature) != nil { result.insert("Epilogue") }
        if (operation as? any ChannelAffine)?.channelAffine(signature) != nil {
            result.insert("ChannelAffine")
        }
        let channels = signature.outputShape().rank > 1 ? signature.outputShape()[1] : 0
        let ones = [Double](repeating: 1, count: channels)
        if (operation as? any ChannelAffineFolding)?
            .folding(scale: ones, shift: ones, signature: signature) != nil
        {
            result.insert("ChannelAffineFolding")
        }
        if try boundPropagation() != nil { result.insert("BoundPropagating") }
        return result
    }
}
