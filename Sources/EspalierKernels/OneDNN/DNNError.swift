import COneDNN

/// What oneDNN refused, and why.
///
/// The message names the kind of primitive and the extents it was asked for. Whoever knows the node adds its name.
package struct DNNError: Error, Sendable, Hashable, CustomStringConvertible {
    package enum Reason: Sendable, Hashable {
        case outOfMemory
        /// The arguments contradict one another.
        case invalid
        /// The arguments make sense, but this version of oneDNN has no implementation for them: use another kernel.
        case unsupported
        case failed
    }

    package let reason: Reason
    package let message: String

    package init(_ reason: Reason, _ message: String) {
        self.reason = reason
        self.message = message
    }

    package var description: String { message }

    /// The calling thread's last failure in the C layer.
    static func last() -> DNNError {
        let reason: Reason =
            switch espalier_dnn_last_status() {
            case ESPALIER_DNN_OUT_OF_MEMORY: .outOfMemory
            case ESPALIER_DNN_INVALID: .invalid
            case ESPALIER_DNN_UNSUPPORTED: .unsupported
            default: .failed
            }
        return DNNError(reason, String(cString: espalier_dnn_last_message()))
    }
}
