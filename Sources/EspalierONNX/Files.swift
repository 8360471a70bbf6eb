import EspalierTensors

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A file opened for reading; closed when dropped.
///
/// Only regular files are accepted: opening a pipe would wait for its writer, and a device has no size to check
/// claims against.
struct ReadableFile: ~Copyable {
    private let descriptor: Int32
    let byteCount: Int

    init(path: String) throws(ONNXError) {
        // A C string ends at its first zero byte: what was checked and what is opened would differ.
        guard !path.utf8.contains(0) else { throw ONNXError(.unreadable("its name contains a zero byte")) }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw ONNXError(.unreadable(lastSystemError())) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            let message = lastSystemError()
            close(descriptor)
            throw ONNXError(.unreadable(message))
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw ONNXError(.unreadable("it is not a regular file"))
        }
        self.descriptor = descriptor
        byteCount = Int(status.st_size)
    }

    deinit { close(descriptor) }

    /// Fills `destination` with the bytes from `offset` on.
    func read(into destination: UnsafeMutableRawBufferPointer, at offset: Int) throws(ONNXError) {
        guard let base = destination.baseAddress else { return }
        var done = 0
        while done < destination.count {
            let count = pread(descriptor, base + done, destination.count - done, off_t(offset + done))
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw ONNXError(.unreadable(lastSystemError())) }
            guard count > 0 else { throw ONNXError(.unreadable("it became shorter while it was read")) }
            done += count
        }
    }

    /// The bytes from `offset` on, which must lie inside the file, read when they are used; nil if they can only be read at once.
    func mapped(at offset: Int, count: Int) -> AlignedStorage? {
        AlignedStorage(file: descriptor, at: offset, byteCount: count)
    }

    /// `count` bytes from `offset` on, which must lie inside the file.
    func bytes(at offset: Int, count: Int) throws(ONNXError) -> [UInt8] {
        var failure: ONNXError?
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            do throws(ONNXError) {
                let exact = UnsafeMutableBufferPointer(rebasing: buffer[..<count])
                try read(into: UnsafeMutableRawBufferPointer(exact), at: offset)
                initialized = count
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return bytes
    }
}

/// A temporary file beside the one it is to become, so that renaming it is atomic. Removed when dropped before
/// ``commit()``.
final class TemporaryFile {
    let path: String
    let destination: String
    private var descriptor: Int32
    private var isCommitted = false

    init(for destination: String) throws(ONNXError) {
        guard !destination.utf8.contains(0) else {
            throw ONNXError(.unwritable("its name contains a zero byte"))
        }
        let (folder, name) = splitPath(destination)
        guard !name.isEmpty else { throw ONNXError(.unwritable("it has no file name")) }
        var generator = SystemRandomNumberGenerator()
        let suffix = String(generator.next(), radix: 36)
        let path = "\(folder)/.\(name).\(suffix).tmp"
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw ONNXError(.unwritable(lastSystemError())) }
        self.path = path
        self.destination = destination
        self.descriptor = descriptor
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
        if !isCommitted { unlink(path) }
    }

    /// Writes all of `source` at `offset`; a gap before it reads as zeros.
    func write(_ source: UnsafeRawBufferPointer, at offset: Int) throws(ONNXError) {
        guard let base = source.baseAddress else { return }
        var done = 0
        while done < source.count {
            let count = pwrite(descriptor, base + done, source.count - done, off_t(offset + done))
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw ONNXError(.unwritable(lastSystemError())) }
            done += count
        }
    }

    func write(_ bytes: [UInt8]) throws(ONNXError) {
        var failure: ONNXError?
        bytes.withUnsafeBytes { buffer in
            do throws(ONNXError) { try write(buffer, at: 0) } catch { failure = error }
        }
        if let failure { throw failure }
    }

    /// Waits until the bytes are on the disk, and closes the file.
    func finishWriting() throws(ONNXError) {
        guard fsync(descriptor) == 0 else { throw ONNXError(.unwritable(lastSystemError())) }
        let result = close(descriptor)
        descriptor = -1
        guard result == 0 else { throw ONNXError(.unwritable(lastSystemError())) }
    }

    /// Gives the file its name, replacing one that had it.
    func commit() throws(ONNXError) {
        guard rename(path, destination) == 0 else { throw ONNXError(.unwritable(lastSystemError())) }
        isCommitted = true
        // The rename itself survives a power cut only once the folder is on the disk; not every file system
        // supports that, and the file is complete either way.
        let folder = open(splitPath(destination).folder, O_RDONLY | O_CLOEXEC)
        if folder >= 0 {
            _ = fsync(folder)
            close(folder)
        }
    }
}

/// The folder ("." if none is named) and the last component of a path.
func splitPath(_ path: String) -> (folder: String, name: String) {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return (".", path) }
    let folder = slash == path.startIndex ? "/" : String(path[..<slash])
    return (folder, String(path[path.utf8.index(after: slash)...]))
}

/// The absolute path with symbolic links followed, or nil if it does not exist.
func resolvedPath(_ path: String) -> String? {
    guard let resolved = realpath(path, nil) else { return nil }
    defer { free(resolved) }
    return String(cString: resolved)
}

private func lastSystemError() -> String {
    String(cString: strerror(errno))
}
