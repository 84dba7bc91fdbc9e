//! The tables that ingest fills, as small numbers for the hot path.

use std::sync::LazyLock;

use crate::contract::{self, Column, Table};

/// A table that records land in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum TableId {
    Logs,
    Spans,
    Metrics,
    Evaluations,
    Changes,
    Alerts,
    Incidents,
}

/// How many there are.
pub(crate) const TABLE_COUNT: usize = 7;

impl TableId {
    pub(crate) const ALL: [TableId; TABLE_COUNT] = [
        TableId::Logs,
        TableId::Spans,
        TableId::Metrics,
        TableId::Evaluations,
        TableId::Changes,
        TableId::Alerts,
        TableId::Incidents,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            TableId::Logs => "logs",
            TableId::Spans => "spans",
            TableId::Metrics => "metrics",
            TableId::Evaluations => "evaluations",
            TableId::Changes => "changes",
            TableId::Alerts => "alerts",
            TableId::Incidents => "incidents",
        }
    }

    pub(crate) fn of_name(name: &str) -> Option<TableId> {
        Self::ALL.into_iter().find(|t| t.name() == name)
    }

    pub(crate) fn facts(self) -> &'static Facts {
        &FACTS[self as usize]
    }
}

/// What the hot path needs to know about a table's contract.
pub(crate) struct Facts {
    pub(crate) table: &'static Table,
    /// Position of the time column, of `region`, of the map column.
    pub(crate) time: usize,
    pub(crate) region: usize,
    pub(crate) overflow: usize,
    /// Position of the text of a log line.
    pub(crate) message: Option<usize>,
    /// The columns, a bit each, that no row may lack; the region can come from elsewhere.
    pub(crate) required: u64,
}

impl Facts {
    pub(crate) fn column(&self, name: &str) -> Option<usize> {
        self.table.columns.iter().position(|c| c.name == name)
    }

    pub(crate) fn columns(&self) -> &'static [Column] {
        &self.table.columns
    }
}

static FACTS: LazyLock<Vec<Facts>> = LazyLock::new(|| {
    let facts = |id: TableId| {
        let table = contract::table(id.name()).expect("a test compares the list with the contracts");
        let position = |name: &str| {
            table
                .columns
                .iter()
                .position(|c| c.name == name)
                .expect("the contract was checked when it was read")
        };
        let overflow = table.overflow().expect("every table that ingest fills keeps unknown fields");
        Facts {
            table,
            time: position(&table.time),
            region: position("region"),
            overflow: position(&overflow.name),
            message: (id == TableId::Logs).then(|| position("message")),
            required: (table.columns.iter().enumerate())
                .filter(|(_, c)| !c.nullable && c.name != "region")
                .fold(0, |bits, (at, _)| bits | 1 << at),
        }
    };
    TableId::ALL.into_iter().map(facts).collect()
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_the_contracts() {
        let names: Vec<_> = contract::ingest_tables().map(|t| t.name.as_str()).collect();
        assert_eq!(TableId::ALL.map(TableId::name).to_vec(), names);
        assert!(TableId::ALL.into_iter().all(|t| (1..64).contains(&t.facts().columns().len())));
    }
}
