#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A lock on a file, held until this object goes or the process ends, however it ends.
///
/// The kernel releases it, so a killed process leaves nothing behind that would have to be told from a living one:
/// no process numbers that are given again, no heartbeats, no clock. It holds between the lanes of one process as well
/// as between processes, because it belongs to the open file.
package final class FileLock: Sendable {
    private let descriptor: Int32

    private init(descriptor: Int32) {
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    /// The lock on the file at `path`, which is made if there is none; nil if another holder has it.
    ///
    /// - Throws: ``StoreError`` `missing` if its folder is not there, `notWritable` if the file cannot be made, `system`
    ///   where the file system has no locks.
    package static func acquire(_ path: String) throws(StoreError) -> FileLock? {
        // Closed in programs that this one starts, which would hold the lock on.
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            let code: StoreError.Code = errno == ENOENT ? .missing : .notWritable
            throw StoreError(code, path, "cannot make this lock file: \(String(cString: strerror(errno)))")
        }
        let lock = FileLock(descriptor: descriptor)
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            switch errno {
            case EINTR: continue
            case EWOULDBLOCK: return nil
            default:
                throw StoreError(
                    .system, path,
                    "cannot lock this file: \(String(cString: strerror(errno))); keep the store on a local disk"
                )
            }
        }
        return lock
    }

    /// Whether somebody holds the lock at this moment. Makes no file.
    package static func isHeld(_ path: String) -> Bool {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return flock(descriptor, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK
    }
}
