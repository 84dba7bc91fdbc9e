//! Which log events have landed before. The lake itself is the memory: events carry their vendor's identity into
//! the attributes, so nothing has to be kept beside it, and what landed by another way is known as well.

use std::collections::{BTreeMap, HashSet};

use arrow::array::{Array, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};
use datafusion::prelude::{SessionConfig, SessionContext};
use sha2::{Digest, Sha256};

use crate::domain::Hour;
use crate::lake::{Lake, Snapshot};

/// Identities of events of this run that are kept: an API repeats some only around a page's edge.
const RECENT: usize = 1 << 16;
const HOUR_MS: u64 = 3_600_000;

type Failed = Box<dyn std::error::Error + Send + Sync>;

/// 128 bits of the identity's hash: no two events of any lake share them by chance.
pub(crate) fn identity(parts: &[&str]) -> u128 {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    let bytes = hasher.finalize();
    let mut head = [0; 16];
    head.copy_from_slice(&bytes[..16]);
    u128::from_le_bytes(head)
}

/// Where an event's identity is in a row of `logs`, and in the JSON of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Key {
    /// CloudWatch: the `eventId`.
    EventId,
    /// Google: `insertId`, `timestamp` and `logName` together.
    InsertId,
}

impl Key {
    fn columns(self) -> &'static str {
        match self {
            Key::EventId => "attributes['eventId'] as id, cast(0 as bigint) as at, '' as log",
            Key::InsertId => {
                "attributes['insertId'] as id, cast(timestamp as bigint) as at, attributes['logName'] as log"
            }
        }
    }

    /// The identity by its parts; the time in microseconds.
    pub(crate) fn of(self, id: &str, micros: i64, log: &str) -> u128 {
        match self {
            Key::EventId => identity(&[id]),
            Key::InsertId => identity(&[id, &micros.to_string(), log]),
        }
    }
}

/// What has landed.
pub(crate) struct Seen {
    lake: Lake,
    key: Key,
    /// Events before this time, in milliseconds, may be in the lake.
    known_until: u64,
    hours: BTreeMap<u64, HashSet<u128>>,
    rejected: HashSet<u128>,
    recent: [HashSet<u128>; 2],
}

impl Seen {
    /// Looks up what was rejected from a source; `of` gives the identity of an event by its JSON.
    pub(crate) async fn new(
        lake: &Lake,
        key: Key,
        known_until: u64,
        source: &str,
        of: impl Fn(&str) -> Option<u128>,
    ) -> Result<Seen, Failed> {
        let mut rejected = HashSet::new();
        if let Some(snapshot) = lake.snapshot("rejects").await? {
            let ctx = session(snapshot)?;
            let quoted = source.replace('\'', "''");
            let sql = format!("select cast(original as bytea) as original from t where source = '{quoted}'");
            for batch in ctx.sql(&sql).await?.collect().await? {
                let originals = cast(batch.column(0), &DataType::Binary)?;
                let originals = originals.as_binary::<i32>();
                let texts = originals.iter().flatten().filter_map(|b| std::str::from_utf8(b).ok());
                rejected.extend(texts.filter_map(&of));
            }
        }
        Ok(Seen {
            lake: lake.clone(),
            key,
            known_until,
            hours: BTreeMap::new(),
            rejected,
            recent: Default::default(),
        })
    }

    /// Whether an event is new, and from now on not any more.
    pub(crate) async fn is_new(&mut self, id: u128, ms: u64) -> Result<bool, Failed> {
        if self.rejected.contains(&id) || self.recent.iter().any(|r| r.contains(&id)) {
            return Ok(false);
        }
        if ms < self.known_until && self.hour(ms / HOUR_MS).await?.contains(&id) {
            return Ok(false);
        }
        if self.recent[0].len() >= RECENT {
            self.recent.swap(0, 1);
            self.recent[0].clear();
        }
        self.recent[0].insert(id);
        Ok(true)
    }

    async fn hour(&mut self, hour: u64) -> Result<&HashSet<u128>, Failed> {
        if !self.hours.contains_key(&hour) {
            // Events come in the order of time: two hours are enough for those that do not quite.
            while self.hours.len() > 1 {
                self.hours.pop_first();
            }
            let found = self.load(hour).await?;
            self.hours.insert(hour, found);
        }
        Ok(&self.hours[&hour])
    }

    async fn load(&self, hour: u64) -> Result<HashSet<u128>, Failed> {
        let mut found = HashSet::new();
        let Some(snapshot) = self.lake.snapshot("logs").await? else { return Ok(found) };
        let ctx = session(snapshot)?;
        let name = Hour::of_micros(i64::try_from(hour * HOUR_MS * 1000)?);
        let columns = self.key.columns();
        let sql =
            format!("select * from (select {columns} from t where hour = '{name}') where id is not null");
        for batch in ctx.sql(&sql).await?.collect().await? {
            let text = |column: usize| cast(batch.column(column), &DataType::Utf8);
            let (ids, logs) = (text(0)?, text(2)?);
            let times = cast(batch.column(1), &DataType::Int64)?;
            let (ids, logs) = (ids.as_string::<i32>(), logs.as_string::<i32>());
            let times = times.as_primitive::<Int64Type>();
            for row in 0..batch.num_rows() {
                let log = if logs.is_null(row) { "" } else { logs.value(row) };
                found.insert(self.key.of(ids.value(row), times.value(row), log));
            }
        }
        Ok(found)
    }
}

fn session(snapshot: Snapshot) -> Result<SessionContext, Failed> {
    let ctx = SessionContext::new_with_config(SessionConfig::new().with_target_partitions(1));
    ctx.register_table("t", snapshot.provider())?;
    Ok(ctx)
}
