import Foundation

/// The worker's Python files, which the binary carries: nothing has to lie beside it.
enum WorkerProgram {
  /// Name and contents of each file in `Python/`. A file that is not in this list does not exist for
  /// the worker; `WorkerProgramTests` compares the list with the folder.
  static var files: [(name: String, bytes: [UInt8])] {
    [
      ("main.py", PackageResources.main_py),
      ("protocol.py", PackageResources.protocol_py),
      ("sandbox.py", PackageResources.sandbox_py),
      ("environment.py", PackageResources.environment_py),
      ("compile_kernel.py", PackageResources.compile_kernel_py),
      ("kernel_module.py", PackageResources.kernel_module_py),
      ("torch_stand_in.py", PackageResources.torch_stand_in_py),
      ("gpu_check.py", PackageResources.gpu_check_py),
      ("gpu_compare.py", PackageResources.gpu_compare_py),
      ("gpu_device.py", PackageResources.gpu_device_py),
      ("gpu_errors.py", PackageResources.gpu_errors_py),
      ("gpu_graph.py", PackageResources.gpu_graph_py),
      ("gpu_inputs.py", PackageResources.gpu_inputs_py),
      ("gpu_integrity.py", PackageResources.gpu_integrity_py),
      ("gpu_judge.py", PackageResources.gpu_judge_py),
      ("gpu_memory.py", PackageResources.gpu_memory_py),
      ("gpu_open.py", PackageResources.gpu_open_py),
      ("gpu_peers.py", PackageResources.gpu_peers_py),
      ("gpu_run.py", PackageResources.gpu_run_py),
      ("gpu_sampling.py", PackageResources.gpu_sampling_py),
      ("gpu_session.py", PackageResources.gpu_session_py),
      ("gpu_time.py", PackageResources.gpu_time_py),
      ("gpu_trace.py", PackageResources.gpu_trace_py),
      ("profile_driver.py", PackageResources.profile_driver_py),
      ("gpu_warm.py", PackageResources.gpu_warm_py),
    ]
  }

  /// Writes the files into a folder and returns the path of the one to start.
  static func write(to folder: String) throws -> String {
    for file in files {
      try Data(file.bytes).write(to: URL(fileURLWithPath: "\(folder)/\(file.name)"))
    }
    return "\(folder)/main.py"
  }
}
