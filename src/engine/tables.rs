//! What a session can name before any model is registered: the tables of the lake and the settings.

use std::sync::Arc;

use datafusion::catalog::TableProvider;
use datafusion::datasource::{MemTable, empty::EmptyTable};
use datafusion::prelude::SessionContext;
use futures::future::try_join_all;

use super::Error;
use crate::contract;
use crate::lake::{Lake, query_schema};
use crate::settings::Settings;

/// The exact version of a table that a session reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableVersion {
    /// Table name.
    pub table: String,
    /// Delta version.
    pub version: u64,
    /// Rows in that version.
    pub rows: u64,
}

/// Registers every table of the lake at its newest version. A table that nothing has landed in is there
/// too, empty, so that every model works on every lake.
pub async fn register_lake(context: &SessionContext, lake: &Lake) -> Result<Vec<TableVersion>, Error> {
    lake.register(context)?;
    // All at once: to open a table is mostly to wait for its store.
    let snapshots = try_join_all(contract::tables().iter().map(|table| lake.snapshot(&table.name))).await?;
    let mut versions = Vec::new();
    for (table, snapshot) in contract::tables().iter().zip(snapshots) {
        let provider: Arc<dyn TableProvider> = match snapshot {
            Some(snapshot) => {
                // What the tool says about itself changes with every run and is read by no model.
                if !table.journal {
                    versions.push(TableVersion {
                        table: table.name.clone(),
                        version: snapshot.version(),
                        rows: snapshot.rows(),
                    });
                }
                snapshot.provider()
            }
            None => Arc::new(EmptyTable::new(query_schema(table))),
        };
        // A session is re-registered after a run has landed new rows.
        context.deregister_table(table.name.as_str())?;
        context.register_table(table.name.as_str(), provider)?;
    }
    Ok(versions)
}

/// Registers the settings as tables, so that models join them.
pub fn register_settings(context: &SessionContext, settings: &Settings) -> Result<(), Error> {
    for (name, batch) in settings.tables()? {
        let table = MemTable::try_new(batch.schema(), vec![vec![batch]])?;
        context.register_table(name, Arc::new(table))?;
    }
    Ok(())
}
