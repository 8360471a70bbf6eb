import Foundation

/// How often the system took the processor from this process for somebody else's work.
///
/// On a machine that is busy otherwise, everything that takes longer than the system's time slice, some milliseconds, is
/// measured with its interruptions; shorter things mostly are not.
enum Interruptions {
    /// RUSAGE_SELF, which Swift sees in another type on each system.
    private static let thisProcess: Int32 = 0

    /// Since the process began.
    static var count: Int {
        var usage = rusage()
        getrusage(thisProcess, &usage)
        return Int(usage.ru_nivcsw)
    }
}
