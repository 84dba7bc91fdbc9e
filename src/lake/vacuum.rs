//! Vacuum: deletes the files that no version of interest needs.
//!
//! Needed is what the versions of the last days have, what a pinned version has, and what a commit that was written
//! down but not finished is about to list. A file that is young is never deleted, because an ingest under way may
//! have stored it and not committed it yet. The log itself is never shortened: pins and rollups read it.

use std::collections::{BTreeMap, HashSet};

use futures::{StreamExt, TryStreamExt, stream};
use object_store::ObjectStoreExt;

use super::delta::TableLog;
use super::history::version_at;
use super::layout::LOG_FOLDER;
use super::open::Lake;
use super::{Error, Result};

/// Commits read, and files deleted, at the same time.
const CONCURRENT: usize = 16;

/// What to keep.
#[derive(Debug, Clone, Copy)]
pub struct Vacuum {
    /// Versions that were the newest at this instant (UTC microseconds) or later stay readable.
    pub keep_since: i64,
    /// Files written at this instant (UTC microseconds) or later stay.
    pub written_before: i64,
    /// Only tell what would be deleted.
    pub dry_run: bool,
}

/// What a vacuum deleted, or would delete.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Vacuumed {
    /// The oldest version that stays readable, pins aside.
    pub oldest: u64,
    /// Names of the pins that were respected.
    pub pins: Vec<String>,
    /// The files, as paths relative to the table.
    pub files: Vec<String>,
    /// Bytes of them.
    pub bytes: u64,
    /// Files that nobody needs but that are too young to go.
    pub young: usize,
}

/// A data file that lies in a table's folder, whether or not the log knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stored {
    size: u64,
    /// UTC microseconds.
    modified: i64,
}

impl Lake {
    /// Deletes the files of a table that are not needed.
    pub async fn vacuum(&self, table: &str, vacuum: Vacuum) -> Result<Vacuumed> {
        let Some(snapshot) = self.snapshot(table).await? else { return Ok(Vacuumed::default()) };
        let log = self.log(table)?;
        let newest = snapshot.version();
        let oldest = match version_at(&log, newest, vacuum.keep_since).await {
            Ok(version) => version.unwrap_or(0),
            // Everything that the log still knows is younger than that.
            Err(Error::TooEarly { first, .. }) => first,
            Err(error) => return Err(error),
        };
        let mut needed: HashSet<String> = HashSet::new();
        self.need(table, oldest, &mut needed).await?;
        needed.extend(snapshot.files().iter().map(|f| f.path.clone()));
        needed.extend(added_after(&log, oldest, newest).await?);
        let mut pins = Vec::new();
        for pin in self.pins().await? {
            if let Some(version) = pin.versions.get(table) {
                self.need(table, *version, &mut needed).await?;
                pins.push(pin.name);
            }
        }
        needed.extend(self.unfinished(table).await?);
        let mut result = Vacuumed { oldest, pins, ..Vacuumed::default() };
        for (path, stored) in stored_files(&log).await? {
            if needed.contains(&path) {
                continue;
            }
            if stored.modified >= vacuum.written_before {
                result.young += 1;
                continue;
            }
            result.bytes += stored.size;
            result.files.push(path);
        }
        if !vacuum.dry_run {
            delete(&log, &result.files).await?;
        }
        Ok(result)
    }

    /// The files in a table's folder that its newest version does not list: how many, and their bytes.
    pub async fn unlisted(&self, table: &str) -> Result<(usize, u64)> {
        let Some(snapshot) = self.snapshot(table).await? else { return Ok((0, 0)) };
        let listed: HashSet<&str> = snapshot.files().iter().map(|f| f.path.as_str()).collect();
        let stored = stored_files(&self.log(table)?).await?;
        let sizes = stored.iter().filter(|(path, _)| !listed.contains(path.as_str())).map(|(_, s)| s.size);
        Ok(sizes.fold((0, 0), |(files, bytes), size| (files + 1, bytes + size)))
    }

    async fn need(&self, table: &str, version: u64, needed: &mut HashSet<String>) -> Result<()> {
        if let Some(snapshot) = self.snapshot_at(table, version).await? {
            needed.extend(snapshot.files().iter().map(|f| f.path.clone()));
        }
        Ok(())
    }
}

/// Every file that a commit after a version listed.
async fn added_after(log: &TableLog, oldest: u64, newest: u64) -> Result<Vec<String>> {
    let entries: Vec<_> =
        stream::iter(oldest + 1..=newest).map(|v| log.entry(v)).buffered(CONCURRENT).try_collect().await?;
    let mut paths = Vec::new();
    for (entry, version) in entries.into_iter().zip(oldest + 1..) {
        let Some(entry) = entry else {
            return Err(Error::LogGap { table: log.contract().name.clone(), version });
        };
        paths.extend(entry.added.into_iter().chain(entry.moved).map(|f| f.path));
    }
    Ok(paths)
}

/// The Parquet files below a table, by path.
async fn stored_files(log: &TableLog) -> Result<BTreeMap<String, Stored>> {
    let storage = log.storage();
    let fail = |e| Error::store(storage.shown(), "list its files", e);
    let mut found = BTreeMap::new();
    let mut listed = storage.store().list(Some(storage.prefix()));
    while let Some(object) = listed.try_next().await.map_err(fail)? {
        let Some(path) = storage.relative(&object.location) else { continue };
        let internal = path.split('/').next().is_some_and(|top| top == LOG_FOLDER || top.starts_with('_'));
        if !internal && path.ends_with(".parquet") {
            let modified = object.last_modified.timestamp_micros();
            found.insert(path, Stored { size: object.size, modified });
        }
    }
    Ok(found)
}

async fn delete(log: &TableLog, paths: &[String]) -> Result<()> {
    let storage = log.storage();
    stream::iter(paths)
        .map(|path| async move {
            match storage.store().delete(&storage.path(path)).await {
                // Another vacuum was here.
                Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
                Err(e) => Err(Error::store(storage.shown(), "delete a data file", e)),
            }
        })
        .buffer_unordered(CONCURRENT)
        .try_collect::<()>()
        .await
}
