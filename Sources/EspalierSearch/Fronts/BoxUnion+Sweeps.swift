extension BoxUnion {
    /// The area in two dimensions: from the widest box to the narrowest, each adds what it has above all before it.
    var planarVolume: Double {
        var (area, height) = (0.0, 0.0)
        for box in (0..<count).sorted(by: { self[$0, 0] > self[$1, 0] }) where self[box, 1] > height {
            area += self[box, 0] * (self[box, 1] - height)
            height = self[box, 1]
        }
        return area
    }

    /// The volume in three dimensions, sweeping the third axis downwards from the tallest box: below each box's top the cross
    /// section is the union of the boxes so far, a staircase (Beume, Fonseca, Lopez-Ibanez, Paquete & Vahrenhold 2009).
    var spatialVolume: Double {
        let order = (0..<count).sorted { self[$0, 2] > self[$1, 2] }
        var staircase = Staircase()
        var volume = 0.0
        for (place, box) in order.enumerated() {
            staircase.insert(width: self[box, 0], height: self[box, 1])
            let floor = place + 1 < order.count ? self[order[place + 1], 2] : 0
            volume += staircase.area * (self[box, 2] - floor)
        }
        return volume
    }
}

/// A union of rectangles with a corner in the origin, kept as those which no other contains.
private struct Staircase {
    private(set) var area = 0.0
    /// By ascending width, which is by descending height.
    private var steps: [(width: Double, height: Double)] = []

    /// Adds a rectangle. The area grows by sums of positive terms alone, so that it keeps its digits.
    mutating func insert(width: Double, height: Double) {
        let end = firstStep { $0.width >= width }
        if end < steps.count, steps[end].height >= height { return }
        let begin = firstStep { $0.height <= height }
        // Steps from `begin` up to `end` are no wider and no higher: they vanish, and what lies above them is new. A lower step
        // of the same width may stay, since nothing is between the two.
        var left = begin == 0 ? 0 : steps[begin - 1].width
        for step in steps[begin..<end] {
            area += (step.width - left) * (height - step.height)
            left = step.width
        }
        let below = end < steps.count ? steps[end].height : 0
        area += (width - left) * (height - below)
        steps.replaceSubrange(begin..<end, with: [(width, height)])
    }

    /// The first step for which `isBeyond`, false along the steps and then true, holds.
    private func firstStep(_ isBeyond: ((width: Double, height: Double)) -> Bool) -> Int {
        var (low, high) = (0, steps.count)
        while low < high {
            let middle = (low + high) / 2
            if isBeyond(steps[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
