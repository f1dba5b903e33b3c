import ArgumentParser
import Diagnostics
import PythonSyntax
import TileIR
import TritonLowering

/// `hone lower`: the tile IR of a module's kernels, for people who debug them or this tool.
struct LowerCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lower", abstract: "Print the tile IR of a module's Triton kernels.",
    discussion: """
      Argument types come from --signature, in the form of Triton's ahead-of-time compiler, or are
      guessed from use; each guess is printed to standard error.
      """)

  @Argument(help: "Python files with @triton.jit functions.")
  var modules: [String]

  @Option(help: "A kernel's name; without it, every @triton.jit function.")
  var kernel: String?

  @Option(help: "Argument types: '*fp32:16, i32, 1024', or by name 'n=i32, BLOCK=1024'.")
  var signature: String?

  @Option(help: "Warps per program.")
  var numWarps: Int?

  @Option(help: "Software pipeline stages.")
  var numStages: Int?

  @Option(help: "Compute capability, times ten.")
  var capability = 89

  @Flag(help: "Print memory, dot and reduction operations only.")
  var summary = false

  @Option(help: "How to print.")
  var format: OutputFormat = .text

  func run() throws {
    var records: [LoweringRecord] = []
    var refusals: [Diagnostic] = []
    for path in modules {
      let tree = PythonParser.parse(try Files.source(path))
      let module = TritonModule(tree)
      if let kernel, module.function(named: kernel) == nil {
        _ = try module.lower(kernel, for: Specialization(arguments: [:]))
      }
      for function in module.functions where kernel == nil || function.name == kernel {
        let (record, refusal) = try lower(function, in: module, path: path)
        records.append(record)
        if let refusal { refusals.append(refusal) }
        if format == .text, let text = record.text { try StandardOutput.write(text) }
      }
    }
    if format == .json {
      try StandardOutput.write(try JSONText.bytes(records, isPretty: false))
    } else if !refusals.isEmpty {
      throw Failure(outcome: .input, diagnostics: refusals)
    }
  }

  private func lower(_ function: JITFunction, in module: TritonModule, path: String) throws -> (
    LoweringRecord, Diagnostic?
  ) {
    var specialization: Specialization
    if let signature {
      specialization = try Signature.parse(signature, for: function)
    } else {
      let inferred = try module.inferredSpecialization(for: function.name)
      if format == .text { StandardError.print(inferred.guesses) }
      specialization = inferred.specialization
    }
    specialization.numWarps = numWarps ?? specialization.numWarps
    specialization.numStages = numStages ?? specialization.numStages
    specialization.computeCapability = capability
    var record = LoweringRecord(
      module: path, kernel: function.name,
      arguments: function.parameters.compactMap { parameter in
        specialization.arguments[parameter.name].map {
          var argument = LoweredArgument(parameter.name, $0)
          if let tile = specialization.tiles[parameter.name] { argument.type = "\(tile)" }
          return argument
        }
      })
    do {
      let lowered = try module.lower(function.name, for: specialization)
      if let problem = Verifier.verify(lowered, after: "lowering") { throw problem }
      record.operations = lowered.operationCount
      // Triton's front end leaves dead operations to its passes; the judge compares before them.
      let whole =
        format == .json
        ? try module.lower(function.name, for: specialization, keepsDeadOperations: true) : lowered
      record.summary = Summary.lines(of: whole)
      record.text =
        summary
        ? (["\(function.name):"] + (record.summary ?? []).map { "  " + $0 }).joined(separator: "\n")
          + "\n"
        : Printer.print(lowered)
      return (record, nil)
    } catch let error as Diagnostic {
      record.refusal = error.id
      record.message = error.message
      record.line = error.location?.line
      return (record, error)
    }
  }
}

/// One lowered or refused kernel, for programs.
struct LoweringRecord: Codable {
  var module: String
  var kernel: String
  var arguments: [LoweredArgument]
  var operations: Int?
  var summary: [String]?
  var text: String?
  var refusal: String?
  var message: String?
  var line: Int?
}

/// One argument in Triton's notation.
struct LoweredArgument: Codable {
  var name: String
  /// `*fp32`, `i32`; nil for constants.
  var type: String?
  var isDivisibleBy16: Bool?
  /// A Python literal; dtypes as `tl.float32`.
  var constant: String?

  init(_ name: String, _ argument: ArgumentSpecialization) {
    self.name = name
    switch argument {
    case .pointer(let element, let divisible):
      type = "*" + Signature.name(of: element)
      isDivisibleBy16 = divisible
    case .scalar(let element, let divisible):
      type = Signature.name(of: element)
      isDivisibleBy16 = divisible
    case .constexpr(let value): constant = Self.literal(value)
    case .tensorDescriptor(let element, let block):
      type = "tensordesc<\(Signature.name(of: element))\(block)>"
    case .tuple: type = "tuple"
    }
  }

  private static func literal(_ value: ConstexprValue) -> String {
    switch value {
    case .none: return "None"
    case .bool(let value): return value ? "True" : "False"
    case .int(let value): return "\(value)"
    case .float(let value):
      return value.isInfinite || value.isNaN ? "float('\(value)')" : "\(value)"
    case .string(let value): return value.debugDescription
    case .dtype(let element): return "dtype(\"\(element)\")"
    case .tuple(let values):
      return "(" + values.map { literal($0) + ", " }.joined() + ")"
    case .function(let name): return name
    }
  }
}
