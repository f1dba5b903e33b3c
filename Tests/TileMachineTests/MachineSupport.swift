import Diagnostics
import PythonSyntax
import Testing
import TileIR
import TritonLowering

@testable import TileMachine

/// Tensors for one kernel, with the memory that lies behind them.
final class Tensors {
  let memory = DeviceMemory()
  private var buffers: [UnsafeMutableRawBufferPointer] = []
  private var places:
    [String: (buffer: UnsafeMutableRawBufferPointer, at: DeviceMemory.Allocation)] = [:]

  deinit { for buffer in buffers { buffer.deallocate() } }

  /// A contiguous tensor of `elements`.
  @discardableResult
  func add<T>(
    _ name: String, _ element: ElementType, _ elements: [T], shape: [Int]? = nil,
    isInitialized: Bool = true
  ) throws -> MachineArgument {
    let shape = shape ?? [elements.count]
    let bytes = elements.count * MemoryLayout<T>.stride
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, bytes), alignment: 64)
    buffers.append(buffer)
    elements.withUnsafeBytes { buffer.copyMemory(from: $0) }
    let base = try #require(buffer.baseAddress)
    let allocation = try #require(
      memory.register(
        base, byteCount: bytes,
        label: .init(name: name, element: element, shape: shape, strides: RowMajor.strides(shape)),
        isInitialized: isInitialized))
    places[name] = (buffer, allocation)
    return .pointer(allocation, byteOffset: 0)
  }

  func allocation(_ name: String) throws -> DeviceMemory.Allocation {
    try #require(places[name]).at
  }

  /// What a tensor holds now.
  func read<T>(_ name: String, as _: T.Type) throws -> [T] {
    let buffer = try #require(places[name]).buffer
    return Array(buffer.bindMemory(to: T.self))
  }
}

/// Lowers a kernel given as text; `body` follows the imports of triton and triton.language.
func lowered(
  _ body: String, kernel: String = "kernel", _ signature: String, keepsAssertions: Bool = false
) throws -> Function {
  let text = "import triton\nimport triton.language as tl\n\n" + body
  let module = TritonModule(PythonParser.parse(SourceText(name: "kernel.py", text: text)))
  let function = try #require(module.function(named: kernel))
  let specialization = try Signature.parse(signature, for: function)
  return try module.lower(kernel, for: specialization, keepsAssertions: keepsAssertions)
}

/// Lowers and runs a kernel; asserts that there was no fault unless one is wanted.
@discardableResult
func run(
  _ body: String, _ signature: String, grid: [Int] = [1], _ tensors: Tensors,
  _ arguments: [String: MachineArgument], options: TileMachine.Options = .init(),
  faults id: String? = nil, keepsAssertions: Bool = false,
  sourceLocation: Testing.SourceLocation = #_sourceLocation
) throws -> MachineFault? {
  let function = try lowered(body, signature, keepsAssertions: keepsAssertions)
  let expanded = try HandleExpansion.expand(function, arguments: arguments)
  if let problem = Verifier.verify(expanded.function, after: "handle expansion") {
    Issue.record(
      "\(problem)\n\(Printer.print(expanded.function))", sourceLocation: sourceLocation)
  }
  let machine = TileMachine(memory: tensors.memory, options: options)
  let result = try machine.run(function, grid: grid, arguments: arguments)
  #expect(
    result.fault?.id == id, "\(result.fault?.diagnostic.rendered() ?? "no fault")",
    sourceLocation: sourceLocation)
  return result.fault
}
