#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// The machine's memory, which bounds what is believed before it is allocated: an allocation that fails ends the process, and
/// a file of a hundred bytes may ask for any number of elements.
package enum PhysicalMemory {
    /// In bytes; without bound where the system does not tell.
    package static let byteCount: Int = {
        let (pages, pageSize) = (sysconf(Int32(_SC_PHYS_PAGES)), sysconf(Int32(_SC_PAGESIZE)))
        return pages > 0 && pageSize > 0 ? pages * pageSize : .max
    }()

    /// The end of a sentence about what takes so many bytes; nil if the machine has them.
    package static func problem(taking byteCount: Int) -> String? {
        guard byteCount > self.byteCount else { return nil }
        return "takes \(byteCount >> 20) MiB of memory, and this machine has \(self.byteCount >> 20) MiB"
    }
}
