//! Which source was landed how far: the application transactions of a table.
//!
//! Every source of an ingest is one application id, so there may be thousands, and asking the log for each would
//! replay it each time. This reads all of them at once, from the newest checkpoint and the commits after it.

use std::collections::{BTreeMap, HashMap, HashSet};

use ::parquet::arrow::ProjectionMask;
use ::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use arrow::array::{Array, AsArray};
use arrow::datatypes::Int64Type;
use futures::{StreamExt, TryStreamExt, stream};
use object_store::ObjectStoreExt;

use super::delta::{State, TableLog};
use super::layout::LOG_FOLDER;
use super::writer::Transaction;
use super::{Error, Result};

/// Commits read at the same time; a remote store answers each in tens of milliseconds.
const CONCURRENT_READS: usize = 16;

/// The application transactions of one version.
#[derive(Debug, Clone)]
pub(super) struct Transactions {
    /// The first version that is not read yet.
    next: u64,
    recorded: HashMap<String, i64>,
    /// Whether an id that is not in `recorded` was never recorded. Not so for a checkpoint layout that other
    /// writers may choose (several parts, sidecars); then the log is asked for each id.
    complete: bool,
}

impl Transactions {
    /// Those of a table that is not there yet.
    pub(super) fn none() -> Self {
        Transactions { next: 0, recorded: HashMap::new(), complete: true }
    }

    /// Reads them all.
    pub(super) async fn load(log: &TableLog, version: u64) -> Result<Self> {
        let checkpoint = match newest_checkpoint(log, version).await? {
            Checkpoint::None => None,
            Checkpoint::Classic(at) => Some(at),
            Checkpoint::Other => {
                return Ok(Transactions { next: version + 1, recorded: HashMap::new(), complete: false });
            }
        };
        let mut recorded = match checkpoint {
            Some(at) => read_checkpoint(log, at).await?,
            None => HashMap::new(),
        };
        let first = checkpoint.map_or(0, |at| at + 1);
        let mut complete = true;
        for entry in entries(log, first, version).await? {
            let Some(transactions) = entry else {
                complete = false;
                continue;
            };
            recorded.extend(transactions.into_iter().map(|t| (t.app_id, t.version)));
        }
        Ok(Transactions { next: version + 1, recorded, complete })
    }

    /// Moves on to a newer version and tells which ids were recorded on the way.
    pub(super) async fn advance(&mut self, log: &TableLog, version: u64) -> Result<HashSet<String>> {
        let mut changed = HashSet::new();
        for entry in entries(log, self.next, version).await? {
            let Some(transactions) = entry else {
                // The log was cleaned up in between; anything may have been recorded.
                let before = std::mem::take(&mut self.recorded);
                *self = Self::load(log, version).await?;
                return Ok(self
                    .recorded
                    .iter()
                    .filter(|(id, version)| before.get(*id) != Some(version))
                    .map(|(id, _)| id.clone())
                    .collect());
            };
            for t in transactions {
                changed.insert(t.app_id.clone());
                self.recorded.insert(t.app_id, t.version);
            }
        }
        self.next = self.next.max(version + 1);
        Ok(changed)
    }

    /// All of them, by id; `None` when they cannot be listed.
    pub(super) fn into_all(self) -> Option<BTreeMap<String, i64>> {
        self.complete.then(|| self.recorded.into_iter().collect())
    }

    /// The version recorded for an id; `state` is the same version, replayed.
    pub(super) async fn get(&self, log: &TableLog, state: &State, app_id: &str) -> Result<Option<i64>> {
        match self.recorded.get(app_id) {
            Some(version) => Ok(Some(*version)),
            None if self.complete => Ok(None),
            None => log.transaction(state, app_id).await,
        }
    }
}

/// The transactions of each commit in `first..=last`, in order.
async fn entries(log: &TableLog, first: u64, last: u64) -> Result<Vec<Option<Vec<Transaction>>>> {
    stream::iter(first..=last)
        .map(|version| async move { Ok(log.entry(version).await?.map(|entry| entry.transactions)) })
        .buffered(CONCURRENT_READS)
        .try_collect()
        .await
}

enum Checkpoint {
    None,
    /// One Parquet file that holds everything.
    Classic(u64),
    /// A layout that this file does not read.
    Other,
}

async fn newest_checkpoint(log: &TableLog, version: u64) -> Result<Checkpoint> {
    let storage = log.storage();
    let mut newest = None;
    let mut listed = storage.store().list(Some(&storage.path(LOG_FOLDER)));
    let fail = |e| Error::log(&log.contract().name, storage.shown(), "list its log", e);
    while let Some(object) = listed.try_next().await.map_err(fail)? {
        let Some((digits, rest)) = object.location.filename().and_then(|name| name.split_once('.')) else {
            continue;
        };
        let Ok(at) = digits.parse::<u64>() else { continue };
        if at <= version && rest.starts_with("checkpoint") {
            let classic = rest == "checkpoint.parquet";
            newest = newest.max(Some((at, classic)));
        }
    }
    Ok(match newest {
        None => Checkpoint::None,
        Some((at, true)) => Checkpoint::Classic(at),
        Some((_, false)) => Checkpoint::Other,
    })
}

async fn read_checkpoint(log: &TableLog, at: u64) -> Result<HashMap<String, i64>> {
    let storage = log.storage();
    let doing = "read a checkpoint of its log";
    let fail = |e: Box<dyn std::error::Error + Send + Sync>| {
        Error::log(&log.contract().name, storage.shown(), doing, e)
    };
    let path = storage.path(&format!("{LOG_FOLDER}/{at:020}.checkpoint.parquet"));
    let object = storage.store().get(&path).await.map_err(|e| fail(e.into()))?;
    let bytes = object.bytes().await.map_err(|e| fail(e.into()))?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(bytes).map_err(|e| fail(e.into()))?;
    let mask = ProjectionMask::columns(builder.parquet_schema(), ["txn.appId", "txn.version"]);
    let batches = builder.with_projection(mask).build().map_err(|e| fail(e.into()))?;
    let mut recorded = HashMap::new();
    for batch in batches {
        let batch = batch.map_err(|e| fail(e.into()))?;
        let Some(txn) = batch.column_by_name("txn").and_then(|c| c.as_struct_opt()) else { continue };
        let ids = txn.column_by_name("appId").and_then(|c| c.as_string_opt::<i32>());
        let versions = txn.column_by_name("version").and_then(|c| c.as_primitive_opt::<Int64Type>());
        let (Some(ids), Some(versions)) = (ids, versions) else { continue };
        for row in (0..txn.len()).filter(|&row| txn.is_valid(row) && ids.is_valid(row)) {
            recorded.insert(ids.value(row).to_owned(), versions.value(row));
        }
    }
    Ok(recorded)
}
