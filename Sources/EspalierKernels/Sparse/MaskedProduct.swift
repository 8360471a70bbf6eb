import CSparseKernels

/// The products of training a fully connected layer of which many weights are masked, with those left out that are: Y = X W^T, and
/// the gradients of both sides.
///
/// Weights stay where they are in the dense matrix. Activations and gradients are taken and given transposed, [features, pitch], the
/// samples past the last one zeros. Rows are shared out among the calling thread's team.
package struct MaskedProduct: Sendable {
    package let outputs: Int
    package let inputs: Int
    /// From one feature's samples to the next one's, in floats.
    package let pitch: Int
    private let samples: Int
    private let nonzeros: Int
    private let outputStride: Int
    private let inputStride: Int
    /// By output where its kept inputs begin, and which they are; by input likewise.
    private let outputStarts: [UInt32]
    private let outputInputs: [UInt32]
    private let inputStarts: [UInt32]
    private let inputOutputs: [UInt32]

    /// - Parameters:
    ///   - kept: one flag per weight, as they lie in memory.
    ///   - isInputMajor: whether the weights lie [inputs, outputs], and not [outputs, inputs].
    /// - Precondition: there are fewer than 2^32 weights.
    package init(kept: [Bool], outputs: Int, inputs: Int, isInputMajor: Bool, samples: Int) {
        self.outputs = outputs
        self.inputs = inputs
        self.samples = samples
        let line = Int(ESPALIER_MASKED_LINE)
        pitch = (samples + line - 1) / line * line
        (outputStride, inputStride) = isInputMajor ? (1, outputs) : (inputs, 1)
        let (outputStride, inputStride) = (outputStride, inputStride)
        func entries(_ lines: Int, _ stride: Int, of places: Int, _ placeStride: Int) -> ([UInt32], [UInt32])
        {
            var starts: [UInt32] = [0]
            var entries: [UInt32] = []
            for line in 0..<lines {
                for place in 0..<places where kept[line * stride + place * placeStride] {
                    entries.append(UInt32(place))
                }
                starts.append(UInt32(entries.count))
            }
            return (starts, entries)
        }
        (outputStarts, outputInputs) = entries(outputs, outputStride, of: inputs, inputStride)
        (inputStarts, inputOutputs) = entries(inputs, inputStride, of: outputs, outputStride)
        nonzeros = outputInputs.count
    }

    /// The bytes of transposed activations.
    package var inputByteCount: Int { 4 * inputs * pitch }
    package var outputByteCount: Int { 4 * outputs * pitch }

    /// From row-major [samples, features] to [features, pitch].
    package func transposition(features: Int) -> Transposition {
        Transposition(
            rows: samples, columns: features, sourceStride: features, targetStride: pitch, paddedRows: pitch)
    }

    /// Back.
    package func transpositionBack(features: Int) -> Transposition {
        Transposition(rows: features, columns: samples, sourceStride: pitch, targetStride: features)
    }

    package func forward(
        _ weights: UnsafePointer<Float>, bias: UnsafePointer<Float>?, _ input: UnsafePointer<Float>,
        into output: UnsafeMutablePointer<Float>
    ) {
        divide(outputs) { pattern, range in
            espalier_masked_forward(
                espalier_isa_active(), pattern, weights, bias, input, pitch, range.lowerBound,
                range.upperBound, output)
        }
    }

    /// Writes the gradients of the kept weights, where they lie; others are not touched.
    package func weightGradient(
        _ input: UnsafePointer<Float>, _ outputGradient: UnsafePointer<Float>,
        into gradient: UnsafeMutablePointer<Float>
    ) {
        divide(outputs) { pattern, range in
            espalier_masked_weight_gradient(
                espalier_isa_active(), pattern, input, outputGradient, pitch, range.lowerBound,
                range.upperBound, gradient)
        }
    }

    package func inputGradient(
        _ weights: UnsafePointer<Float>, _ outputGradient: UnsafePointer<Float>,
        into gradient: UnsafeMutablePointer<Float>
    ) {
        divide(inputs) { pattern, range in
            espalier_masked_input_gradient(
                espalier_isa_active(), pattern, weights, outputGradient, pitch, range.lowerBound,
                range.upperBound, gradient)
        }
    }

    private func divide(
        _ count: Int, _ body: (UnsafePointer<espalier_masked_weights>, Range<Int>) -> Void
    ) {
        outputStarts.withUnsafeBufferPointer { outputStarts in
            outputInputs.withUnsafeBufferPointer { outputInputs in
                inputStarts.withUnsafeBufferPointer { inputStarts in
                    inputOutputs.withUnsafeBufferPointer { inputOutputs in
                        var pattern = espalier_masked_weights(
                            outputs: outputs, inputs: inputs, output_stride: outputStride,
                            input_stride: inputStride, output_starts: outputStarts.baseAddress,
                            output_inputs: outputInputs.baseAddress, input_starts: inputStarts.baseAddress,
                            input_outputs: inputOutputs.baseAddress)
                        withUnsafePointer(to: &pattern) { pattern in
                            ThreadTeam.parallel(
                                count, of: .product(.csr, multiplyAccumulates: nonzeros * samples)
                            ) { body(pattern, $0) }
                        }
                    }
                }
            }
        }
    }
}
