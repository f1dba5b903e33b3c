import HostProgram
import PythonSyntax
import TritonLowering

/// The integer values a kernel's parameters take, one environment for each launch and config.
struct LaunchEnvironments {
  /// By parameter name.
  private(set) var all: [[String: Interval]]

  /// The most environments kept; beyond it equal kernels are launched so often that more add nothing.
  private static let limit = 128

  init(of kernel: String, in run: HostRun?) {
    var found: [[String: Interval]] = []
    var seen: Set<[String: Interval]> = []
    for launch in run?.launches ?? [] where launch.kernel == kernel {
      var arguments: [String: Interval] = [:]
      for argument in launch.arguments {
        switch argument.value {
        case .int(let value): arguments[argument.name] = Interval(value)
        case .bool(let value): arguments[argument.name] = Interval(value ? 1 : 0)
        default: break
        }
      }
      let configs = launch.configs.isEmpty ? [LaunchConfig()] : launch.configs.map(\.config)
      for config in configs {
        var environment = arguments
        for (name, value) in config.constants {
          switch value {
          case .int(let value): environment[name] = Interval(value)
          case .bool(let value): environment[name] = Interval(value ? 1 : 0)
          default: break
          }
        }
        guard found.count < Self.limit, seen.insert(environment).inserted else { continue }
        found.append(environment)
      }
    }
    self.all = found
  }

  var count: Int { all.count }

  func values(of name: String) -> [Interval?] { all.map { $0[name] } }
}

extension HostRun {
  func launches(of kernel: String) -> [Launch] { launches.filter { $0.kernel == kernel } }
}
