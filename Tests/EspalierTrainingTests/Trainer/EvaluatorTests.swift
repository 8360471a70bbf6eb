import EspalierKernels
import EspalierTensors
import EspalierTraining
import Testing

struct EvaluatorTests {
    @Test(arguments: [1, 7, 64, 100, 1000])
    func theBatchSizeDoesNotMatter(batchSize: Int) throws {
        let graph = try TrainingFixtures.network()
        let data = try TrainingFixtures.blobs(100, seed: 1)
        let lane = try Lane(threads: 1)
        let reference = try Evaluator(graph, batchSize: 10, lane: lane).evaluate(data)
        let found = try Evaluator(graph, batchSize: batchSize, lane: lane).evaluate(data)
        #expect(found.value.count == 100)
        #expect(found.value.correct == reference.value.correct)
        #expect(abs(found.value.mean - reference.value.mean) < 1e-6)
        #expect(found.predictions == reference.predictions)
    }

    @Test func predictionsAndAccuracyAgree() throws {
        let data = try TrainingFixtures.blobs(90, seed: 1)
        let evaluation = try Evaluator(TrainingFixtures.network(), lane: Lane(threads: 1)).evaluate(data)
        guard case .classes(let classes, _) = data.labels else { return }
        #expect(zip(classes, evaluation.predictions).count { $0 == $1 } == evaluation.value.correct)
    }

    @Test func unlabelledDataNeedATeacher() throws {
        let data = try TrainingFixtures.blobs(20, seed: 1, labelled: false)
        let graph = try TrainingFixtures.network()
        let lane = try Lane(threads: 1)
        #expect(throws: TrainingError.self) { try Evaluator(graph, lane: lane).evaluate(data) }
        let same = try Evaluator(graph, lane: lane).evaluate(
            data, loss: Distillation(), teacher: Evaluator(graph, lane: lane))
        #expect(abs(same.value.mean) < 1e-9 && same.value.accuracy == nil)
    }

    @Test func regressionIsMeasuredInSquares() throws {
        let values = Tensor(shape: [4, 8], scalars: (0..<32).map { Float($0 % 5) })
        let targets = Tensor(zeros: [4, 3])
        let data = try Dataset(
            name: "regression", inputs: [.init(name: "x", values: values)], labels: .targets(targets))
        let evaluation = try Evaluator(TrainingFixtures.network(), lane: Lane(threads: 1)).evaluate(data)
        #expect(evaluation.value.mean > 0 && evaluation.value.accuracy == nil)
    }
}
