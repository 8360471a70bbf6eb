import EspalierArchives
import EspalierTensors
import Testing

/// Files that lie or are damaged give errors: never a crash, never memory for what a header merely claims.
struct HostileFileTests {
    /// An .npy file of format 1.0 with this header and so many bytes of data.
    private func npy(_ header: String, data: Int = 0) -> [UInt8] {
        let length = header.utf8.count
        return [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(length & 0xFF), UInt8(length >> 8)]
            + Array(header.utf8) + [UInt8](repeating: 0, count: data)
    }

    private func npyHeader(type: String = "'<f4'", order: String = "False", shape: String) -> String {
        "{'descr': \(type), 'fortran_order': \(order), 'shape': \(shape), }\n"
    }

    @Test(
        arguments: [
            "(1152921504606846976,)", "(4294967296, 4294967296)", "(-1,)", "(-2, -2)", "(2, 3)", "(1.5,)",
            "(,)",
            "7", "(99999999999999999999999999,)", "('2',)",
            "((((((((((((((((((((1,),),),),),),),),),),)))))))))",
            "(True,)", "(4, 2", "(0, -5)",
        ])
    func shapesThatCannotBe(shape: String) {
        // 16 bytes are four floats.
        _ = archiveError(.malformed) {
            _ = try Npy.decode(npy(npyHeader(shape: shape), data: 16)[...], place: "test")
        }
    }

    @Test(
        arguments: [
            "(0, 9223372036854775807)", "(1099511627776, 1099511627776, 0)", "(0, 1048576, 1048577)",
        ],
        ["False", "True"])
    func emptyArrayWithAbsurdExtentsIsRefused(shape: String, order: String) {
        let error = archiveError(.unsupported) {
            _ = try Npy.decode(npy(npyHeader(order: order, shape: shape))[...], place: "test")
        }
        #expect(error?.reason.contains("absurd") == true)
    }

    @Test func emptyArraysAreRead() throws {
        let tensor = try Npy.decode(npy(npyHeader(shape: "(3, 0, 1048576)"))[...], place: "test")
        #expect(tensor.shape == [3, 0, 1 << 20] && tensor.scalars(as: Float.self).isEmpty)
        #expect(tensor.shape.strides == [0, 1 << 20, 1])
    }

    @Test(
        arguments: [
            "{}", "{'descr': '<f4'}", "",
            "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': ()}",
            "{'descr': '<f4', 'fortran_order': 0, 'shape': ()}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': ()",
            "{'descr': '<f\\x34', 'fortran_order': False, 'shape': ()}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': ()} 1",
        ])
    func headersThatMakeNoSense(header: String) {
        _ = archiveError(.malformed) { _ = try Npy.decode(npy(header, data: 4)[...], place: "test") }
    }

    @Test func headersOfOtherWritersAreRead() throws {
        let header = "{\"shape\":(2L,2),\"fortran_order\":True,\"descr\":\"=u1\"}"
        let tensor = try Npy.decode((npy(header) + [1, 2, 3, 4])[...], place: "test")
        #expect(tensor.scalars(as: Int64.self) == [1, 3, 2, 4])
    }

    @Test func booleansBecomeZeroAndOne() throws {
        let bytes = npy(npyHeader(type: "'|b1'", shape: "(3,)")) + [0, 1, 255]
        let tensor = try Npy.decode(bytes[...], place: "test")
        #expect(tensor.withUnsafeBytes { Array($0) } == [0, 1, 1])
    }

    /// Two small arrays: short enough to damage every byte of it in turn.
    private func smallArchive(compressed: Bool) throws -> [UInt8] {
        let ramp = Tensor(shape: [4, 3], scalars: (0..<12).map { Int32($0 / 4) })
        return try NpzArchive.encode(
            [("x", ramp), ("y", Tensor(Float(1)))], compressed: compressed, place: "test")
    }

    @Test(arguments: [false, true])
    func archiveCutAnywhere(compressed: Bool) throws {
        let bytes = try smallArchive(compressed: compressed)
        for count in 0..<bytes.count {
            let error = #expect(throws: ArchiveError.self) {
                _ = try NpzArchive(Array(bytes.prefix(count)), place: "test")
            }
            #expect(error?.code == .malformed, "cut at \(count)")
        }
    }

    /// Changing any byte is either noticed, or it is one that carries nothing (a date, an attribute), and then the
    /// arrays are the same.
    @Test(arguments: [false, true], [UInt8(0x01), 0x80, 0xFF])
    func archiveWithOneByteChanged(compressed: Bool, change: UInt8) throws {
        var bytes = try smallArchive(compressed: compressed)
        let reference = try NpzArchive(bytes, place: "test")
        let expected = try reference.names.map { Npy.encode(try reference.tensor($0)) }
        for position in bytes.indices {
            bytes[position] ^= change
            defer { bytes[position] ^= change }
            do {
                let archive = try NpzArchive(bytes, place: "test")
                let arrays = try archive.names.map { Npy.encode(try archive.tensor($0)) }
                // A count of members that is too small hides some: the format has nothing to notice it by.
                #expect(expected.starts(with: arrays), "byte \(position)")
            } catch {
                #expect(error is ArchiveError)
            }
        }
    }

    @Test func memberThatClaimsTooMuchIsRefusedUnread() throws {
        var bytes = try NpzArchive.encode([("x", Tensor(zeros: [100]))], compressed: true, place: "test")
        let entry = try #require(bytes.indices.first { bytes[$0...].starts(with: [0x50, 0x4B, 1, 2]) })
        // The size in the directory: nearly 4 GiB out of a hundred bytes.
        bytes.replaceSubrange((entry + 24)..<(entry + 28), with: [0xFE, 0xFF, 0xFF, 0xFF])
        let error = archiveError(.malformed) { _ = try NpzArchive(bytes, place: "test") }
        #expect(error?.reason.contains("4294967294") == true)
    }

    @Test func zip64AndEncryptionAreNamed() throws {
        let bytes = try NpzArchive.encode([("x", Tensor(Float(1)))], place: "test")
        let entry = try #require(bytes.indices.first { bytes[$0...].starts(with: [0x50, 0x4B, 1, 2]) })
        for (offset, value) in [(8, [0x01]), (20, [0xFF, 0xFF, 0xFF, 0xFF])] as [(Int, [UInt8])] {
            var changed = bytes
            changed.replaceSubrange((entry + offset)..<(entry + offset + value.count), with: value)
            _ = archiveError(.unsupported) { _ = try NpzArchive(changed, place: "test") }
        }
    }

    @Test(arguments: [1, 9, 10, 17, 18, 30])
    func gzipCutShort(count: Int) throws {
        let compressed = try Deflate.compress(Array(0..<200)[...], .gzip, place: "test")
        _ = archiveError(.malformed) {
            _ = try Deflate.decompress(compressed.prefix(count), .gzip, limit: 1000, place: "test")
        }
        _ = archiveError(.malformed) {
            _ = try Deflate.decompress((compressed + [1, 2, 3])[...], .gzip, limit: 1000, place: "test")
        }
    }

    @Test func gzipBombStopsAtTheLimit() throws {
        let bomb = try Deflate.compress([UInt8](repeating: 0, count: 1 << 24)[...], .gzip, place: "test")
        _ = archiveError(.tooLarge) {
            _ = try Deflate.decompress(bomb[...], .gzip, limit: 100, place: "test")
        }
    }
}
