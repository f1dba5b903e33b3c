/// How many instructions of each kind a kernel's SASS holds: static counts, not how often each runs.
public struct InstructionMix: Sendable, Hashable, Codable {
  /// What an instruction is for.
  public enum Category: String, Sendable, Hashable, Codable, CaseIterable, CodingKeyRepresentable {
    /// Matrix products on tensor cores.
    case tensor
    /// Fused multiply-adds on floats.
    case fma
    /// Other arithmetic on floats: add, multiply, compare, minimum.
    case float
    /// The multi-function unit: reciprocal, square root, exp2, log2, sine.
    case special
    /// Between number formats.
    case conversion
    /// Arithmetic, logic, shifts and comparisons on integers, in vector and uniform registers.
    case integer
    /// Register to register: moves, selects, special registers, predicates.
    case move
    case load
    case store
    /// Atomic operations and reductions in memory.
    case atomic
    /// Between the threads of a warp: shuffle, vote, match, redux.
    case exchange
    /// Barriers, fences and waits for asynchronous copies.
    case barrier
    /// Branches, calls, exits and reconvergence.
    case control
    case other
  }

  /// A way to memory: `load global 128`.
  public struct Access: Sendable, Hashable, Codable, Comparable, CustomStringConvertible {
    /// `global`, `shared`, `local` (spills and arrays), `constant`, `generic`, `async` (from global to
    /// shared memory, past the registers), `tensor` (tensor memory), `bulk` (TMA).
    public var space: String
    public var isStore: Bool
    /// Bits of one thread; 0 for copies whose size is in their operands (TMA).
    public var bits: Int

    public init(space: String, isStore: Bool, bits: Int) {
      self.space = space
      self.isStore = isStore
      self.bits = bits
    }

    public var description: String {
      "\(isStore ? "store" : "load") \(space)\(bits > 0 ? " \(bits)" : "")"
    }

    public static func < (left: Self, right: Self) -> Bool {
      (left.isStore ? 1 : 0, left.space, left.bits)
        < (right.isStore ? 1 : 0, right.space, right.bits)
    }
  }

  public struct AccessCount: Sendable, Hashable, Codable {
    public var access: Access
    public var count: Int
  }

  /// Without the NOPs that pad the code.
  public var total: Int
  public var counts: [Category: Int]
  /// Sorted; loads and stores alone.
  public var accesses: [AccessCount]
  /// Names that the table does not know, for a newer GPU's sake; counted as `other`.
  public var unknown: [String]

  /// Instructions of a category.
  public subscript(category: Category) -> Int { counts[category] ?? 0 }

  public init(_ instructions: [SassInstruction]) {
    var counts: [Category: Int] = [:]
    var accesses: [Access: Int] = [:]
    var unknown: Set<String> = []
    var total = 0
    for instruction in instructions where instruction.name != "NOP" {
      total += 1
      let category = Self.category(of: instruction)
      counts[category ?? .other, default: 0] += 1
      if category == nil { unknown.insert(String(instruction.name)) }
      if category == .load || category == .store {
        accesses[Self.access(of: instruction), default: 0] += 1
      }
    }
    self.total = total
    self.counts = counts
    self.accesses = accesses.sorted { $0.key < $1.key }
      .map { AccessCount(access: $0.key, count: $0.value) }
    self.unknown = unknown.sorted()
  }

  /// Reads a disassembly: `InstructionMix(sass: text).counts[.tensor]`.
  public init(sass: String) { self.init(SassReader.instructions(sass)) }

  // MARK: - The table

  /// The category of an instruction; nil for a name that is not in the table.
  public static func category(of instruction: SassInstruction) -> Category? {
    // A multiply-add that only moves is how the compiler uses a free pipe.
    if instruction.name == "IMAD", instruction.modifiers.first == "MOV" { return .move }
    return table[instruction.name]
  }

  /// Names as in NVIDIA's "CUDA Binary Utilities", tables of instructions for Ampere and Ada, Hopper
  /// and Blackwell.
  private static let table: [Substring: Category] = {
    let rows: [(Category, String)] = [
      (
        .tensor,
        """
        HMMA IMMA DMMA BMMA QMMA OMMA HGMMA IGMMA QGMMA BGMMA UTCHMMA UTCQMMA UTCIMMA UTCOMMA
        """
      ),
      (.fma, "FFMA FFMA2 FFMA32I HFMA2 HFMA2_32I DFMA"),
      (
        .float,
        """
        FADD FADD2 FADD32I FMUL FMUL2 FMUL32I FMNMX FMNMX3 FSEL FSET FSETP FCHK FSWZADD HADD2 \
        HADD2_32I HMUL2 HMUL2_32I HMNMX2 HSET2 HSETP2 DADD DMUL DMNMX DSET DSETP UFADD UFMUL UFFMA \
        UFSEL UFSET UFSETP
        """
      ),
      (.special, "MUFU"),
      (.conversion, "F2F F2I F2IP F2FP I2F I2FP I2I I2IP FRND UF2F UF2I UI2F UI2FP"),
      (
        .integer,
        """
        IMAD IADD IADD3 IADD32I IMUL IMUL32I IMNMX ISCADD ISETP ISET LEA LOP LOP3 LOP32I SHF SHL SHR \
        IABS POPC FLO BREV BMSK SGXT PRMT IDP IDP4A VABSDIFF VABSDIFF4 VHMNMX VIADD VIADDMNMX VIMNMX \
        VIMNMX3 XMAD UIADD3 UIMAD ULEA ULOP3 USHF USHL USHR UISETP UPRMT USGXT UFLO UPOPC UBMSK \
        UBREV UIABS UIMNMX UVIADD UVIMNMX UVIADDMNMX UIADD
        """
      ),
      (
        .move,
        """
        MOV MOV32I SEL UMOV USEL S2R S2UR CS2R R2UR R2P P2R UP2UR R2B B2R PLOP3 \
        UPLOP3 PSETP MOVM LEPC USETMAXREG
        """
      ),
      (
        .load,
        """
        LD LDG LDS LDSM LDL LDC LDCU ULDC LDGSTS LDTM UBLKCP UTMALDG UTCCP TEX TLD TLD4 TXQ \
        SULD
        """
      ),
      (.store, "ST STG STS STSM STL STTM SUST STAS UTMASTG"),
      (
        .atomic,
        "ATOM ATOMS ATOMG RED REDG SUATOM SURED UTMAREDG"
      ),
      (.exchange, "SHFL VOTE VOTEU MATCH REDUX CREDUX ELECT"),
      (
        .barrier,
        """
        BAR MEMBAR ERRBAR DEPBAR LDGDEPBAR ARRIVES SYNCS WARPSYNC WARPGROUP WARPGROUPSET CCTL \
        CCTLT UCGABAR_ARV UCGABAR_WAIT CGAERRBAR UTMACMDFLUSH UTMACCTL UTCBAR UTCATOMSWS UTCSHIFT \
        UDEPBAR ACQBULK
        """
      ),
      (
        .control,
        """
        BRA BRX BRXU JMP JMX JMXU EXIT RET CALL BSSY BSYNC BREAK BMOV BPT KILL NANOSLEEP YIELD RPCMOV \
        RTT PREEXIT WARPEXIT ENDCOLLECTIVE UBRA UJMP UCALL
        """
      ),
    ]
    var table: [Substring: Category] = [:]
    for (category, names) in rows {
      for name in names.split(whereSeparator: \.isWhitespace) { table[name] = category }
    }
    return table
  }()

  /// The way to memory of a load or store.
  static func access(of instruction: SassInstruction) -> Access {
    let name = instruction.name
    let modifiers = instruction.modifiers
    let space =
      switch name {
      case "LDG", "STG": "global"
      case "LDS", "STS", "LDSM", "STSM", "STAS": "shared"
      case "LDL", "STL": "local"
      case "LDC", "LDCU", "ULDC": "constant"
      case "LDGSTS": "async"
      case "LDTM", "STTM", "UTCCP": "tensor"
      case "UBLKCP", "UTMALDG", "UTMASTG": "bulk"
      case "TEX", "TLD", "TLD4", "TXQ", "SULD", "SUST": "texture"
      default: "generic"
      }
    let isStore = name.hasPrefix("ST") || name == "SUST" || name == "UTMASTG"
    return Access(space: space, isStore: isStore, bits: bits(name, modifiers, space))
  }

  private static func bits(_ name: Substring, _ modifiers: [Substring], _ space: String) -> Int {
    if space == "bulk" || space == "tensor" || space == "texture" { return 0 }
    if name == "LDSM" || name == "STSM" {
      // .M88 alone moves one 8×8 matrix of 16-bit values: 32 bits a thread.
      let matrices = modifiers.last.flatMap { Int($0) } ?? 1
      return 32 * min(max(matrices, 1), 4)
    }
    for modifier in modifiers {
      switch modifier {
      case "U8", "S8": return 8
      case "U16", "S16": return 16
      case "64": return 64
      case "128": return 128
      case "256": return 256
      default: continue
      }
    }
    return 32
  }
}
