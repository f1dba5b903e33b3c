import DeviceModel
import Diagnostics
import Profiling
import Stages
import Testing

@testable import Requests

@Suite struct RequestReaderTests {
  @Test func theWholeDocument() throws {
    let request = try SampleRequest().read()
    #expect(request.gpu.name == "RTX 4090")
    #expect(request.gpuFacts.count == 13)
    #expect(request.policy.stage == .microTuning)
    #expect(request.policy.numWarps.allowed == [2, 4, 8])
    #expect(request.module.firstLine == 32)
    #expect(request.tree.functions.map(\.name) == ["add_kernel", "add"])
    let location = request.module.location(at: request.tree.functions[0].nameRange.lower)
    #expect(location == SourceLocation(line: 39, column: 5))
    #expect(request.profiles.map(\.kernel) == ["add_kernel"])
    #expect(request.profiles[0][NsightMetric.gridSize] == 48400)
    #expect(request.task == "Make it faster.")
    #expect(request.outputRules.forbidden.count == 4)
    #expect(request.notes.isEmpty, "\(request.notes)")
    #expect(!request.lineOutcomes.contains(.unread) && !request.lineOutcomes.contains(.reported))
    let document = try #require(request.document)
    #expect(request.lineOutcomes.count == document.lineStarts.count)
    let range = try #require(request.moduleRange)
    #expect(document.text(in: range) == request.module.text)
  }

  @Test func bulletsOverrideTheTable() throws {
    var sample = SampleRequest()
    sample.gpu = """
      ## GPU
      - Name: NVIDIA H100 PCIe
      - SM count: 100
      - Memory bandwidth = 1.5 TB/s
      - FP16 Tensor Core TFLOPS: 1,000 with sparsity
      - Shared memory per SM: 200 KiB
      - Max registers per thread: 128
      - Boost clock: 1.7 GHz
      - Favourite colour: green

      """
    let request = try sample.read()
    #expect(request.gpu.name == "H100 PCIe")
    #expect(request.gpu.multiprocessors == 100)
    #expect(request.gpu.dramGBPerSecond == 1500)
    #expect(request.gpu.teraOps[.fp16] == 500)
    #expect(request.gpu.teraOps[.tf32] == 378)
    #expect(request.gpu.limits.sharedBytes == 200 * 1024)
    #expect(request.gpu.limits.maxRegistersPerThread == 128)
    #expect(request.gpu.boostClockMHz == 1700)
    #expect(request.notes.map(\.id) == ["gpu-line-unread"])
    #expect(request.notes.first?.location?.line == 11)
  }

  @Test func unlikelyValuesAreIgnoredWithAWarning() throws {
    var sample = SampleRequest()
    sample.gpu = "# Target GPU\nGPU Name: 4090\n• Number of SMs: 0\n• Warp size: 64\n"
    let request = try sample.read()
    #expect(request.gpu.multiprocessors == 128)
    #expect(request.notes.map(\.id) == ["gpu-value-unlikely", "gpu-value-unlikely"])
  }

  @Test func sectionsInAnyOrderAndStyle() throws {
    let sample = SampleRequest()
    let body = sample.code.replacing("[CURRENT CODE]", with: "## Current code")
    let text =
      "## Task\nFaster!\n\n" + body
      + "### NCU metrics\n```json\n{\"add_kernel\": {\"a__b\": \"48,400\"}}\n```\n"
      + "# Optimization stage\n**Focus**: Final micro-tuning.\n### Rules\n- num_warps: 2, 4\n"
      + "# Hardware\nGPU: RTX 4090\n"
    let request = try RequestReader.read(bytes: Array(text.utf8), name: "r.md")
    #expect(request.policy.numWarps.allowed == [2, 4])
    #expect(request.profiles[0]["a__b"] == 48_400)
    #expect(request.task == "Faster!")
    #expect(request.notes.isEmpty, "\(request.notes)")
  }

  @Test func noMetrics() throws {
    var sample = SampleRequest()
    sample.metrics = "[NCU PROFILING METRICS]\nNo NCU metrics available (skipped)\n\n"
    let request = try sample.read()
    #expect(request.profiles.isEmpty)
    #expect(request.profileAbsence?.contains("skipped") == true)
    sample.metrics = ""
    #expect(try sample.read().profiles.isEmpty)
  }

  @Test func flagsInsteadOfSections() throws {
    var sample = SampleRequest()
    sample.gpu = ""
    sample.stage = ""
    sample.metrics = ""
    let profile = SourceText(name: "p.json", text: "{\"add_kernel\": {\"a__b\": 1}}")
    let request = try sample.read(
      RequestOptions(gpu: "l4", stage: "tiling", profile: profile, inputs: ["x=f32[8]"]))
    #expect(request.gpu.name == "L4")
    #expect(request.policy.stage == .blockTiling)
    #expect(request.profiles[0]["a__b"] == 1)
    #expect(request.inputs.map(\.name) == ["x"])
  }

  @Test func flagsOverrideSections() throws {
    let request = try SampleRequest().read(RequestOptions(gpu: "A100"))
    #expect(request.gpu.name == "A100 80GB SXM")
    #expect(request.gpu.multiprocessors == 108)
    #expect(request.notes.map(\.id) == ["gpu-overridden"])
  }

  @Test func aModuleWithFlags() throws {
    let code = SampleRequest().code.split(separator: "\n").dropFirst(2).dropLast().joined(
      separator: "\n")
    let options = RequestOptions(gpu: "4090")
    let request = try RequestReader.read(bytes: Array(code.utf8), name: "<stdin>", options: options)
    #expect(request.document == nil)
    #expect(request.policy.stage == .microTuning)
    #expect(request.tree.functions.count == 2)
  }

  @Test func aModuleThatIsItsOwnProblemKeepsItsInputs() throws {
    let code =
      SampleRequest().code.split(separator: "\n").dropFirst(2).dropLast().joined(separator: "\n")
      + "\n\ndef get_inputs():\n    return []\n"
    let request = try RequestReader.read(
      bytes: Array(code.utf8), name: "m.py", options: RequestOptions(gpu: "4090"))
    #expect(!request.outputRules.forbidden.contains(.getInputs))
    #expect(StrictForm.check(request.tree, rules: request.outputRules).isEmpty)
  }

  @Test func linesOfUnknownSectionsAreReported() throws {
    var sample = SampleRequest()
    sample.task = "# Weather\nIt rains.\n\n" + sample.task
    let request = try sample.read()
    #expect(request.notes.map(\.id) == ["section-unread"])
    #expect(request.lineOutcomes.contains(.reported))
  }

  @Test func historyAndProblemSections() throws {
    var sample = SampleRequest()
    sample.task =
      "[HISTORY]\nFirst try: 3 ms\n\n[REFERENCE MODEL]\n```python\nclass Model:\n    pass\n```\n\n# Input shapes\n- x=f32[4,4]\n\n"
      + sample.task
    let request = try sample.read()
    #expect(request.problem?.tree.classes.map(\.name) == ["Model"])
    #expect(
      request.inputs == [InputSpec(name: "x", value: .tensor(type: .float32, shape: [4, 4]))])
    #expect(request.lineOutcomes.contains(.history))
    #expect(request.notes.isEmpty, "\(request.notes)")
  }

  @Test func indentedFence() throws {
    var sample = SampleRequest()
    sample.code =
      "[CURRENT CODE]\n"
      + sample.code.split(separator: "\n", omittingEmptySubsequences: false).dropFirst()
      .map { "  " + $0 }.joined(separator: "\n") + "\n"
    #expect(try sample.read().tree.functions.count == 2)
  }

  @Test func carriageReturnsAndByteOrderMark() throws {
    let text = "\u{FEFF}" + SampleRequest().text.replacing("\n", with: "\r\n")
    let request = try RequestReader.read(bytes: Array(text.utf8), name: "r.md")
    #expect(request.notes.isEmpty, "\(request.notes)")
    #expect(request.policy.numWarps.allowed == [2, 4, 8])
  }

  @Test func suffixesOfTritonsKernelNames() {
    #expect(KernelNames.match("add_kernel_0d1d2de", in: ["add_kernel", "add"]) == "add_kernel")
    #expect(KernelNames.match("add_kernel_two", in: ["add_kernel"]) == nil)
  }
}
