import EspalierPruning

/// The groups of channels that training may take from, what their units save, and what budgets there are: what methods that
/// charge for channels have in common.
struct ChargedGroups {
    let pruner: Pruner
    let request: PruningRequest
    let open: [(group: PruningGroup, minimum: Int)]
    let charged: CostFunction
    private let chargedCosts: WidthCosts
    /// One for each budget.
    private let budgetCosts: [WidthCosts]
    /// How the price begins.
    let price: PenaltyPrice

    /// - Throws: ``PruningError`` if nothing may go.
    init(
        _ pruner: Pruner, request: PruningRequest, cost: CostFunction, lambda: Double?
    ) throws(PruningError) {
        self.pruner = pruner
        self.request = request
        open = try pruner.openGroups(for: request)
        charged = cost
        let groups = open.map(\.group)
        chargedCosts = WidthCosts(cost, pruner, groups: groups)
        let budgets = request.budgets
        budgetCosts = budgets.map { WidthCosts($0.cost, pruner, groups: groups) }
        price = lambda.map { .fixed($0) } ?? .budgets(budgets.map(\.share))
    }

    var identity: String { "\(charged.id), \(price), \(request.identity)" }

    var unitCount: Int { open.reduce(0) { $0 + $1.group.size } }

    /// What is left, in the budgets' order, where so many units of each group are gone.
    func costs(gone: [Int]) -> [Double] { budgetCosts.map { $0.cost(gone: gone) } }

    /// By group, what one more unit saves. A last unit has no price, but the others of its group must not come back for
    /// nothing.
    func savings(gone: [Int]) -> [Double] {
        chargedCosts.savings(gone: zip(gone, open).map { min($0, $1.group.size - 2) }).map { max(0, $0) }
    }

    /// - Parameter dropped: numbers of units, by group.
    func plan(dropping dropped: [[Int]], method: String) -> PrunePlan {
        let byGroup = Dictionary(uniqueKeysWithValues: zip(open.map(\.group.id), dropped))
        return pruner.plan(request, dropping: byGroup, method: method)
    }
}
