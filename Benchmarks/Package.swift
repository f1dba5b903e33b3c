// swift-tools-version: 6.1
import PackageDescription

// Benchmarks stand apart from the package: `swift build` and `swift test` there never build them.
let package = Package(
  name: "hone-benchmarks",
  platforms: [.macOS(.v15)],
  dependencies: [.package(name: "hone", path: "..")],
  targets: [
    .executableTarget(
      name: "ParseBenchmark",
      dependencies: [.product(name: "PythonSyntax", package: "hone")]),
    .executableTarget(
      name: "MachineBenchmark",
      dependencies: [.product(name: "TileMachine", package: "hone")]),
  ],
  swiftLanguageModes: [.v6]
)
