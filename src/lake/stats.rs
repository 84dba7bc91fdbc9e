//! What the log says about a data file: how many rows, from when to when.
//!
//! Only the time column gets minimum and maximum. A filter on another column is answered by the statistics,
//! page index and bloom filters inside the file, which cost nothing to keep, while every value in the log is read
//! by everybody who opens the table.

use serde_json::{Value, json};

use crate::domain::{MICROS_PER_SECOND, format_timestamp, parse_timestamp};

/// Microseconds that a writer loses when it spells a time in milliseconds.
const TRUNCATED: i64 = 999;

/// The facts about a data file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FileStats {
    /// Rows.
    pub(super) rows: u64,
    /// The first time in it (UTC microseconds).
    pub(super) min: i64,
    /// The last time in it (UTC microseconds).
    pub(super) max: i64,
}

/// What could be read from a log entry.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct ParsedStats {
    /// Rows.
    pub(super) rows: Option<u64>,
    /// No row is earlier.
    pub(super) min: Option<i64>,
    /// No row is later.
    pub(super) max: Option<i64>,
    /// Whether the two times are times of rows, and not only bounds.
    pub(super) exact: bool,
}

/// Spells a time with six digits whatever they are: a shorter spelling marks a writer that cut the rest off.
fn spell(micros: i64) -> String {
    let fraction = micros.rem_euclid(MICROS_PER_SECOND);
    let whole = format_timestamp(micros - fraction);
    format!("{}.{fraction:06}Z", whole.trim_end_matches('Z'))
}

/// The JSON text of the Delta protocol, "Per-file Statistics".
pub(super) fn to_json(time_column: &str, stats: FileStats) -> String {
    json!({
        "numRecords": stats.rows,
        "minValues": { time_column: spell(stats.min) },
        "maxValues": { time_column: spell(stats.max) },
        "nullCount": { time_column: 0 },
    })
    .to_string()
}

/// Reads such a text, whoever wrote it. What is not there, or makes no sense, is `None`.
pub(super) fn from_json(time_column: &str, text: &str) -> ParsedStats {
    let Ok(json) = serde_json::from_str::<Value>(text) else { return ParsedStats::default() };
    let time = |group: &str| {
        let text = json.get(group)?.get(time_column)?.as_str()?;
        let micros = parse_timestamp(text)?;
        let exact = text.trim_end_matches('Z').rsplit_once('.').is_some_and(|(_, digits)| digits.len() >= 6);
        Some((micros, exact))
    };
    let (min, max) = (time("minValues"), time("maxValues"));
    ParsedStats {
        rows: json.get("numRecords").and_then(Value::as_u64),
        min: min.map(|(micros, _)| micros),
        max: max.map(|(micros, exact)| if exact { micros } else { micros.saturating_add(TRUNCATED) }),
        exact: matches!((min, max), (Some((_, true)), Some((_, true)))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back_to_the_microsecond() {
        // date -u -d @1736946000 => 2025-01-15 13:00:00
        let stats = FileStats { rows: 3, min: 1_736_946_000_000_000, max: 1_736_946_000_123_456 };
        let text = to_json("timestamp", stats);
        assert!(text.contains(r#""timestamp":"2025-01-15T13:00:00.000000Z""#), "{text}");
        let read = from_json("timestamp", &text);
        assert_eq!(
            read,
            ParsedStats { rows: Some(3), min: Some(stats.min), max: Some(stats.max), exact: true }
        );
    }

    #[test]
    fn a_maximum_cut_to_milliseconds_still_covers_its_rows() {
        let text = r#"{"numRecords":1,"minValues":{"t":"2025-01-15T13:00:00.123Z"},
                       "maxValues":{"t":"2025-01-15T13:00:00.123Z"}}"#;
        let read = from_json("t", text);
        assert_eq!(read.min, Some(1_736_946_000_123_000));
        assert_eq!(read.max, Some(1_736_946_000_123_999));
        assert!(!read.exact);
    }

    #[test]
    fn missing_or_broken_statistics_are_unknown() {
        for text in ["", "{", "{}", r#"{"numRecords":-1,"minValues":{"t":5}}"#] {
            assert_eq!(from_json("t", text), ParsedStats::default(), "{text}");
        }
    }
}
