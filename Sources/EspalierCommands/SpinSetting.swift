#if canImport(Glibc)
    import Glibc
#endif

/// Limits how long OpenMP's threads spin after a parallel region.
///
/// libgomp spins for milliseconds, during which the next serial step, or another lane, has one core less; and it
/// reads its setting only when it is loaded. So the program starts itself over once with the setting made.
package enum SpinSetting {
    /// libgomp's environment variable.
    static let variable = "GOMP_SPINCOUNT"
    /// Long enough to catch the next region of a plan, short enough not to be felt (tens of microseconds).
    static let count = "30000"

    /// Starts the program over unless the variable is set, or `OMP_WAIT_POLICY`, by which a user says the same.
    ///
    /// Must come before anything that would have to be done only once.
    package static func ensure() {
        #if os(Linux)
            guard getenv(variable) == nil, getenv("OMP_WAIT_POLICY") == nil else { return }
            setenv(variable, count, 1)
            // By its real path, or process lists would call it "exe".
            var path = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
            guard readlink("/proc/self/exe", &path, Int(PATH_MAX)) > 0 else { return }
            // If this fails the program simply goes on with libgomp's own setting.
            execv(path, CommandLine.unsafeArgv)
        #endif
    }
}
