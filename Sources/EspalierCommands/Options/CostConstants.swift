import Espalier
import EspalierEfficiency
import EspalierKernels

/// The cost model of this machine, as commands find it.
enum CostConstants {
    /// From the user's cache folder, or measured and kept there.
    ///
    /// - Throws: ``DNNError``.
    static func found(lane: Lane, recalibrates: Bool, console: Console) throws -> CalibrationStore.Found {
        let store = CalibrationStore.standard
        let found = try store.model(for: .current(threads: lane.threads), recalibrates: recalibrates) {
            () throws(DNNError) in
            console.status("measuring the constants of the cost model, once for this machine")
            return try lane.run { () throws(DNNError) in try KernelCalibration.measured() }
        }
        if let problem = found.problem {
            console.status("note: the constants are not kept for the next time: \(problem)")
        }
        return found
    }
}
