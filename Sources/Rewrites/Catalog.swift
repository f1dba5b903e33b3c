/// Every rewrite Hone knows.
public enum Rewrites {
  public static let catalog: [any Rewrite] = [
    SpecializeArguments(), TuneConfigs(), SetLaunchKnobs(),
  ]
}
