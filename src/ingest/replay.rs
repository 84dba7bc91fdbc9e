//! Rejects again: the original bytes of rejected records, decoded with the mappings of today.
//!
//! What lands now is marked in the table `replays`; what still fails stays open. The rows and the marks go to several
//! tables and have to appear together, once: the files are stored first, then written down as one pending commit (see
//! `lake::Pending`), then committed. Killed before that is written down, nothing has happened; killed after it, the
//! next replay finishes it before it looks for rejects of its own.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow::compute::concat_batches;
use arrow::datatypes::{Int64Type, TimestampMicrosecondType};
use datafusion::datasource::empty::EmptyTable;
use datafusion::error::DataFusionError;
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::prelude::{SessionConfig, SessionContext};
use futures::TryStreamExt;
use sha2::{Digest, Sha256};

use super::columns::Rows;
use super::error::{Error, Result};
use super::format::{Decoder, detect, region};
use super::land::write_rows;
use super::options::{Checked, Format, Options};
use super::output::Origin;
use super::quarantine::{self, Reject};
use super::source::Head;
use super::table::{TABLE_COUNT, TableId};
use crate::contract;
use crate::domain::{Hour, TimeRange, UNKNOWN_REGION};
use crate::lake::{DataFile, Lake, Pending, TableWriter, by_table, query_schema};

/// Bytes of originals that are decoded before their rows are stored, as a share of the memory limit.
const CHUNK_SHARE: usize = 16;
/// What sorting the rejects may use, as a share of the memory limit.
const SORT_SHARE: usize = 4;
/// The table of the marks, committed last: with it a replay is complete.
const REPLAYS: &str = "replays";

/// Which rejects to replay; everything that is `None` does not matter.
#[derive(Debug, Clone, Default)]
pub struct RejectFilter {
    /// Reason codes; empty for any.
    pub codes: Vec<String>,
    /// A part of the source's name.
    pub source: Option<String>,
    /// The table that they were meant for.
    pub target: Option<String>,
    /// When they were rejected.
    pub range: Option<TimeRange>,
}

/// What a replay came to. `read` is always `replayed + still_rejected + not_replayable`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReplaySummary {
    /// Its number; `None` when nothing was to be committed.
    pub number: Option<i64>,
    /// The number of an earlier replay that had not been finished, and is now.
    pub finished: Option<i64>,
    /// Open rejects that were looked at.
    pub read: u64,
    /// Rejects that are open no more.
    pub replayed: u64,
    /// Rejects that failed again and stay open.
    pub still_rejected: u64,
    /// Rejects whose original was cut.
    pub not_replayable: u64,
    /// Rows that landed, by table.
    pub rows: BTreeMap<&'static str, u64>,
    /// Why rejects failed again.
    pub reasons: BTreeMap<&'static str, u64>,
    /// Parts of replayed records that were rejected in their turn, as open rejects of their own.
    pub new_rejects: u64,
}

/// One open reject.
struct OpenReject<'a> {
    timestamp: i64,
    region: &'a str,
    source: &'a str,
    offset: i64,
    format: &'a str,
    code: &'a str,
    reason: &'a str,
    head: &'a str,
    original: &'a [u8],
}

/// A mark in the making.
struct Mark {
    timestamp: i64,
    region: String,
    source: String,
    offset: i64,
    digest: String,
    code: String,
    landed: i64,
}

/// Lands what can land now of the open rejects.
///
/// # Errors
/// When an option makes no sense, the lake does not take the rows, or another replay is faster. Nothing is half done
/// then: running it again completes it.
pub async fn replay(
    lake: &Lake,
    filter: &RejectFilter,
    options: &Options,
    dry_run: bool,
) -> Result<ReplaySummary> {
    let checked = options.check()?;
    let fail = |source| Error::Lake { table: REPLAYS, source };
    let finished = if dry_run { None } else { lake.finish_pending().await.map_err(fail)? };
    // Taken before the rejects are read: whoever is faster takes it, and what was read here is stale then.
    let number = lake.next_pending().await.map_err(fail)?;
    let mut work = Replay {
        lake,
        now: now(),
        number,
        dry_run,
        decoder: Decoder::new(&checked.mappings, checked.limits),
        chunk: checked.memory_limit / CHUNK_SHARE,
        checked,
        writers: BTreeMap::new(),
        marks: Vec::new(),
        rejects: Vec::new(),
        held: 0,
        summary: ReplaySummary { finished, ..ReplaySummary::default() },
    };
    let done = work.all(filter).await;
    if done.is_err() {
        work.abort().await;
    }
    done?;
    work.commit().await
}

fn now() -> i64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |d| d.as_micros());
    i64::try_from(now).unwrap_or(0)
}

fn engine(source: DataFusionError) -> Error {
    Error::Rejects { source: Box::new(source) }
}

struct Replay<'l> {
    lake: &'l Lake,
    checked: Checked,
    now: i64,
    number: i64,
    dry_run: bool,
    decoder: Decoder,
    chunk: usize,
    writers: BTreeMap<&'static str, TableWriter>,
    marks: Vec<Mark>,
    /// Parts of replayed records that fail, with their source and format.
    rejects: Vec<(String, String, Reject)>,
    /// Bytes decoded since rows were last stored.
    held: usize,
    summary: ReplaySummary,
}

impl Replay<'_> {
    /// Decodes every open reject and stores what it comes to.
    async fn all(&mut self, filter: &RejectFilter) -> Result<()> {
        let context = self.session().await?;
        let frame = context.sql(&open_rejects(filter)).await.map_err(engine)?;
        let mut stream = frame.execute_stream().await.map_err(engine)?;
        while let Some(batch) = stream.try_next().await.map_err(engine)? {
            for row in 0..batch.num_rows() {
                self.one(&open_reject(&batch, row)?)?;
                if self.held >= self.chunk {
                    self.store().await?;
                }
            }
        }
        self.store().await
    }

    async fn session(&self) -> Result<SessionContext> {
        let pool = FairSpillPool::new(self.checked.memory_limit / SORT_SHARE);
        let runtime =
            RuntimeEnvBuilder::new().with_memory_pool(Arc::new(pool)).build_arc().map_err(engine)?;
        let context =
            SessionContext::new_with_config_rt(SessionConfig::new().with_target_partitions(1), runtime);
        for name in ["rejects", REPLAYS] {
            let fail = |source| Error::Lake { table: "rejects", source };
            let table = contract::table(name).map_err(|e| fail(e.into()))?;
            let snapshot = self.lake.snapshot(name).await.map_err(fail)?;
            let provider = match snapshot {
                Some(snapshot) => snapshot.provider(),
                None => Arc::new(EmptyTable::new(query_schema(table))),
            };
            context.register_table(name, provider).map_err(engine)?;
        }
        Ok(context)
    }

    /// Decodes one reject.
    fn one(&mut self, open: &OpenReject<'_>) -> Result<()> {
        self.summary.read += 1;
        if open.code == quarantine::Code::TooLarge.as_str() || open.reason.contains(quarantine::CUT) {
            self.summary.not_replayable += 1;
            return Ok(());
        }
        let format = self.checked.format.or_else(|| open.format.parse::<Format>().ok());
        let Some(format) = format else {
            self.summary.still_rejected += 1;
            *self.summary.reasons.entry("unknown_format").or_default() += 1;
            return Ok(());
        };
        let region = (open.region != UNKNOWN_REGION).then(|| open.region.to_owned());
        let origin = Origin {
            format,
            table: self.checked.table,
            hint: detect::table_of_name(open.source),
            region: region.or_else(|| self.checked.region.clone()),
            path_region: region::of_path(open.source),
            stem: detect::stem(open.source).map(str::to_owned),
            done: [0; TABLE_COUNT + 1],
        };
        let offset = u64::try_from(open.offset).unwrap_or(0);
        let layout = self.checked.csv.iter().find(|layout| layout.is_for(open.source)).cloned();
        self.decoder.output.head = Head::of_json(open.head).map(|head| Arc::new(Head { layout, ..head }));
        let before = self.decoder.output.counts;
        self.decoder.frame(&origin, offset, open.original, offset + open.original.len() as u64);
        let after = self.decoder.output.counts;
        let failed = self.decoder.output.take_rejects();
        let landed = after.landed - before.landed;
        if landed == 0 && !failed.is_empty() {
            self.summary.still_rejected += 1;
            *self.summary.reasons.entry(failed[0].fault.code.as_str()).or_default() += 1;
            return Ok(());
        }
        self.summary.replayed += 1;
        self.summary.new_rejects += failed.len() as u64;
        let named = |reject| (open.source.to_owned(), format.as_str().to_owned(), reject);
        self.rejects.extend(failed.into_iter().map(named));
        self.held += open.original.len() + 256;
        self.marks.push(Mark {
            timestamp: open.timestamp,
            region: open.region.to_owned(),
            source: open.source.to_owned(),
            offset: open.offset,
            digest: Sha256::digest(open.original).iter().map(|b| format!("{b:02x}")).collect(),
            code: open.code.to_owned(),
            landed: i64::try_from(landed).unwrap_or(i64::MAX),
        });
        Ok(())
    }

    async fn writer(&mut self, table: &'static str) -> Result<&mut TableWriter> {
        if !self.writers.contains_key(table) {
            let fail = |source| Error::Lake { table, source };
            self.writers.insert(table, self.lake.writer(table).await.map_err(fail)?);
        }
        self.writers.get_mut(table).ok_or_else(|| Error::Worker { reason: "its writers are gone".to_owned() })
    }

    /// Stores the rows, marks and rejects gathered so far, visible to nobody.
    async fn store(&mut self) -> Result<()> {
        self.held = 0;
        let decoded = self.decoder.output.take()?;
        let mut tables: BTreeMap<TableId, Vec<Rows>> = BTreeMap::new();
        for rows in decoded.rows {
            *self.summary.rows.entry(rows.table.name()).or_default() += rows.batch.num_rows() as u64;
            tables.entry(rows.table).or_default().push(rows);
        }
        let (marks, rejects) = (std::mem::take(&mut self.marks), std::mem::take(&mut self.rejects));
        if self.dry_run {
            return Ok(());
        }
        let threads = self.checked.threads;
        for (table, rows) in tables {
            let writer = self.writer(table.name()).await?;
            write_rows(writer, table, Arc::new(rows), threads).await?;
        }
        self.store_rejects(rejects).await?;
        self.store_marks(marks).await
    }

    async fn store_rejects(&mut self, rejects: Vec<(String, String, Reject)>) -> Result<()> {
        if rejects.is_empty() {
            return Ok(());
        }
        let mut sources: BTreeMap<(String, String), Vec<Reject>> = BTreeMap::new();
        for (source, format, reject) in rejects {
            sources.entry((source, format)).or_default().push(reject);
        }
        let now = self.now;
        let batches = sources
            .iter()
            .map(|((source, format), rejects)| quarantine::batch(rejects, source, format, now))
            .collect::<Result<Vec<_>>>()?;
        let batch = concat_batches(&batches[0].schema(), &batches)
            .map_err(|source| Error::Columns { table: "rejects", source })?;
        let region = self.checked.region.clone().unwrap_or_else(|| UNKNOWN_REGION.to_owned());
        let fail = |source| Error::Lake { table: "rejects", source };
        self.writer("rejects").await?.write(&region, Hour::of_micros(now), batch).await.map_err(fail)
    }

    async fn store_marks(&mut self, marks: Vec<Mark>) -> Result<()> {
        let mut partitions: BTreeMap<(String, Hour), Vec<Mark>> = BTreeMap::new();
        for mark in marks {
            let key = (mark.region.clone(), Hour::of_micros(mark.timestamp));
            partitions.entry(key).or_default().push(mark);
        }
        let (number, now) = (self.number, self.now);
        for ((region, hour), mut marks) in partitions {
            marks.sort_by_key(|m| m.timestamp);
            let batch = mark_batch(&marks, number, now)?;
            let fail = |source| Error::Lake { table: REPLAYS, source };
            self.writer(REPLAYS).await?.write(&region, hour, batch).await.map_err(fail)?;
        }
        Ok(())
    }

    /// Makes everything visible, once.
    async fn commit(mut self) -> Result<ReplaySummary> {
        let fail = |source| Error::Lake { table: REPLAYS, source };
        let files: BTreeMap<String, Vec<DataFile>> = self
            .writers
            .iter()
            .filter(|(_, writer)| !writer.pending().is_empty())
            .map(|(table, writer)| ((*table).to_owned(), writer.pending().to_vec()))
            .collect();
        if files.is_empty() {
            return Ok(self.summary);
        }
        let pending = Pending { number: self.number, tables: by_table(files, REPLAYS) };
        if let Err(error) = self.lake.begin(&pending).await {
            // Another error leaves open whether it is written down, and then the files are needed.
            if matches!(error, crate::lake::Error::NumberTaken { .. }) {
                self.abort().await;
            }
            return Err(fail(error));
        }
        for writer in self.writers.values_mut() {
            writer.take_pending();
        }
        self.lake.finish(&pending).await.map_err(fail)?;
        self.summary.number = Some(self.number);
        Ok(self.summary)
    }

    async fn abort(&mut self) {
        for writer in self.writers.values_mut() {
            writer.abort().await;
        }
    }
}

/// A text as SQL writes it.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

impl RejectFilter {
    /// The conditions in SQL, on the columns of `rejects`; all of them have to hold.
    pub fn conditions(&self) -> Vec<String> {
        let mut wanted = Vec::new();
        if !self.codes.is_empty() {
            let codes: Vec<_> = self.codes.iter().map(|c| quoted(c)).collect();
            wanted.push(format!("code in ({})", codes.join(", ")));
        }
        wanted.extend(self.source.iter().map(|s| format!("strpos(source, {}) > 0", quoted(s))));
        wanted.extend(self.target.iter().map(|t| format!("target = {}", quoted(t))));
        if let Some(range) = self.range {
            // A literal would be counted in nanoseconds, which reach from 1677 to 2262 only.
            let instant = |t: i64| format!("arrow_cast({t}, 'Timestamp(Microsecond, Some(\"UTC\"))')");
            wanted.push(format!("timestamp >= {}", instant(range.from())));
            wanted.push(format!("timestamp < {}", instant(range.to())));
        }
        wanted
    }
}

/// The query for open rejects, in one order for everybody.
fn open_rejects(filter: &RejectFilter) -> String {
    let mut wanted = filter.conditions();
    wanted.push("true".to_owned());
    format!(
        "select r.timestamp, r.region, r.source, r.\"offset\", coalesce(r.format, '') as format, r.code, r.reason, \
         coalesce(r.head, '') as head, r.original \
         from (select * from rejects where {}) as r \
         left join (select distinct timestamp, source, \"offset\", digest from {REPLAYS}) as m \
         on m.timestamp = r.timestamp and m.source = r.source and m.\"offset\" = r.\"offset\" \
         and m.digest = encode(sha256(r.original), 'hex') \
         where m.digest is null order by r.timestamp, r.region, r.source, r.\"offset\", r.original",
        wanted.join(" and ")
    )
}

/// A row of that query.
fn open_reject(batch: &RecordBatch, row: usize) -> Result<OpenReject<'_>> {
    let text = |column: usize| match batch.column(column).as_string_view_opt() {
        Some(texts) => Some(texts.value(row)),
        None => batch.column(column).as_string_opt::<i32>().map(|texts| texts.value(row)),
    };
    let original = batch.column(8);
    let bytes = match original.as_binary_opt::<i32>() {
        Some(bytes) => Some(bytes.value(row)),
        None => original.as_binary_view_opt().map(|bytes| bytes.value(row)),
    };
    let read = || {
        Some(OpenReject {
            timestamp: batch.column(0).as_primitive_opt::<TimestampMicrosecondType>()?.value(row),
            region: text(1)?,
            source: text(2)?,
            offset: batch.column(3).as_primitive_opt::<Int64Type>()?.value(row),
            format: text(4)?,
            code: text(5)?,
            reason: text(6)?,
            head: text(7)?,
            original: bytes?,
        })
    };
    read().ok_or_else(|| Error::Worker { reason: "the rejects have columns of other types".to_owned() })
}

fn mark_batch(marks: &[Mark], number: i64, now: i64) -> Result<RecordBatch> {
    let texts =
        |of: fn(&Mark) -> &str| -> ArrayRef { Arc::new(StringArray::from_iter_values(marks.iter().map(of))) };
    let ints = |values: Vec<i64>| -> ArrayRef { Arc::new(Int64Array::from(values)) };
    let times = |values: Vec<i64>| -> ArrayRef {
        Arc::new(TimestampMicrosecondArray::from(values).with_timezone("UTC"))
    };
    let table = contract::table(REPLAYS).expect("the contract is embedded");
    let schema = table.file_schema();
    let columns = schema.fields().iter().map(|field| match field.name().as_str() {
        "timestamp" => times(marks.iter().map(|m| m.timestamp).collect()),
        "source" => texts(|m| &m.source),
        "offset" => ints(marks.iter().map(|m| m.offset).collect()),
        "digest" => texts(|m| &m.digest),
        "code" => texts(|m| &m.code),
        "landed" => ints(marks.iter().map(|m| m.landed).collect()),
        "number" => ints(vec![number; marks.len()]),
        _ => times(vec![now; marks.len()]),
    });
    let columns = columns.collect();
    RecordBatch::try_new(schema, columns).map_err(|source| Error::Columns { table: REPLAYS, source })
}
