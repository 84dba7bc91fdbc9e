//! Table contracts: what every table of the lake looks like, from `schemas/*.toml`.
//!
//! One TOML file is the single source of a table's Arrow schema, of its Parquet hints, of its
//! documentation and of the check that a batch has to pass before it may land.

mod check;
mod table;

pub use check::{Violation, check_batch};
pub use table::{Column, ColumnType, Encoding, Table};

use std::sync::LazyLock;

/// Why a schema file or a table name is not usable.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A schema file that does not say what it must.
    #[error("schema `{file}`: {reason}")]
    Schema {
        /// The file, by table name.
        file: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A table that no schema describes.
    #[error("unknown table `{got}`; expected one of: {expected}")]
    UnknownTable {
        /// The name asked for.
        got: String,
        /// The names there are.
        expected: String,
    },
}

/// The embedded schema files, by table name. A test compares this list with the folder.
const SCHEMAS: &[(&str, &str)] = &[
    ("logs", include_str!("../../schemas/logs.toml")),
    ("spans", include_str!("../../schemas/spans.toml")),
    ("metrics", include_str!("../../schemas/metrics.toml")),
    ("evaluations", include_str!("../../schemas/evaluations.toml")),
    ("changes", include_str!("../../schemas/changes.toml")),
    ("alerts", include_str!("../../schemas/alerts.toml")),
    ("incidents", include_str!("../../schemas/incidents.toml")),
    ("rejects", include_str!("../../schemas/rejects.toml")),
    ("replays", include_str!("../../schemas/replays.toml")),
    ("log_minutes", include_str!("../../schemas/log_minutes.toml")),
    ("span_minutes", include_str!("../../schemas/span_minutes.toml")),
    ("log_slots", include_str!("../../schemas/log_slots.toml")),
    ("span_slots", include_str!("../../schemas/span_slots.toml")),
    ("log_service_slots", include_str!("../../schemas/log_service_slots.toml")),
    ("span_service_slots", include_str!("../../schemas/span_service_slots.toml")),
    ("log_errors", include_str!("../../schemas/log_errors.toml")),
    ("span_errors", include_str!("../../schemas/span_errors.toml")),
    ("call_minutes", include_str!("../../schemas/call_minutes.toml")),
    ("call_ways", include_str!("../../schemas/call_ways.toml")),
    ("statement_minutes", include_str!("../../schemas/statement_minutes.toml")),
    ("statement_loops", include_str!("../../schemas/statement_loops.toml")),
    ("log_versions", include_str!("../../schemas/log_versions.toml")),
    ("metric_slots", include_str!("../../schemas/metric_slots.toml")),
    ("error_line_minutes", include_str!("../../schemas/error_line_minutes.toml")),
    ("websocket_events", include_str!("../../schemas/websocket_events.toml")),
    ("predictions", include_str!("../../schemas/predictions.toml")),
    ("recorded_series", include_str!("../../schemas/recorded_series.toml")),
    ("baselines", include_str!("../../schemas/baselines.toml")),
    ("runs", include_str!("../../schemas/runs.toml")),
];

static TABLES: LazyLock<Vec<Table>> = LazyLock::new(|| {
    SCHEMAS
        .iter()
        .map(|(name, text)| Table::parse(name, text).expect("embedded schemas are checked by a test"))
        .collect()
});

/// Every table of the lake, in the order of the documentation.
pub fn tables() -> &'static [Table] {
    &TABLES
}

/// The tables that ingest can fill from outside.
pub fn ingest_tables() -> impl Iterator<Item = &'static Table> {
    tables().iter().filter(|t| !t.derived && t.name != "rejects")
}

/// Looks a table up by name.
pub fn table(name: &str) -> Result<&'static Table, Error> {
    tables().iter().find(|t| t.name == name).ok_or_else(|| Error::UnknownTable {
        got: name.to_owned(),
        expected: tables().iter().map(|t| t.name.as_str()).collect::<Vec<_>>().join(", "),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_embedded_schema_is_sound() {
        for (name, text) in SCHEMAS {
            Table::parse(name, text).unwrap();
        }
    }

    #[test]
    fn an_unknown_table_names_the_ones_there_are() {
        let error = table("log").unwrap_err().to_string();
        assert!(error.starts_with("unknown table `log`; expected one of: logs, spans"), "{error}");
    }
}
