//! Compaction: many small files of one region and hour become few sorted ones, with the same rows.
//!
//! The commit says that no data changed, so whoever follows the table for new rows (incremental models) passes over
//! it. Readers of older versions keep their files until a vacuum. Appends of others do not disturb it; a partition
//! whose files somebody else took away in the meantime is left as they left it.

use std::collections::{BTreeMap, HashSet};

use object_store::ObjectStoreExt;
use tokio::task::spawn_blocking;

use super::change::{Attempt, Attempts, Change, ChangeKind, discard, store};
use super::delta::TableLog;
use super::merge::merge;
use super::open::Lake;
use super::parquet::Encoder;
use super::snapshot::DataFile;
use super::{Error, Result};
use crate::domain::{Hour, TimeRange};

/// Bytes of decoded pages that a merge may hold; a constant, so that the same files give the same result on every
/// machine.
const MERGE_MEMORY: u64 = 192 << 20;
/// What an open file holds at most: a page of each column, of 1 MiB before packing.
const OPEN_FILE: u64 = 40 << 20;
/// What an open file holds at least.
const OPEN_FILE_LEAST: u64 = 512 << 10;
/// How much larger telemetry is unpacked, about.
const UNPACKED: u64 = 10;

/// What to merge.
#[derive(Debug, Clone)]
pub struct Compaction {
    /// Size that files should have, in bytes. A file below half of it is small.
    pub target: u64,
    /// Only this region.
    pub region: Option<String>,
    /// Only hours that overlap this range.
    pub range: Option<TimeRange>,
    /// Only tell what would be merged.
    pub dry_run: bool,
}

/// What a compaction did, or would do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Compacted {
    /// The table's version afterwards.
    pub version: u64,
    /// Regions and hours whose files were merged.
    pub partitions: usize,
    /// Small files merged.
    pub files_before: usize,
    /// Files that took their place; for a dry run, about.
    pub files_after: usize,
    /// Rows in them.
    pub rows: u64,
    /// Bytes of the small files.
    pub bytes_before: u64,
    /// Bytes of the files that took their place; 0 for a dry run.
    pub bytes_after: u64,
    /// Partitions that somebody else changed in the meantime; they are as they left them.
    pub given_up: usize,
}

/// Files of one partition, before and after.
struct Rewrite {
    before: Vec<DataFile>,
    after: Vec<DataFile>,
}

impl Compaction {
    fn is_small(&self, file: &DataFile) -> bool {
        file.size < self.target / 2
    }

    /// The small files by region and hour, where there are several.
    fn candidates(&self, files: &[DataFile]) -> BTreeMap<(Hour, String), Vec<DataFile>> {
        let mut found: BTreeMap<_, Vec<DataFile>> = BTreeMap::new();
        for file in files {
            let wanted = self.region.as_ref().is_none_or(|r| *r == file.region)
                && self.range.is_none_or(|r| file.hour.start() < r.to() && file.hour.end() > r.from());
            // Of a file that another program wrote without times nobody knows whether its rows are in order.
            if wanted && file.exact && self.is_small(file) {
                found.entry((file.hour, file.region.clone())).or_default().push(file.clone());
            }
        }
        found.retain(|_, files| files.len() > 1);
        found
    }

    /// Files that the rows of these should be in.
    fn outputs(&self, files: &[DataFile]) -> usize {
        let bytes: u64 = files.iter().map(|f| f.size).sum();
        usize::try_from(bytes / self.target.max(1)).unwrap_or(1).max(1)
    }
}

/// Cuts a list of files into runs that fit into memory at once; two always do.
fn groups(files: Vec<DataFile>, memory: u64) -> Vec<Vec<DataFile>> {
    let mut groups: Vec<Vec<DataFile>> = Vec::new();
    let mut used = 0;
    for file in files {
        let needed = (file.size * UNPACKED).clamp(OPEN_FILE_LEAST, OPEN_FILE) + file.size;
        match groups.last_mut() {
            Some(group) if group.len() < 2 || used + needed <= memory => {
                used += needed;
                group.push(file);
            }
            _ => {
                used = needed;
                groups.push(vec![file]);
            }
        }
    }
    groups
}

impl Lake {
    /// Merges the small files of a table; `done` is told of each partition: how many are done, and of how many.
    pub async fn compact(
        &self,
        table: &str,
        compaction: &Compaction,
        done: &(dyn Fn(usize, usize) + Sync),
    ) -> Result<Compacted> {
        self.compact_within(MERGE_MEMORY, table, compaction, done).await
    }

    /// As [`Lake::compact`], holding about so many bytes of decoded pages at once.
    pub(super) async fn compact_within(
        &self,
        memory: u64,
        table: &str,
        compaction: &Compaction,
        done: &(dyn Fn(usize, usize) + Sync),
    ) -> Result<Compacted> {
        let Some(snapshot) = self.snapshot(table).await? else { return Ok(Compacted::default()) };
        let log = self.log(table)?;
        let candidates = compaction.candidates(snapshot.files());
        let mut result = Compacted { version: snapshot.version(), ..Compacted::default() };
        let total = candidates.len();
        let mut rewrites = Vec::with_capacity(total);
        for (number, (partition, before)) in candidates.into_iter().enumerate() {
            if compaction.dry_run {
                result.files_after += compaction.outputs(&before);
                rewrites.push(Rewrite { before, after: Vec::new() });
                continue;
            }
            match rewrite(&log, compaction, memory, &partition, before).await {
                Ok(Some(rewrite)) => rewrites.push(rewrite),
                Ok(None) => result.given_up += 1,
                Err(error) => {
                    discard(&log, rewrites.into_iter().flat_map(|r| r.after)).await;
                    return Err(error);
                }
            }
            done(number + 1, total);
        }
        if !compaction.dry_run {
            let (committed, given_up) =
                commit(&log, compaction.target, rewrites, &mut result.version).await?;
            rewrites = committed;
            result.given_up += given_up;
            result.files_after = rewrites.iter().map(|r| r.after.len()).sum();
        }
        result.partitions = rewrites.len();
        for Rewrite { before, after } in &rewrites {
            result.files_before += before.len();
            result.rows += before.iter().map(|f| f.rows).sum::<u64>();
            result.bytes_before += before.iter().map(|f| f.size).sum::<u64>();
            result.bytes_after += after.iter().map(|f| f.size).sum::<u64>();
        }
        Ok(result)
    }
}

/// Merges the files of a partition until at most one small file is left; `None` when one of them is gone.
async fn rewrite(
    log: &TableLog,
    compaction: &Compaction,
    memory: u64,
    (hour, region): &(Hour, String),
    before: Vec<DataFile>,
) -> Result<Option<Rewrite>> {
    let (mut small, mut large) = (before.clone(), Vec::new());
    // Every file that this stored. Only these may ever be deleted here.
    let mut stored: Vec<DataFile> = Vec::new();
    while small.len() > 1 {
        small.sort_by(|a, b| {
            (a.min_time, a.max_time, a.rows, a.size, &a.path)
                .cmp(&(b.min_time, b.max_time, b.rows, b.size, &b.path))
        });
        let mut next = Vec::new();
        for group in groups(std::mem::take(&mut small), memory) {
            if group.len() == 1 {
                next.extend(group);
                continue;
            }
            let merged = match merge_group(log, compaction, region, *hour, &group).await {
                Ok(Some(merged)) => merged,
                Ok(None) => {
                    discard(log, stored).await;
                    return Ok(None);
                }
                Err(error) => {
                    discard(log, stored).await;
                    return Err(error);
                }
            };
            stored.extend(merged.iter().cloned());
            for file in merged {
                if compaction.is_small(&file) { next.push(file) } else { large.push(file) }
            }
        }
        small = next;
    }
    large.extend(small);
    let kept: HashSet<&str> = large.iter().map(|f| f.path.as_str()).collect();
    let is_kept = |f: &DataFile| kept.contains(f.path.as_str());
    let (after, spent): (Vec<_>, Vec<_>) = stored.into_iter().partition(is_kept);
    discard(log, spent).await;
    // A file that was merged with none stays in the table as it is.
    Ok(Some(Rewrite { before: before.into_iter().filter(|f| !is_kept(f)).collect(), after }))
}

async fn merge_group(
    log: &TableLog,
    compaction: &Compaction,
    region: &str,
    hour: Hour,
    group: &[DataFile],
) -> Result<Option<Vec<DataFile>>> {
    let storage = log.storage();
    let mut inputs = Vec::with_capacity(group.len());
    for file in group {
        let fail = |e| Error::store(storage.shown(), "read a data file", e);
        let bytes = match storage.store().get(&storage.path(&file.path)).await {
            Ok(object) => object.bytes().await.map_err(fail)?,
            // Somebody took it off the table, and a vacuum deleted it: the partition is theirs.
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            Err(e) => return Err(fail(e)),
        };
        inputs.push(bytes);
    }
    let rows: u64 = group.iter().map(|f| f.rows).sum();
    let outputs = compaction.outputs(group);
    let (encoder, region) = (Encoder::new(log.contract()), region.to_owned());
    let merged = spawn_blocking(move || merge(&encoder, &region, hour, &inputs, outputs)).await;
    let merged = merged.map_err(|e| Error::store(storage.shown(), "merge data files", e))??;
    let found: u64 = merged.iter().map(|f| f.rows()).sum();
    if found != rows {
        return Err(Error::Entry {
            table: log.contract().name.clone(),
            file: group[0].path.clone(),
            expected: format!(
                "{rows} rows in it and the {} files beside it, as the log says",
                group.len() - 1
            ),
            got: found.to_string(),
        });
    }
    let mut files = Vec::with_capacity(merged.len());
    for file in merged {
        files.push(store(log, file).await?);
    }
    Ok(Some(files))
}

/// Commits all partitions at once, but for those whose files are not the table's any more.
async fn commit(
    log: &TableLog,
    target: u64,
    mut rewrites: Vec<Rewrite>,
    version: &mut u64,
) -> Result<(Vec<Rewrite>, usize)> {
    let mut attempts = Attempts::new(log);
    let mut base = log.load_or_create().await?;
    let mut given_up = 0;
    loop {
        let files = log.files(&base)?;
        let active: HashSet<&str> = files.iter().map(|f| f.path.as_str()).collect();
        let (good, stale): (Vec<_>, Vec<_>) =
            rewrites.into_iter().partition(|r| r.before.iter().all(|f| active.contains(f.path.as_str())));
        given_up += stale.len();
        discard(log, stale.into_iter().flat_map(|r| r.after)).await;
        rewrites = good;
        *version = base.version();
        if rewrites.is_empty() {
            return Ok((rewrites, given_up));
        }
        let change = Change {
            kind: ChangeKind::Compact { target },
            add: rewrites.iter().flat_map(|r| r.after.iter().cloned()).collect(),
            remove: rewrites.iter().flat_map(|r| r.before.iter().cloned()).collect(),
            transactions: Vec::new(),
        };
        // The files stay when this fails: whether the commit happened is not certain, and if it did they are needed.
        if let Attempt::Done(state) = attempts.attempt(&mut base, &change).await? {
            *version = state.version();
            return Ok((rewrites, given_up));
        }
    }
}
