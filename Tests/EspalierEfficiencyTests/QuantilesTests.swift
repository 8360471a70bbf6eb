import EspalierEfficiency
import Testing

struct QuantilesTests {
    @Test func neighboursAreInterpolated() {
        #expect(Quantiles.quantile(0.5, ofSorted: [1, 2]) == 1.5)
        #expect(Quantiles.quantile(0.25, ofSorted: [0, 4, 8]) == 2)
        #expect(Quantiles.quantile(0, ofSorted: [3, 4]) == 3)
        #expect(Quantiles.quantile(1, ofSorted: [3, 4]) == 4)
        #expect(Quantiles.quantile(0.9, ofSorted: [7]) == 7)
    }

    /// Of 0, 1, ... 100 each share is its own hundredfold, in whatever order they come.
    @Test func hundredths() {
        let spread = Quantiles(of: (0...100).map { Double(($0 * 37) % 101) })
        #expect(spread.median == 50)
        #expect(abs(spread.tenth - 10) < 1e-12 && abs(spread.ninetieth - 90) < 1e-12)
    }
}
