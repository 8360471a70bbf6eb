import EspalierArchives
import EspalierExecution
import EspalierTensors

/// Reads a checkpoint's arrays, each checked against what the run expects.
struct CheckpointReader {
    let archive: NpzArchive
    let path: String

    /// - Parameter shape: what it must have; nil for any.
    func tensor(_ name: String, shape: Shape? = nil) throws(TrainingError) -> Tensor {
        let tensor: Tensor
        do throws(ArchiveError) {
            tensor = try archive.tensor(name)
        } catch {
            throw .checkpoint("\(error)")
        }
        if let shape, tensor.shape != shape {
            throw .checkpoint("'\(path)': '\(name)' has shape \(tensor.shape), expected \(shape)")
        }
        return tensor
    }

    /// The arrays `prefix/NAME` of all entries at their places in a flat array.
    func flat(
        _ prefix: String, _ entries: [ParameterStore.Entry], extent: Int
    ) throws(TrainingError) -> [Float] {
        var values = [Float](repeating: 0, count: extent)
        for entry in entries {
            let name = "\(prefix)/\(entry.name)"
            let tensor = try tensor(name, shape: entry.shape)
            guard tensor.dtype == .float32 else {
                throw .checkpoint("'\(path)': '\(name)' holds \(tensor.dtype.rawValue), expected float32")
            }
            values.replaceSubrange(entry.range, with: tensor.scalars(as: Float.self))
        }
        return values
    }
}
