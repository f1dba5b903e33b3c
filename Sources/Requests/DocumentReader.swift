import DeviceModel
import Diagnostics
import Profiling
import PythonSyntax
import Stages

/// Reads a request document section by section and accounts for each of its lines.
struct DocumentReader {
  private let document: Document
  private let source: SourceText
  private var assembly: RequestAssembly
  private var outcomes: [LineOutcome]

  init(_ source: SourceText, options: RequestOptions) {
    self.source = source
    self.document = Document(source)
    self.assembly = RequestAssembly(options: options)
    self.outcomes = Array(repeating: .unread, count: source.lineStarts.count)
  }

  mutating func read() throws(InputErrors) -> Request {
    assembly.notes += document.notes
    markBlanksHeadingsAndFences()
    assembly.readOptions()
    guard assembly.options.stage != nil || !document.sections(.stage).isEmpty else {
      throw InputErrors(noStage())
    }
    if let fence = document.sections.flatMap(\.fences).first(where: { $0.close == nil }) {
      throw InputErrors(
        Diagnostic(
          id: "open-fence", "this code fence is never closed", source: source,
          range: document.range(ofLine: fence.open),
          nextStep: "end the block with a line of the same marks"))
    }
    readGPU()
    readStage()
    readModule()
    readMetrics()
    for section in document.sections { readRest(of: section) }
    reportUnread()
    assembly.lineOutcomes = outcomes
    return try assembly.finish(document: source)
  }

  private func noStage() -> Diagnostic {
    let stages = Stage.allCases.map(\.rawValue).joined(separator: ", ")
    return Diagnostic(
      id: "no-stage", "not an optimization request: it has no stage section", source: source,
      nextStep: "add an '[OPTIMIZATION STAGE]' section, or give --stage (\(stages))")
  }

  // MARK: - Lines

  private func isBlank(_ index: Int) -> Bool {
    source.lineText(index).allSatisfy { $0.isWhitespace || $0 == "\u{FEFF}" }
  }

  private mutating func mark(_ lines: some Sequence<Int>, _ outcome: LineOutcome) {
    for index in lines where index < outcomes.count && outcomes[index] == .unread {
      outcomes[index] = outcome
    }
  }

  private mutating func markBlanksHeadingsAndFences() {
    for section in document.sections {
      for heading in section.headings { outcomes[heading] = .heading }
      for fence in section.fences {
        outcomes[fence.open] = .fenceMark
        if let close = fence.close { outcomes[close] = .fenceMark }
      }
    }
    let inFence = Set(document.sections.flatMap { $0.fences.flatMap { Array($0.body) } })
    for index in outcomes.indices where outcomes[index] == .unread && !inFence.contains(index) {
      if isBlank(index) { outcomes[index] = .blank }
    }
  }

  /// The lines of a section that stand in no fence and are not yet accounted for.
  private func freeLines(_ section: Document.Section) -> [Int] {
    var inFence: Set<Int> = []
    for fence in section.fences {
      inFence.formUnion(fence.open...(fence.close ?? fence.body.upperBound))
    }
    return section.lines.filter { !inFence.contains($0) && !section.headings.contains($0) }
  }

  private mutating func note(_ id: String, _ message: String, line: Int) {
    assembly.notes.append(
      Diagnostic(
        id: id, severity: .note, message, source: source, range: document.range(ofLine: line)))
  }

  // MARK: - GPU

  private mutating func readGPU() {
    var reader = GPUSection()
    for section in document.sections(.gpu) {
      let lines = freeLines(section).filter { outcomes[$0] == .unread }
      reader.read(source, lines: lines)
      mark(lines.filter(reader.understood.contains), .gpuFact)
      mark(lines, .reported)
    }
    if reader.name == nil {
      for section in document.sections(.preamble) {
        reader.read(source, lines: freeLines(section), isPreamble: true)
        mark(reader.understood.sorted(), .gpuFact)
      }
    }
    assembly.gpuFacts = reader.facts
    if let flag = assembly.options.gpu {
      if let name = reader.name, let stated = GPU.find(name.text), let gpu = assembly.gpu,
        gpu.name != stated.name
      {
        assembly.notes.append(
          Diagnostic(
            id: "gpu-overridden", severity: .note,
            "--gpu \(flag) overrides the request's GPU and what it says of it", source: source,
            range: name.range))
        return
      }
    } else if let name = reader.name {
      guard let gpu = GPU.find(name.text) else {
        assembly.errors.append(GPU.unknown(name.text, source: source, range: name.range))
        return
      }
      assembly.gpu = gpu
    } else {
      assembly.errors.append(
        Diagnostic(
          id: "no-gpu", "the request names no GPU", source: source,
          nextStep: "add a '# Target GPU' section with 'GPU Name: …', or give --gpu NAME"))
    }
    assembly.notes += reader.notes
    if let base = assembly.gpu {
      let applied = reader.applied(to: base, source: source)
      assembly.gpu = applied.gpu
      assembly.notes += applied.notes
    }
  }

  // MARK: - Stage

  private mutating func readStage() {
    let sections = document.sections(.stage)
    let isFlagged = assembly.options.stage != nil
    if sections.count > 1 {
      let first = sections[0].heading.map { source.location(at: source.lineStarts[$0]).line } ?? 1
      for section in sections.dropFirst() {
        assembly.errors.append(
          Diagnostic(
            id: "two-stages", "a second stage section; the first is at line \(first)",
            source: source, range: section.heading.map(document.range(ofLine:)),
            nextStep: "keep the section of the stage that is wanted"))
        mark(section.lines, .reported)
      }
    }
    guard let section = sections.first else { return }
    let reading = StageSectionReader.read(
      source, lines: section.lines, stage: isFlagged ? assembly.policy?.stage : nil)
    for line in reading.lines {
      switch line.outcome {
      case .blank: mark([line.index], .blank)
      case .heading: mark([line.index], .heading)
      case .rules: mark([line.index], .stageRule)
      case .advice(.unrecognised): mark([line.index], .reported)
      case .advice: mark([line.index], .advice)
      }
    }
    assembly.notes += reading.diagnostics.filter { $0.severity != .error }
    assembly.errors += reading.diagnostics.filter { $0.severity == .error }
    if let policy = reading.policy { assembly.policy = policy }
  }

  // MARK: - Module

  /// Whether a fence is the template of the answer: nothing in it but comments and `...`.
  private func isTemplate(_ fence: Document.Fence) -> Bool {
    fence.body.allSatisfy { index in
      let bare = source.lineText(index).drop { $0.isWhitespace }
      return bare.isEmpty || bare.hasPrefix("#") || bare == "..." || bare == "pass"
        || (bare.hasPrefix("<") && bare.hasSuffix(">"))
    }
  }

  private func looksLikePython(_ fence: Document.Fence) -> Bool {
    if ["python", "py", "python3", "triton"].contains(fence.info) { return true }
    guard fence.info.isEmpty else { return false }
    return fence.body.contains { index in
      let line = source.lineText(index)
      return line.hasPrefix("import ") || line.hasPrefix("from ") || line.hasPrefix("def ")
        || line.hasPrefix("class ") || line.hasPrefix("@triton")
    }
  }

  private mutating func readModule() {
    for fence in document.sections.flatMap(\.fences) where isTemplate(fence) {
      mark(fence.body, .answerTemplate)
    }
    var candidates = document.sections(.code).flatMap(\.fences).filter { !isTemplate($0) }
    if candidates.isEmpty {
      let others: Set<Document.Kind> = [.stage, .advice, .problem, .metrics, .history, .errorLog]
      candidates = document.sections.filter { !others.contains($0.kind) }.flatMap(\.fences)
        .filter { !isTemplate($0) && looksLikePython($0) }
    }
    guard let fence = candidates.first else {
      assembly.errors.append(
        Diagnostic(
          id: "no-code", "the request has no code block", source: source,
          range: document.sections(.code).first?.heading.map(document.range(ofLine:)),
          nextStep: "put the module in a ```python block under '[CURRENT CODE]'"))
      return
    }
    guard candidates.count == 1 else {
      let lines = candidates.map { String(source.location(at: source.lineStarts[$0.open]).line) }
      assembly.errors.append(
        Diagnostic(
          id: "two-code-blocks",
          "\(candidates.count) code blocks could be the module (lines \(lines.joined(separator: ", ")))",
          source: source, range: document.range(ofLine: candidates[1].open),
          nextStep: "keep one block under '[CURRENT CODE]'"))
      for fence in candidates { mark(fence.body, .code) }
      return
    }
    mark(fence.body, .code)
    let range = document.range(ofLines: fence.body)
    let first = source.location(at: range.lower).line
    assembly.takeModule(
      SourceText(name: source.name, bytes: moduleBytes(fence, range), firstLine: first),
      range: range)
  }

  /// The block's bytes, without the indentation that the fence itself has.
  private func moduleBytes(_ fence: Document.Fence, _ range: SourceRange) -> [UInt8] {
    guard fence.indent > 0 else { return Array(source.bytes[range.lower..<range.upper]) }
    return fence.body.flatMap { index -> ArraySlice<UInt8> in
      let line = document.range(ofLines: index..<(index + 1))
      let bytes = source.bytes[line.lower..<line.upper]
      let lead = bytes.prefix(fence.indent).prefix { $0 == 0x20 || $0 == 0x09 }.count
      return bytes.dropFirst(lead)
    }
  }

  // MARK: - Metrics

  private mutating func readMetrics() {
    for section in document.sections(.metrics) {
      let fences = section.fences.filter { !isTemplate($0) }
      let body = fences.first?.body ?? section.lines
      let lines = body.filter { outcomes[$0] == .unread }
      guard let first = lines.first, let last = lines.last else {
        mark(section.lines, .metrics)
        continue
      }
      let range = document.range(ofLines: first..<(last + 1))
      if assembly.options.profile != nil {
        if let heading = section.heading {
          note("metrics-overridden", "--profile overrides these metrics", line: heading)
        }
        mark(body, .metrics)
        continue
      }
      do {
        let reading = try ProfileReader.read(source, in: range)
        let before = assembly.profiles
        assembly.take(reading, from: source)
        assembly.profiles = before + assembly.profiles
        let end = source.lineIndex(at: max(range.lower, reading.end - 1))
        mark(body.filter { $0 <= end || isBlank($0) }, .metrics)
        for index in body where outcomes[index] == .unread {
          note("metrics-line-unread", "this line after the metrics is not read", line: index)
          outcomes[index] = .reported
        }
      } catch {
        assembly.errors.append(error)
        mark(body, .metrics)
      }
    }
  }

  // MARK: - The rest

  private mutating func readRest(of section: Document.Section) {
    let free = freeLines(section).filter { outcomes[$0] == .unread }
    switch section.kind {
    case .preamble: mark(section.lines, .preamble)
    case .task:
      var words = section.inline.map { [$0] } ?? []
      words += free.map { source.lineText($0) }
      let text = words.joined(separator: "\n")
      if !text.isEmpty { assembly.task = assembly.task.map { $0 + "\n" + text } ?? text }
      mark(section.lines, .task)
    case .outputRules, .apiConstraints:
      let before = assembly.outputRules.diagnostics.count
      assembly.outputRules.read(source, lines: free)
      assembly.notes += assembly.outputRules.diagnostics.dropFirst(before)
      mark(free, section.kind == .outputRules ? .outputRule : .apiConstraint)
      mark(section.lines, .advice)
    case .advice: mark(section.lines, .advice)
    case .history, .errorLog, .analysis:
      mark(section.lines, .history)
    case .problem: readProblem(section)
    case .inputs: readInputs(section, free)
    case .code:
      for index in free {
        note("code-line-unread", "this line outside the code block is not read", line: index)
        outcomes[index] = .reported
      }
    case .gpu, .stage, .metrics: mark(section.lines, .advice)
    case .unknown:
      if !free.isEmpty, let heading = section.heading {
        note(
          "section-unread",
          "the section '\(section.title.prefix(60))' is not understood and not used", line: heading)
      }
      mark(section.lines, .reported)
    }
  }

  private mutating func readProblem(_ section: Document.Section) {
    if assembly.problem == nil, let fence = section.fences.first(where: { !isTemplate($0) }) {
      let range = document.range(ofLines: fence.body)
      let first = source.location(at: range.lower).line
      assembly.takeProblem(
        SourceText(name: source.name, bytes: moduleBytes(fence, range), firstLine: first))
    }
    mark(section.lines, .problem)
  }

  private mutating func readInputs(_ section: Document.Section, _ free: [Int]) {
    for index in free {
      let text = source.lineText(index).filter { !"•*`".contains($0) }
        .drop { $0.isWhitespace || $0 == "-" }
      if let spec = try? InputSpec.parse(String(text)), assembly.options.inputs.isEmpty {
        assembly.inputs.append(spec)
        outcomes[index] = .input
      } else {
        note("input-line-unread", "this line is not an input's shape", line: index)
        outcomes[index] = .reported
      }
    }
    mark(section.lines, .input)
  }

  /// Whatever is left: reported by line, so that nothing is dropped silently.
  private mutating func reportUnread() {
    for index in outcomes.indices where outcomes[index] == .unread {
      note("line-unread", "this line is not understood and not used", line: index)
      outcomes[index] = .reported
    }
  }
}
