//! What a picture of a report shows: a table, and how its columns are drawn.

use super::content::{Table, Value};

/// Rows that are looked at rather than read.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    /// The rows, all of them, with the query that gave them.
    pub table: Table,
    /// How they are drawn.
    pub plot: Plot,
    /// What the picture says beyond its title; empty when that is enough.
    pub note: String,
}

/// How the columns of a table are drawn. Columns are named by their id; instants stand in `time`.
#[derive(Debug, Clone, PartialEq)]
pub enum Plot {
    /// A line over time per column.
    Lines {
        /// Columns of the lines.
        values: Vec<&'static str>,
        /// Columns of the lower and upper end of where values are expected.
        band: Option<(&'static str, &'static str)>,
        /// Column of values to point at.
        mark: Option<&'static str>,
        /// Horizontal lines.
        limits: Vec<Limit>,
    },
    /// A line over time per text of a column.
    Series {
        /// Column of the texts.
        series: &'static str,
        /// Column of the values.
        value: &'static str,
        /// Horizontal lines.
        limits: Vec<Limit>,
    },
    /// A small chart per text of a column, all with the same axes.
    Panels {
        /// Column of the texts.
        panel: &'static str,
        /// Columns of the lines.
        values: Vec<&'static str>,
        /// Horizontal lines.
        limits: Vec<Limit>,
    },
    /// A grid of numbers, coloured by what is said of them.
    Heat {
        /// Column that names the row of the grid.
        row: &'static str,
        /// Column that names the column of the grid.
        column: &'static str,
        /// Column of the numbers.
        value: &'static str,
        /// Column of `ok`, `warning` or `critical`.
        status: &'static str,
    },
    /// Stretches of time in lanes.
    Spans {
        /// Column that names the lane.
        lane: &'static str,
        /// Columns of start and end.
        ends: (&'static str, &'static str),
        /// Column of what a stretch is.
        class: &'static str,
        /// The classes with their names, in the order of the legend; the last one is drawn as an outline below the
        /// others.
        classes: &'static [(&'static str, &'static str)],
    },
    /// A bar per row.
    Bars {
        /// Column of the texts.
        label: &'static str,
        /// Column of the lengths.
        value: &'static str,
    },
}

/// A value to compare with.
#[derive(Debug, Clone, PartialEq)]
pub struct Limit {
    /// What it is.
    pub label: String,
    /// In the unit of the values.
    pub value: f64,
}

impl Plot {
    /// The kind's name in JSON.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Plot::Lines { .. } => "lines",
            Plot::Series { .. } => "series",
            Plot::Panels { .. } => "panels",
            Plot::Heat { .. } => "heat_map",
            Plot::Spans { .. } => "timeline",
            Plot::Bars { .. } => "bars",
        }
    }

    /// The horizontal lines.
    pub fn limits(&self) -> &[Limit] {
        match self {
            Plot::Lines { limits, .. } | Plot::Series { limits, .. } | Plot::Panels { limits, .. } => limits,
            Plot::Heat { .. } | Plot::Spans { .. } | Plot::Bars { .. } => &[],
        }
    }
}

impl Picture {
    /// Whether there is anything to draw: a table of times without values is nothing.
    pub fn has_data(&self) -> bool {
        let is_drawn = |value: &Value| matches!(value, Value::Integer(_) | Value::Number(_));
        match &self.plot {
            Plot::Spans { .. } => !self.table.rows.is_empty(),
            _ => self.table.rows.iter().flatten().any(is_drawn),
        }
    }
}
