//! What the transaction log tells about a table's past: its commits, and which version stood at a time.

use futures::{StreamExt, TryStreamExt, stream};

use super::delta::{Entry, TableLog};
use super::layout::LOG_FOLDER;
use super::open::Lake;
use super::snapshot::DataFile;
use super::{Error, Result};
use crate::domain::format_timestamp;

/// Commits read at the same time.
const CONCURRENT_READS: usize = 16;

/// One commit of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// The version that it made.
    pub version: u64,
    /// When (UTC microseconds).
    pub time: Option<i64>,
    /// Its kind: `WRITE`, `OPTIMIZE`, `DELETE`, `RESTORE`, `REPLACE`, `CREATE TABLE`, or another program's word.
    pub operation: String,
    /// Files that it listed.
    pub files_added: usize,
    /// Files that it took off.
    pub files_removed: usize,
    /// Rows in the files that it listed.
    pub rows_added: u64,
    /// Rows in the files that it took off; `None` when the log does not say.
    pub rows_removed: Option<u64>,
    /// Bytes of the files that it listed.
    pub bytes_added: u64,
    /// Application ids that it recorded, in the order of the log.
    pub recorded: Vec<String>,
    /// The program that made it.
    pub engine: Option<String>,
}

impl Lake {
    /// The newest commits of a table, newest first. `None`: there is no such table.
    pub async fn history(&self, table: &str, limit: usize) -> Result<Option<Vec<Commit>>> {
        let Some(snapshot) = self.snapshot(table).await? else { return Ok(None) };
        let log = self.log(table)?;
        let versions = (0..=snapshot.version()).rev().take(limit);
        let entries: Vec<_> = stream::iter(versions)
            .map(|version| {
                let log = &log;
                async move { Ok::<_, Error>((version, log.entry(version).await?)) }
            })
            .buffered(CONCURRENT_READS)
            .try_collect()
            .await?;
        let known = entries.into_iter().map_while(|(version, entry)| Some(commit(version, entry?)));
        Ok(Some(known.collect()))
    }

    /// The version that a table had at an instant (UTC microseconds); `None` when it was not there yet.
    pub async fn version_at(&self, table: &str, instant: i64) -> Result<Option<u64>> {
        let Some(snapshot) = self.snapshot(table).await? else { return Ok(None) };
        version_at(&self.log(table)?, snapshot.version(), instant).await
    }
}

fn commit(version: u64, entry: Entry) -> Commit {
    let files = || entry.added.iter().chain(&entry.moved);
    let sum = |of: fn(&DataFile) -> u64| files().map(of).sum();
    let rows_removed = if entry.removed == 0 { Some(0) } else { entry.removed_rows };
    Commit {
        version,
        time: entry.timestamp.map(|millis| millis.saturating_mul(1_000)),
        operation: entry.operation.clone().unwrap_or_else(|| "unknown".to_owned()),
        files_added: files().count(),
        files_removed: entry.removed,
        rows_added: sum(|f| f.rows),
        rows_removed,
        bytes_added: sum(|f| f.size),
        recorded: entry.transactions.iter().map(|t| t.app_id.clone()).collect(),
        engine: entry.engine,
    }
}

/// The time of a commit (UTC microseconds): what it says itself, since a copied lake has new file times.
async fn time_of(log: &TableLog, version: u64) -> Result<Option<i64>> {
    let Some(entry) = log.entry(version).await? else { return Ok(None) };
    match entry.timestamp {
        Some(millis) => Ok(Some(millis.saturating_mul(1_000))),
        None => Ok(log.mark(version).await?.map(|mark| mark.micros())),
    }
}

/// The newest version that was committed at an instant or before.
pub(super) async fn version_at(log: &TableLog, newest: u64, instant: i64) -> Result<Option<u64>> {
    let first = first_commit(log).await?.unwrap_or(newest);
    let (mut low, mut high) = (first, newest + 1);
    // Clocks of several writers may differ a little; between such commits any answer is as good.
    while low < high {
        let middle = low + (high - low) / 2;
        match time_of(log, middle).await? {
            Some(time) if time > instant => high = middle,
            _ => low = middle + 1,
        }
    }
    if low > first {
        return Ok(Some(low - 1));
    }
    if first == 0 {
        return Ok(None);
    }
    Err(Error::TooEarly {
        table: log.contract().name.clone(),
        got: format_timestamp(instant),
        first,
        since: time_of(log, first)
            .await?
            .map(format_timestamp)
            .unwrap_or_else(|| "an unknown time".to_owned()),
    })
}

/// The oldest version whose commit the log still holds.
async fn first_commit(log: &TableLog) -> Result<Option<u64>> {
    let storage = log.storage();
    let mut first: Option<u64> = None;
    let mut listed = storage.store().list(Some(&storage.path(LOG_FOLDER)));
    let fail = |e| Error::log(&log.contract().name, storage.shown(), "list its log", e);
    while let Some(object) = listed.try_next().await.map_err(fail)? {
        let version = object.location.filename().and_then(|name| name.strip_suffix(".json"));
        let Some(version) = version.and_then(|v| v.parse::<u64>().ok()) else { continue };
        first = Some(first.map_or(version, |f| f.min(version)));
    }
    Ok(first)
}
