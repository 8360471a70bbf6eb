// A program that uses the library from outside of the package: compiled by `make client`, not run.

import Espalier

let path = "dense.onnx"
let dense = try ONNXModel.load(from: path)
var pruning = Pruning(.channel, to: [.multiplyAccumulates(0.5)])
pruning.repair?.epochs = 1
pruning.repair?.schedule = .cubic
let samples = try Pruning.Samples(.digits, for: dense)
let pruned = try pruning.run(dense, on: samples) { event in
    if case .epoch(let epoch) = event { print(epoch.epoch, epoch.validationAccuracy ?? 0) }
}
do {
    try pruned.write(to: "slim.onnx", protecting: path, options: ONNXExportOptions())
} catch let failure as PruningFailure where failure.code == .verification {
    print(failure)
}
print(pruned.before.accuracy ?? 0, pruned.after.accuracy ?? 0, pruned.layers.map(\.name))
let session = try InferenceSession(graph: pruned.graph, options: .init().forThisMachine())
print(session.inputTypes)
let preparation = try Preprocessing(recordedIn: dense) ?? .identity
let prepared = try preparation.apply(to: Tensor(zeros: [1, 1, 8, 8]))
print(try session.run(["x": prepared]).keys)
let comparison = try OutputComparison(dense, pruned.graph, inputs: ["x": prepared])
print(comparison.relativeDifference, Pruning.criteria, Pruning.scopes)
