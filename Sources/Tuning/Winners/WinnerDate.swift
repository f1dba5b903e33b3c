import Foundation

/// What a winner is stamped with.
public enum WinnerDate {
  /// The version of the library.
  public static let tool = "0.1.0"

  /// The time in UTC: `2026-11-21T16:40:00Z`.
  public static var now: String { text(Date().timeIntervalSince1970) }

  /// Seconds since 1970 as a date, by the civil calendar (days from 0000-03-01, eras of 400 years).
  static func text(_ seconds: Double) -> String {
    let total = Int(min(max(seconds, 0), 253_402_300_799))
    let days = total / 86_400 + 719_468
    let era = days / 146_097
    let dayOfEra = days - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shifted = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * shifted + 2) / 5 + 1
    let month = shifted < 10 ? shifted + 3 : shifted - 9
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    let time = total % 86_400
    func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
    let clock = [time / 3600, time / 60 % 60, time % 60].map(two).joined(separator: ":")
    return "\(year)-\(two(month))-\(two(day))T\(clock)Z"
  }
}
