//! Built tables for a view of the past: the version that holds exactly what follows from its source as it was.
//!
//! A built table is brought up to date when it is asked for, which may be long after its source got its rows. So the
//! version that stood at an instant says nothing; what counts is which version of the source it was built from. Where
//! no version fits, the model is computed from its source like any view.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use datafusion::datasource::empty::EmptyTable;
use datafusion::prelude::SessionContext;

use super::materialize::app_id;
use super::{Error, Materialization, models};
use crate::engine::{self, TableVersion};
use crate::lake::{Lake, Snapshot, query_schema};

/// Registers the built tables of a view of the past; gives the names of those that have to be computed instead.
pub(super) async fn register_built(
    context: &SessionContext,
    lake: &Lake,
    versions: &mut Vec<TableVersion>,
) -> Result<BTreeSet<String>, Error> {
    let mut computed = BTreeSet::new();
    // A built table may be the source of another; that one follows from the version that was chosen of it.
    let mut chosen: BTreeMap<&str, Option<Snapshot>> = BTreeMap::new();
    for model in models() {
        let Materialization::Incremental { source, .. } = &model.header.materialized else { continue };
        // Who names a version of the built table itself gets it.
        if lake.is_named(&model.name) {
            continue;
        }
        versions.retain(|v| v.table != model.name);
        let source = match chosen.get(source.as_str()) {
            Some(Some(built)) => Some(built.clone()),
            Some(None) => {
                chosen.insert(&model.name, None);
                computed.insert(model.name.clone());
                continue;
            }
            None => lake.snapshot(source).await?,
        };
        let Some(source) = source else {
            let schema = query_schema(lake_table(&model.name)?);
            replace(context, &model.name, Arc::new(EmptyTable::new(schema)))?;
            chosen.insert(&model.name, None);
            continue;
        };
        match fitting(lake, &model.name, &source).await? {
            Some(built) => {
                versions.push(TableVersion {
                    table: model.name.clone(),
                    version: built.version(),
                    rows: built.rows(),
                });
                replace(context, &model.name, built.provider())?;
                chosen.insert(&model.name, Some(built));
            }
            None => {
                chosen.insert(&model.name, None);
                computed.insert(model.name.clone());
            }
        }
    }
    let order = |v: &TableVersion| crate::contract::tables().iter().position(|t| t.name == v.table);
    versions.sort_by_key(order);
    Ok(computed)
}

fn lake_table(name: &str) -> Result<&'static crate::contract::Table, Error> {
    crate::contract::table(name).map_err(|e| Error::Model { model: name.to_owned(), reason: e.to_string() })
}

fn replace(
    context: &SessionContext,
    name: &str,
    table: Arc<dyn datafusion::catalog::TableProvider>,
) -> Result<(), Error> {
    context.deregister_table(name).map_err(engine::Error::from)?;
    context.register_table(name, table).map_err(engine::Error::from)?;
    Ok(())
}

/// The version of a built table that was built from exactly these rows of its source.
async fn fitting(lake: &Lake, model: &str, source: &Snapshot) -> Result<Option<Snapshot>, Error> {
    let present = lake.present();
    let Some(newest) = present.snapshot(model).await? else { return Ok(None) };
    let at_most = i64::try_from(source.version()).unwrap_or(i64::MAX);
    let Some((version, seen)) = newest.last_recorded(&app_id(model), at_most).await? else { return Ok(None) };
    let seen = u64::try_from(seen).unwrap_or_default();
    match source.changes_since(seen).await? {
        Some(changes) if changes.added.is_empty() && changes.rewritten.is_empty() => {
            Ok(present.snapshot_at(model, version).await?)
        }
        _ => Ok(None),
    }
}
