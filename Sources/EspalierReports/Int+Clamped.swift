extension Int {
    /// `value` without its fraction, or the nearest whole number that there is; 0 for NaN. Reports are made of files that
    /// anybody may have written, with any number in them.
    init(clamped value: Double) {
        let whole = value.rounded(.towardZero)
        self = whole.isNaN ? 0 : Int(exactly: whole) ?? (whole < 0 ? .min : .max)
    }
}
