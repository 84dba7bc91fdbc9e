//! Restore: an older version of a table as its new one.
//!
//! Nothing is rewritten: files that the old version has and the newest one has not are listed again, the others are
//! taken off. What the table remembers of its sources goes back as well: rows of an ingest that the old version did
//! not know are gone, so the next ingest of the same source lands them again, once. A source that the old version
//! did not know at all cannot be forgotten in a log, so it is recorded as [`FORGOTTEN`].

use std::collections::{BTreeMap, HashSet};

use futures::{StreamExt, TryStreamExt, stream};

use super::change::{Attempt, Attempts, Change, ChangeKind};
use super::delta::{State, TableLog};
use super::open::Lake;
use super::snapshot::{DataFile, Snapshot};
use super::transactions::Transactions;
use super::writer::Transaction;
use super::{Error, Result};

/// The version recorded for an application id that an older version of the table did not know.
pub const FORGOTTEN: i64 = -1;

/// Application ids that a restore leaves alone, because what they count does not stand in the table.
const KEPT: &str = "tars-replay";

/// Looks for files at the same time.
const CONCURRENT_LOOKS: usize = 16;

/// What a restore did, or would do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Restored {
    /// The table's version afterwards.
    pub version: u64,
    /// Files that are listed again.
    pub files_added: usize,
    /// Files that were taken off.
    pub files_removed: usize,
    /// Rows of the files that are listed again.
    pub rows_added: u64,
    /// Rows of the files that were taken off.
    pub rows_removed: u64,
    /// Sources whose memory went back.
    pub sources: usize,
}

impl Lake {
    /// Makes an older version of a table its newest one.
    ///
    /// # Errors
    /// [`Error::FilesGone`] when a vacuum has deleted files of that version.
    pub async fn restore(&self, table: &str, version: u64, dry_run: bool) -> Result<Restored> {
        let Some(target) = self.snapshot_at(table, version).await? else { return Ok(Restored::default()) };
        let log = self.log(table)?;
        let then = recorded(&log, version).await?;
        let mut attempts = Attempts::new(&log);
        let mut base = log.load_or_create().await?;
        loop {
            let mut change = plan(&log, &base, &target).await?;
            let now = recorded(&log, base.version()).await?;
            for (app_id, current) in &now {
                let before = then.get(app_id).copied().unwrap_or(FORGOTTEN);
                if before != *current && !app_id.starts_with(KEPT) {
                    change.transactions.push(Transaction { app_id: app_id.clone(), version: before });
                }
            }
            let sum = |files: &[DataFile]| files.iter().map(|f| f.rows).sum::<u64>();
            let mut result = Restored {
                version: base.version(),
                files_added: change.add.len(),
                files_removed: change.remove.len(),
                rows_added: sum(&change.add),
                rows_removed: sum(&change.remove),
                sources: change.transactions.len(),
            };
            let nothing = change.add.is_empty() && change.remove.is_empty() && change.transactions.is_empty();
            if dry_run || nothing {
                return Ok(result);
            }
            if let Attempt::Done(state) = attempts.attempt(&mut base, &change).await? {
                result.version = state.version();
                return Ok(result);
            }
        }
    }
}

/// What a version records, by application id.
async fn recorded(log: &TableLog, version: u64) -> Result<BTreeMap<String, i64>> {
    let all = Transactions::load(log, version).await?;
    all.into_all().ok_or_else(|| Error::Feature {
        table: log.contract().name.clone(),
        feature: "a checkpoint of several parts, of which its transactions cannot be listed".to_owned(),
    })
}

/// The files to exchange; refuses when some are gone.
async fn plan(log: &TableLog, base: &State, target: &Snapshot) -> Result<Change> {
    let current = log.files(base)?;
    let listed: HashSet<&str> = current.iter().map(|f| f.path.as_str()).collect();
    let wanted: HashSet<&str> = target.files().iter().map(|f| f.path.as_str()).collect();
    let add: Vec<_> = target.files().iter().filter(|f| !listed.contains(f.path.as_str())).cloned().collect();
    let gone = missing(log, &add).await?;
    if !gone.is_empty() {
        return Err(Error::FilesGone {
            table: log.contract().name.clone(),
            version: target.version(),
            files: gone,
        });
    }
    let remove = current.iter().filter(|f| !wanted.contains(f.path.as_str())).cloned().collect();
    let kind = ChangeKind::Restore { version: target.version() };
    Ok(Change { kind, add, remove, transactions: Vec::new() })
}

/// The paths of those files that are not there any more.
pub(super) async fn missing(log: &TableLog, files: &[DataFile]) -> Result<Vec<String>> {
    let looked: Vec<(String, bool)> = stream::iter(files.iter().map(|f| f.path.clone()))
        .map(|path| async move {
            let there = log.storage().exists(&path).await?;
            Ok::<_, Error>((path, there))
        })
        .buffered(CONCURRENT_LOOKS)
        .try_collect()
        .await?;
    Ok(looked.into_iter().filter_map(|(path, there)| (!there).then_some(path)).collect())
}
