import Foundation

/// JSON as every command prints it: sorted keys, a final newline; a number that is not finite becomes
/// the string `inf`, `-inf` or `nan`.
public enum JSONText {
  public static func bytes(_ value: some Encodable, isPretty: Bool = true) throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    if isPretty { encoder.outputFormatting.insert(.prettyPrinted) }
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return Array(try encoder.encode(value)) + [0x0A]
  }
}

/// A diagnostic for programs; line and column start at 1.
public struct DiagnosticRecord: Encodable, Sendable {
  public let id: String
  public let severity: String
  public let message: String
  public let file: String?
  public let line: Int?
  public let column: Int?
  public let nextStep: String?

  public init(_ diagnostic: Diagnostic) {
    id = diagnostic.id
    severity = diagnostic.severity.rawValue
    message = diagnostic.message
    file = diagnostic.source?.name
    line = diagnostic.location?.line
    column = diagnostic.location?.column
    nextStep = diagnostic.nextStep
  }
}
