//! The way through: one reader, several decoders, one lander.
//!
//! The reader cuts sources into numbered blocks, decoders take whichever is next, the lander puts the
//! results back in order. So the lake gets the same rows in the same order at any number of threads. A gate
//! bounds the bytes between reader and lander.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::{JoinHandle, spawn_blocking};

use super::error::{Error, Result};
use super::format::{Decoder, detect, region};
use super::gate::{ClosesGate, Gate};
use super::land::{Lander, Recorded, Settings, Standing};
use super::options::{BadFeed, Checked, Format, Options};
use super::output::{Decoded, Origin, Place};
use super::quarantine::{Code, Fault};
use super::resume::{compare, landed, offsets};
use super::source::{
    About, BLOCK, Block, Blocks, Mark, Paced, Records, Source, Spare, Unpacked, check, digests_at, open,
    resolve,
};
use super::spool::Spool;
use super::stats::{Progress, SourceSummary, Step, Summary};
use super::table::{TABLE_COUNT, TableId};
use crate::lake::Lake;

/// The tables of the records, then `rejects`.
pub(super) const TABLES: usize = TABLE_COUNT + 1;

/// Shares of the memory limit. Rows exist up to three times at once: gathering, waiting to be written, encoded, and
/// the allocator keeps some room; blocks on their way to the decoders about three times their size with their tape and rows.
const BUFFER_SHARE: usize = 8;
const FLIGHT_SHARE: usize = 16;
/// Largest record, as a share of the limit: its text, its tape and its rows must fit.
const RECORD_SHARE: usize = 32;
/// No setting raises it further: places in a block are counted in 31 bits.
const MAX_RECORD: usize = 1 << 30;

/// Whether every input can be found, without reading any.
///
/// # Errors
/// The same as [`ingest`] for an input that is missing or not a file.
pub fn check_inputs(inputs: &[String]) -> Result<()> {
    check(inputs)
}

/// Reads sources and lands their records: each source once, however often it is named.
///
/// `inputs` are paths, globs, directories (searched for telemetry files), or `-` for standard input.
///
/// # Errors
/// When an input cannot be found or opened, an option makes no sense, or the lake does not take the rows. What
/// was committed before stays, and running again completes it. What is wrong with single records is no error:
/// they are in `rejects`; nor is a source that breaks off: see [`SourceSummary::damage`].
pub async fn ingest(
    lake: &Lake,
    inputs: &[String],
    options: &Options,
    progress: &dyn Progress,
) -> Result<Summary> {
    let checked = options.check()?;
    let sources = resolve(inputs).await?;
    let settings = Settings { dry_run: options.dry_run, ..settings(&checked) };
    run(lake, sources, checked, settings, progress).await
}

pub(super) fn settings(checked: &Checked) -> Settings {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |d| d.as_micros());
    Settings {
        buffer_limit: checked.memory_limit / BUFFER_SHARE,
        threads: checked.threads,
        region: checked.region.clone(),
        now: i64::try_from(now).unwrap_or(0),
        hold: checked.max_reject_ratio.is_some() && checked.on_bad_feed == BadFeed::Discard,
        max_reject_ratio: checked.max_reject_ratio,
        dry_run: false,
        crash_after: None,
    }
}

/// A source and what the lake remembers of it.
struct Plan {
    source: Source,
    recorded: [Recorded; TABLES],
    /// The version of which all has landed.
    whole: Option<u64>,
}

/// What the reader hands on, in order.
pub(super) enum Work {
    Opened {
        format: Format,
        changed: [bool; TABLE_COUNT + 1],
    },
    Block {
        origin: Arc<Origin>,
        block: Block,
    },
    Ended {
        damage: Option<String>,
        bytes: u64,
    },
    /// For the lander alone.
    Order(Order),
}

/// What the decoders hand on.
enum Done {
    Opened { format: Format, changed: [bool; TABLE_COUNT + 1] },
    Block { decoded: Decoded, end: (u64, u64), open_ended: bool, size: usize },
    Ended { damage: Option<String>, bytes: u64 },
    Order(Order),
}

/// What a reader of a source that goes on asks of the lander, between blocks.
pub(super) enum Order {
    /// A source turned up on the way: look up what the lake remembers of it.
    Find { source: Found, reply: Sender<Vec<[Recorded; TABLES]>> },
    /// Commit what has gathered.
    Flush,
    /// Record how far these tables have this source, though no row of them waits.
    Mark { tables: [bool; TABLES] },
    /// All of the source, as its store named it, has been read: record that it has landed when it has.
    Whole { version: u64 },
}

/// A source that turned up on the way.
pub(super) struct Found {
    pub(super) name: String,
    pub(super) identity: Option<String>,
    /// Identities of other names under which it may have landed.
    pub(super) others: Vec<String>,
    /// The table whose commits tell how far a pull is, rows or none.
    pub(super) anchor: Option<TableId>,
}

struct Numbered<T> {
    number: u64,
    source: usize,
    what: T,
}

pub(super) async fn run(
    lake: &Lake,
    sources: Vec<Source>,
    checked: Checked,
    settings: Settings,
    progress: &dyn Progress,
) -> Result<Summary> {
    let mut lander = Lander::open(lake, settings).await?;
    let mut plans = Vec::with_capacity(sources.len());
    let mut total = Some(0);
    for source in sources {
        let identity = source.identity(checked.source_id.as_deref());
        let recorded = lander.recorded(identity.as_deref()).await?;
        let size = source.size();
        total = total.zip(size).map(|(a, b)| a + b);
        let name = source.name();
        let unidentified = identity.is_none();
        let whole = match source.version() {
            Some(_) => lander.landed_whole(identity.as_deref()).await?,
            None => None,
        };
        let skipped = whole.is_some() && whole == source.version();
        lander.standings.push(Standing::new(name.clone(), identity, recorded));
        lander.summary.sources.push(SourceSummary {
            name,
            unidentified,
            skipped,
            ..SourceSummary::default()
        });
        plans.push(Plan { source, recorded, whole });
    }

    flow(lander, checked, total, progress, move |reader| reader.read_all(plans)).await
}

/// Runs a reader, the decoders and the lander to their end.
pub(super) async fn flow(
    mut lander: Lander,
    checked: Checked,
    total: Option<u64>,
    progress: &dyn Progress,
    read: impl FnOnce(Reader) + Send + 'static,
) -> Result<Summary> {
    let count = Arc::new(AtomicU64::new(0));
    let gate = Arc::new(Gate::new(checked.memory_limit / FLIGHT_SHARE));
    let _closes = ClosesGate::new(gate.clone());
    let (to_decoders, work) = sync_channel(checked.threads * 2);
    let (to_lander, mut results) = unbounded_channel();
    let work = Arc::new(Mutex::new(work));
    let spare = Arc::new(Spare::default());
    let mut tasks: Vec<JoinHandle<()>> = (0..checked.threads)
        .map(|_| {
            let (work, to_lander, spare) = (work.clone(), to_lander.clone(), spare.clone());
            let decoder = Decoder::new(&checked.mappings, checked.limits);
            spawn_blocking(move || decode_all(&work, &to_lander, &spare, decoder))
        })
        .collect();
    drop((work, to_lander));
    let (cancel, ratio) = (checked.cancel.clone(), checked.max_reject_ratio);
    let known = lander.standings.len();
    let reader =
        Reader { checked, gate: gate.clone(), to_decoders, count: count.clone(), spare, number: 0, known };
    tasks.push(spawn_blocking(move || read(reader)));

    let feed = Feed { ratio, stop: &cancel };
    let stopped = land_all(&mut lander, &mut results, &gate, &count, total, &feed, progress).await?;
    for task in tasks {
        task.await.map_err(|e| Error::Worker { reason: e.to_string() })?;
    }
    lander.summary.cancelled = cancel.load(Ordering::Relaxed) && !stopped;
    lander.finish().await
}

/// New records of a feed before it can be called bad; earlier, one broken batch would decide.
const LEAST_RECORDS: u64 = 10_000;

/// When to give a feed up.
struct Feed<'a> {
    /// Largest share of rejects.
    ratio: Option<f64>,
    /// Stops the reader.
    stop: &'a AtomicBool,
}

/// Puts results in order and lands them; whether it gave the feed up.
async fn land_all(
    lander: &mut Lander,
    results: &mut UnboundedReceiver<Numbered<Result<Done>>>,
    gate: &Gate,
    count: &AtomicU64,
    total: Option<u64>,
    feed: &Feed<'_>,
    progress: &dyn Progress,
) -> Result<bool> {
    let mut given_up = false;
    let mut waiting: BTreeMap<u64, (usize, Result<Done>)> = BTreeMap::new();
    let mut next = 0;
    while let Some(result) = results.recv().await {
        waiting.insert(result.number, (result.source, result.what));
        while let Some((source, done)) = waiting.remove(&next) {
            next += 1;
            match done? {
                Done::Opened { format, changed } => {
                    lander.summary.sources[source].format = format.as_str();
                    lander.summary.sources[source].changed = changed.contains(&true);
                    let standing = &mut lander.standings[source];
                    standing.format = format.as_str();
                    for (recorded, changed) in standing.recorded.iter_mut().zip(changed) {
                        recorded.generation += u64::from(changed);
                    }
                }
                Done::Block { decoded, end, open_ended, size } => {
                    count_block(&mut lander.summary, source, &decoded);
                    lander.absorb(source, decoded, end, open_ended).await?;
                    gate.leave(size);
                    if lander.summary.exceeds(feed.ratio, LEAST_RECORDS) {
                        given_up |= !feed.stop.swap(true, Ordering::Relaxed);
                    }
                }
                Done::Ended { damage, bytes } => {
                    lander.summary.bytes += bytes;
                    lander.summary.sources[source].damage = damage;
                }
                Done::Order(Order::Find { source, reply }) => {
                    // The reader may be gone by now, with the run about to end.
                    let _ = reply.send(lander.find(source).await?);
                    continue;
                }
                Done::Order(Order::Flush) => {
                    lander.flush().await?;
                    continue;
                }
                Done::Order(Order::Mark { tables }) => lander.mark(source, tables),
                Done::Order(Order::Whole { version }) => lander.whole(source, version),
            }
            progress.step(Step {
                bytes: count.load(Ordering::Relaxed),
                total,
                records: lander.summary.read,
                source: &lander.standings[source].name,
            });
        }
    }
    Ok(given_up)
}

fn count_block(summary: &mut Summary, source: usize, decoded: &Decoded) {
    let counts = decoded.counts;
    summary.read += counts.read;
    summary.landed += counts.landed;
    summary.rejected += counts.rejected;
    summary.already_landed += counts.already;
    summary.control_messages += counts.controls;
    summary.unknown_region += counts.notes.unknown_region;
    summary.regions_from_path += counts.regions_from_path;
    summary.regions_from_option += counts.regions_from_option;
    summary.unfit_values += counts.notes.unfit;
    summary.unitless_values += counts.notes.no_unit;
    let source = &mut summary.sources[source];
    source.read += counts.read;
    source.landed += counts.landed;
    source.rejected += counts.rejected;
    source.already_landed += counts.already;
}

/// The thread that reads.
pub(super) struct Reader {
    pub(super) checked: Checked,
    gate: Arc<Gate>,
    to_decoders: SyncSender<Numbered<Work>>,
    pub(super) count: Arc<AtomicU64>,
    pub(super) spare: Arc<Spare>,
    number: u64,
    /// Sources that the lander knows.
    known: usize,
}

impl Reader {
    /// Makes a source known that turned up on the way; gives its position and what the lake remembers of it, then
    /// of its other names. `None` when nobody lands any more.
    pub(super) fn find(&mut self, source: Found) -> Option<(usize, Vec<[Recorded; TABLES]>)> {
        let position = self.known;
        self.known += 1;
        let (reply, answer) = channel();
        if !self.send(position, Work::Order(Order::Find { source, reply })) {
            return None;
        }
        Some((position, answer.recv().ok()?))
    }

    /// Hands a block on when there is room; `false` when nobody takes blocks any more.
    pub(super) fn block(&mut self, source: usize, origin: &Arc<Origin>, block: Block) -> bool {
        self.gate.enter(block.bytes.len()) && self.send(source, Work::Block { origin: origin.clone(), block })
    }

    /// Largest record that is held.
    pub(super) fn record_limit(&self) -> usize {
        let most = self.checked.limits.record.clamp(BLOCK, MAX_RECORD);
        (self.checked.memory_limit / RECORD_SHARE).clamp(BLOCK, most)
    }

    /// What decoding needs to know about a source.
    pub(super) fn origin(&self, name: &str, format: Format, done: [u64; TABLES]) -> Arc<Origin> {
        Arc::new(Origin {
            hint: detect::table_of_name(name),
            path_region: region::of_path(name),
            stem: detect::stem(name).map(str::to_owned),
            format,
            table: self.checked.table,
            region: self.checked.region.clone(),
            done,
        })
    }

    /// What cutting a source into blocks needs to know about it.
    pub(super) fn about<'a>(&self, name: &'a str, landed: u64) -> About<'a> {
        About {
            name,
            format: self.checked.format,
            landed,
            layout: self.checked.csv.iter().find(|layout| layout.is_for(name)).cloned(),
        }
    }

    fn read_all(mut self, plans: Vec<Plan>) {
        for (position, plan) in plans.into_iter().enumerate() {
            if self.is_cancelled() || !self.read(position, plan) {
                return;
            }
        }
    }

    pub(super) fn is_cancelled(&self) -> bool {
        let cancel: &AtomicBool = &self.checked.cancel;
        cancel.load(Ordering::Relaxed)
    }

    pub(super) fn send(&mut self, source: usize, what: Work) -> bool {
        let number = self.number;
        self.number += 1;
        self.to_decoders.send(Numbered { number, source, what }).is_ok()
    }

    /// Reads one source; `false` when nobody takes blocks any more.
    fn read(&mut self, position: usize, plan: Plan) -> bool {
        let version = plan.source.version();
        if version.is_some() && version == plan.whole {
            let changed = [false; TABLES];
            let format = self.checked.format.unwrap_or(Format::Ndjson);
            return self.send(position, Work::Opened { format, changed })
                && self.send(position, Work::Ended { damage: None, bytes: 0 });
        }
        let (reader, done, changed) = match self.begin(&plan) {
            Ok(begun) => begun,
            Err(e) => {
                let format = self.checked.format.unwrap_or(Format::Ndjson);
                let damage = Some(format!("cannot be read: {e}"));
                return self.send(position, Work::Opened { format, changed: [false; TABLE_COUNT + 1] })
                    && self.send(position, Work::Ended { damage, bytes: 0 });
            }
        };
        let limit = self.record_limit();
        let name = plan.source.name();
        let about = self.about(&name, landed(&plan.recorded, &changed));
        let live = self.checked.flush_interval.filter(|_| plan.source == Source::Stdin);
        let mut blocks = match live {
            None => Blocks::new(reader, &about, limit, self.spare.clone()),
            Some(interval) => {
                let paced = Paced::new(reader, interval, self.checked.cancel.clone());
                Blocks::live(Box::new(paced), &about, limit, self.spare.clone())
            }
        };
        let origin = self.origin(&name, blocks.format(), done);
        if !self.send(position, Work::Opened { format: blocks.format(), changed }) {
            return false;
        }
        let mut bytes = 0;
        let damage = loop {
            if self.is_cancelled() {
                break None;
            }
            match blocks.next() {
                Ok(Some(block)) => {
                    bytes = block.end;
                    if !self.block(position, &origin, block) {
                        return false;
                    }
                }
                Ok(None) => {
                    if let Some(version) = version
                        && !self.send(position, Work::Order(Order::Whole { version }))
                    {
                        return false;
                    }
                    break None;
                }
                // Nothing came for as long as rows may wait.
                Err(e) if e.kind() == std::io::ErrorKind::WouldBlock => {
                    if !self.send(position, Work::Order(Order::Flush)) {
                        return false;
                    }
                }
                Err(e) => break Some(format!("breaks off after {bytes} unpacked bytes: {e}")),
            }
        };
        self.send(position, Work::Ended { damage, bytes })
    }

    /// Opens a source, compares its beginning with what the lake remembers, and says up to where each table
    /// has it and which tables had something else.
    #[allow(clippy::type_complexity)]
    fn begin(
        &self,
        plan: &Plan,
    ) -> std::io::Result<(Unpacked, [u64; TABLE_COUNT + 1], [bool; TABLE_COUNT + 1])> {
        let offsets = offsets(&plan.recorded);
        if offsets.is_empty() {
            let reader = open(&plan.source, self.count.clone())?;
            return Ok((reader, [0; TABLES], [false; TABLES]));
        }
        let (digests, reader) = match &plan.source {
            Source::File(_) | Source::Object(_) => {
                let mut first = open(&plan.source, Arc::default())?;
                // Damage before the last remembered offset means that it is not the file it was; what is
                // left of it is read, and the damage told, in the second pass.
                let digests = digests_at(&mut first, &offsets).unwrap_or_else(|_| vec![None; offsets.len()]);
                (digests, open(&plan.source, self.count.clone())?)
            }
            Source::Stdin => Spool::digests(open(&plan.source, self.count.clone())?, &offsets)?,
        };
        let (done, changed) = compare(&plan.recorded, &offsets, &digests);
        Ok((reader, done, changed))
    }
}

/// A decoding thread.
fn decode_all(
    work: &Mutex<Receiver<Numbered<Work>>>,
    to_lander: &UnboundedSender<Numbered<Result<Done>>>,
    spare: &Spare,
    mut decoder: Decoder,
) {
    loop {
        let next = work.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(Numbered { number, source, what }) = next else { return };
        let what = match what {
            Work::Opened { format, changed } => Ok(Done::Opened { format, changed }),
            Work::Ended { damage, bytes } => Ok(Done::Ended { damage, bytes }),
            Work::Order(order) => Ok(Done::Order(order)),
            Work::Block { origin, block } => {
                let decoded = decode(&mut decoder, &origin, &block);
                let (end, open_ended, size) =
                    ((block.end, block.digest), block.open_ended, block.bytes.len());
                spare.put(block.bytes);
                decoded.map(|decoded| Done::Block { decoded, end, open_ended, size })
            }
        };
        if to_lander.send(Numbered { number, source, what }).is_err() {
            return;
        }
    }
}

/// Decodes the records of one block.
fn decode(decoder: &mut Decoder, origin: &Origin, block: &Block) -> Result<Decoded> {
    decoder.output.head = None;
    match &block.records {
        Records::Lines => decoder.lines(origin, block.offset, &block.bytes),
        Records::Whole => decoder.frame(origin, block.offset, &block.bytes, block.end),
        Records::At(ranges) => {
            let mut heads = block.heads.iter().peekable();
            for (range, mark) in ranges {
                while let Some((_, head)) = heads.next_if(|(from, _)| *from <= range.start) {
                    decoder.output.head = Some(head.clone());
                }
                let bytes = &block.bytes[range.clone()];
                let offset = block.offset + range.start as u64;
                let end = block.offset + range.end as u64;
                let place = Place { base: offset, offset, end, original: bytes };
                match mark {
                    Mark::Whole => decoder.frame(origin, offset, bytes, end),
                    Mark::TooLarge => {
                        let reason = "expected a record within a thirty-second of the memory limit, found a \
                                      larger one; only its beginning is kept";
                        let place = Place { end: block.end, ..place };
                        decoder.output.reject(
                            origin,
                            place,
                            origin.table,
                            Fault::new(Code::TooLarge, reason),
                        );
                    }
                    Mark::Open => {
                        let reason = "expected the rest of the record (a closing quote, the last part of a \
                                      line), found the end of the source";
                        decoder.output.reject(
                            origin,
                            place,
                            origin.table,
                            Fault::new(Code::Truncated, reason),
                        );
                    }
                }
            }
        }
    }
    decoder.output.take()
}
