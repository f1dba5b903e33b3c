/// Characters by name, for `\N{…}` escapes: from the names and aliases of the Swift runtime.
enum UnicodeNames {
  /// The scalar of a Unicode name or alias, in any case.
  /// - Complexity: the first call that is not a hexadecimal-coded ideograph builds a table of all
  ///   names (about 150,000); later calls are O(1).
  static func scalar(named name: String) -> Unicode.Scalar? {
    let key = name.uppercased()
    for prefix in ["CJK UNIFIED IDEOGRAPH-", "CJK COMPATIBILITY IDEOGRAPH-"]
    where key.hasPrefix(prefix) {
      return UInt32(key.dropFirst(prefix.count), radix: 16).flatMap(Unicode.Scalar.init)
    }
    return table[key]
  }

  private static let table: [String: Unicode.Scalar] = {
    var table: [String: Unicode.Scalar] = [:]
    table.reserveCapacity(60_000)
    // Planes 0 and 1 and the tag characters hold every named character that is no ideograph.
    let ranges: [ClosedRange<UInt32>] = [
      0...0x33FF, 0x4DC0...0x4DFF, 0xA000...0xD7FF, 0xF900...0x1FFFF, 0xE0000...0xE01EF,
    ]
    for range in ranges {
      for value in range {
        guard let scalar = Unicode.Scalar(value) else { continue }
        if let name = scalar.properties.name { table[name] = scalar }
        if let alias = scalar.properties.nameAlias { table[alias] = scalar }
      }
    }
    return table
  }()
}
