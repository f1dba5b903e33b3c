// swift-tools-version: 6.2
import PackageDescription

// Targets stand in the order of the data's way, ground floor first: a target imports only from
// above it in this list. `Tests/ArchitectureTests` holds the sources to that.
let package = Package(
  name: "hone",
  platforms: [.macOS(.v15)],
  products: [
    .executable(name: "hone", targets: ["hone"]),
    .library(name: "PythonSyntax", targets: ["Diagnostics", "PythonSyntax"]),
    .library(
      name: "TileMachine",
      targets: ["PythonSyntax", "TileIR", "TritonLowering", "HostProgram", "TileMachine"]),
    .library(
      name: "Hone",
      targets: [
        "PythonSyntax", "DeviceModel", "TileIR", "ElementMath", "TritonLowering", "HostProgram",
        "TensorMath", "TileMachine", "Profiling", "Analysis", "Rewrites", "Stages", "Requests",
        "Checking", "Toolchain", "Tuning", "Reporting",
      ]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
  ],
  targets: [
    .target(name: "Diagnostics", exclude: ["README.md"]),
    .target(name: "PythonSyntax", dependencies: ["Diagnostics"], exclude: ["README.md"]),
    .target(name: "DeviceModel", dependencies: ["Diagnostics"], exclude: ["README.md"]),
    .target(name: "TileIR", dependencies: ["Diagnostics"], exclude: ["README.md"]),
    .target(name: "ElementMath", dependencies: ["TileIR"], exclude: ["README.md"]),
    .target(
      name: "TritonLowering", dependencies: ["PythonSyntax", "TileIR"], exclude: ["README.md"]),
    .target(
      name: "HostProgram", dependencies: ["PythonSyntax", "TileIR", "TritonLowering"],
      exclude: ["README.md"]),
    .target(
      name: "TensorMath", dependencies: ["ElementMath", "HostProgram", "TileIR"],
      exclude: ["README.md"]),
    .target(
      name: "TileMachine",
      dependencies: ["ElementMath", "HostProgram", "TileIR", "TritonLowering"],
      exclude: ["NUMERICS.md", "README.md"]),
    .target(
      name: "Profiling", dependencies: ["DeviceModel", "HostProgram", "TileIR"],
      exclude: ["README.md"]),
    .target(
      name: "Toolchain",
      dependencies: [
        "Diagnostics", "PythonSyntax", "DeviceModel", "TileIR", "TritonLowering", "HostProgram",
        "Profiling", .product(name: "Subprocess", package: "swift-subprocess"),
      ],
      exclude: ["GPU/README.md", "README.md"], resources: [.embedInCode("Worker/Python")]),
    .target(
      name: "Analysis",
      dependencies: ["DeviceModel", "TileIR", "TritonLowering", "HostProgram", "Profiling"],
      exclude: ["README.md"]),
    .target(
      name: "Rewrites",
      dependencies: ["PythonSyntax", "TileIR", "TritonLowering", "HostProgram", "Analysis"],
      exclude: ["README.md"]),
    .target(
      name: "Stages", dependencies: ["PythonSyntax", "DeviceModel"], exclude: ["README.md"]),
    .target(
      name: "Requests", dependencies: ["PythonSyntax", "DeviceModel", "Profiling", "Stages"],
      exclude: ["README.md"]),
    .target(
      name: "Checking",
      dependencies: [
        "ElementMath", "HostProgram", "PythonSyntax", "TensorMath", "TileIR", "TileMachine",
        "TritonLowering",
      ], exclude: ["README.md"]),
    .target(
      name: "Tuning",
      dependencies: [
        "Analysis", "Checking", "HostProgram", "Rewrites", "Stages", "Requests", "Toolchain",
      ],
      exclude: ["README.md"]),
    .target(
      name: "Reporting",
      dependencies: [
        "Analysis", "Checking", "DeviceModel", "HostProgram", "Profiling", "PythonSyntax",
        "Requests", "TileIR", "TritonLowering", "Tuning",
      ],
      exclude: ["README.md"]),
    .executableTarget(
      name: "hone",
      dependencies: [
        "Reporting", "Tuning", "Toolchain", "Checking", "Requests", "Stages", "Rewrites",
        "Profiling",
        "HostProgram", "TritonLowering", "DeviceModel", "PythonSyntax", "TileIR",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ], exclude: ["README.md"]),
    .target(name: "FuzzSupport", exclude: ["README.md"]),
    .target(name: "Mutation", dependencies: ["PythonSyntax"], exclude: ["README.md"]),
    .executableTarget(
      name: "hone-syntax", dependencies: ["Diagnostics", "PythonSyntax", "FuzzSupport"]),
    .testTarget(name: "FuzzSupportTests", dependencies: ["FuzzSupport"]),
    .executableTarget(
      name: "hone-host", dependencies: ["HostProgram", "PythonSyntax", "TritonLowering"],
      exclude: ["README.md"]),
    .target(
      name: "TestSupport",
      dependencies: [.product(name: "Subprocess", package: "swift-subprocess")],
      path: "Tests/TestSupport"),
    .testTarget(name: "DiagnosticsTests", dependencies: ["Diagnostics"]),
    .testTarget(
      name: "PythonSyntaxTests",
      dependencies: ["PythonSyntax", "FuzzSupport", "TestSupport", "hone-syntax"],
      exclude: ["Resources"]),
    .testTarget(name: "ElementMathTests", dependencies: ["ElementMath"]),
    .testTarget(
      name: "TensorMathTests", dependencies: ["TensorMath", "HostProgram", "PythonSyntax"]),
    .testTarget(
      name: "TileMachineTests",
      dependencies: ["TileMachine", "TritonLowering", "PythonSyntax", "TestSupport", "TileIR"],
      exclude: ["JudgeGoldens"]),
    .testTarget(name: "CheckingTests", dependencies: ["Checking", "Mutation", "PythonSyntax"]),
    .testTarget(
      name: "MutationTests",
      dependencies: ["Mutation", "PythonSyntax", "HostProgram", "TritonLowering"],
      exclude: ["Snapshots"]),
    .testTarget(name: "DeviceModelTests", dependencies: ["DeviceModel"]),
    .testTarget(name: "TileIRTests", dependencies: ["TileIR"]),
    .testTarget(
      name: "TritonLoweringTests",
      dependencies: ["TritonLowering", "PythonSyntax", "TestSupport", "TileIR"],
      exclude: ["Kernels"]),
    .testTarget(
      name: "HostProgramTests", dependencies: ["HostProgram", "PythonSyntax", "TestSupport"]),
    .testTarget(name: "ProfilingTests", dependencies: ["Profiling", "HostProgram", "DeviceModel"]),
    .testTarget(
      name: "ToolchainTests",
      dependencies: [
        "Toolchain", "Diagnostics", "DeviceModel", "HostProgram", "PythonSyntax", "TestSupport",
        "TritonLowering",
      ], exclude: ["Recorded"]),
    .testTarget(
      name: "AnalysisTests",
      dependencies: ["Analysis", "HostProgram", "TritonLowering", "DeviceModel"]),
    .testTarget(
      name: "RewritesTests", dependencies: ["Rewrites", "HostProgram", "TritonLowering"]),
    .testTarget(name: "StagesTests", dependencies: ["Stages", "PythonSyntax"]),
    .testTarget(name: "RequestsTests", dependencies: ["Requests", "TestSupport"]),
    .executableTarget(
      name: "hone-trials", dependencies: ["Analysis", "Diagnostics", "Tuning"]),
    .testTarget(
      name: "TuningTests",
      dependencies: [
        "Tuning", "Requests", "Rewrites", "Stages", "TestSupport", "Toolchain", "hone-trials",
      ]),
    .testTarget(name: "ReportingTests", dependencies: ["Reporting"]),
    .testTarget(name: "CommandTests", dependencies: ["Requests", "TestSupport"]),
    .testTarget(
      name: "ExampleTests",
      dependencies: [
        "Diagnostics", "PythonSyntax", "TileIR", "TritonLowering", "HostProgram", "Requests",
        "TestSupport",
      ],
      exclude: ["Launches"]),
  ],
  swiftLanguageModes: [.v6]
)
