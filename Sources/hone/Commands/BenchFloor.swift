import DeviceModel
import Diagnostics
import PythonSyntax
import Reporting
import Requests

/// What a module's own launches cannot take less than: its dots at the tensor cores' peak.
enum BenchFloor {
  /// The share of the peak rate's time that is certain: GPUs run above the clock that vendors rate
  /// them at (an H200 at 1,980 MHz instead of 1,830).
  private static let caution = 0.85

  /// Seconds; 0 where the module's launches cannot be followed.
  static func seconds(_ module: ModuleTree, problem: ModuleTree?, on gpu: GPU) -> Double {
    let options = RequestOptions(
      gpu: gpu.name, problem: problem?.source, requiresModel: false)
    let source = module.source
    guard
      let request = try? RequestReader.read(
        bytes: source.bytes, name: source.name, options: options)
    else { return 0 }
    var sum = 0.0
    for kernel in ExplanationBuilder.explain(request).kernels where !kernel.isGuessed {
      for (type, operations) in kernel.analysis?.work.dotFlops ?? [:] {
        sum += gpu.roofline.floorSeconds(operations: operations, type) ?? 0
      }
    }
    return sum.isFinite ? caution * sum : 0
  }
}
