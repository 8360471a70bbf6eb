import EspalierSearch
import Testing

struct ConditionTests {
    @Test func conditionsOfAllUnits() throws {
        let conditions = try Condition.parse(
            "accuracy-drop<=0.5% , latency <= 250us,macs<=0.5,lipschitz<=1.5e3,parameters<=.25")
        #expect(
            conditions == [
                Condition(.accuracyDrop, atMost: 0.005), Condition(.latency, atMost: 0.25),
                Condition(.multiplyAccumulates, atMost: 0.5), Condition(.lipschitz, atMost: 1500),
                Condition(.parameters, atMost: 0.25),
            ])
        #expect(try Condition.parse("latency<=2ms") == [Condition(.latency, atMost: 2)])
        #expect(try Condition.parse("  latency<=2e-3 s ") == [Condition(.latency, atMost: 2)])
        #expect(try Condition.parse("accuracy-drop<=-0.01")[0].bound == -0.01)
    }

    @Test func whatIsWrittenCanBeRead() throws {
        let text = "accuracy-drop<=0.005,latency<=2.5ms,lipschitz<=1e+30"
        let conditions = try Condition.parse(text)
        #expect(try Condition.parse(conditions.map(\.description).joined(separator: ",")) == conditions)
    }

    @Test func errorsSayWhatAndWhere() {
        let known = Objective.known.map(\.name)
        let cases: [(String, Int, ConditionError.Problem)] = [
            ("", 1, .unknownObjective("", known: known)),
            ("macs<=0.5,", 11, .unknownObjective("", known: known)),
            ("macs<=0.5, ,latency<=2ms", 12, .unknownObjective("", known: known)),
            ("macs<=0.5, lag<=2ms", 12, .unknownObjective("lag", known: known)),
            ("MACs<=0.5", 1, .unknownObjective("MACs", known: known)),
            ("latency<2ms", 8, .comparison("<")),
            ("latency >= 2ms", 9, .comparison(">=")),
            ("latency", 8, .comparison("")),
            ("latency 2ms", 9, .comparison("2ms")),
            ("latency<=", 10, .number("")),
            ("latency<= fast", 11, .number("fast")),
            ("macs<=nan", 7, .number("nan")),
            ("macs<=inf", 7, .number("inf")),
            ("macs<=1e999", 7, .number("1e999")),
            ("macs<=-", 7, .number("-")),
            ("macs<=.", 7, .number(".")),
            ("macs<=0x10", 8, .unit("x10", of: "macs", allowed: ["%", "no unit"])),
            ("macs<=1e", 8, .unit("e", of: "macs", allowed: ["%", "no unit"])),
            ("latency<=2", 11, .unit("", of: "latency", allowed: ["ms", "us", "s"])),
            ("latency<=2 min ,macs<=1", 12, .unit("min", of: "latency", allowed: ["ms", "us", "s"])),
            ("macs<=0.5 0.6", 11, .unit("0.6", of: "macs", allowed: ["%", "no unit"])),
            ("latency<=1e308s", 15, .unit("s", of: "latency", allowed: ["ms", "us", "s"])),
            ("macs<=0.5,macs<=0.4", 11, .repeated("macs")),
            ("größe<=1", 1, .unknownObjective("größe", known: known)),
        ]
        for (text, position, problem) in cases {
            let error = #expect(throws: ConditionError.self) { try Condition.parse(text) }
            #expect(error?.position == position, "\(text)")
            #expect(error?.problem == problem, "\(text)")
        }
    }

    @Test func messages() {
        let error = #expect(throws: ConditionError.self) {
            try Condition.parse("macs<=0.5,latency<=2", known: [.latency, .multiplyAccumulates])
        }
        #expect(
            error?.description
                == "'macs<=0.5,latency<=2', character 21: the unit is missing; latency takes ms, us, s")
        let unknown = #expect(throws: ConditionError.self) {
            try Condition.parse("lag<=2", known: [.latency, .multiplyAccumulates])
        }
        #expect(
            unknown?.description
                == "'lag<=2', character 1: there is no objective 'lag'; known are latency, macs")
    }
}
