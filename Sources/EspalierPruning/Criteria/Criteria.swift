/// All criteria, one line each; nothing else in the package lists them.
package enum Criteria {
    package static let all: [any Criterion.Type] = [
        Magnitude.self,
        MagnitudeL1.self,
        LayerAdaptiveMagnitude.self,
        EmpiricalFisher.self,
        FirstOrderTaylor.self,
        TrueFisher.self,
        SampledFisher.self,
        OutputSensitivity.self,
        ProbedSensitivity.self,
        OptimalBrainDamage.self,
        AbsoluteTaylor.self,
        Snip.self,
        GraSP.self,
        SynFlow.self,
        WoodFisher.self,
        Movement.self,
        JourneySaliency.self,
        Wanda.self,
        GeometricMedianDistance.self,
        NormalizationScale.self,
        AveragePercentageOfZeros.self,
        FiringProbability.self,
        FeatureMapRank.self,
        RandomScores.self,
    ]

    /// The criterion called `id`.
    ///
    /// - Throws: ``PruningError/unknownCriterion(_:known:)``.
    package static func criterion(_ id: String, seed: UInt64 = 0) throws(PruningError) -> any Criterion {
        for type in all where type.information.id == id { return type.init(seed: seed) }
        throw .unknownCriterion(id, known: all.map { $0.information.id })
    }
}
