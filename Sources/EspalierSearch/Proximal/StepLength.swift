/// How far a gradient moves the weights in the end, which is what a penalty's threshold must be multiplied with: the optimum
/// is then the same whichever optimiser finds it.
package enum StepLength {
    /// eta / (1 - beta), for heavy-ball momentum in the form v = beta v + g, w = w - eta v (Polyak 1964), and for Nesterov's
    /// in the form w = w - eta (g + beta v) (Sutskever 2013).
    ///
    /// At rest v is g / (1 - beta), so each step moves the weights by that many times eta g, and what the proximal operator
    /// takes back must be as much.
    ///
    /// - Precondition: `momentum` is at least 0 and below 1.
    package static func heavyBall(learningRate: Double, momentum: Double) -> Double {
        precondition(momentum >= 0 && momentum < 1)
        return learningRate / (1 - momentum)
    }
}
