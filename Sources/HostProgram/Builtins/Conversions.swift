import Foundation

extension Evaluator {
  /// `int(value)`.
  func toInt(_ value: Value) throws -> Value {
    switch value {
    case .integer: return value
    case .boolean(let flag): return .integer(SymInt(flag.value ? 1 : 0, origin: flag.origin))
    case .float(let number):
      if number.value.isNaN { throw raise("ValueError", "cannot convert float NaN to integer") }
      if number.value.isInfinite {
        throw raise("OverflowError", "cannot convert float infinity to integer")
      }
      if let ratio = number.ratio, ratio.numerator.value >= 0, ratio.denominator.value > 0,
        let quotient = ratio.numerator.floorDivided(by: ratio.denominator)
      {
        return .integer(quotient)
      }
      guard let result = Int(exactly: number.value.rounded(.towardZero)) else {
        throw refuse("an integer past 64 bits", id: "host-limit")
      }
      return .integer(SymInt(result, origin: number.origin))
    case .string(let text):
      let trimmed = text.trimmingCharacters(in: .whitespaces).replacingOccurrences(
        of: "_", with: "")
      guard let number = Int(trimmed) else {
        throw raise("ValueError", "invalid literal for int() with base 10: '\(text)'")
      }
      return .int(number)
    case .tensor(let tensor):
      if let fill = readFill(tensor) ?? readContents(tensor)?.first { return try toInt(fill) }
      note("assumed-content", "this integer depends on tensor contents; assumed 1")
      return .integer(SymInt(1, origin: .unknown))
    case .instance(let object):
      if let method = object.type.lookup("__int__") ?? object.type.lookup("__index__") {
        return try toInt(call(method, [value]))
      }
    case .opaque(let object): throw refuse(object)
    default: break
    }
    throw raise("TypeError", "int() argument must be a number, not '\(value.typeName)'")
  }

  /// `float(value)`.
  func toFloat(_ value: Value) throws -> Value {
    switch value {
    case .float: return value
    case .integer(let number): return .double(Double(number.value), origin: number.origin)
    case .boolean(let flag): return .double(flag.value ? 1 : 0, origin: flag.origin)
    case .string(let text):
      let bare = text.trimmingCharacters(in: .whitespaces).lowercased()
      switch bare {
      case "inf", "infinity", "+inf": return .double(.infinity)
      case "-inf", "-infinity": return .double(-.infinity)
      case "nan": return .double(.nan)
      default:
        guard let number = Double(bare) else {
          throw raise("ValueError", "could not convert string to float: '\(text)'")
        }
        return .double(number)
      }
    case .tensor(let tensor):
      if let fill = readFill(tensor) ?? readContents(tensor)?.first { return try toFloat(fill) }
      note("assumed-content", "this number depends on tensor contents; assumed 1.0")
      return .double(1, origin: .unknown)
    case .opaque(let object): throw refuse(object)
    default: throw raise("TypeError", "float() argument must be a number, not '\(value.typeName)'")
    }
  }
}

extension Evaluator {
  /// A stable sort by `key`.
  func sorted(_ values: [Value], _ key: Value?, _ isReversed: Bool) throws -> [Value] {
    let keys = try values.map { value in try key.map { try call($0, [value]) } ?? value }
    // Merge sort: the comparison may throw, and equal items keep their order.
    func sort(_ indices: [Int]) throws -> [Int] {
      guard indices.count > 1 else { return indices }
      let middle = indices.count / 2
      let left = try sort(Array(indices[..<middle]))
      let right = try sort(Array(indices[middle...]))
      var merged: [Int] = []
      merged.reserveCapacity(indices.count)
      var i = 0
      var j = 0
      while i < left.count, j < right.count {
        try step()
        let takesRight =
          isReversed
          ? try truth(compare(.less, keys[left[i]], keys[right[j]]))
          : try truth(compare(.less, keys[right[j]], keys[left[i]]))
        if takesRight {
          merged.append(right[j])
          j += 1
        } else {
          merged.append(left[i])
          i += 1
        }
      }
      return merged + left[i...] + right[j...]
    }
    return try sort(Array(values.indices)).map { values[$0] }
  }
}
