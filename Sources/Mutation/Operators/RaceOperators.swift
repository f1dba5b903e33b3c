import PythonSyntax

extension MutationOperator {
  /// Programs that write to one place.
  static let race: [MutationOperator] = [
    MutationOperator("store-program-term-dropped", .race) { subject, planter in
      for kernel in subject.kernels {
        kernel.plantTermDrops(.program, subject, &planter, .race) { $0.kind == .store }
      }
    },
    MutationOperator("atomic-lost", .race) { subject, planter in
      for (memory, name) in atomics(subject) {
        guard let combined = combination(name), let value = memory.value else { continue }
        let pointer = subject.text(memory.pointer)
        let mask = memory.mask.map { ", mask=\(subject.text($0))" } ?? ""
        let load = "\(subject.language("load"))(\(pointer)\(mask))"
        let text = combined(load, subject.wrapped(value), subject)
        planter.replace(
          memory.call.expression,
          with: "\(subject.language("store"))(\(pointer), \(text)\(mask))",
          "`\(name)` becomes a load, an operation and a store", .race)
      }
    },
    MutationOperator("atomic-to-store", .race) { subject, planter in
      for (memory, name) in atomics(subject) {
        guard let value = memory.value, combination(name) != nil else { continue }
        let mask = memory.mask.map { ", mask=\(subject.text($0))" } ?? ""
        planter.replace(
          memory.call.expression,
          with:
            "\(subject.language("store"))(\(subject.text(memory.pointer)), \(subject.text(value))\(mask))",
          "`\(name)` becomes a store", .race)
      }
    },
    MutationOperator("atomic-kind-changed", .race) { subject, planter in
      for (memory, name) in atomics(subject) {
        guard case .attribute(_, _, let range) = memory.call.callee.kind else { continue }
        let other = name == "atomic_add" ? "atomic_max" : "atomic_add"
        guard combination(name) != nil else { continue }
        planter.replace(range, with: other, "`\(name)` becomes `\(other)`", .changesResult)
      }
    },
  ]

  private static func atomics(_ subject: Subject) -> [(MemoryCall, String)] {
    subject.kernels.flatMap { kernel in
      kernel.memoryCalls.compactMap { memory in
        if case .atomic(let name) = memory.kind { (memory, name) } else { nil }
      }
    }
  }

  private static func combination(_ name: String) -> ((String, String, Subject) -> String)? {
    switch name {
    case "atomic_add": { old, new, _ in "\(old) + \(new)" }
    case "atomic_max": { old, new, subject in "\(subject.language("maximum"))(\(old), \(new))" }
    case "atomic_min": { old, new, subject in "\(subject.language("minimum"))(\(old), \(new))" }
    case "atomic_and": { old, new, _ in "\(old) & \(new)" }
    case "atomic_or": { old, new, _ in "\(old) | \(new)" }
    case "atomic_xor": { old, new, _ in "\(old) ^ \(new)" }
    default: nil
    }
  }
}
