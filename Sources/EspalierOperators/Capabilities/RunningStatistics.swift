/// The capability of keeping statistics of what passes through while a network trains, for use in inference.
package protocol RunningStatistics: Operator {
    /// The inputs that hold them: constants which a training pass changes.
    var statisticsPorts: [Int] { get }

    /// The edits of the node with which a training pass leaves its own batch's statistics there, with no share of
    /// the old ones: for taking them anew after the network was changed.
    var forgettingEdits: NodeEdits { get }
}
