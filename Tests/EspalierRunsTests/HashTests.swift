import EspalierRuns
import Foundation
import Testing

struct HashTests {
    /// FIPS 180-4's examples, and the lengths around the block's, whose digests Python's hashlib gave.
    @Test(arguments: [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
        (
            String(repeating: "a", count: 55),
            "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318"
        ),
        (
            String(repeating: "a", count: 56),
            "b35439a4ac6f0948b6d6f9e3c6af0f5f590ce20f1bde7090ef7970686ec6738a"
        ),
        (
            String(repeating: "a", count: 63),
            "7d3e74a05d7db15bce4ad9ec0658ea98e3f06eeecf16b4c6fff2da457ddc2f34"
        ),
        (
            String(repeating: "a", count: 64),
            "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb"
        ),
        (
            String(repeating: "a", count: 65),
            "635361c48bb9eab14198e76ea8ab7f1a41685d6ad62aa9146d301d4f17eb0ae0"
        ),
    ])
    func digests(text: String, digest: String) {
        #expect(SHA256.hexDigest(of: text) == digest)
    }

    /// However the bytes come, and read from a file.
    @Test func partsDoNotMatter() throws {
        let bytes = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
        var whole = SHA256()
        whole.update(bytes)
        var parts = SHA256()
        var (start, length) = (0, 1)
        while start < bytes.count {
            parts.update(bytes[start..<min(bytes.count, start + length)])
            (start, length) = (start + length, length + 1)
        }
        let folder = try TemporaryFolder()
        try Data(bytes).write(to: URL(fileURLWithPath: folder("x")))
        let digest = whole.hexDigest()
        #expect(parts.hexDigest() == digest)
        #expect(try SHA256.hexDigest(ofFile: folder("x")) == digest)
    }

    @Test func aMillionLettersA() {
        #expect(
            SHA256.hexDigest(of: String(repeating: "a", count: 1_000_000))
                == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
    }
}
