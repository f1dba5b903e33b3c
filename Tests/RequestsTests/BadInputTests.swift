import Diagnostics
import Requests
import Testing

/// Each kind of bad input gives one clear error with its place and a next step.
@Suite struct BadInputTests {
  private func one(_ sample: SampleRequest, _ options: RequestOptions = RequestOptions()) throws
    -> Diagnostic
  {
    let errors = sample.errors(options)
    #expect(errors.count == 1, "\(errors.map(\.headline))")
    return try #require(errors.first)
  }

  private func edited(_ edit: (inout SampleRequest) -> Void) -> SampleRequest {
    var sample = SampleRequest()
    edit(&sample)
    return sample
  }

  @Test func notUTF8() throws {
    func headline(_ bytes: [UInt8]) -> String? {
      do {
        _ = try RequestReader.read(bytes: bytes, name: "r.md")
        return nil
      } catch {
        return error.diagnostics.first?.headline
      }
    }
    #expect(headline(Array("ab\nc".utf8) + [0xFF]) == "r.md:2:2: error: byte 0xFF is not UTF-8")
    #expect(headline([0xE2, 0x82]) == "r.md:1:1: error: byte 0xE2 is not UTF-8")
    #expect(headline([0xC0, 0x80]) == "r.md:1:1: error: byte 0xC0 is not UTF-8")
    #expect(headline([0xED, 0xA0, 0x80]) == "r.md:1:1: error: byte 0xED is not UTF-8")
    #expect(headline([0xFF, 0xFE, 0x41, 0]) == "r.md:1:1: error: this is UTF-16, not UTF-8")
  }

  @Test func tooLarge() {
    #expect(throws: InputErrors.self) {
      try RequestReader.read(
        bytes: Array(repeating: 0x20, count: SourceBytes.limit + 1), name: "r.md")
    }
  }

  @Test func noStage() throws {
    let error = try one(edited { $0.stage = "" })
    #expect(error.headline == "r.md: error: not an optimization request: it has no stage section")
    #expect(error.nextStep?.contains("--stage") == true)
    #expect(SampleRequest.text(of: "").map(\.id) == ["no-stage"])
  }

  @Test func noCode() throws {
    let error = try one(edited { $0.code = "[CURRENT CODE]\n\n" })
    #expect(error.headline == "r.md:30:1: error: the request has no code block")
  }

  @Test func twoCodeBlocks() throws {
    let error = try one(edited { $0.code += "```python\nimport torch\n```\n" })
    #expect(error.headline == "r.md:54:1: error: 2 code blocks could be the module (lines 31, 54)")
  }

  @Test func openFence() throws {
    let error = try one(edited { $0.output = "```python\n" })
    #expect(error.message == "this code fence is never closed")
  }

  @Test func syntaxErrorPointsIntoTheDocument() throws {
    let sample = edited { $0.code = $0.code.replacing("return y", with: "return y y") }
    let error = try #require(sample.errors().first)
    #expect(error.location?.line == 47)
    #expect(error.source?.name == "r.md")
  }

  @Test func unknownGPU() throws {
    let error = try one(edited { $0.gpu = $0.gpu.replacing("Name: 4090", with: "Name: 4O90") })
    #expect(
      error.rendered() == """
        r.md:4:11: error: unknown GPU '4O90'; did you mean 'RTX 4090'?
            4 | GPU Name: 4O90
              |           ^~~~
          next: run 'hone gpus' for the list of known GPUs
        """)
    #expect(try one(SampleRequest(), RequestOptions(gpu: "nope")).id == "unknown-gpu")
    #expect(try one(edited { $0.gpu = "" }).id == "no-gpu")
  }

  @Test func contradictoryRules() throws {
    let error = try one(edited { $0.stage += "- num_warps ∈ {16}\n" })
    #expect(
      error.headline
        == "r.md:29:1: error: num_warps is given two different sets of values (line 25: 'num_warps ∈ {2,4,8}')"
    )
  }

  @Test func twoStages() throws {
    let sample = edited { $0.task = "# Optimization stage\nFocus: grid\n\n" + $0.task }
    #expect(try one(sample).id == "two-stages")
  }

  @Test func unknownStage() throws {
    #expect(try one(edited { $0.stage = "[OPTIMIZATION STAGE]\nBe fast.\n" }).id == "unknown-stage")
    let error = try one(SampleRequest(), RequestOptions(stage: "micro-tunning"))
    #expect(error.message == "unknown stage 'micro-tunning'; did you mean 'micro-tuning'?")
  }

  @Test func badMetrics() throws {
    let error = try one(edited { $0.metrics = $0.metrics.replacing("48400,", with: "48400") })
    #expect(error.headline == "r.md:58:5: error: expected ',' or '}', found '\"'")
    #expect(
      try one(edited { $0.metrics = "[NCU METRICS]\nabout 64 percent\n\n" }).id == "bad-metrics")
    #expect(try one(edited { $0.metrics = "[NCU METRICS]\n```json\n{\n```\n" }).id == "bad-json")
  }

  @Test func profileOfAnotherKernel() throws {
    let error = try one(
      edited { $0.metrics = $0.metrics.replacing("add_kernel", with: "ad_kernel") })
    #expect(
      error.headline
        == "r.md:56:3: error: the profile is of 'ad_kernel', which is not a kernel of the module; did you mean 'add_kernel'?"
    )
    #expect(error.nextStep == "kernels of the module: add_kernel")
  }

  @Test func noModelNew() throws {
    let sample = edited { $0.code = $0.code.replacing("class ModelNew", with: "class ModelNow") }
    #expect(
      try one(sample).message == "the module has no class 'ModelNew'; there is a class 'ModelNow'")
    #expect(sample.errors(RequestOptions(requiresModel: false)).isEmpty)
  }

  @Test func badInputFlag() throws {
    #expect(try one(SampleRequest(), RequestOptions(inputs: ["x"])).id == "bad-input")
  }

  @Test func severalErrorsAtOnce() {
    let sample = edited {
      $0.gpu = $0.gpu.replacing("Name: 4090", with: "Name: 9999999")
      $0.metrics = "[NCU METRICS]\nnope\n\n"
    }
    #expect(sample.errors().map(\.id) == ["unknown-gpu", "bad-metrics"])
  }
}

extension SampleRequest {
  /// The errors of a document with just this text.
  static func text(of text: String) -> [Diagnostic] {
    do {
      _ = try RequestReader.read(bytes: Array(text.utf8), name: "r.md")
      return []
    } catch {
      return error.diagnostics
    }
  }
}
