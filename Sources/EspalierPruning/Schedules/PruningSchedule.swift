#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// When, in the course of training, how much of the final removal is asked for.
///
/// Steps are whatever the caller counts (optimiser steps, usually). All shares are of what is removed, 0 to
/// 1.
package struct PruningSchedule: Sendable, Hashable, Codable {
    package enum Shape: Sendable, Hashable, Codable {
        /// Everything at `begin`.
        case oneShot
        /// In rounds of equal length, each removing an equal share of what remains.
        case iterative(rounds: Int)
        /// s_t = s_f + (s_i - s_f) (1 - (t - t_0) / (n dt))^3, every `interval` steps: fast while there is
        /// much to lose (Zhu & Gupta 2017).
        case cubic(interval: Int)
    }

    package let shape: Shape
    /// The step of the first removal.
    package let begin: Int
    /// The step from which on all is removed.
    package let end: Int

    /// Steps are brought into order, counts to 1 at least.
    package init(_ shape: Shape, begin: Int = 0, end: Int = 0) {
        self.begin = begin
        self.end = max(begin, end)
        switch shape {
        case .oneShot: self.shape = .oneShot
        case .iterative(let rounds): self.shape = .iterative(rounds: max(1, rounds))
        case .cubic(let interval): self.shape = .cubic(interval: max(1, interval))
        }
    }

    package static func oneShot(at step: Int = 0) -> PruningSchedule {
        PruningSchedule(.oneShot, begin: step, end: step)
    }

    /// The share that is to be removed by the end of `step`.
    ///
    /// - Parameters:
    ///   - final: the share removed in the end.
    ///   - initial: the share that was removed before the schedule began.
    package func removedShare(at step: Int, final: Double, initial: Double = 0) -> Double {
        guard step >= begin else { return initial }
        switch shape {
        case .oneShot: return final
        case .iterative(let rounds):
            let done = Double(round(at: step, rounds: rounds) + 1) / Double(rounds)
            return Self.removedShare(after: done, final: final, initial: initial)
        case .cubic(let interval):
            guard step < end else { return final }
            let due = (step - begin) / interval * interval
            let rest = 1 - Double(due) / Double(end - begin)
            return final + (initial - final) * rest * rest * rest
        }
    }

    /// The share removed after a part of equal rounds: with s_r the share after r of them, 1 - s_r falls by the same factor
    /// every round. To remove all, which no factor does, each takes an equal part.
    static func removedShare(after done: Double, final: Double, initial: Double = 0) -> Double {
        guard done < 1, initial < 1 else { return final }
        guard final < 1 else { return initial + (1 - initial) * done }
        return 1 - (1 - initial) * pow((1 - final) / (1 - initial), done)
    }

    /// Whether the share changes at `step`: when to plan anew.
    package func prunes(at step: Int) -> Bool {
        guard step >= begin, step <= end else { return false }
        switch shape {
        case .oneShot: return step == begin
        case .iterative(let rounds):
            return step == begin || round(at: step, rounds: rounds) != round(at: step - 1, rounds: rounds)
        case .cubic(let interval): return step == end || (step - begin) % interval == 0
        }
    }

    /// The targets that hold at `step` on the way to `targets`.
    package func targets(at step: Int, final targets: [PruningTarget]) -> [PruningTarget] {
        // At the end exactly what was asked for: 1 - (1 - 0.3) is not 0.3.
        step >= end ? targets : targets.map { $0.removing(removedShare(at: step, final: $0.removedShare)) }
    }

    /// The number, from 0, of the round that has begun last; the last round begins at `end`, unless it is the
    /// only one.
    private func round(at step: Int, rounds: Int) -> Int {
        guard step < end, rounds > 1 else { return rounds - 1 }
        return (step - begin) * (rounds - 1) / (end - begin)
    }
}
