import EspalierKernels
import EspalierOperators
import EspalierTensors

/// Names a buffer of one program.
package struct BufferID: Hashable, Sendable {
    let index: Int
}

/// A piece of memory that steps of a program read and write.
struct Buffer {
    enum Place {
        /// In the arena, for as long as it is used.
        case arena
        /// In the arena, from the start to the end: results, packed constants, what the caller writes.
        case persistent
        /// Memory owned elsewhere: a constant's tensor, the parameters of a training session.
        case external(UnsafeMutableRawPointer)
    }

    var byteCount: Int
    var place: Place
    var layout: Layout
    /// The object that keeps external memory alive.
    var owner: AlignedStorage?
}

/// One kernel with the buffers it is bound to.
struct Step {
    var kernel: any Kernel
    var inputs: [BufferID?]
    var outputs: [BufferID?]
    var workspace: BufferID?
    /// What it belongs to, for profiles.
    var subject: StepSubject
    /// The same for people.
    var label: String
    /// How its weights are kept, if there were several ways.
    var format: KernelFormat?
    /// The team that its kernel was made for; nil for all of the lane's threads.
    var threads: Int?
    /// Runs once when the program is made: its inputs are constants.
    var isPreparation = false

    func run() {
        ThreadTeam.with(threads ?? ThreadTeam.count) { kernel.run() }
    }
}
