import Foundation
import Testing

/// A Chromium without a screen, where one is installed.
enum Browser {
    static let program = ["chromium", "chromium-browser", "google-chrome"]
        .flatMap { name in
            (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map { "\($0)/\(name)" }
        }
        .first { FileManager.default.isExecutableFile(atPath: $0) }

    /// Where the whole of the tests is wanted, a missing browser is a failure.
    static let isWanted =
        program != nil || ProcessInfo.processInfo.environment["ESPALIER_REQUIRE_BROWSER"] != nil

    /// The page's elements after its scripts have run, and on the error stream what it wrote to the console.
    static func show(_ path: String, isDark: Bool = false, width: Int = 1000) throws -> ToolResult {
        let program = try #require(program, "no Chromium: apt-get install chromium")
        let profile = try TemporaryFolder()
        return try Program.run(
            URL(filePath: program),
            [
                "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--dump-dom",
                "--user-data-dir=\(profile.path)", "--window-size=\(width),1600",
                "--blink-settings=preferredColorScheme=\(isDark ? 0 : 1)", "file://\(path)",
            ])
    }
}

@Suite(.enabled(if: Browser.isWanted, "needs chromium"), .serialized)
struct ReportPageTests {
    /// What a script on the page finds: whether it is wider than its window, the brightness of paper and ink.
    private struct Measured: Decodable {
        let overflow: Double
        let paper: String
        let ink: String
        let drawings: Int

        /// Brightness from 0 to 1 (WCAG 2.1, relative luminance).
        static func luminance(_ color: String) throws -> Double {
            let parts = color.split { !$0.isNumber }.compactMap { Double($0) }
            try #require(parts.count >= 3, "\(color)")
            let linear = parts.prefix(3).map { part in
                let share = part / 255
                return share <= 0.03928 ? share / 12.92 : pow((share + 0.055) / 1.055, 2.4)
            }
            return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
        }
    }

    private static let script = """
        <script>
        addEventListener("load", () => {
          const root = document.documentElement, style = getComputedStyle(document.body);
          const found = {overflow: root.scrollWidth - root.clientWidth, paper: style.backgroundColor,
            ink: style.color, drawings: document.querySelectorAll("svg").length};
          document.body.setAttribute("data-measured", btoa(JSON.stringify(found)));
        });
        </script>
        """

    private func measured(_ page: String) throws -> Measured {
        let start = try #require(page.range(of: "data-measured=\""))
        let encoded = page[start.upperBound...].prefix { $0 != "\"" }
        return try JSONDecoder().decode(
            Measured.self, from: try #require(Data(base64Encoded: String(encoded))))
    }

    @Test(arguments: [(false, 1000), (true, 1000), (false, 500)])
    func reportOfPruningIsShown(isDark: Bool, width: Int) throws {
        let folder = try TrainedModel.folder()
        let result = tool(
            "prune", folder("dense.onnx"), "--data", "digits", "--granularity", "channel", "--max-macs",
            "0.5",
            "--finetune-epochs", "2", "--batch-size", "400", "-o", folder("slim.onnx"), "--json", "--quiet",
            "--report", folder("r.html"))
        #expect(result.code == 0, "\(result.error)")
        let shown = try shown(folder("r.html"), in: folder, isDark: isDark, width: width)
        for layer in try result.entries("layers").keys { #expect(shown.page.contains(layer)) }
        #expect(shown.measured.drawings == 4)
    }

    @Test(arguments: [(false, 1000), (true, 500)])
    func reportOfBenchIsShown(isDark: Bool, width: Int) throws {
        let folder = try TemporaryFolder()
        let result = tool(
            "bench", Fixture.path("classifier.onnx"), Fixture.path("changed.onnx"), "--seconds", "0.01",
            "--quiet", "--report", folder("r.html"))
        #expect(result.code == 0, "\(result.error)")
        let shown = try shown(folder("r.html"), in: folder, isDark: isDark, width: width)
        for words in [
            "classifier.onnx", "changed.onnx", "conv1", "Realized", "ceilings", "Microseconds of each step",
        ] {
            #expect(shown.page.localizedCaseInsensitiveContains(words), "\(words)")
        }
        // The networks beside each other, and the steps of both.
        #expect(shown.measured.drawings == 3)
    }

    /// A report as a browser shows it, checked for what holds of every page: it loads nothing, fits its window, and can be
    /// read.
    private func shown(
        _ path: String, in folder: TemporaryFolder, isDark: Bool, width: Int
    ) throws -> (page: String, measured: Measured) {
        let report = try String(contentsOfFile: path, encoding: .utf8)
        #expect(!report.contains("src=\"http") && !report.contains("href=\"http"))
        let page = folder("page.html")
        try Data(report.replacing("</body>", with: Self.script + "</body>").utf8).write(
            to: URL(filePath: page))

        let shown = try Browser.show(page, isDark: isDark, width: width)
        #expect(shown.code == 0)
        #expect(!shown.error.contains("CONSOLE"), "\(shown.error)")
        #expect(!shown.output.contains("{{"))
        let measured = try measured(shown.output)
        #expect(measured.overflow <= 0, "the page is wider than its window")
        let (paper, ink) = (try Measured.luminance(measured.paper), try Measured.luminance(measured.ink))
        #expect(isDark ? paper < 0.05 : paper > 0.8)
        #expect((max(paper, ink) + 0.05) / (min(paper, ink) + 0.05) > 7)
        return (shown.output, measured)
    }

    /// The check above would see an error.
    @Test func errorsAreSeen() throws {
        let folder = try TemporaryFolder()
        let page = "<!DOCTYPE html><title>x</title><script>nothing.here()</script>"
        try Data(page.utf8).write(to: URL(filePath: folder("page.html")))
        #expect(try Browser.show(folder("page.html")).error.contains("CONSOLE"))
    }
}
