import EspalierKernels
import EspalierPruning
import EspalierTraining

/// Why a network was not pruned, or not written.
public struct PruningFailure: Error, Sendable, Hashable, CustomStringConvertible {
    /// What kind of failure it is.
    public enum Code: Sendable, Hashable {
        /// What was asked for makes no sense, or not for this network.
        case invalidRequest
        /// No plan goes as far as the targets ask.
        case outOfReach
        /// A criterion needs samples, or other ones.
        case evidence
        /// The repair cannot train the network on these samples, or diverged.
        case training
        /// What was cut, or read back from a file, computes something else.
        case verification
        /// The caller ended it.
        case cancelled
        /// The system gives no thread, or oneDNN refuses a layer.
        case system
    }

    /// For programs.
    public let code: Code
    /// What happened, for people.
    public let description: String

    init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }

    /// What `body` does, with errors of the package's own in terms of this type. Public errors pass through.
    static func telling<Value>(_ body: () throws -> Value) throws -> Value {
        do { return try body() } catch let error as PruningError {
            throw PruningFailure(error.code, "\(error)")
        } catch let error as TrainingError {
            throw PruningFailure(.training, "\(error)")
        } catch let error as ModelFileError {
            throw PruningFailure(error.code, "\(error)")
        } catch let error as ModelInputError {
            throw PruningFailure(.invalidRequest, "\(error)")
        } catch let error as LaneError {
            throw PruningFailure(.system, "\(error)")
        } catch let error as DNNError {
            throw PruningFailure(.system, "\(error)")
        }
    }
}

extension PruningError {
    fileprivate var code: PruningFailure.Code {
        switch self {
        case .infeasible, .tooInaccurate: .outOfReach
        case .missingEvidence, .scoreNotANumber: .evidence
        case .surgery: .verification
        default: .invalidRequest
        }
    }
}

extension ModelFileError {
    fileprivate var code: PruningFailure.Code {
        switch self {
        case .wouldOverwriteInput: .invalidRequest
        case .differs: .verification
        }
    }
}
