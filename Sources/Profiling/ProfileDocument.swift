import Diagnostics

/// Profiles as the JSON that requests carry: `{"kernel": {"metric": value}}`, a list of such objects
/// for a kernel with several launches. Values are in base units; a metric without one is `null`.
public enum ProfileDocument {
  /// ``ProfileReader`` reads the result back as the same profiles, in the same order of launches.
  public static func json(_ profiles: [KernelProfile]) -> String {
    var order: [String] = []
    var byKernel: [String: [KernelProfile]] = [:]
    for profile in profiles {
      if byKernel[profile.kernel] == nil { order.append(profile.kernel) }
      byKernel[profile.kernel, default: []].append(profile)
    }
    guard !order.isEmpty else { return "{}\n" }
    let members = order.map { kernel in
      let launches = (byKernel[kernel] ?? []).sorted { $0.launch < $1.launch }
      if launches.count == 1 { return "  \(quoted(kernel)): \(object(launches[0], "  "))" }
      let list = launches.map { "    " + object($0, "    ") }.joined(separator: ",\n")
      return "  \(quoted(kernel)): [\n\(list)\n  ]"
    }
    return "{\n" + members.joined(separator: ",\n") + "\n}\n"
  }

  private static func object(_ profile: KernelProfile, _ indent: String) -> String {
    var lines = profile.metrics.map { ($0.key, number($0.value.value)) }
    lines += Set(profile.absent).subtracting(profile.metrics.keys).map { ($0, "null") }
    lines.sort { $0.0 < $1.0 }
    let text = lines.map { "\(indent)  \(quoted($0.0)): \($0.1)" }.joined(separator: ",\n")
    return text.isEmpty ? "{}" : "{\n\(text)\n\(indent)}"
  }

  /// The shortest text that reads back as the same number.
  private static func number(_ value: Double) -> String {
    guard value.isFinite else { return "null" }
    if value == value.rounded(), abs(value) < 1e15 { return String(Int(value)) }
    return "\(value)"
  }

  private static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\t": result += "\\t"
      case _ where scalar.value < 0x20:
        let hex = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}
