import EspalierExecution
import EspalierGraphs
import EspalierKernels
import EspalierOperators
import EspalierTensors
import EspalierTraining

/// What is watched in one pass over the data, and what was seen so far.
struct ActivationWatch {
    /// The values to compute for each batch.
    private(set) var values: [ValueID] = []
    /// Samples at a time: as many as wanted, unless the values would fill memory.
    let batchSize: Int

    private let wanted: Set<EvidenceKind>
    private let sampleShapes: [ValueID: Shape]
    private var counters: [Counter] = []
    private var ranks: [Ranks] = []
    private var norms: InputNorms?
    /// Where the inputs of the norms' uses are among ``values``.
    private var normPlaces: [Int] = []

    private struct Counter {
        let site: ActivationSites.Site
        let place: Int
        let kinds: Set<EvidenceKind>
        var counts: ChannelCounts
    }

    private struct Ranks {
        let site: ActivationSites.Site
        let place: Int
        var ranks: FeatureRanks
    }

    /// Bytes of watched values in a batch, at most.
    private static let memoryLimit = 256 << 20

    /// - Throws: ``ResolutionError`` if the data do not fit the network, ``TrainingError/mismatch(_:)``.
    init(_ wanted: Set<EvidenceKind>, _ graph: Graph, context: EvidenceContext) throws {
        self.wanted = wanted
        let binding = try InputBinding(graph, context.dataset)
        let resolved = try ResolvedGraph(graph, inputShapes: binding.shapes(batchSize: 1))
        let groups = PruningGroups(resolved)
        let doubled = try? ResolvedGraph(graph, inputShapes: binding.shapes(batchSize: 2))
        var shapes: [ValueID: Shape] = [:]
        for (value, facts) in resolved.facts where facts.shape.rank > 0 && facts.dtype == .float32 {
            // Samples must lie one after the other.
            if let other = doubled?.facts[value]?.shape {
                var expected = facts.shape
                expected[0] *= 2
                guard other == expected else { continue }
            }
            shapes[value] = facts.shape
        }
        sampleShapes = shapes
        let sites = ActivationSites(resolved, groups)
        var places: [ValueID: Int] = [:]
        var watched: [ValueID] = []
        func place(of value: ValueID) -> Int {
            if let place = places[value] { return place }
            places[value] = watched.count
            watched.append(value)
            return watched.count - 1
        }
        var counters: [Counter] = []
        func count(_ some: [ActivationSites.Site], _ kinds: Set<EvidenceKind>, nonzero: Bool = false) {
            let kinds = kinds.intersection(wanted)
            guard !kinds.isEmpty else { return }
            var seen: Set<ValueID> = []
            for site in some where site.axis > 0 && shapes[site.value] != nil {
                // Evidence is kept by value: of one with channels along two axes, the first is watched.
                guard seen.insert(site.value).inserted else { continue }
                counters.append(
                    Counter(
                        site: site, place: place(of: site.value), kinds: kinds,
                        counts: ChannelCounts(units: site.units, countsNonzero: nonzero)))
            }
        }
        count(sites.inputs, [.firingShares, .firingSamples])
        count(sites.outputs, [.zeroShares])
        count(sites.linear, [.firingShares, .firingSamples, .zeroShares], nonzero: true)
        count(sites.endings, [.activationMinima, .activationMaxima])
        self.counters = counters
        if wanted.contains(.featureRanks) {
            var seen: Set<ValueID> = []
            for site in sites.outputs + sites.linear where site.axis > 0 && shapes[site.value] != nil {
                guard seen.insert(site.value).inserted else { continue }
                ranks.append(
                    Ranks(site: site, place: place(of: site.value), ranks: FeatureRanks(units: site.units)))
            }
        }
        if wanted.contains(.inputNorms) {
            let norms = InputNorms(resolved, layers: groups.layers, threads: context.lane.threads)
            normPlaces = norms.uses.map { place(of: $0.input) }
            self.norms = norms
        }
        values = watched
        let bytes = watched.reduce(0) { $0 + (shapes[$1]?.count ?? 0) * 4 }
        let fitting = bytes == 0 ? context.batchSize : Self.memoryLimit / bytes
        batchSize = doubled == nil ? 1 : max(1, min(context.batchSize, fitting))
    }

    /// Takes up what a batch left in the plan's outputs.
    mutating func add(_ plan: InferencePlan, batchSize: Int) throws {
        for index in counters.indices {
            guard let values = plan.outputScalars(counters[index].place),
                let view = view(of: counters[index].site, values, batchSize)
            else { continue }
            counters[index].counts.add(values, view)
        }
        for index in ranks.indices {
            guard let values = plan.outputScalars(ranks[index].place),
                let view = view(of: ranks[index].site, values, batchSize)
            else { continue }
            ranks[index].ranks.add(values, view)
        }
        try norms?.add(
            normPlaces.compactMap { plan.outputScalars($0) }, shapes: normPlaces.map { plan.outputShape($0) },
            batchSize: batchSize)
    }

    private func view(
        of site: ActivationSites.Site, _ values: UnsafeBufferPointer<Float>, _ batchSize: Int
    ) -> ChannelView? {
        guard let shape = sampleShapes[site.value] else { return nil }
        let view = ChannelView(sampleShape: shape, axis: site.axis, samples: batchSize)
        return view.elementCount == values.count ? view : nil
    }

    func evidence(sampleCount: Int) -> Evidence {
        var evidence = Evidence(sampleCount: sampleCount)
        func store(_ kind: EvidenceKind, _ site: ActivationSites.Site, _ numbers: [Float]) {
            var shape = Shape([Int](repeating: 1, count: sampleShapes[site.value]?.rank ?? 1))
            shape[site.axis] = numbers.count
            evidence[kind][site.value] = Tensor(shape: shape, scalars: numbers)
        }
        for counter in counters {
            for kind in counter.kinds {
                if let numbers = counter.counts.evidence(kind) { store(kind, counter.site, numbers) }
            }
        }
        for entry in ranks { store(.featureRanks, entry.site, entry.ranks.evidence) }
        if let norms { evidence[.inputNorms] = norms.evidence }
        // A kind of which nothing was found has been looked for all the same.
        for kind in wanted where evidence.tensors[kind] == nil { evidence.tensors[kind] = [:] }
        return evidence
    }
}
