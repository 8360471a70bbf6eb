import Foundation
import TestSupport
import Testing

/// The ONNX project's own node tests, run as a user's model is: imported, planned, fused, lowered.
///
/// Skipped where the cases are not installed, except under `make conformance`, which must have them.
@Suite struct OfficialTests {
    /// Set by `make conformance`.
    private static let isRequired = ProcessInfo.processInfo.environment["ESPALIER_CONFORMANCE"] != nil
    /// What the ONNX project's runner allows.
    private static let tolerance = Tolerance(relative: 1e-3, absolute: 1e-5)

    private static func isEnabled(_ source: OfficialCase.Source) -> Bool {
        source.isInstalled || isRequired
    }

    @Test(
        .enabled(if: isEnabled(.debian), "\(OfficialCase.Source.debian.hint)"),
        arguments: OfficialCase.covered(from: .debian))
    func installedCasePasses(_ official: OfficialCase) {
        check(official)
    }

    @Test(
        .enabled(if: isEnabled(.generated), "\(OfficialCase.Source.generated.hint)"),
        arguments: OfficialCase.covered(from: .generated))
    func generatedCasePasses(_ official: OfficialCase) {
        check(official)
    }

    private func check(_ official: OfficialCase) {
        let problems = official.problems(Self.tolerance)
        if let reason = OfficialExceptions.reason(for: official) {
            #expect(!problems.isEmpty, "\(official.testDescription) passes, but is listed: \(reason)")
        } else {
            #expect(
                problems.isEmpty, "\(official.testDescription): \(problems.joined(separator: "; "))")
        }
    }

    /// A filter that lets too little through would make the tests above pass for nothing.
    @Test(arguments: [(OfficialCase.Source.debian, 500), (.generated, 350)])
    func coveredCasesAreMany(source: OfficialCase.Source, atLeast count: Int) {
        guard Self.isEnabled(source) else { return }
        #expect(OfficialCase.covered(from: source).count >= count, "\(source.hint)")
    }

    @Test func everyExceptionIsACaseWithAReason() {
        let missing = OfficialCase.Source.allCases.filter { !$0.isInstalled }
        let names = Set(
            OfficialCase.Source.allCases.flatMap(OfficialCase.covered).map(\.testDescription))
        for (name, reason) in OfficialExceptions.listed {
            #expect(!reason.isEmpty, "\(name)")
            guard !missing.contains(where: { name.hasPrefix("\($0) ") }) else { continue }
            #expect(names.contains(name), "\(name) is listed, but is no case of a covered operator")
        }
    }
}
