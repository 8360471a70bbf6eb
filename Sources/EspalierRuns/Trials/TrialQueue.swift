/// Which trial comes next: the order, what requires what, and the memory bound. No threads, files or clocks.
struct TrialQueue {
    enum State: Equatable {
        case waiting
        /// Being run on a lane of ours, or being claimed.
        case running
        /// Another process is at it; to be asked after again.
        case elsewhere
        case finished
        case failed
        /// Something that it requires has failed.
        case blocked
    }

    private let trials: [Trial]
    private let indices: [String: Int]
    private let memoryLimit: Int
    private(set) var states: [State]
    private var bytesInUse = 0

    /// - Throws: ``TrialError`` for trials that can never all be run.
    init(_ trials: [Trial], memoryLimit: Int) throws(TrialError) {
        self.trials = trials
        self.memoryLimit = memoryLimit
        states = trials.map { _ in .waiting }
        var indices: [String: Int] = [:]
        for (index, trial) in trials.enumerated() {
            guard indices.updateValue(index, forKey: trial.key) == nil else { throw .repeatedKey(trial.key) }
            guard trial.peakBytes <= memoryLimit else {
                throw .tooLarge(key: trial.key, bytes: trial.peakBytes, limit: memoryLimit)
            }
        }
        self.indices = indices
        for trial in trials {
            for key in trial.requirements where indices[key] == nil {
                throw .unknownRequirement(key, of: trial.key)
            }
        }
        if let circle { throw .circle(circle) }
    }

    /// Whether nothing is left to be done or waited for.
    var isDone: Bool {
        !states.contains { [.waiting, .running, .elsewhere].contains($0) }
    }

    var isRunning: Bool { states.contains(.running) }

    /// Takes the first trial that can start now: all it requires is finished, and the memory suffices beside those that
    /// run. Smaller ones may overtake one that does not fit yet.
    mutating func next() -> Int? {
        let next = trials.indices.first { index in
            states[index] == .waiting && trials[index].peakBytes <= memoryLimit - bytesInUse
                && requirements(of: index).allSatisfy { states[$0] == .finished }
        }
        guard let next else { return nil }
        states[next] = .running
        bytesInUse += trials[next].peakBytes
        return next
    }

    /// Says how a trial that ``next()`` gave has ended.
    mutating func end(_ index: Int, as state: State) {
        if states[index] == .running { bytesInUse -= trials[index].peakBytes }
        states[index] = state
        guard state == .failed || state == .blocked else { return }
        for other in trials.indices where states[other] == .waiting && requirements(of: other).contains(index)
        {
            end(other, as: .blocked)
        }
    }

    /// Says that a trial's result was there from the beginning.
    mutating func found(_ index: Int) { states[index] = .finished }

    /// Has those that other processes are at be asked after again.
    mutating func retryElsewhere() {
        for index in states.indices where states[index] == .elsewhere { states[index] = .waiting }
    }

    func requirements(of index: Int) -> [Int] { trials[index].requirements.compactMap { indices[$0] } }

    /// Keys of trials that require one another, the first of them again at the end.
    private var circle: [String]? {
        // Removing what requires nothing that is left leaves the circles and what hangs on them.
        var left = Set(trials.indices)
        while true {
            let free = left.filter { requirements(of: $0).allSatisfy { !left.contains($0) } }
            if free.isEmpty { break }
            left.subtract(free)
        }
        guard var index = left.min() else { return nil }
        var way: [Int] = []
        while !way.contains(index) {
            way.append(index)
            guard let next = requirements(of: index).first(where: left.contains) else { return nil }
            index = next
        }
        return (way.drop { $0 != index } + [index]).map { trials[$0].key }
    }
}
