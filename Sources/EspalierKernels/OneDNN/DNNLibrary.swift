import COneDNN

/// Facts and settings of the oneDNN library in use.
package enum DNNLibrary {
    /// Such as `2.6.3`.
    package static var version: String {
        let version = espalier_dnn_library_version()
        return "\(version.major).\(version.minor).\(version.patch)"
    }

    package static var majorVersion: Int { Int(espalier_dnn_library_version().major) }

    /// The widest instruction set it uses on this CPU, such as `avx512_core_bf16`.
    package static var instructionSet: String { String(cString: espalier_dnn_instruction_set()) }

    /// Whether it multiplies `bfloat16` by instructions made for it (AVX512_BF16, AMX). Elsewhere it converts, which takes
    /// longer than computing in `float32`.
    package static let hasNativeBFloat16 = espalier_dnn_has_native_bfloat16()

    /// The number of compiled primitives that it keeps for reuse by equal ones.
    package static var primitiveCacheCapacity: Int { Int(espalier_dnn_primitive_cache_capacity()) }

    package static func setPrimitiveCacheCapacity(_ capacity: Int) throws(DNNError) {
        guard espalier_dnn_set_primitive_cache_capacity(Int32(clamping: capacity)) == ESPALIER_DNN_SUCCESS
        else { throw DNNError.last() }
    }
}
