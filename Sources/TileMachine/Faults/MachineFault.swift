import Diagnostics
import TileIR

/// Something a kernel did that it may not do, with where and what.
public struct MachineFault: Error, Sendable {
  /// Stable and kebab-case: `out-of-bounds`, `uninitialized-read`, `race`, ….
  public var id: String
  public var message: String
  public var kernel: String
  public var programID: [Int]
  /// Index of the lane in its tile, one number per axis.
  public var lane: [Int]
  /// The tensor meant, if the address tells.
  public var tensor: String?
  /// The element of the tensor, one number per axis; outside the shape for a wild address.
  public var index: [Int]?
  /// Values of named integers that led here.
  public var operands: [(name: String, value: Int)] = []
  public var source: SourceText
  public var range: SourceRange

  /// For people: message, source line and caret, and what the lane saw.
  public var diagnostic: Diagnostic {
    var text = message
    text += " (kernel '\(kernel)', program (\(programID.map(String.init).joined(separator: ", ")))"
    if !lane.isEmpty { text += ", lane [\(lane.map(String.init).joined(separator: ", "))]" }
    if !operands.isEmpty {
      text += "; " + operands.map { "\($0.name) = \($0.value)" }.joined(separator: ", ")
    }
    text += ")"
    return Diagnostic(id: id, text, source: source, range: range)
  }

  init(
    _ found: Scheduler.Found, program: TileProgram, grid: (Int, Int, Int), memory: DeviceMemory,
    addresses: [Value: Int]
  ) {
    let raw = found.raw
    let site =
      program.sites.indices.contains(raw.site)
      ? program.sites[raw.site]
      : TileProgram.Site(
        operation: "", location: OpLocation(SourceRange(0, 0)), shape: [], element: .int32)
    kernel = program.function.name
    source = program.function.source
    range = site.location.range
    programID = [found.id.0, found.id.1, found.id.2]
    lane = RowMajor.coordinates(of: raw.lane, in: site.shape)
    id = ""
    message = ""
    let place = Self.place(raw, memory)
    tensor = place?.label.name
    index = place?.index
    (id, message) = Self.describe(raw, place, element: site.element)
    if !site.text.isEmpty { message += ": \(site.text)" }
  }

  private struct Place {
    var label: DeviceMemory.Label
    var index: [Int]
    /// In elements from the storage's first.
    var element: Int
    var count: Int
  }

  private static func place(_ raw: RawFault, _ memory: DeviceMemory) -> Place? {
    let index = (raw.address >> DeviceMemory.regionShift) - 1
    guard memory.records.indices.contains(index) else { return nil }
    let record = memory.records[index]
    let label = memory.labels[index]
    let size = max(1, label.element.bytes)
    let offset = raw.address - record.base
    let element = offset >= 0 ? offset / size : -((-offset + size - 1) / size)
    // Along the strides, largest first; what is left over goes to the largest axis.
    var coordinates = Array(repeating: 0, count: label.shape.count)
    var rest = element - label.offset
    let order = label.shape.indices.sorted { label.strides[$0] > label.strides[$1] }
    for (position, axis) in order.enumerated() where label.strides[axis] > 0 {
      var quotient = Int((Double(rest) / Double(label.strides[axis])).rounded(.down))
      if position > 0 { quotient = min(max(quotient, 0), max(0, label.shape[axis] - 1)) }
      coordinates[axis] = quotient
      rest -= quotient * label.strides[axis]
    }
    return Place(
      label: label, index: coordinates, element: element, count: record.byteCount / size)
  }

  private static func describe(
    _ raw: RawFault, _ place: Place?, element: ElementType
  ) -> (String, String) {
    let tensor = place.map {
      "\($0.label.name)[\($0.index.map(String.init).joined(separator: ", "))]"
    }
    func other(_ word: UInt16) -> String {
      word == GranuleState.several
        ? "several programs"
        : word == GranuleState.atomic ? "an atomic operation" : "program \(Int(word) - 1)"
    }
    switch raw.kind {
    case .outOfBounds(let isStore):
      let verb = isStore ? "store" : "load"
      guard let place else {
        return ("out-of-bounds", "\(verb) at address \(raw.address), which belongs to no tensor")
      }
      let side =
        place.element < 0
        ? "\(-place.element) elements before the start of"
        : "\(place.element - place.count + 1) elements past the end of"
      return (
        "out-of-bounds",
        "\(verb) out of bounds: \(side) '\(place.label.name)' of \(place.count) elements"
      )
    case .uninitialized:
      return ("uninitialized-read", "reads \(tensor ?? "memory"), which nothing wrote yet")
    case .writeWriteRace(let word):
      return (
        "write-write-race",
        "writes \(tensor ?? "memory"), which \(other(word)) wrote too with another value"
      )
    case .readAfterForeignWrite(let word):
      return (
        "read-write-race", "reads \(tensor ?? "memory"), which \(other(word)) of this launch writes"
      )
    case .writeAfterForeignRead(let word):
      return (
        "read-write-race", "writes \(tensor ?? "memory"), which \(other(word)) of this launch reads"
      )
    case .laneRace(let otherLane):
      return (
        "lane-race",
        "two lanes of one store write different values to \(tensor ?? "one address") (the other is lane \(otherLane))"
      )
    case .misaligned:
      return (
        "misaligned-access",
        "address of \(tensor ?? "memory") is not a multiple of \(raw.bytes) bytes"
      )
    case .divisionByZero: return ("division-by-zero", "integer division by zero")
    case .offsetOverflow(let used):
      let distance = raw.address.subtractingClamped(used) / max(1, raw.bytes)
      return (
        "offset-overflow",
        "32-bit index arithmetic overflows: \(tensor ?? "the address") is meant, but the offset is \(distance) elements off; compute it in int64"
      )
    case .wrongHint(let problem):
      return (
        "wrong-hint",
        "'tl.\(problem.hint)' states \(problem.stated) but the value is \(problem.value)"
      )
    case .assumption: return ("wrong-assumption", "'tl.assume' does not hold")
    case .assertion: return ("failed-assertion", "'tl.device_assert' does not hold")
    case .endless:
      return (
        "endless-loop",
        "the loop did not end within the allowed number of iterations; programs run one after "
          + "another here, so one that waits for another waits forever"
      )
    case .indexOutOfRange(let index, let count):
      return ("index-out-of-range", "index \(index) is outside [0, \(count))")
    }
  }
}
