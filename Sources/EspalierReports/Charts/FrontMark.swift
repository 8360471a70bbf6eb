/// How the points of one method look: a colour and a shape, so that neither alone has to tell methods apart.
struct FrontMark: Equatable {
    /// The attribute `class`, which the page gives a colour.
    let style: String
    /// The outline around the point, as the `d` of an SVG path.
    let path: String

    /// The dense network is no method's.
    static let dense = FrontMark(
        style: "dense",
        path: "M0,-7L1.7,-2.35L6.66,-2.16L2.76,.9L4.11,5.66L0,2.9L-4.11,5.66L-2.76,.9L-6.66,-2.16L-1.7,-2.35z"
    )

    /// The mark of the method at this place; 42 differ.
    static func method(_ place: Int) -> FrontMark {
        FrontMark(style: "method\(place % colourCount)", path: shapes[place % shapes.count])
    }

    private init(style: String, path: String) {
        self.style = style
        self.path = path
    }

    /// The page's colours for methods, which differ by 12 or more hundredths in Oklab (Ottosson 2020) also as seen by
    /// people without one kind of cones (Machado 2009).
    private static let colourCount = 6

    /// Disc, square, triangle, diamond, triangle upside down, plus, cross: about equally large. Seven, so that
    /// colour and shape do not repeat together.
    private static let shapes = [
        "M-4.2,0a4.2,4.2 0 1,0 8.4,0a4.2,4.2 0 1,0 -8.4,0z",
        "M-3.7,-3.7h7.4v7.4h-7.4z",
        "M0,-5L4.6,3.4H-4.6z",
        "M0,-5.3L5.3,0L0,5.3L-5.3,0z",
        "M0,5L4.6,-3.4H-4.6z",
        "M-1.6,-5h3.2v3.4h3.4v3.2h-3.4v3.4h-3.2v-3.4h-3.4v-3.2h3.4z",
        "M0,-2.3L2.5,-4.8L4.8,-2.5L2.3,0L4.8,2.5L2.5,4.8L0,2.3L-2.5,4.8L-4.8,2.5L-2.3,0L-4.8,-2.5L-2.5,-4.8z",
    ]

    /// The mark around the origin.
    func drawing() -> String { SVG.element("path", ["class": style, "d": path]) }
}
