import CSparseKernels

/// The largest element that each window of row-major planes sees, as oneDNN has it too, which is slow where a stride skips
/// elements.
package struct MaxPooling: Sendable {
    /// Of one axis, or the other.
    package struct Axis: Sendable, Hashable {
        package let extent: Int
        package let kernel: Int
        package let stride: Int
        package let paddingBefore: Int
        package let output: Int

        package init(extent: Int, kernel: Int, stride: Int, paddingBefore: Int, output: Int) {
            self.extent = extent
            self.kernel = kernel
            self.stride = stride
            self.paddingBefore = paddingBefore
            self.output = output
        }
    }

    private let value: espalier_max_pooling

    /// nil where oneDNN is faster: with a stride of 1, and in planes that hardly fill registers.
    package init?(rows: Axis, columns: Axis) {
        let leastWidth = espalier_isa_active() == ESPALIER_ISA_AVX512 ? 27 : 56
        guard rows.stride > 1, columns.stride > 1, columns.extent >= leastWidth else { return nil }
        value = espalier_max_pooling(
            height: rows.extent, width: columns.extent, kernel_height: rows.kernel,
            kernel_width: columns.kernel, stride_height: rows.stride, stride_width: columns.stride,
            padding_top: rows.paddingBefore, padding_left: columns.paddingBefore,
            output_height: rows.output, output_width: columns.output)
    }

    /// Pools `planes` planes, shared out among the calling thread's team.
    package func callAsFunction(
        from source: UnsafePointer<Float>, to target: UnsafeMutablePointer<Float>, planes: Int
    ) {
        ThreadTeam.parallel(planes) { range in
            withUnsafePointer(to: value) { value in
                espalier_max_pool(
                    espalier_isa_active(), value, source, target, range.lowerBound, range.upperBound)
            }
        }
    }
}
