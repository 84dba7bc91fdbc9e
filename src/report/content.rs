//! What a report says, apart from how it looks: sections of paragraphs, key figures and tables.
//!
//! Every text is plain text: nothing in it is markup, whatever telemetry put there. Every number is
//! rounded once, when it enters the content ([`Value::number`]), so that all renderings agree.

use super::picture::Picture;
use crate::domain::{MICROS_PER_DAY, TimeRange, format_timestamp};

/// How long a report looks back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    /// One day.
    Daily,
    /// Seven days.
    Weekly,
    /// Any other stretch of time.
    Span,
}

impl Period {
    /// The word on the command line and in file names.
    pub const fn as_str(self) -> &'static str {
        match self {
            Period::Daily => "daily",
            Period::Weekly => "weekly",
            Period::Span => "span",
        }
    }
}

impl std::fmt::Display for Period {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

impl std::str::FromStr for Period {
    type Err = UnknownPeriod;

    fn from_str(text: &str) -> Result<Self, UnknownPeriod> {
        [Period::Daily, Period::Weekly]
            .into_iter()
            .find(|p| p.as_str().eq_ignore_ascii_case(text.trim()))
            .ok_or_else(|| UnknownPeriod { got: text.to_owned() })
    }
}

/// A word that names no period.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown report period `{got}`; expected one of: daily, weekly")]
pub struct UnknownPeriod {
    got: String,
}

/// A version of a table of the lake that the report read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableVersion {
    /// Table name.
    pub table: String,
    /// Delta version.
    pub version: u64,
}

/// A finished report.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// Title in words.
    pub title: String,
    /// Daily or weekly.
    pub period: Period,
    /// The window that it is about.
    pub window: TimeRange,
    /// The window that drift and regressions are measured against.
    pub baseline: TimeRange,
    /// In words, what that baseline is.
    pub baseline_note: String,
    /// The whole report in one line of plain text.
    pub headline: String,
    /// The health score, 0 to 100; `None` when nothing was measured.
    pub health_score: Option<f64>,
    /// Its parts, in the order of the specification.
    pub sections: Vec<Section>,
    /// Parameters that the models were bound to, by name.
    pub parameters: Vec<(String, String)>,
    /// Versions of the lake's tables that it read.
    pub versions: Vec<TableVersion>,
    /// Version of the program that wrote it.
    pub tool_version: String,
}

impl Report {
    /// The whole report in one line of plain text.
    pub fn headline(&self) -> &str {
        &self.headline
    }

    /// A file name without extension that tells reports of different windows apart:
    /// `daily-2025-01-15`, `weekly-2025-01-09-to-2025-01-15`, `daily-2025-01-15T0600-to-2025-01-15T0930`.
    pub fn file_stem(&self) -> String {
        let (from, to) = (self.window.from(), self.window.to());
        let date = |micros: i64| format_timestamp(micros)[..10].to_owned();
        let minute = |micros: i64| format_timestamp(micros)[..16].replace(':', "");
        let whole_days = from % MICROS_PER_DAY == 0 && to % MICROS_PER_DAY == 0;
        match whole_days {
            true if self.window.micros() == MICROS_PER_DAY => format!("{}-{}", self.period, date(from)),
            true => format!("{}-{}-to-{}", self.period, date(from), date(to - 1)),
            false => format!("{}-{}-to-{}", self.period, minute(from), minute(to)),
        }
    }
}

/// One numbered part of a report.
#[derive(Debug, Clone, PartialEq)]
pub struct Section {
    /// Stable name for programs.
    pub id: &'static str,
    /// Title for people.
    pub title: &'static str,
    /// What it says.
    pub blocks: Vec<Block>,
}

/// A piece of a section.
#[derive(Debug, Clone, PartialEq)]
pub enum Block {
    /// Sentences.
    Paragraph(String),
    /// One sentence or two each.
    List(Vec<String>),
    /// Single numbers with names.
    Figures(Figures),
    /// Rows and columns.
    Table(Table),
    /// Rows that are drawn.
    Picture(Picture),
    /// Recommendations: a table of `rank`, `code`, `text`, `evidence`, `runbook`, told one by one.
    Advice(Table),
}

/// Key figures that one query gave.
#[derive(Debug, Clone, PartialEq)]
pub struct Figures {
    /// Stable name for programs.
    pub id: &'static str,
    /// Title for people.
    pub title: &'static str,
    /// The query that gave them.
    pub sql: String,
    /// What the figures are compared with, if with anything.
    pub compared: Option<Compared>,
    /// The figures.
    pub figures: Vec<Figure>,
}

/// The other side of a comparison.
#[derive(Debug, Clone, PartialEq)]
pub struct Compared {
    /// In words, such as `the week before`.
    pub with: String,
    /// The query that gave its figures.
    pub sql: String,
}

/// One key figure.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// Stable name for programs: the column of the query.
    pub id: &'static str,
    /// Name for people.
    pub label: &'static str,
    /// Unit of the value.
    pub unit: Unit,
    /// The value.
    pub value: Value,
    /// The value of the period that the figures are compared with.
    pub before: Value,
}

impl Figure {
    /// By how many percent of what it was the value has changed, where it was anything.
    pub fn change(&self) -> Value {
        match (self.before.as_f64(), self.value.as_f64()) {
            (Some(before), Some(now)) if before != 0.0 => {
                Value::number((now - before) / before.abs() * 100.0, Unit::Percent)
            }
            _ => Value::Missing,
        }
    }
}

/// A table and the query that gave it.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// Stable name for programs.
    pub id: &'static str,
    /// Title for people.
    pub title: &'static str,
    /// The query that gave it; it gives every row, also those cut here.
    pub sql: String,
    /// Its columns.
    pub columns: Vec<Column>,
    /// The first rows, each as long as `columns`.
    pub rows: Vec<Vec<Value>>,
    /// Rows that the query gave.
    pub total_rows: usize,
    /// Why there is no row, when there is none.
    pub empty: &'static str,
}

/// A column of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Stable name for programs: the column of the query.
    pub id: &'static str,
    /// Name for people.
    pub label: &'static str,
    /// Unit of its numbers.
    pub unit: Unit,
}

/// What a number counts, or that it is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Not a number.
    Text,
    /// An instant.
    Time,
    /// Pieces.
    Count,
    /// Milliseconds.
    Milliseconds,
    /// A share of 1, shown as a percentage.
    Share,
    /// A percentage already.
    Percent,
    /// Pieces per second.
    PerSecond,
    /// Points of a score.
    Points,
    /// A number without a unit.
    Plain,
}

impl Unit {
    /// The unit's name in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Unit::Text => "text",
            Unit::Time => "time",
            Unit::Count => "count",
            Unit::Milliseconds => "ms",
            Unit::Share => "share",
            Unit::Percent => "percent",
            Unit::PerSecond => "per_second",
            Unit::Points => "points",
            Unit::Plain => "1",
        }
    }

    /// Digits after the point that a number keeps when it enters the content.
    pub const fn decimals(self) -> i32 {
        match self {
            Unit::Text | Unit::Time | Unit::Count => 0,
            Unit::Milliseconds | Unit::Percent | Unit::PerSecond | Unit::Points => 3,
            Unit::Share | Unit::Plain => 6,
        }
    }
}

/// One value of a report.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// No data: never shown as a number.
    Missing,
    /// Text, as telemetry or the settings have it.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// A rounded number; may be infinite, never NaN.
    Number(f64),
    /// An instant, UTC microseconds.
    Time(i64),
    /// Yes or no.
    Flag(bool),
}

impl Value {
    /// A number rounded to what its unit keeps. NaN is no value.
    pub fn number(number: f64, unit: Unit) -> Value {
        if number.is_nan() {
            return Value::Missing;
        }
        let scale = 10f64.powi(unit.decimals());
        let rounded = (number * scale).round() / scale;
        // Beyond 2^53 / scale the multiplication overflows what a double holds exactly; such a number has
        // no digits there to round. `+ 0.0` turns -0 into 0.
        let exact = rounded.is_finite() && (number * scale).abs() < 9e15;
        Value::Number(if exact { rounded + 0.0 } else { number })
    }

    /// The number in it, if it is one.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Value::Integer(i) => Some(*i as f64),
            Value::Number(n) => Some(*n),
            _ => None,
        }
    }

    /// The whole number in it, if it is one.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Value::Integer(i) => Some(*i),
            _ => None,
        }
    }

    /// The instant in it, if it is one.
    pub fn as_time(&self) -> Option<i64> {
        match self {
            Value::Time(micros) => Some(*micros),
            _ => None,
        }
    }

    /// The text in it, if it is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_rounded_once_and_keeps_its_meaning() {
        assert_eq!(Value::number(0.123_456_789, Unit::Share), Value::Number(0.123_457));
        assert_eq!(Value::number(412.000_49, Unit::Milliseconds), Value::Number(412.0));
        assert_eq!(Value::number(-0.000_000_1, Unit::Share), Value::Number(0.0));
        assert_eq!(Value::number(f64::NAN, Unit::Share), Value::Missing);
        assert_eq!(Value::number(f64::INFINITY, Unit::Percent), Value::Number(f64::INFINITY));
        assert_eq!(Value::number(1e300, Unit::Share), Value::Number(1e300));
    }

    #[test]
    fn a_figure_says_how_far_it_moved() {
        let change = |before: Value, value: Value| {
            Figure { id: "a", label: "A", unit: Unit::Milliseconds, value, before }.change()
        };
        assert_eq!(change(Value::Number(80.0), Value::Number(100.0)), Value::Number(25.0));
        assert_eq!(change(Value::Integer(-4), Value::Integer(-6)), Value::Number(-50.0));
        assert_eq!(change(Value::Number(0.0), Value::Number(1.0)), Value::Missing);
        assert_eq!(change(Value::Missing, Value::Number(1.0)), Value::Missing);
    }

    #[test]
    fn an_unknown_period_names_the_choices() {
        assert_eq!("Weekly".parse(), Ok(Period::Weekly));
        let error = "hourly".parse::<Period>().unwrap_err().to_string();
        assert_eq!(error, "unknown report period `hourly`; expected one of: daily, weekly");
    }
}
