/// Every rewrite Hone knows.
public enum Rewrites {
  public static let catalog: [any Rewrite] = [
    SpecializeArguments(), StrengthReduceDivision(), HoistLoopInvariant(), ConvertLoopForm(),
    FuseAccumulator(), TuneConfigs(), SetLaunchKnobs(),
  ]
}
