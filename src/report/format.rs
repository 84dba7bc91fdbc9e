//! The one place where values become text for people.

use super::content::{Unit, Value};
use crate::domain::{MICROS_PER_SECOND, TimeRange, format_timestamp};

/// What stands where there is no data.
pub(super) const NO_DATA: &str = "no data";

/// A value in its unit, as text for people: `1,234`, `412 ms`, `99.95 %`, `no data`.
pub fn show(value: &Value, unit: Unit) -> String {
    match value {
        Value::Missing => NO_DATA.to_owned(),
        Value::Text(text) => text.clone(),
        Value::Integer(i) => match unit {
            Unit::Count | Unit::Plain | Unit::Text | Unit::Time => thousands(&i.to_string()),
            _ => number(*i as f64, unit),
        },
        Value::Number(n) => number(*n, unit),
        Value::Time(micros) => instant(*micros),
        Value::Flag(true) => "yes".to_owned(),
        Value::Flag(false) => "no".to_owned(),
    }
}

fn number(n: f64, unit: Unit) -> String {
    if n.is_infinite() {
        let sign = if n < 0.0 { "−" } else { "" };
        return format!("{sign}∞{}", suffix(unit));
    }
    let text = match unit {
        Unit::Share => percentage(n * 100.0),
        Unit::Percent => percentage(n),
        // Three significant digits are what a latency or a rate is good for; whole numbers above 100.
        Unit::Milliseconds | Unit::PerSecond => match n.abs() {
            a if a >= 100.0 => fixed(n, 0),
            a if a >= 10.0 => trimmed(n, 1),
            a if a >= 1.0 || a == 0.0 => trimmed(n, 2),
            _ => trimmed(n, 3),
        },
        Unit::Points => trimmed(n, if n.abs() < 0.1 { 3 } else { 1 }),
        Unit::Count => fixed(n, 0),
        Unit::Plain | Unit::Text | Unit::Time => match n.abs() {
            a if a >= 1000.0 => fixed(n, 0),
            a if a >= 1.0 || a == 0.0 => trimmed(n, 2),
            _ => trimmed(n, 4),
        },
    };
    format!("{text}{}", suffix(unit))
}

const fn suffix(unit: Unit) -> &'static str {
    match unit {
        Unit::Milliseconds => " ms",
        Unit::Share | Unit::Percent => " %",
        Unit::PerSecond => "/s",
        Unit::Text | Unit::Time | Unit::Count | Unit::Points | Unit::Plain => "",
    }
}

/// A percentage with two digits, and more where two would hide that it is not 0 or not 100: an
/// availability of 99.9968 % is not `100 %`.
fn percentage(p: f64) -> String {
    if p == 0.0 || p == 100.0 {
        return format!("{p:.0}");
    }
    for decimals in 2..=4 {
        let text = format!("{p:.decimals$}");
        let shown: f64 = text.parse().unwrap_or(p);
        if shown != 0.0 && shown != 100.0 {
            return trimmed(p, decimals);
        }
    }
    match p {
        p if p.abs() < 1.0 => if p < 0.0 { "> −0.0001" } else { "< 0.0001" }.to_owned(),
        _ => if p < 100.0 { "> 99.9999" } else { "> 100.0000" }.to_owned(),
    }
}

fn fixed(n: f64, decimals: usize) -> String {
    thousands(&format!("{n:.decimals$}"))
}

/// Like [`fixed`], without zeros at the end that say nothing.
fn trimmed(n: f64, decimals: usize) -> String {
    let text = format!("{n:.decimals$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    if text.is_empty() || text == "-0" { "0".to_owned() } else { thousands(text) }
}

/// Commas between thousands, and a real minus sign.
fn thousands(text: &str) -> String {
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |rest| ("−", rest));
    let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(w, f)| (w, Some(f)));
    let mut grouped = String::with_capacity(text.len() + 4);
    for (i, digit) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    if sign.is_empty() && fraction.is_none() {
        return grouped;
    }
    let zero = whole.chars().all(|c| c == '0') && fraction.is_none_or(|f| f.chars().all(|c| c == '0'));
    let sign = if zero { "" } else { sign };
    fraction.map_or_else(|| format!("{sign}{grouped}"), |f| format!("{sign}{grouped}.{f}"))
}

/// Characters of a text that a table cell shows; the JSON report holds all of it.
const CELL_CHARS: usize = 120;

/// A value as a cell of a table shows it.
pub(super) fn in_cell(value: &Value, unit: Unit, window: TimeRange) -> String {
    match value {
        Value::Missing if is_text(unit) => "–".to_owned(),
        Value::Text(text) => cut(text),
        Value::Time(micros) => clock(*micros, window),
        other => show(other, unit),
    }
}

/// Whether a column stands on the left: names, times, words.
pub(super) fn is_text(unit: Unit) -> bool {
    matches!(unit, Unit::Text | Unit::Time)
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(CELL_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// An instant to the minute, or to the second where it does not fall on one: `2025-01-15 13:05`.
pub(super) fn instant(micros: i64) -> String {
    let text = format_timestamp(micros - micros.rem_euclid(MICROS_PER_SECOND));
    let text = text.trim_end_matches('Z');
    text.strip_suffix(":00").unwrap_or(text).replace('T', " ")
}

/// An instant inside a window: the time alone where the window lies in one day.
pub(super) fn clock(micros: i64, window: TimeRange) -> String {
    let text = instant(micros);
    if same_day(window) && instant(window.from())[..10] == text[..10] {
        text[11..].to_owned()
    } else if same_day(window) && micros == window.to() {
        "24:00".to_owned()
    } else {
        text
    }
}

fn same_day(window: TimeRange) -> bool {
    instant(window.from())[..10] == instant(window.to() - 1)[..10]
}

/// `1 violation`, `3 violations`.
pub(super) fn count(n: i64, one: &str, many: &str) -> String {
    format!("{} {}", thousands(&n.to_string()), if n == 1 { one } else { many })
}

/// `a`, `a and b`, `a, b and c`.
pub(super) fn listing(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::parse_timestamp;

    fn check(number: f64, unit: Unit, expected: &str) {
        assert_eq!(show(&Value::number(number, unit), unit), expected, "{number} as {unit:?}");
    }

    #[test]
    fn numbers_carry_their_unit_and_no_false_digits() {
        check(1_234_567.0, Unit::Count, "1,234,567");
        check(412.3, Unit::Milliseconds, "412 ms");
        check(12.345, Unit::Milliseconds, "12.3 ms");
        check(1.5, Unit::Milliseconds, "1.5 ms");
        check(0.0312, Unit::Milliseconds, "0.031 ms");
        check(-12_345.6, Unit::Milliseconds, "−12,346 ms");
        check(0.071_93, Unit::Share, "7.19 %");
        check(62.44, Unit::Points, "62.4");
        check(0.0085, Unit::Points, "0.009");
        check(70.0, Unit::Milliseconds, "70 ms");
        check(-2.0, Unit::Points, "−2");
        check(1_234.5, Unit::PerSecond, "1,234/s");
        check(0.0, Unit::Share, "0 %");
        check(f64::INFINITY, Unit::Percent, "∞ %");
        assert_eq!(show(&Value::Integer(-1_000), Unit::Count), "−1,000");
        assert_eq!(show(&Value::Missing, Unit::Share), "no data");
    }

    #[test]
    fn nearly_all_is_not_all_and_nearly_none_is_not_none() {
        check(1.0, Unit::Share, "100 %");
        check(0.999_968, Unit::Share, "99.997 %");
        check(0.999_999, Unit::Share, "99.9999 %");
        check(0.000_03, Unit::Share, "0.003 %");
        check(0.000_001, Unit::Share, "0.0001 %");
        check(-0.004, Unit::Percent, "−0.004 %");
    }

    #[test]
    fn times_are_as_short_as_the_window_allows() {
        let at = |text: &str| parse_timestamp(text).unwrap();
        let day = TimeRange::day("2025-01-15").unwrap();
        assert_eq!(clock(at("2025-01-15T13:05:00Z"), day), "13:05");
        assert_eq!(clock(at("2025-01-15T13:05:07Z"), day), "13:05:07");
        assert_eq!(clock(at("2025-01-16T00:00:00Z"), day), "24:00");
        assert_eq!(clock(at("2025-01-14T23:00:00Z"), day), "2025-01-14 23:00");
        let week = TimeRange::new(day.from(), day.from() + 7 * (day.to() - day.from())).unwrap();
        assert_eq!(clock(at("2025-01-15T13:05:00Z"), week), "2025-01-15 13:05");
        assert_eq!(instant(at("2025-01-15T13:00:00Z")), "2025-01-15 13:00");
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        assert_eq!(cut(&"ü".repeat(121)), format!("{}…", "ü".repeat(120)));
        assert_eq!(cut(&"ü".repeat(120)), "ü".repeat(120));
    }

    #[test]
    fn words_agree_with_numbers() {
        assert_eq!(count(1, "violation", "violations"), "1 violation");
        assert_eq!(count(2_000, "violation", "violations"), "2,000 violations");
        assert_eq!(listing(&["a".into(), "b".into(), "c".into()]), "a, b and c");
    }
}
