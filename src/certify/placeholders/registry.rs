//! What a placeholder is: a name, where its value comes from, the SQL that gives it, its unit.

use std::fmt;

use crate::report::{Unit, Value, show};

/// Which part of the evidence a value is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Key figures of the window: `ga_kpi_summary.json`.
    Kpi,
    /// Drift from the baseline: `drift_analysis.json`.
    Drift,
    /// WebSockets: `ws_health_metrics.json`.
    WebSocket,
    /// The validation suite: `validation_results.html`.
    Validation,
    /// What new versions did when they were new.
    Canary,
    /// Calculated from the rest, or known before.
    Calculated,
}

impl Source {
    /// The word in lists.
    pub const fn as_str(self) -> &'static str {
        match self {
            Source::Kpi => "kpi",
            Source::Drift => "drift",
            Source::WebSocket => "websocket",
            Source::Validation => "validation",
            Source::Canary => "canary",
            Source::Calculated => "calculated",
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What a value measures: how it is rounded, and what stands behind the number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quantity {
    /// Not a number.
    Text,
    /// An instant.
    Time,
    /// Pieces.
    Count,
    /// Milliseconds.
    Milliseconds,
    /// A share of 1, shown in percent.
    Share,
    /// A percentage already.
    Percent,
    /// Pieces per second.
    PerSecond,
    /// A number without a unit.
    Plain,
    /// A number with the unit named here.
    Of(&'static str),
}

impl Quantity {
    /// The unit of the content model, which decides the digits.
    pub(super) const fn unit(self) -> Unit {
        match self {
            Quantity::Text => Unit::Text,
            Quantity::Time => Unit::Time,
            Quantity::Count => Unit::Count,
            Quantity::Milliseconds => Unit::Milliseconds,
            Quantity::Share => Unit::Share,
            Quantity::Percent => Unit::Percent,
            Quantity::PerSecond => Unit::PerSecond,
            Quantity::Plain | Quantity::Of(_) => Unit::Plain,
        }
    }

    /// The unit in lists.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Quantity::Of(unit) => unit,
            other => other.unit().as_str(),
        }
    }

    /// A value as text for people.
    pub(super) fn show(self, value: &Value) -> String {
        let text = show(value, self.unit());
        match self {
            Quantity::Of(unit) if !matches!(value, Value::Missing) => format!("{text} {unit}"),
            _ => text,
        }
    }
}

/// A single value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scalar {
    /// The name between the braces.
    pub(super) name: &'static str,
    /// The expression over the group's rows.
    pub(super) expression: &'static str,
    /// What it measures.
    pub(super) quantity: Quantity,
    /// What it means, in words.
    pub(super) meaning: &'static str,
}

/// Values that one query gives.
#[derive(Debug, Clone, Copy)]
pub(super) struct Group {
    /// Which part of the evidence they are from.
    pub(super) source: Source,
    /// What follows `from`: rows of which the expressions make one.
    pub(super) from: &'static str,
    /// The values.
    pub(super) scalars: &'static [Scalar],
}

/// Rows of a model as a table.
#[derive(Debug, Clone, Copy)]
pub(super) struct Listing {
    /// The name between the braces.
    pub(super) name: &'static str,
    /// Which part of the evidence they are from.
    pub(super) source: Source,
    /// The query.
    pub(super) sql: &'static str,
    /// Column of the query, heading, what it measures.
    pub(super) columns: &'static [(&'static str, &'static str, Quantity)],
    /// What it means, in words.
    pub(super) meaning: &'static str,
    /// What stands there when the query gives no row.
    pub(super) empty: &'static str,
}

/// A value, for the lists.
pub(super) const fn scalar(
    name: &'static str,
    expression: &'static str,
    quantity: Quantity,
    meaning: &'static str,
) -> Scalar {
    Scalar { name, expression, quantity, meaning }
}

/// A placeholder as the list of all of them shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Described {
    /// The name between the braces.
    pub name: &'static str,
    /// Which part of the evidence it is from.
    pub source: Source,
    /// The query that gives it.
    pub sql: String,
    /// Its unit; `table` for rows.
    pub unit: &'static str,
    /// What it means, in words.
    pub meaning: &'static str,
}

impl Group {
    /// The query that gives one of its values.
    pub(super) fn sql(&self, scalar: &Scalar) -> String {
        format!("select {} as \"{}\" from {}", scalar.expression, scalar.name, self.from)
    }

    /// The query that gives all of its values at once.
    pub(super) fn query(&self) -> String {
        let columns: Vec<String> =
            self.scalars.iter().map(|s| format!("{} as \"{}\"", s.expression, s.name)).collect();
        format!("select {} from {}", columns.join(", "), self.from)
    }
}
