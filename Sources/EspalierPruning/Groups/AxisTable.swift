import EspalierGraphs
import EspalierOperators
import EspalierTensors

/// Numbers for all axes of all values whose shapes are known, and for the indices of those axes that matter.
///
/// An axis matters if links connect it, however indirectly, with a floating-point constant: batch and spatial
/// axes take no memory here, whatever their extents.
struct AxisTable {
    /// Longer axes are left alone: no channel axis comes near, and what a file claims must not decide on
    /// memory.
    static let extentLimit = 1 << 22
    /// All numbered indices together, for the same reason.
    static let entryLimit = 1 << 28

    private(set) var axes: [ValueAxis] = []
    private(set) var extents: [Int] = []
    private var firstAxis: [ValueID: Int] = [:]
    /// The number of index 0 of each axis; nil where the axis does not matter or is too long.
    private(set) var firstEntry: [Int?] = []
    private(set) var entryCount = 0

    init(_ resolved: ResolvedGraph) {
        for value in resolved.facts.keys.sorted() {
            guard let shape = resolved.facts[value]?.shape else { continue }
            firstAxis[value] = axes.count
            for (axis, extent) in shape.extents.enumerated() {
                axes.append(ValueAxis(value, axis: axis))
                extents.append(extent)
            }
        }
        firstEntry = [Int?](repeating: nil, count: axes.count)
    }

    /// The number of an axis of a node's port; nil if the port is left out or has no such axis.
    func axis(_ portAxis: PortAxis, of node: Node) -> Int? {
        let value: ValueID?
        switch portAxis.port {
        case .input(let port): value = node.inputs.indices.contains(port) ? node.inputs[port] : nil
        case .output(let port): value = node.outputs.indices.contains(port) ? node.outputs[port] : nil
        }
        guard let value, portAxis.axis >= 0 else { return nil }
        return axis(portAxis.axis, of: value)
    }

    func axis(_ axis: Int, of value: ValueID) -> Int? {
        guard let first = firstAxis[value] else { return nil }
        let number = first + axis
        return axes.indices.contains(number) && axes[number].value == value ? number : nil
    }

    /// The numbers of all axes of a value.
    func axes(of value: ValueID) -> [Int] {
        guard let first = firstAxis[value] else { return [] }
        var end = first
        while end < axes.count, axes[end].value == value { end += 1 }
        return Array(first..<end)
    }

    /// Gives numbers to the indices of the axes that `links` connect with the axes in `roots`.
    mutating func numberEntries(links: [(from: Int, to: Int)], roots: [Int]) {
        var connected = DisjointSets(count: axes.count)
        for link in links { connected.merge(link.from, link.to) }
        let wanted = Set(roots.map { connected.root(of: $0) })
        for axis in axes.indices where wanted.contains(connected.root(of: axis)) {
            guard extents[axis] <= Self.extentLimit, entryCount + extents[axis] <= Self.entryLimit else {
                continue
            }
            firstEntry[axis] = entryCount
            entryCount += extents[axis]
        }
    }
}
