import EspalierKernels
import EspalierOperators
import EspalierTensors
import Testing

struct LayoutTests {
    private func reordered(
        _ scalars: [Float], from source: Layout, to target: Layout, shape: Shape
    ) throws -> [Float] {
        let kernel = try Layout.reorder(from: source, to: target, shape: shape)
        let input = Tensor(shape: [scalars.count], scalars: scalars)
        var output = Tensor(zeros: [target.byteCount(shape: shape, dtype: .float32) / 4])
        let scratch = AlignedStorage(byteCount: kernel.scratchByteCount)
        input.withUnsafeBytes { input in
            output.withUnsafeMutableBytes { output in
                kernel.bind(
                    KernelMemory(
                        inputs: [UnsafeMutableRawPointer(mutating: input.baseAddress)],
                        outputs: [output.baseAddress], scratch: scratch.base))
                kernel.run()
            }
        }
        return output.scalars(as: Float.self)
    }

    @Test func channelsLastMovesChannelsInside() throws {
        let shape: Shape = [2, 3, 2, 2]
        let plain = (0..<24).map { Float($0) }
        let layout = try Layout.channelsLast(shape)
        #expect(layout.byteCount(shape: shape, dtype: .float32) == 96)
        let moved = try reordered(plain, from: .plain, to: layout, shape: shape)
        #expect(moved.prefix(7) == [0, 4, 8, 1, 5, 9, 2])
        #expect(try reordered(moved, from: layout, to: .plain, shape: shape) == plain)
    }

    /// Where nothing moves the layout must say so, or networks are full of copies.
    @Test(arguments: [[5, 1, 4, 4], [5, 7, 1, 1], [5, 7], [5]])
    func channelsLastIsPlainWhereNothingMoves(extents: [Int]) throws {
        #expect(try Layout.channelsLast(Shape(extents)) == .plain)
    }

    @Test func layoutsOfTheSameBytesAreEqual() throws {
        let shape: Shape = [2, 3, 2, 2]
        #expect(try Layout.channelsLast(shape) == Layout.channelsLast(shape))
        #expect(try Layout.channelsLast(shape) != .plain)
        #expect(try Layout(.plain(shape)) == .plain)
    }

    /// What the library has no kernel for may run by the reference. What it refuses otherwise is an error.
    @Test func refusalsAreToldApart() {
        func refusal(_ reason: DNNError.Reason) -> OperatorError? {
            do throws(OperatorError) {
                try oneDNN { () throws(DNNError) -> Void in throw DNNError(reason, "why") }
                return nil
            } catch {
                return error
            }
        }
        #expect(refusal(.unsupported) == OperatorError.unsupported("why"))
        for reason in [DNNError.Reason.invalid, .outOfMemory, .failed] {
            #expect(refusal(reason) == OperatorError.kernel("why"))
        }
    }
}
