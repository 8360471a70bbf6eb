// swift-tools-version: 6.2
import PackageDescription

/// Settings every Swift target of the package is built with.
let swiftSettings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

/// A library target. The dependencies are the architecture: a target imports only what stands above it here.
func module(_ name: String, _ dependencies: [Target.Dependency] = [], exclude: [String] = []) -> Target {
    .target(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: swiftSettings)
}

/// The test target that mirrors `name`.
func tests(
    _ name: String, _ dependencies: [Target.Dependency] = [], exclude: [String] = [],
    resources: [Resource] = []
) -> Target {
    .testTarget(
        name: "\(name)Tests", dependencies: [.init(stringLiteral: name)] + dependencies, exclude: exclude,
        resources: resources, swiftSettings: swiftSettings)
}

let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let swiftProtobuf = Target.Dependency.product(name: "SwiftProtobuf", package: "swift-protobuf")

let package = Package(
    name: "espalier",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "Espalier", targets: ["Espalier"]),
        .executable(name: "espalier", targets: ["EspalierTool"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.1"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    ],
    targets: [
        .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"])]),
        .target(
            name: "CBundledData", exclude: ["digits.csv", "digits-licence.md", "front.js", "report.mustache"]),

        .target(
            name: "CLAPACK",
            linkerSettings: [
                .linkedLibrary("lapack", .when(platforms: [.linux])),
                .linkedFramework("Accelerate", .when(platforms: [.macOS])),
            ]),

        .target(name: "CSparseKernels"),
        tests("CSparseKernels", ["EspalierTensors"]),

        module("EspalierTensors"),
        tests("EspalierTensors"),
        .target(name: "COneDNN", linkerSettings: [.linkedLibrary("dnnl")]),
        module("EspalierKernels", ["COneDNN", "CSparseKernels", "EspalierTensors"]),
        tests("EspalierKernels", ["EspalierTensors", "TestSupport"]),
        module("EspalierArchives", ["EspalierTensors", "CZlib"]),
        tests("EspalierArchives", ["EspalierTensors"], resources: [.copy("Fixtures")]),
        module("EspalierGraphs", ["EspalierTensors"]),
        tests("EspalierGraphs", ["EspalierTensors"]),
        module(
            "EspalierOperators", ["EspalierTensors", "CSparseKernels", "EspalierKernels", "EspalierGraphs"]),
        tests("EspalierOperators", ["EspalierTensors", "EspalierKernels", "EspalierGraphs", "TestSupport"]),
        module(
            "EspalierONNX", ["EspalierTensors", "EspalierGraphs", swiftProtobuf],
            exclude: ["Proto/onnx.proto"]),
        tests(
            "EspalierONNX", ["EspalierTensors", "EspalierGraphs", swiftProtobuf, "TestSupport"],
            exclude: ["Fixtures"]),
        module(
            "EspalierExecution",
            ["EspalierTensors", "EspalierKernels", "EspalierGraphs", "EspalierOperators"]),
        tests(
            "EspalierExecution",
            [
                "EspalierTensors", "EspalierKernels", "EspalierGraphs", "EspalierOperators", "EspalierONNX",
                "InferenceProbe", "TestSupport",
            ]),
        .target(name: "CAllocationCounter", path: "Tests/CAllocationCounter"),
        .executableTarget(
            name: "InferenceProbe",
            dependencies: ["EspalierTensors", "EspalierExecution", "EspalierONNX", "CAllocationCounter"],
            path: "Tests/InferenceProbe", swiftSettings: swiftSettings),
        .executableTarget(
            name: "TrainingProbe",
            dependencies: [
                "EspalierTensors", "EspalierKernels", "EspalierGraphs", "EspalierTraining",
                "EspalierRobustness", "CAllocationCounter",
            ], path: "Tests/TrainingProbe", swiftSettings: swiftSettings),
        module(
            "EspalierTraining",
            [
                "EspalierTensors", "EspalierArchives", "EspalierGraphs", "EspalierOperators",
                "EspalierExecution", "EspalierKernels", "CBundledData", "CSparseKernels",
            ]),
        tests(
            "EspalierTraining",
            [
                "EspalierTensors", "EspalierArchives", "EspalierGraphs", "EspalierOperators",
                "EspalierExecution", "EspalierKernels", "TrainingProbe",
            ]),
        .target(
            name: "TestSupport",
            dependencies: [
                "EspalierTensors", "EspalierKernels", "EspalierGraphs", "EspalierOperators", "EspalierONNX",
            ],
            path: "Tests/TestSupport", swiftSettings: swiftSettings),
        .testTarget(
            name: "OperatorConformanceTests",
            dependencies: [
                "EspalierTensors", "EspalierArchives", "EspalierGraphs", "EspalierOperators", "EspalierONNX",
                "EspalierExecution", "TestSupport",
            ],
            path: "Tests/OperatorConformance", resources: [.copy("Fixtures")], swiftSettings: swiftSettings),
        module("EspalierRuns", ["EspalierKernels", grdb]),
        tests("EspalierRuns", ["EspalierKernels", "TrialRunnerProbe", grdb]),
        .executableTarget(
            name: "TrialRunnerProbe", dependencies: ["EspalierRuns"], path: "Tests/TrialRunnerProbe",
            swiftSettings: swiftSettings),
        module(
            "EspalierReports",
            ["EspalierRuns", "CBundledData", .product(name: "Mustache", package: "swift-mustache")]),
        tests("EspalierReports", ["EspalierRuns"]),
        module(
            "EspalierPruning",
            [
                "EspalierTensors", "EspalierKernels", "EspalierGraphs", "EspalierOperators",
                "EspalierExecution", "EspalierTraining",
            ]),
        tests(
            "EspalierPruning",
            [
                "EspalierTensors", "EspalierKernels", "EspalierArchives", "EspalierGraphs",
                "EspalierOperators", "EspalierONNX", "EspalierExecution", "EspalierTraining",
            ], exclude: ["Fixtures"]),
        module(
            "EspalierRedundancy",
            [
                "EspalierTensors", "EspalierKernels", "EspalierGraphs", "EspalierOperators",
                "EspalierExecution", "EspalierTraining", "EspalierPruning",
            ]),
        tests(
            "EspalierRedundancy",
            [
                "EspalierTensors", "EspalierKernels", "EspalierArchives", "EspalierGraphs",
                "EspalierOperators", "EspalierTraining", "EspalierPruning",
            ], exclude: ["Fixtures"]),
        module(
            "EspalierRobustness",
            [
                "EspalierTensors", "EspalierKernels", "EspalierGraphs", "EspalierOperators",
                "EspalierExecution", "EspalierTraining", "CSparseKernels", "CLAPACK",
            ]),
        tests(
            "EspalierRobustness",
            [
                "EspalierTensors", "EspalierKernels", "EspalierGraphs", "EspalierOperators",
                "EspalierExecution", "EspalierTraining", "EspalierPruning", "CSparseKernels", "CLAPACK",
                "TestSupport",
            ]),
        module(
            "EspalierSearch",
            [
                "EspalierTensors", "EspalierKernels", "EspalierGraphs", "EspalierOperators",
                "EspalierExecution", "EspalierTraining", "EspalierPruning",
            ]),
        tests(
            "EspalierSearch",
            [
                "EspalierTensors", "EspalierKernels", "EspalierGraphs", "EspalierOperators",
                "EspalierExecution", "EspalierTraining", "EspalierPruning",
            ]),
        module(
            "EspalierLottery",
            ["EspalierTensors", "EspalierGraphs", "EspalierExecution", "EspalierTraining", "EspalierPruning"]),
        tests(
            "EspalierLottery",
            [
                "EspalierTensors", "EspalierKernels", "EspalierGraphs", "EspalierExecution",
                "EspalierTraining", "EspalierPruning", "EspalierRedundancy",
            ]),
        .target(name: "COnnxRuntime"),
        module(
            "EspalierEfficiency",
            [
                "EspalierTensors", "EspalierKernels", "EspalierGraphs", "EspalierOperators", "EspalierONNX",
                "EspalierExecution", "EspalierPruning", "EspalierRuns", "COnnxRuntime",
            ]),
        tests(
            "EspalierEfficiency",
            [
                "EspalierTensors", "EspalierKernels", "EspalierGraphs", "EspalierOperators",
                "EspalierExecution", "EspalierPruning", "EspalierRuns",
            ]),
        module(
            "Espalier",
            [
                "EspalierTensors", "EspalierKernels", "EspalierArchives", "EspalierGraphs",
                "EspalierOperators", "EspalierONNX", "EspalierExecution", "EspalierTraining",
                "EspalierPruning", "EspalierRedundancy", "EspalierRobustness", "EspalierSearch",
                "EspalierLottery", "EspalierRuns", "EspalierReports", "EspalierEfficiency",
            ]),
        module(
            "EspalierCommands",
            [
                "EspalierTensors", "EspalierKernels", "EspalierArchives", "EspalierGraphs",
                "EspalierOperators", "EspalierONNX", "EspalierExecution", "EspalierTraining",
                "EspalierPruning", "EspalierRedundancy", "EspalierRobustness", "EspalierSearch",
                "EspalierLottery", "EspalierRuns", "EspalierReports", "EspalierEfficiency", "Espalier",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
        .executableTarget(
            name: "EspalierBenchmarks",
            dependencies: [
                "EspalierTensors", "EspalierKernels", "EspalierGraphs", "EspalierONNX", "EspalierExecution",
                "EspalierTraining", "EspalierPruning", "EspalierEfficiency", "EspalierOperators",
                "EspalierRobustness",
            ],
            swiftSettings: swiftSettings),
        .executableTarget(
            name: "EspalierTool", dependencies: ["EspalierCommands"], swiftSettings: swiftSettings),
        .testTarget(
            name: "CommandTests",
            dependencies: [
                "EspalierTensors", "EspalierKernels", "EspalierArchives", "EspalierOperators",
                "EspalierTraining", "EspalierPruning", "EspalierRobustness",
                "EspalierEfficiency", "Espalier", "EspalierCommands", "EspalierTool",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            exclude: ["Fixtures", "Snapshots"], swiftSettings: swiftSettings),
    ]
)

// What takes long to build in a special way, as for sanitizers, is built for some of the tests only.
if let names = Context.environment["ESPALIER_TEST_TARGETS"]?.split(separator: " ").map(String.init) {
    package.targets.removeAll { $0.type == .test && !names.contains($0.name) }
}
