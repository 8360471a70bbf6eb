import Foundation
import SwiftProtobuf

/// Decodes a message, explaining in words what is wrong with one that cannot be.
///
/// Nested messages are limited to a depth of 100 (about 30 subgraphs in each other), so that no file can exhaust
/// the stack here or in the code that walks the result.
func decode<Decoded: Message>(
    _ type: Decoded.Type, from bytes: some SwiftProtobufContiguousBytes
) throws(ONNXError) -> Decoded {
    do {
        var options = BinaryDecodingOptions()
        options.messageDepthLimit = 100
        return try Decoded(serializedBytes: bytes, options: options)
    } catch {
        let detail =
            switch error as? BinaryDecodingError {
            case .truncated: "it ends in the middle of a field"
            case .invalidUTF8: "a name or text in it is not UTF-8"
            case .messageDepthLimit: "its messages are nested more than 100 deep"
            default: "its bytes are no protobuf message"
            }
        throw ONNXError(.malformed(detail))
    }
}

/// The largest message that protobuf implementations agree to read, in bytes.
let messageByteLimit = 0x7FFF_FFFE

/// Encodes a message; the same message always gives the same bytes.
func encode(_ message: some Message) throws(ONNXError) -> [UInt8] {
    do {
        return try message.serializedBytes()
    } catch {
        // Without required fields in the schema, only the size limit can be the cause.
        throw ONNXError(.tooLarge(byteCount: messageByteLimit))
    }
}

extension Message {
    /// The fields that are not declared in our schema, in wire format.
    var unknownBytes: [UInt8] { [UInt8](unknownFields.data) }
}

extension [StringStringEntryProto] {
    /// The pairs as a dictionary; of a key that stands twice, the last value counts.
    var dictionary: [String: String] {
        Dictionary(map { ($0.key, $0.value) }, uniquingKeysWith: { $1 })
    }

    /// Pairs in the order of their keys.
    init(_ pairs: [String: String]) {
        self = pairs.sorted { $0.key < $1.key }.map { pair in
            var entry = StringStringEntryProto()
            entry.key = pair.key
            entry.value = pair.value
            return entry
        }
    }
}
