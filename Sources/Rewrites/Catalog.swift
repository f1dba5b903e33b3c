/// Every rewrite Hone knows.
public enum Rewrites {
  public static let catalog: [any Rewrite] = [
    PassTransposedView(), SpecializeArguments(), StrengthReduceDivision(), HoistLoopInvariant(),
    DropRedundantMask(),
    ConvertLoopForm(), FuseAccumulator(), DropRedundantCast(), TuneConfigs(), SetLaunchKnobs(),
    RestoreTunedArguments(), TabulateConfigs(),
  ]
}
