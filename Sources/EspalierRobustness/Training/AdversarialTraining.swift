import EspalierExecution
import EspalierGraphs
import EspalierKernels
import EspalierTensors
package import EspalierTraining

/// Training on samples that were changed so that the network does worst, instead of on the samples themselves:
/// min over weights of the mean of max over changes of at most a radius of the loss (Madry, Makelov, Schmidt, Tsipras & Vladu 2018).
///
/// Changes are measured in l-infinity and in the units of ``InputUnits``: preparation is a part of the network. The inner maximum
/// is approached by steps along the signs of the loss's exact gradient by the samples, from a random start and always within the
/// radius and within what samples can be. With one step this is fast adversarial training (Wong, Rice & Kolter 2020).
///
/// What is maximised is the loss against the labels. A teacher of a ``EspalierTraining/Distillation`` sees the samples as they are,
/// and the network learns to say the same of the changed ones (Goldblum, Fowl, Feizi & Goldstein 2020).
package struct AdversarialTraining: Regularization, Hashable {
    /// The largest change of any value.
    package var radius: Double
    /// Gradients for each batch.
    package var steps: Int

    /// As many as Madry et al. take to train.
    package static let usualSteps = 7

    /// - Precondition: both are positive.
    package init(radius: Double, steps: Int = usualSteps) {
        precondition(radius > 0 && steps > 0)
        self.radius = radius
        self.steps = steps
    }

    package var identity: String { "adversarial training, radius \(radius), \(steps) steps" }

    /// The length of a step, in radii. Several go farther in sum than any change may, so that they can leave a bad start. A
    /// single one of that length would land in a corner of the box, whatever the start, which networks learn to exploit (Wong et
    /// al.).
    var stepShare: Float { steps == 1 ? 1.25 : 2.5 / Float(steps) }

    package func makeHook() -> any StepHook { AdversarialSamples(self) }
}

/// Replaces the samples of each step by adversarial ones.
///
/// Gradients are those of the network as it will be used: batch norm with its stored statistics, dropout without effect. So a
/// sample is not changed for what others of the batch do, and statistics learn from samples that are trained on alone. That is
/// why the step's own program does not serve; the one that does shares its parameters, and computes no gradients by them.
final class AdversarialSamples: StepHook {
    private let settings: AdversarialTraining
    private var attack: Maximization?

    /// What approaches the inner maximum.
    private struct Maximization {
        let pass: GradientPass
        let boxes: PerturbationBoxes
        let inputName: String
        let loss: any Loss
    }

    init(_ settings: AdversarialTraining) {
        self.settings = settings
    }

    var identity: String { settings.identity }

    func willCompute(_ run: TrainingRun) throws {
        guard let batch = run.batchUnderWay else { return }
        let attack = try attack ?? prepare(run)
        self.attack = attack
        let session = try attack.pass.feed(batch, of: run.batcher)
        guard let samples = session.input(attack.inputName),
            let target = run.inputUnderWay(attack.inputName)
        else {
            throw TrainingError.mismatch(
                "adversarial training: the input '\(attack.inputName)' does not hold float32 numbers")
        }
        attack.boxes.surround(samples, radius: settings.radius)
        // By the number of the step: a resumed run draws what an uninterrupted one would.
        var random = RandomSource(seed: run.recipe.seed).split("adversarial start").split(run.stepsDone)
        attack.boxes.scatter(samples, random: &random)
        for _ in 0..<settings.steps {
            try session.forward()
            try attack.pass.writeGradient(of: attack.loss, batch, of: run.batcher, in: session)
            try session.backward()
            guard let gradient = session.inputGradient(attack.inputName) else {
                throw TrainingError.mismatch(
                    "adversarial training: the loss does not depend on '\(attack.inputName)'")
            }
            attack.boxes.step(samples, along: gradient, share: settings.stepShare)
        }
        _ = target.update(fromContentsOf: samples)
    }

    private func prepare(_ run: TrainingRun) throws -> Maximization {
        guard run.graph.inputs.count == 1, let input = run.graph.inputs.first else {
            throw TrainingError.mismatch("adversarial training needs a network with one input")
        }
        if case .none = run.training.labels {
            throw TrainingError.mismatch(
                "adversarial training needs labels, which \(run.training.name) does not have")
        }
        let pass = try GradientPass(
            run.graph, dataset: run.training, output: run.output, parameters: run.store,
            threads: run.lane.threads, gradients: false, inputGradients: true)
        let hard = (run.recipe.loss as? Distillation)?.hard ?? run.recipe.loss
        return Maximization(
            pass: pass,
            boxes: PerturbationBoxes(InputUnits(run.training), batchSize: run.batcher.batchSize),
            inputName: run.graph.name(of: input), loss: hard)
    }
}
