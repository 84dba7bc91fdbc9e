//! Log events of an API, page by page, into blocks that are each landed whole or not at all.
//!
//! Events are asked for in the order of time. After every page a cut is made before its last millisecond: what is
//! older makes a block, and the position moves up to the cut; the rest waits for the next page, because more events
//! of that millisecond may be on it. So a commit never needs a page token, which would expire, and memory holds
//! about one page. Killed at any point, the next run asks from the last committed cut, and `seen` leaves out what
//! landed before: events that came late into the overlap land, the others do not land twice.

use std::sync::Arc;
use std::time::Duration;

use super::answer::Trouble;
use super::api::Api;
use super::position::{self, Stretch, Work as Todo};
use super::seen::{Key, Seen};
use crate::ingest::land::Recorded;
use crate::ingest::options::Format;
use crate::ingest::output::{Origin, REJECTS};
use crate::ingest::run::{Found, Order, Reader, TABLES, Work};
use crate::ingest::source::{BLOCK, Block, Records};
use crate::ingest::table::TableId;
use crate::lake::Lake;

/// An event as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Event {
    /// Milliseconds since the epoch; whole, so that a cut never parts events that an API cannot part.
    pub(crate) ms: u64,
    pub(crate) id: u128,
    pub(crate) json: String,
}

/// What one request gave.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) events: Vec<Event>,
    pub(crate) next: Option<String>,
    pub(crate) bytes: usize,
}

/// An API of log events, and one thing to ask it for.
pub(crate) trait Logs: Send {
    /// How it is called in messages and in `rejects`.
    fn name(&self) -> String;
    /// What tells this pull from others.
    fn identity(&self) -> String;
    fn format(&self) -> Format;
    /// Region of events that name none.
    fn region(&self) -> Option<&str>;
    fn key(&self) -> Key;
    /// Asks for events from a time on, to a time that is not part of it.
    fn page(&self, api: &mut Api, stretch: Stretch, next: Option<&str>) -> Result<Page, Trouble>;
    /// The identity of an event by its JSON.
    fn id(&self, json: &str) -> Option<u128>;
    /// A document of the format that holds these events.
    fn document(&self, events: &[Event]) -> Vec<u8>;
}

/// A pull of one thing.
pub(crate) struct LogPull {
    pub(crate) logs: Box<dyn Logs>,
    pub(crate) from: Option<u64>,
    pub(crate) to: u64,
    /// How far back the first pull without a start goes, in milliseconds.
    pub(crate) first: u64,
    pub(crate) overlap: u64,
    pub(crate) flush_interval: Duration,
    pub(crate) identity: String,
}

impl LogPull {
    /// Pulls all there is; `false` when nobody lands any more.
    pub(crate) fn run(self, reader: &mut Reader, api: &mut Api, lake: &Lake) -> bool {
        let found = Found {
            name: self.logs.name(),
            identity: Some(self.identity.clone()),
            others: Vec::new(),
            anchor: Some(TableId::Logs),
        };
        let Some((source, recorded)) = reader.find(found) else { return false };
        let recorded = recorded[0];
        let todo =
            position::work(recorded[TableId::Logs as usize], self.from, self.to, self.first, self.overlap);
        let changed =
            std::array::from_fn(|table| todo.is_some_and(|todo| todo.anew) && recorded[table].ordinal > 0);
        if !reader.send(source, Work::Opened { format: self.logs.format(), changed }) {
            return false;
        }
        let mut bytes = 0;
        let outcome = todo.map_or(Ok(()), |todo| {
            Run { pull: &self, source, recorded, todo, reader: &mut *reader, api, bytes: &mut bytes }
                .all(lake)
        });
        let damage = match outcome {
            Ok(()) | Err(Trouble::Cancelled) => None,
            Err(Trouble::Closed) => return false,
            Err(trouble) => Some(trouble.to_string()),
        };
        reader.send(source, Work::Ended { damage, bytes })
    }
}

struct Run<'a> {
    pull: &'a LogPull,
    source: usize,
    recorded: [Recorded; TABLES],
    todo: Todo,
    reader: &'a mut Reader,
    api: &'a mut Api,
    bytes: &'a mut u64,
}

impl Run<'_> {
    fn all(&mut self, lake: &Lake) -> Result<(), Trouble> {
        let logs = &self.pull.logs;
        let handle = self.api.handle().clone();
        let failed = |e: Box<dyn std::error::Error + Send + Sync>| Trouble::Refused {
            status: 0,
            code: String::new(),
            what: format!("cannot look up in the lake what has landed: {e}"),
            remedy: "",
        };
        let name = logs.name();
        let known = Seen::new(lake, logs.key(), self.todo.known_until, &name, |json| logs.id(json));
        let mut seen = handle.block_on(known).map_err(failed)?;
        // Where `rejects` was committed and the events were not, its position must not go back either.
        let rejects = self.recorded[REJECTS];
        let least = if self.todo.anew { 0 } else { rejects.offset };
        let mut position = self.todo.position.max(least);
        let origin = Arc::new(Origin {
            hint: None,
            path_region: None,
            stem: None,
            format: logs.format(),
            table: None,
            region: logs.region().map(str::to_owned).or_else(|| self.reader.checked.region.clone()),
            done: [0; TABLES],
        });
        let mut held: Vec<Event> = Vec::new();
        let mut stretch = Stretch { from: self.todo.start, to: self.todo.end };
        let mut next: Option<String> = None;
        let mut flushed = self.api.now();
        loop {
            let page = match logs.page(self.api, stretch, next.as_deref()) {
                // A token may have expired while records were waited for: ask anew from the last cut.
                Err(Trouble::Refused { status: 400, .. }) if next.is_some() => {
                    stretch.from = stretch.from.max(position.min(stretch.to.saturating_sub(1)));
                    logs.page(self.api, stretch, None)?
                }
                page => page?,
            };
            *self.bytes += page.bytes as u64;
            self.reader.count.fetch_add(page.bytes as u64, std::sync::atomic::Ordering::Relaxed);
            let came = page.events.len();
            for event in page.events {
                if handle.block_on(seen.is_new(event.id, event.ms)).map_err(failed)? {
                    held.push(event);
                }
            }
            self.api.took(came)?;
            next = page.next;
            // Stable: events of one instant stay as they came.
            held.sort_by_key(|e| e.ms);
            let last = next.is_none();
            let cut = if last { self.todo.end.max(position + 1) } else { held.last().map_or(0, |e| e.ms) };
            if cut > position {
                position = self.emit(&origin, &mut held, position, cut, last)?;
            }
            if last {
                return Ok(());
            }
            if self.api.now().saturating_sub(flushed) >= self.pull.flush_interval {
                flushed = self.api.now();
                self.send(Work::Order(Order::Flush))?;
            }
            let waiting: usize = held.iter().map(|e| e.json.len()).sum();
            if waiting > self.api.reply_limit() {
                return Err(Trouble::TooLarge { limit: self.api.reply_limit() });
            }
        }
    }

    fn send(&mut self, work: Work) -> Result<(), Trouble> {
        if self.reader.send(self.source, work) { Ok(()) } else { Err(Trouble::Closed) }
    }

    /// Hands on everything before the cut, in blocks between two milliseconds; gives the new position.
    fn emit(
        &mut self,
        origin: &Arc<Origin>,
        held: &mut Vec<Event>,
        mut position: u64,
        cut: u64,
        last: bool,
    ) -> Result<u64, Trouble> {
        let ready = if last { held.len() } else { held.partition_point(|e| e.ms < cut) };
        let rest = held.split_off(ready);
        let ready = std::mem::replace(held, rest);
        let mut start = 0;
        let mut size = 0;
        for at in 0..ready.len() {
            size += ready[at].json.len();
            let edge = ready.get(at + 1).map(|next| next.ms);
            let Some(edge) = edge.filter(|e| *e > ready[at].ms && *e > position && *e < cut) else {
                continue;
            };
            if size >= BLOCK {
                self.block(origin, &ready[start..=at], position, edge)?;
                (start, size, position) = (at + 1, 0, edge);
            }
        }
        if last || start < ready.len() {
            self.block(origin, &ready[start..], position, cut)?;
            position = cut;
        }
        Ok(position)
    }

    fn block(
        &mut self,
        origin: &Arc<Origin>,
        events: &[Event],
        offset: u64,
        end: u64,
    ) -> Result<(), Trouble> {
        let bytes = if events.is_empty() { Vec::new() } else { self.pull.logs.document(events) };
        let digest = self.todo.begin;
        let block = Block {
            offset,
            bytes,
            records: Records::Whole,
            heads: Vec::new(),
            end,
            digest,
            open_ended: false,
        };
        if self.reader.block(self.source, origin, block) { Ok(()) } else { Err(Trouble::Closed) }
    }
}
