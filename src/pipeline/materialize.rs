//! Incremental models: tables of the lake that grow by what their source has gained.
//!
//! A refresh reads only the files that were added to the source since the version it recorded, appends
//! their partial aggregates, and commits both together: the rows, and the source version as an
//! application transaction. Killed at any point, the next refresh does exactly the work that is missing.
//! Partial aggregates of one key may so stand in several rows; readers merge them, and because the parts
//! are integers and sketches of integer counts, the order in which they came cannot show.
//!
//! Compaction of the source brings no new rows and retention takes none back. Where an hour of the source lost rows
//! in another way (a restore, a deletion by another program), that hour of the model is computed anew and replaced.
//!
//! A model of the scope `hours` joins rows of its source with each other, which may land at different times. Of it the
//! hours that gained rows are computed anew ([`super::hours`]).

use arrow::array::{RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow::compute::{cast, concat_batches};
use futures::TryStreamExt;
use futures::future::join_all;

use super::hours::{self, Chunk};
use super::{Error, Materialization, Model, Scope, models};
use crate::contract::{self, Column, ColumnType, Table};
use crate::domain::Hour;
use crate::engine::{self, Engine};
use crate::lake::{self, Changes, FORGOTTEN, Lake, Snapshot, TableWriter, Transaction};

/// What one refresh did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refreshed {
    /// The table that was brought up to date.
    pub model: String,
    /// Files of the source that it read.
    pub files: usize,
    /// Rows of the source that it read.
    pub source_rows: u64,
    /// Rows that it appended.
    pub rows: u64,
}

/// Brings every incremental model up to date, reporting each as it is done.
pub async fn refresh(
    engine: &Engine,
    lake: &Lake,
    mut done: impl FnMut(&Refreshed),
) -> Result<Vec<Refreshed>, Error> {
    let incremental = || {
        models().iter().filter_map(|model| match &model.header.materialized {
            Materialization::Incremental { source, scope } => Some((model, source.as_str(), *scope)),
            _ => None,
        })
    };
    // Mostly nothing has landed since the last time, and all there is to do is to wait for the store to say so: once for
    // all of them, not for one after the other. What fails here is tried again below.
    let looks = join_all(incremental().map(|(model, source, _)| Work::of(lake, model, source))).await;
    let is_idle = looks.iter().all(|look| match look {
        Ok(work) => work.as_ref().is_none_or(Work::is_done),
        Err(_) => false,
    });
    let mut all = Vec::new();
    for (model, source, scope) in incremental() {
        let nothing = Refreshed { model: model.name.clone(), files: 0, source_rows: 0, rows: 0 };
        let refreshed = match is_idle {
            true => nothing,
            false => refresh_one(engine, lake, model, source, scope).await?.unwrap_or(nothing),
        };
        done(&refreshed);
        all.push(refreshed);
    }
    Ok(all)
}

/// What there is to do for a model.
struct Work {
    source: Snapshot,
    target: Option<Snapshot>,
    changes: Changes,
}

impl Work {
    /// `None` when nothing has ever landed in the source.
    async fn of(lake: &Lake, model: &Model, source: &str) -> Result<Option<Work>, Error> {
        let Some(source) = lake.snapshot(source).await? else { return Ok(None) };
        let target = lake.snapshot(&model.name).await?;
        let seen = match &target {
            // A restore may have brought back a version that was not built from anything yet.
            Some(target) => target.transaction(&app_id(&model.name)).await?.filter(|seen| *seen > FORGOTTEN),
            None => None,
        };
        let changes = match seen {
            None => Changes { added: source.files().to_vec(), ..Changes::default() },
            Some(version) => {
                let since = u64::try_from(version).unwrap_or_default();
                source.changes_since(since).await?.ok_or_else(|| Error::LogCut {
                    model: model.name.clone(),
                    table: source.table().to_owned(),
                    seen: version,
                })?
            }
        };
        Ok(Some(Work { source, target, changes }))
    }

    fn is_done(&self) -> bool {
        self.target.is_some() && self.has_no_changes()
    }

    fn has_no_changes(&self) -> bool {
        self.changes.added.is_empty() && self.changes.rewritten.is_empty()
    }
}

fn is_built_from(reader: &Model, table: &str) -> bool {
    matches!(&reader.header.materialized, Materialization::Incremental { source, .. } if source == table)
}

/// The application id under which a built table records the version of its source.
pub(super) fn app_id(model: &str) -> String {
    format!("tars-model:{model}")
}

/// `None` when there is nothing to do.
async fn refresh_one(
    engine: &Engine,
    lake: &Lake,
    model: &Model,
    source: &str,
    scope: Scope,
) -> Result<Option<Refreshed>, Error> {
    let Some(work) = Work::of(lake, model, source).await? else { return Ok(None) };
    if work.target.is_none() {
        // Tables that were built from an earlier one of this name count its versions: they begin anew as well.
        for reader in models().iter().filter(|reader| is_built_from(reader, &model.name)) {
            lake.restore(&reader.name, 0, false).await?;
        }
    }
    if work.has_no_changes() {
        return Ok(None);
    }
    let Work { source: snapshot, target, changes } = work;
    let (chunks, replaced) = match scope {
        Scope::Rows => {
            let files = [changes.added, changes.whole].concat();
            (vec![Chunk { files, hours: None }], changes.rewritten)
        }
        Scope::Hours => {
            let held = target.as_ref().map_or(&[][..], |target| target.files());
            hours::chunks(snapshot.files(), &changes, held)
        }
    };

    let table = contract::table(&model.name)
        .map_err(|e| Error::Model { model: model.name.clone(), reason: e.to_string() })?;
    let fail = |source| Error::Sql { model: model.name.clone(), source };
    let sql = model.sql.trim_end().trim_end_matches(';');
    let sql = format!("select * from ({sql}\n) order by {}", row_order(table));
    // Somebody who refreshed the same model since `seen` was read makes the commit fail instead of counting twice.
    let mut writer = lake.writer(&model.name).await?.since(target.map(|t| t.version()));
    let context = engine.context().clone();
    lake.register(&context)?;
    let mut open: Option<OpenPartition> = None;
    let (mut file_count, mut source_rows, mut rows) = (0, 0, 0);
    for Chunk { files, hours } in chunks {
        file_count += files.len();
        source_rows += files.iter().map(|f| f.rows).sum::<u64>();
        // The model reads its source by name; for this query the name means these files alone.
        context.deregister_table(source).map_err(engine::Error::from)?;
        context.register_table(source, snapshot.provider_over(files)).map_err(engine::Error::from)?;
        let frame = engine.sql(&sql).await.map_err(fail)?;
        let mut stream = frame.execute_stream().await.map_err(|e| fail(e.into()))?;
        while let Some(batch) = stream.try_next().await.map_err(|e| fail(e.into()))? {
            let batch = conform(&model.name, table, batch)?;
            for (region, hour, part) in split(table, &batch) {
                if hours.as_ref().is_some_and(|hours| !hours.contains(&hour)) {
                    continue;
                }
                rows += part.num_rows() as u64;
                match &mut open {
                    Some(current) if current.region == region && current.hour == hour => {
                        current.parts.push(part);
                    }
                    _ => {
                        if let Some(full) = open.replace(OpenPartition { region, hour, parts: vec![part] }) {
                            full.write(table, &mut writer).await?;
                        }
                    }
                }
            }
        }
    }
    if let Some(last) = open {
        last.write(table, &mut writer).await?;
    }
    let version = i64::try_from(snapshot.version()).unwrap_or(i64::MAX);
    let transaction = Transaction { app_id: app_id(&model.name), version };
    writer.commit_replacing(&replaced, &[transaction]).await?;
    Ok(Some(Refreshed { model: model.name.clone(), files: file_count, source_rows, rows }))
}

/// By region and time, as files are cut, then by everything else that can be compared, so that the same rows are the
/// same file.
fn row_order(table: &Table) -> String {
    let comparable = |c: &&Column| !matches!(c.kind, ColumnType::Binary | ColumnType::Map);
    let others = table.columns.iter().filter(comparable).map(|c| c.name.as_str());
    let others = others.filter(|name| *name != "region" && *name != table.time);
    ["region", table.time.as_str()].into_iter().chain(others).collect::<Vec<_>>().join(", ")
}

/// Appends computed rows, in the order of region and time, to a table of the lake, in one commit with the transaction.
pub async fn append(
    lake: &Lake,
    name: &str,
    batches: Vec<RecordBatch>,
    done: Transaction,
) -> Result<u64, Error> {
    let table =
        contract::table(name).map_err(|e| Error::Model { model: name.to_owned(), reason: e.to_string() })?;
    let mut writer = lake.writer(name).await?;
    if writer.transaction(&done.app_id).await?.is_some_and(|recorded| recorded >= done.version) {
        let (table, app_id, got) = (name.to_owned(), done.app_id, done.version);
        return Err(lake::Error::AlreadyCommitted { table, app_id, recorded: got, got }.into());
    }
    let mut rows = 0;
    for batch in batches {
        let batch = conform(name, table, batch)?;
        rows += batch.num_rows() as u64;
        for (region, hour, part) in split(table, &batch) {
            OpenPartition { region, hour, parts: vec![part] }.write(table, &mut writer).await?;
        }
    }
    writer.commit(&[done]).await?;
    Ok(rows)
}

/// Rows of one region and hour, collected until the ordered stream moves on to the next.
struct OpenPartition {
    region: String,
    hour: Hour,
    parts: Vec<RecordBatch>,
}

impl OpenPartition {
    async fn write(self, table: &Table, writer: &mut TableWriter) -> Result<(), Error> {
        let batch = concat_batches(&table.file_schema(), &self.parts)
            .map_err(|e| engine::Error::from(datafusion::error::DataFusionError::from(e)))?;
        writer.write(&self.region, self.hour, batch).await?;
        Ok(())
    }
}

/// Casts a model's output to the exact types of its table and checks it against the contract.
fn conform(name: &str, table: &Table, batch: RecordBatch) -> Result<RecordBatch, Error> {
    let broken = |violations: String| Error::Contract { model: name.to_owned(), violations };
    let schema = table.batch_schema();
    let columns = schema
        .fields()
        .iter()
        .map(|field| {
            let column = batch
                .column_by_name(field.name())
                .ok_or_else(|| broken(format!("no column `{}`", field.name())))?;
            cast(column, field.data_type()).map_err(|e| broken(format!("column `{}`: {e}", field.name())))
        })
        .collect::<Result<Vec<_>, _>>()?;
    let batch = RecordBatch::try_new(schema, columns).map_err(|e| broken(e.to_string()))?;
    contract::check_batch(table, &batch).map_err(|violations| {
        broken(violations.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
    })?;
    Ok(batch)
}

/// Cuts a batch that is ordered by region and time into runs of one region and hour, without copying.
fn split(table: &Table, batch: &RecordBatch) -> Vec<(String, Hour, RecordBatch)> {
    let schema = table.batch_schema();
    let column = |name: &str| {
        let index = schema.index_of(name).expect("every contract has a region and its time column");
        batch.column(index)
    };
    let regions = column("region").as_any().downcast_ref::<StringArray>().expect("checked by the contract");
    let times = column(&table.time)
        .as_any()
        .downcast_ref::<TimestampMicrosecondArray>()
        .expect("checked by the contract");
    let file_schema = table.file_schema();
    let kept: Vec<usize> =
        file_schema.fields().iter().map(|f| schema.index_of(f.name()).expect("a subset of it")).collect();
    let data = batch.project(&kept).expect("the indices come from its own schema");
    let key = |row: usize| (regions.value(row), Hour::of_micros(times.value(row)));
    let mut runs = Vec::new();
    let mut start = 0;
    for row in 1..=batch.num_rows() {
        if row == batch.num_rows() || key(row) != key(start) {
            let (region, hour) = key(start);
            runs.push((region.to_owned(), hour, data.slice(start, row - start)));
            start = row;
        }
    }
    runs
}
