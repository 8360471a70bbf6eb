package import EspalierExecution

/// Which steps of two plans of one network are the same.
///
/// Plans may differ in what they fuse and in the copies they make: steps are the same if their first node is, and if they
/// are as many of that node before.
package struct StepMatching: Equatable {
    /// Positions among the first and the second plan's steps; nil where a plan has no such step.
    package struct Pair: Equatable {
        package let first: Int?
        package let second: Int?

        package init(_ first: Int?, _ second: Int?) {
            self.first = first
            self.second = second
        }
    }

    /// In the first plan's order, with the second plan's own steps where they stand in it.
    package let pairs: [Pair]

    package init(_ first: [StepSubject], _ second: [StepSubject]) {
        let keys = (Self.keys(first), Self.keys(second))
        let places = Dictionary(uniqueKeysWithValues: keys.1.enumerated().map { ($1, $0) })
        let known = Set(keys.0)
        var pairs: [Pair] = []
        var next = 0
        func addOwnSteps(before end: Int) {
            while next < end {
                if !known.contains(keys.1[next]) { pairs.append(Pair(nil, next)) }
                next += 1
            }
        }
        for (place, key) in keys.0.enumerated() {
            let match = places[key]
            if let match { addOwnSteps(before: match) }
            pairs.append(Pair(place, match))
        }
        addOwnSteps(before: second.count)
        self.pairs = pairs
    }

    private struct Key: Hashable {
        let head: StepSubject
        let occurrence: Int
    }

    private static func keys(_ subjects: [StepSubject]) -> [Key] {
        var seen: [StepSubject: Int] = [:]
        return subjects.map { subject in
            let head: StepSubject = if case .node(let first, _) = subject { .node(first) } else { subject }
            defer { seen[head, default: 0] += 1 }
            return Key(head: head, occurrence: seen[head, default: 0])
        }
    }
}
