import Diagnostics
import Foundation
import Testing

@testable import Toolchain

/// Disassemblies of kernels of our own, and single lines.
@Suite struct SassTests {
  static func recorded(_ name: String) throws -> String {
    let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("Recorded/\(name)")
    return try String(contentsOf: path, encoding: .utf8)
  }

  private static let source = SourceText(
    name: "scale.py",
    text: """

      import triton
      import triton.language as tl


      @triton.jit
      def scale(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
          at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
          x = tl.load(x_ptr + at, mask=at < n, other=0.0)
          y = tl.exp(x) * 2.0 + 1.0
          tl.store(y_ptr + at, y, mask=at < n)
      """)

  @Test func theMixOfAWholeKernel() throws {
    let mix = InstructionMix(sass: try Self.recorded("scale-sm89.sass"))
    #expect(mix.total == 46)
    #expect(mix[.fma] == 4)
    #expect(mix[.float] == 16)
    #expect(mix[.special] == 4)
    #expect(mix[.conversion] == 2)
    #expect(mix[.integer] == 8)
    #expect(mix[.move] == 6)
    #expect(mix[.load] == 2)
    #expect(mix[.store] == 1)
    #expect(mix[.control] == 3)
    #expect(mix.unknown.isEmpty)
    #expect(
      mix.accesses.map { "\($0.access): \($0.count)" }
        == ["load constant 64: 1", "load global 128: 1", "store global 64: 1"])
    #expect(mix.counts.values.reduce(0, +) == mix.total)
  }

  @Test func instructionsCarryTheModulesLine() throws {
    let found = SassReader.instructions(try Self.recorded("scale-sm89.sass"))
    #expect(found.first { $0.name == "LDG" }?.line == 9)
    #expect(found.first { $0.name == "LDG" }?.hasPredicate == true)
    #expect(found.first { $0.name == "MUFU" }?.line == 10)
    #expect(found.first { $0.name == "STG" }?.line == 11)
  }

  @Test(arguments: [
    ("        /*0000*/                   IMAD.MOV.U32 R1, RZ, RZ, c[0x0][0x28] ;", "move", nil),
    ("        /*0010*/                   IMAD.WIDE R2, R4, R87, c[0x0][0x160] ;", "integer", nil),
    ("        /*0020*/                   HMMA.16816.F32 R4, R8, R12, R4 ;", "tensor", nil),
    (
      "        /*0030*/                   HGMMA.64x64x16.F32 R24, gdesc[UR4], !UPT ;", "tensor", nil
    ),
    (
      "        /*0040*/                   UTCHMMA gdesc[UR8], gdesc[UR10], tmem[UR4] ;", "tensor",
      nil
    ),
    ("        /*0050*/                   LDSM.16.MT88.4 R4, [R8] ;", "load", "load shared 128"),
    ("        /*0060*/                   LDSM.16.M88 R4, [R8] ;", "load", "load shared 32"),
    (
      "        /*0070*/                   LDGSTS.E.BYPASS.LTC128B.128 [R3], [R4.64], P0 ;", "load",
      "load async 128"
    ),
    ("        /*0080*/               @P0 LDG.E.U8 R4, [R2.64] ;", "load", "load global 8"),
    (
      "        /*0090*/               @P0 LDG.E.U16.CONSTANT R4, [R2.64] ;", "load",
      "load global 16"
    ),
    ("        /*00a0*/              @!P0 STG.E [R2.64], R4 ;", "store", "store global 32"),
    ("        /*00b0*/                   STS.64 [R2], R4 ;", "store", "store shared 64"),
    ("        /*00c0*/                   STL.128 [R1], R4 ;", "store", "store local 128"),
    ("        /*00d0*/                   LDL R4, [R1+0x4] ;", "load", "load local 32"),
    ("        /*00e0*/                   UTMALDG.2D [UR8], [UR4] ;", "load", "load bulk"),
    ("        /*00f0*/                   BAR.SYNC.DEFER_BLOCKING 0x0 ;", "barrier", nil),
    ("        /*0100*/                   WARPGROUP.DEPBAR.LE gsb0, 0x0 ;", "barrier", nil),
    ("        /*0110*/                   SHFL.BFLY PT, R4, R5, 0x10, 0x1f ;", "exchange", nil),
    (
      "        /*0120*/                   RED.E.ADD.F32.FTZ.RN.STRONG.GPU [R2.64], R4 ;", "atomic",
      nil
    ),
    ("        /*0130*/              @P0  BRA `(.L_x_1) ;", "control", nil),
    ("        /*0140*/                   { FFMA R1, R2, R3, R4  ;", "fma", nil),
    ("        /*0150*/                   NEWTHING.X R1 ;  /* 0x0000 */", nil, nil),
  ])
  func oneInstruction(_ line: String, category: String?, access: String?) throws {
    let instruction = try #require(SassReader.instructions(line).first)
    #expect(InstructionMix.category(of: instruction)?.rawValue == category)
    if let access { #expect(InstructionMix.access(of: instruction).description == access) }
  }

  @Test func linesThatAreNoInstructions() {
    let text = """
      .L_x_0:
              /* 0x00000a00ff017624 */
      \t.section\t.text.k,"ax",@progbits
      /**/
      /*zz*/ MOV R1 ;
      /*0010*/
      //## File "x", line
      """
    #expect(SassReader.instructions(text).isEmpty)
    #expect(InstructionMix(sass: "").total == 0)
  }

  @Test func paddingDoesNotCount() {
    let mix = InstructionMix(sass: "/*0000*/ EXIT ;\n/*0010*/ NOP;\n/*0020*/ FOO ;")
    #expect(mix.total == 2)
    #expect(mix[.other] == 1)
    #expect(mix.unknown == ["FOO"])
  }

  @Test func sourceLinesStandBesideSass() throws {
    let text = SourceListing.sass(try Self.recorded("scale-sm89.sass"), source: Self.source)
    #expect(!text.contains("//## File"))
    let lines = text.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
    let load = try #require(lines.firstIndex { $0.contains("LDG.E.128") })
    let heading = try #require(lines[..<load].last { $0.hasPrefix("// 9: ") })
    #expect(heading == "// 9:     x = tl.load(x_ptr + at, mask=at < n, other=0.0)")
  }

  @Test func sourceLinesStandBesidePTX() throws {
    let text = SourceListing.ptx(try Self.recorded("scale-sm89.ptx"), source: Self.source)
    #expect(!text.contains(".loc"))
    let lines = text.split(separator: "\n")
    let store = try #require(lines.firstIndex { $0.contains("st.global") })
    #expect(
      lines[..<store].last { $0.hasPrefix("// ") && $0.contains(": ") }?.hasPrefix("// 11:") == true
    )
  }

  @Test func aModuleInsideADocumentIsNumberedAsTheDocument() {
    let source = SourceText(name: "request.md", text: "a\nb\n", firstLine: 40)
    let sass =
      "//## File \"/s/module.py\", line 2\n/*0000*/ EXIT ;\n//## File \"/s/module.py\", line 9"
    #expect(
      SourceListing.sass(sass, source: source) == "// 41: b\n/*0000*/ EXIT ;\n// line 9")
  }
}
