/// With which numbers an inference computes the products by constant weights: convolutions and matrix products. All that is added
/// up is added up in `float32`, and values between layers, other operators, and training are always `float32`.
public enum Precision: String, Sendable, Hashable, CaseIterable, Codable {
    /// No factor is rounded.
    case float32
    /// Factors are rounded to `bfloat16`, the upper half of a `float32` (to nearest, ties to even): relatively by 2⁻⁸ at most.
    ///
    /// - Where a layer is computed with all of its weights, and the processor multiplies `bfloat16` by instructions made for it
    ///   (AVX512_BF16, AMX): weights and inputs. Elsewhere, in depthwise convolutions, in convolutions of few channels and in layers
    ///   so small that the conversion would take more than it saves, neither.
    /// - Where zeros are left out of a product of up to sixteen rows: the weights, on any processor.
    case bfloat16
    /// Weights are stored as integers of 8 bits with one scale for each output, its largest weight by 127: they are rounded by half
    /// of that at most. Only in products of up to sixteen rows whose zeros are left out, which wait for memory; all else is `float32`.
    case int8Weights = "int8-weights"
}
