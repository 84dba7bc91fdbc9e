//! Bounded buffers into the lake: sorted files per partition, one atomic commit per table, exactly once.
//!
//! Every commit of a table records, for each source that it has rows of, three application transactions:
//!
//! - `tars-ingest:<identity>:offset` = generation (15 bits) and offset (48 bits) in the unpacked source;
//! - `tars-ingest:<identity>:digest` = ordinal of the commit (23 bits) and 40 bits of the xxHash64 of the
//!   source up to that offset;
//! - `tars-ingest:<identity>:tables` = ordinal of the commit and one bit for each table that this round of commits
//!   writes to. So the next run can tell a table that died on the way from one that had no rows to commit: the
//!   latter has everything up to that offset, even what settings of today would land there.
//!
//! All grow with every commit, as the lake asks for: the generation counts how often the source was rewritten,
//! the ordinal how often it was committed. Each table filters by its own record, and decoding depends on
//! nothing but the bytes, so a run that dies between the commits of two tables is completed by the next one.
//! A commit happens only behind a block, and a block holds whole records.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::compute::concat_batches;
use futures::{StreamExt, stream};
use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, spawn_blocking};

use super::columns::Rows;
use super::error::{Error, Result};
use super::output::{Decoded, REJECTS};
use super::quarantine::{self, Reject};
use super::route::{partitions, sort};
use super::run::Found;
use super::stats::{SourceSummary, Summary};
use super::table::{TABLE_COUNT, TableId};
use crate::domain::{Hour, UNKNOWN_REGION};
use crate::lake::{Committed, Lake, Selection, TableWriter, Transaction};

/// Tables that ingest writes to: those of the records, then `rejects`.
const TABLES: usize = TABLE_COUNT + 1;
const OFFSET_BITS: u32 = 48;
const DIGEST_BITS: u32 = 40;
const TABLE_BITS: u32 = 16;

/// The name of a table by its position.
fn name(table: usize) -> &'static str {
    TableId::ALL.get(table).map_or("rejects", |t| t.name())
}

fn lake_error(table: usize) -> impl Fn(crate::lake::Error) -> Error {
    move |source| Error::Lake { table: name(table), source }
}

/// What a table remembers of a source.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Recorded {
    pub(crate) generation: u64,
    pub(crate) ordinal: u64,
    pub(crate) offset: u64,
    pub(crate) digest: u64,
    /// A bit for each table of that round; 0 when nobody recorded them.
    pub(crate) tables: u64,
}

impl Recorded {
    fn ids(identity: &str) -> [String; 3] {
        ["offset", "digest", "tables"].map(|what| format!("tars-ingest:{identity}:{what}"))
    }

    fn of_versions(offset: i64, digest: i64, tables: i64) -> Recorded {
        let (offset, digest) = (offset.max(0) as u64, digest.max(0) as u64);
        Recorded {
            generation: offset >> OFFSET_BITS,
            offset: offset & ((1 << OFFSET_BITS) - 1),
            ordinal: digest >> DIGEST_BITS,
            digest: digest & ((1 << DIGEST_BITS) - 1),
            tables: tables.max(0) as u64 & ((1 << TABLE_BITS) - 1),
        }
    }

    fn transactions(self, identity: &str) -> [Transaction; 3] {
        let [offset, digest, tables] = Recorded::ids(identity);
        let transaction = |app_id, version: u64| {
            let version = i64::try_from(version).unwrap_or(i64::MAX);
            Transaction { app_id, version }
        };
        [
            transaction(offset, self.generation << OFFSET_BITS | self.offset),
            transaction(digest, self.ordinal << DIGEST_BITS | self.digest),
            transaction(tables, self.ordinal << TABLE_BITS | self.tables),
        ]
    }
}

/// A source as the lander sees it.
#[derive(Debug, Clone)]
pub(crate) struct Standing {
    pub(crate) name: String,
    pub(crate) format: &'static str,
    pub(crate) identity: Option<String>,
    pub(crate) recorded: [Recorded; TABLES],
    /// The table in which every commit records how far a pull is, whether it got rows or not.
    pub(crate) anchor: Option<TableId>,
    /// How far its tables are (offset and digest), and how far `rejects` is: behind a record that was cut
    /// short only `rejects` moves on, so that the record lands once the source has grown.
    data: (u64, u64),
    rejects: (u64, u64),
}

impl Standing {
    pub(crate) fn new(name: String, identity: Option<String>, recorded: [Recorded; TABLES]) -> Standing {
        Standing { name, format: "", identity, recorded, anchor: None, data: (0, 0), rejects: (0, 0) }
    }
}

/// Rows that wait for their commit.
#[derive(Default)]
struct Buffer {
    rows: [Vec<Rows>; TABLE_COUNT],
    rejects: Vec<(usize, Vec<Reject>)>,
    /// Which sources have rows for which tables.
    sources: BTreeSet<(usize, usize)>,
    bytes: usize,
}

type Writers = [Option<TableWriter>; TABLES];
/// A flush under way: it gives the writers back, and says what it committed.
type Flush = JoinHandle<Result<(Writers, Vec<Landed>)>>;

/// Lands what was decoded, in the order of the blocks.
pub(crate) struct Lander {
    lake: Lake,
    writers: Option<Writers>,
    buffer: Buffer,
    flushing: Option<Flush>,
    /// Which sources have stored rows of which tables that wait for the end.
    held: BTreeSet<(usize, usize)>,
    settings: Settings,
    pub(crate) standings: Vec<Standing>,
    /// Sources that were read to their end, with the version of each.
    wholes: Vec<(usize, u64)>,
    pub(crate) summary: Summary,
}

/// How the lander works.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// Bytes of rows that start a commit.
    pub(crate) buffer_limit: usize,
    pub(crate) threads: usize,
    /// Region of rejects.
    pub(crate) region: Option<String>,
    /// Time of rejects.
    pub(crate) now: i64,
    /// Commit nothing before the end, and then only if the feed is good.
    pub(crate) hold: bool,
    /// Largest share of rejects of a good feed.
    pub(crate) max_reject_ratio: Option<f64>,
    /// Only count what would land.
    pub(crate) dry_run: bool,
    /// Tests stop after so many commits, as a crash would.
    pub(crate) crash_after: Option<usize>,
}

/// What one commit came to.
struct Landed {
    table: usize,
    rows: u64,
    files: u64,
    bytes: u64,
}

impl Landed {
    fn of(table: usize, commit: Committed) -> Landed {
        Landed { table, rows: commit.rows, files: commit.files as u64, bytes: commit.bytes }
    }
}

impl Lander {
    /// Opens the tables that exist.
    pub(crate) async fn open(lake: &Lake, settings: Settings) -> Result<Lander> {
        let mut writers: Writers = Default::default();
        for (table, writer) in writers.iter_mut().enumerate() {
            if lake.snapshot(name(table)).await.map_err(lake_error(table))?.is_some() {
                *writer = Some(lake.writer(name(table)).await.map_err(lake_error(table))?);
            }
        }
        Ok(Lander {
            lake: lake.clone(),
            writers: Some(writers),
            buffer: Buffer::default(),
            flushing: None,
            held: BTreeSet::new(),
            settings,
            standings: Vec::new(),
            wholes: Vec::new(),
            summary: Summary::default(),
        })
    }

    /// What each table remembers of a source.
    pub(crate) async fn recorded(&mut self, identity: Option<&str>) -> Result<[Recorded; TABLES]> {
        let mut recorded = [Recorded::default(); TABLES];
        let (Some(identity), Some(writers)) = (identity, &mut self.writers) else { return Ok(recorded) };
        let [offset, digest, tables] = Recorded::ids(identity);
        for (table, writer) in writers.iter_mut().enumerate() {
            let Some(writer) = writer else { continue };
            let offset = writer.transaction(&offset).await.map_err(lake_error(table))?;
            let digest = writer.transaction(&digest).await.map_err(lake_error(table))?;
            if let (Some(offset), Some(digest)) = (offset, digest) {
                let tables = writer.transaction(&tables).await.map_err(lake_error(table))?;
                recorded[table] = Recorded::of_versions(offset, digest, tables.unwrap_or(0));
            }
        }
        Ok(recorded)
    }

    /// Takes a decoded block of a source; commits when enough has gathered.
    pub(crate) async fn absorb(
        &mut self,
        source: usize,
        decoded: Decoded,
        end: (u64, u64),
        open_ended: bool,
    ) -> Result<()> {
        let standing = &mut self.standings[source];
        if self.settings.dry_run {
            self.summary.foresee(&standing.name, decoded);
            return Ok(());
        }
        standing.rejects = end;
        if !(open_ended && decoded.cut_short) {
            standing.data = end;
        }
        if let Some(anchor) = standing.anchor {
            self.buffer.sources.insert((anchor as usize, source));
        }
        for rows in decoded.rows {
            self.buffer.bytes += rows.bytes;
            self.buffer.sources.insert((rows.table as usize, source));
            self.buffer.rows[rows.table as usize].push(rows);
        }
        if !decoded.rejects.is_empty() {
            for reject in &decoded.rejects {
                *self.summary.reasons.entry(reject.fault.code.as_str()).or_default() += 1;
            }
            self.buffer.bytes += decoded.rejects.iter().map(Reject::bytes).sum::<usize>();
            self.buffer.sources.insert((REJECTS, source));
            self.buffer.rejects.push((source, decoded.rejects));
        }
        if self.buffer.bytes >= self.settings.buffer_limit {
            self.start_flush().await?;
        }
        Ok(())
    }

    /// Commits what is left.
    pub(crate) async fn finish(mut self) -> Result<Summary> {
        self.start_flush().await?;
        self.wait().await?;
        self.summary.bad_feed = self.summary.exceeds(self.settings.max_reject_ratio, 1);
        if self.settings.dry_run {
            self.summary.discarded = true;
            return Ok(self.summary);
        }
        if self.settings.hold {
            self.finish_held().await?;
        }
        if !self.summary.discarded {
            self.record_whole().await?;
        }
        Ok(self.summary)
    }

    /// Commits what was held back, or gives it up.
    async fn finish_held(&mut self) -> Result<()> {
        let Some(mut writers) = self.writers.take() else {
            return Err(Error::Worker { reason: "its writers are gone".to_owned() });
        };
        if self.summary.bad_feed {
            for writer in writers.iter_mut().flatten() {
                writer.abort().await;
            }
            self.summary.discarded = true;
            return Ok(());
        }
        let held = std::mem::take(&mut self.held);
        for table in std::iter::once(REJECTS).chain(0..TABLE_COUNT) {
            let Some(writer) = &mut writers[table] else { continue };
            if !writer.pending().is_empty() {
                let transactions = self.transactions(table, &held);
                let commit = writer.commit(&transactions).await.map_err(lake_error(table))?;
                self.count(Landed::of(table, commit));
            }
        }
        self.writers = Some(writers);
        Ok(())
    }

    /// Starts to commit what has gathered, however little.
    pub(crate) async fn flush(&mut self) -> Result<()> {
        if self.buffer.sources.is_empty() { Ok(()) } else { self.start_flush().await }
    }

    /// Takes up a source that turned up on the way: what is recorded of it, then of its other names.
    pub(crate) async fn find(&mut self, found: Found) -> Result<Vec<[Recorded; TABLES]>> {
        // What waits may be of an earlier file of that name.
        self.flush().await?;
        self.wait().await?;
        let mut all = vec![self.recorded(found.identity.as_deref()).await?];
        for other in &found.others {
            all.push(self.recorded(Some(other)).await?);
        }
        let unidentified = found.identity.is_none();
        let name = found.name.clone();
        self.summary.sources.push(SourceSummary { name, unidentified, ..SourceSummary::default() });
        let standing = Standing::new(found.name, found.identity, all[0]);
        self.standings.push(Standing { anchor: found.anchor, ..standing });
        Ok(all)
    }

    /// Has the next commit record how far these tables have a source, with or without rows of it.
    pub(crate) fn mark(&mut self, source: usize, tables: [bool; TABLES]) {
        let marked = tables.iter().enumerate().filter(|(_, marked)| **marked);
        self.buffer.sources.extend(marked.map(|(table, _)| (table, source)));
    }

    /// Remembers that all of a source has been read.
    pub(crate) fn whole(&mut self, source: usize, version: u64) {
        self.wholes.push((source, version));
    }

    fn whole_id(identity: &str) -> String {
        format!("tars-ingest:{identity}:whole")
    }

    /// The version of a source of which all has landed. The ordinal in front of it makes it grow.
    pub(crate) async fn landed_whole(&mut self, identity: Option<&str>) -> Result<Option<u64>> {
        let recorded = self.recorded_whole(identity).await?;
        Ok((recorded > 0).then_some(recorded & ((1 << DIGEST_BITS) - 1)))
    }

    async fn recorded_whole(&mut self, identity: Option<&str>) -> Result<u64> {
        let (Some(identity), Some(writers)) = (identity, &mut self.writers) else { return Ok(0) };
        let id = Lander::whole_id(identity);
        let mut newest = 0;
        for (table, writer) in writers.iter_mut().enumerate() {
            let Some(writer) = writer else { continue };
            let recorded = writer.transaction(&id).await.map_err(lake_error(table))?;
            newest = newest.max(recorded.unwrap_or(0).max(0) as u64);
        }
        Ok(newest)
    }

    /// Records which sources have landed whole: after all of their rows, in the first table that there is.
    async fn record_whole(&mut self) -> Result<()> {
        let mut transactions = Vec::new();
        for (source, version) in std::mem::take(&mut self.wholes) {
            let Some(identity) = self.standings[source].identity.clone() else { continue };
            let ordinal = (self.recorded_whole(Some(&identity)).await? >> DIGEST_BITS) + 1;
            let version = ordinal << DIGEST_BITS | version & ((1 << DIGEST_BITS) - 1);
            let version = i64::try_from(version).unwrap_or(i64::MAX);
            transactions.push(Transaction { app_id: Lander::whole_id(&identity), version });
        }
        let Some(writers) = &mut self.writers else { return Ok(()) };
        let first = writers.iter_mut().enumerate().find_map(|(t, w)| Some((t, w.as_mut()?)));
        if let Some((table, writer)) = first.filter(|_| !transactions.is_empty()) {
            writer.commit(&transactions).await.map_err(lake_error(table))?;
        }
        Ok(())
    }

    fn count(&mut self, commit: Landed) {
        let table = self.summary.tables.entry(name(commit.table)).or_default();
        table.rows += commit.rows;
        table.files += commit.files;
        table.bytes += commit.bytes;
    }

    /// Waits for the commits under way.
    async fn wait(&mut self) -> Result<()> {
        let Some(task) = self.flushing.take() else { return Ok(()) };
        let (writers, landed) = task.await.map_err(|e| Error::Worker { reason: e.to_string() })??;
        self.writers = Some(writers);
        for commit in landed {
            self.count(commit);
        }
        Ok(())
    }

    /// Starts to write and commit the buffer while decoding goes on into an empty one.
    async fn start_flush(&mut self) -> Result<()> {
        self.wait().await?;
        let buffer = std::mem::take(&mut self.buffer);
        let Some(mut writers) = self.writers.take() else {
            return Err(Error::Worker { reason: "its writers are gone".to_owned() });
        };
        let mut work = Vec::new();
        // Rejects first: should the run die in between, the next one finds them recorded.
        for table in std::iter::once(REJECTS).chain(0..TABLE_COUNT) {
            let transactions = match self.settings.hold {
                true => Vec::new(),
                false => self.transactions(table, &buffer.sources),
            };
            work.push((table, transactions));
        }
        let rejects = self.reject_batches(&buffer.rejects)?;
        for (table, _) in work.iter().filter(|(t, _)| buffer.sources.iter().any(|(with, _)| with == t)) {
            if writers[*table].is_none() {
                // The table was not there when sources were looked up: whoever made it since may have landed them.
                let writer = self.lake.writer(name(*table)).await.map_err(lake_error(*table))?;
                writers[*table] = Some(writer.since(None));
            }
        }
        if self.settings.hold {
            self.held.extend(&buffer.sources);
        }
        let settings = self.settings.clone();
        let mut rows = buffer.rows;
        self.flushing = Some(tokio::spawn(async move {
            let mut landed = Vec::new();
            for (table, transactions) in work {
                let Some(writer) = &mut writers[table] else { continue };
                match TableId::ALL.get(table) {
                    Some(id) => {
                        let rows = Arc::new(std::mem::take(&mut rows[table]));
                        if rows.is_empty() && transactions.is_empty() {
                            continue;
                        }
                        write_rows(writer, *id, rows, settings.threads).await?;
                    }
                    None => {
                        if let Some(batch) = &rejects {
                            let region = settings.region.as_deref().unwrap_or(UNKNOWN_REGION);
                            let hour = Hour::of_micros(settings.now);
                            writer.write(region, hour, batch.clone()).await.map_err(lake_error(table))?;
                        } else if transactions.is_empty() {
                            continue;
                        }
                    }
                }
                if settings.hold {
                    continue;
                }
                if settings.crash_after.is_some_and(|n| landed.len() >= n) {
                    return Err(Error::Worker { reason: "a test stopped it".to_owned() });
                }
                let commit = writer.commit(&transactions).await.map_err(lake_error(table))?;
                landed.push(Landed::of(table, commit));
            }
            Ok((writers, landed))
        }));
        Ok(())
    }

    /// The transactions of a table's next commit; what they record counts as recorded from here on.
    fn transactions(&mut self, table: usize, sources: &BTreeSet<(usize, usize)>) -> Vec<Transaction> {
        let mut transactions = Vec::new();
        for (_, source) in sources.iter().filter(|(with, _)| *with == table) {
            let standing = &mut self.standings[*source];
            let Some(identity) = &standing.identity else { continue };
            let (offset, digest) = if table == REJECTS { standing.rejects } else { standing.data };
            let recorded = &mut standing.recorded[table];
            recorded.ordinal += 1;
            recorded.tables = sources.iter().filter(|(_, s)| s == source).map(|(t, _)| 1 << t).sum();
            (recorded.offset, recorded.digest) = (offset, digest);
            transactions.extend(recorded.transactions(identity));
        }
        transactions
    }

    fn reject_batches(&self, rejects: &[(usize, Vec<Reject>)]) -> Result<Option<arrow::array::RecordBatch>> {
        let batches = rejects
            .iter()
            .map(|(source, rejects)| {
                let standing = &self.standings[*source];
                quarantine::batch(rejects, &standing.name, standing.format, self.settings.now)
            })
            .collect::<Result<Vec<_>>>()?;
        let Some(first) = batches.first() else { return Ok(None) };
        let batch = concat_batches(first.schema_ref(), &batches);
        batch.map(Some).map_err(|source| Error::Columns { table: "rejects", source })
    }
}

/// Sorts, encodes and stores the partitions: as many at a time as there are threads, and as many others wait to be
/// encoded or to be stored, so that no thread waits for a disk.
pub(crate) async fn write_rows(
    writer: &mut TableWriter,
    table: TableId,
    rows: Arc<Vec<Rows>>,
    threads: usize,
) -> Result<()> {
    let encoder = writer.encoder();
    let threads = threads.max(1);
    let busy = Arc::new(Semaphore::new(threads));
    let files = stream::iter(partitions(&rows)).map(|((region, hour), mut picked)| {
        let (rows, encoder, busy) = (rows.clone(), encoder.clone(), busy.clone());
        async move {
            let gone = |e: &dyn std::fmt::Display| Error::Worker { reason: e.to_string() };
            let thread = busy.acquire_owned().await.map_err(|e| gone(&e))?;
            let task = spawn_blocking(move || {
                let _thread = thread;
                sort(&rows, &mut picked);
                let batches: Vec<_> = rows.iter().map(|rows| &rows.batch).collect();
                let selection = Selection::new(&batches, picked);
                encoder.encode_rows(&region, hour, &selection).map_err(lake_error(table as usize))
            });
            task.await.map_err(|e| gone(&e))?
        }
    });
    writer.put_stream(files.buffered(2 * threads), 2 * threads, lake_error(table as usize)).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_commit_records_reads_back_and_grows() {
        let first =
            Recorded { generation: 0, ordinal: 1, offset: 1 << 40, digest: (1 << 40) - 1, tables: 129 };
        let second = Recorded { generation: 1, ordinal: 2, offset: 5, digest: 0, tables: 1 };
        let versions = |r: Recorded| r.transactions("id").map(|t| t.version);
        let (a, b) = (versions(first), versions(second));
        assert_eq!(Recorded::of_versions(a[0], a[1], a[2]), first);
        assert_eq!(Recorded::of_versions(b[0], b[1], b[2]), second);
        assert!(a[0] < b[0] && a[1] < b[1] && a[2] < b[2] && b[0] > 0);
        assert_eq!(first.transactions("id")[0].app_id, "tars-ingest:id:offset");
    }
}
