import HostProgram
import TileIR

/// A run's trace as text, one step a line, and as JSON values.
enum TracePrinting {
  static func lines(_ run: HostRun) -> [String] {
    var lines = run.trace.tensors.map { "\($0.role.rawValue) \($0.name) \(text($0.shape))" }
    for (title, steps) in [("setup", run.trace.setup), ("forward", run.trace.forward)] {
      for (index, step) in steps.enumerated() {
        lines.append("\(title) \(text(step, title == "forward" ? index : -1, run))")
      }
    }
    lines += run.trace.outputs.map { "output \(text($0))" }
    if let gap = run.trace.gap { lines.append("gap \(gap.headline)") }
    return lines
  }

  private static func text(_ step: HostStep, _ index: Int, _ run: HostRun) -> String {
    switch step {
    case .operation(let operation):
      let arguments = operation.arguments.sorted { $0.key < $1.key }
        .map { "\($0.key)=\(text($0.value))" }.joined(separator: ", ")
      return
        "\(operation.results.map(text).joined(separator: ", ")) = \(operation.name)(\(arguments))"
    case .launch(let number):
      let launch = run.launch(at: index)
      return "launch \(number) \(launch?.kernel ?? "")"
    }
  }

  static func text(_ shape: TensorShape) -> String {
    let strides =
      shape.strides == TensorShape.contiguousStrides(shape.shape) ? "" : " strides \(shape.strides)"
    let offset = shape.offset == 0 ? "" : " + \(shape.offset)"
    return "%\(shape.storage)\(offset):\(shape.element)\(shape.shape)\(strides)"
  }

  private static func text(_ value: TraceValue) -> String {
    switch value {
    case .tensor(let shape): text(shape)
    case .int(let number): "\(number)"
    case .float(let number): "\(number)"
    case .bool(let flag): flag ? "True" : "False"
    case .string(let text): "'\(text)'"
    case .dtype(let element): "\(element)"
    case .none: "None"
    case .list(let values):
      "[\(values.prefix(8).map(text).joined(separator: ", "))\(values.count > 8 ? ", …" : "")]"
    }
  }

  // MARK: JSON

  static func json(_ run: HostRun) -> [String: Any] {
    var record: [String: Any] = [
      "tensors": run.trace.tensors.map {
        ["name": $0.name, "role": $0.role.rawValue, "shape": json($0.shape)] as [String: Any]
      },
      "setup": run.trace.setup.map { json($0, -1, run) },
      "forward": run.trace.forward.enumerated().map { json($0.element, $0.offset, run) },
      "outputs": run.trace.outputs.map(json),
      "read": run.trace.readStorages.sorted(),
    ]
    if let gap = run.trace.gap { record["gap"] = gap.rendered() }
    return record
  }

  private static func json(_ step: HostStep, _ index: Int, _ run: HostRun) -> [String: Any] {
    switch step {
    case .operation(let operation):
      [
        "name": operation.name, "arguments": operation.arguments.mapValues(json),
        "results": operation.results.map(json),
      ]
    case .launch(let number): ["launch": number, "kernel": run.launch(at: index)?.kernel ?? ""]
    }
  }

  private static func json(_ shape: TensorShape) -> [String: Any] {
    [
      "dtype": "\(shape.element)", "shape": shape.shape, "strides": shape.strides,
      "storage": shape.storage, "offset": shape.offset,
    ]
  }

  private static func json(_ value: TraceValue) -> Any {
    switch value {
    case .tensor(let shape): ["tensor": json(shape)]
    case .int(let number): number
    case .float(let number): ["float": "\(number)"]
    case .bool(let flag): flag
    case .string(let text): text
    case .dtype(let element): ["dtype": "\(element)"]
    case .none: ["none": true]
    case .list(let values): values.map(json)
    }
  }
}
