import Foundation

/// What Espalier must not be slower than, and where it was: the exit code tells.
struct Promises {
    /// Less than that, of 1, is no noise any more.
    static let leastRatio = 0.95

    private var broken: [String] = []

    /// - Parameters:
    ///   - ratio: how many times as fast as `other` Espalier was.
    ///   - place: the network, the threads, and whatever else tells the measurement from others.
    mutating func check(_ ratio: Double, of other: String, _ place: String) {
        // What is not a number keeps no promise either.
        if ratio >= Self.leastRatio { return }
        broken.append("\(place): \(String(format: "%.3f", ratio)) times as fast as \(other)")
    }

    /// Says what is broken, and if anything is, ends the process with 1.
    func exitIfBroken() {
        guard !broken.isEmpty else { return }
        print("\nslower than promised:")
        for line in broken { print(line) }
        exit(1)
    }
}
