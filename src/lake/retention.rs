//! Retention: whole hours that are older than a table keeps are taken off it. Their files stay until a vacuum, so
//! that older versions can still be read.

use super::Result;
use super::change::{Attempt, Attempts, Change, ChangeKind};
use super::open::Lake;
use super::snapshot::DataFile;
use crate::domain::Hour;

/// What retention took off a table, or would take.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Retained {
    /// The table's version afterwards.
    pub version: u64,
    /// Hours, counted per region.
    pub partitions: usize,
    /// Files.
    pub files: usize,
    /// Rows.
    pub rows: u64,
    /// Bytes.
    pub bytes: u64,
    /// The first hour of them.
    pub first: Option<Hour>,
    /// The last hour of them.
    pub last: Option<Hour>,
}

impl Retained {
    fn of(version: u64, files: &[DataFile]) -> Self {
        let mut partitions: Vec<_> = files.iter().map(|f| (f.hour, &f.region)).collect();
        partitions.sort_unstable();
        partitions.dedup();
        Retained {
            version,
            partitions: partitions.len(),
            files: files.len(),
            rows: files.iter().map(|f| f.rows).sum(),
            bytes: files.iter().map(|f| f.size).sum(),
            first: files.iter().map(|f| f.hour).min(),
            last: files.iter().map(|f| f.hour).max(),
        }
    }
}

impl Lake {
    /// Takes every hour off a table that has ended at `before` (UTC microseconds).
    pub async fn retain(&self, table: &str, before: i64, dry_run: bool) -> Result<Retained> {
        let Some(snapshot) = self.snapshot(table).await? else { return Ok(Retained::default()) };
        let old = |files: &[DataFile]| -> Vec<DataFile> {
            files.iter().filter(|f| f.hour.end() <= before).cloned().collect()
        };
        let found = old(snapshot.files());
        if dry_run || found.is_empty() {
            return Ok(Retained::of(snapshot.version(), &found));
        }
        let log = self.log(table)?;
        let mut attempts = Attempts::new(&log);
        let mut base = log.load_or_create().await?;
        loop {
            let remove = old(&log.files(&base)?);
            if remove.is_empty() {
                return Ok(Retained::of(base.version(), &[]));
            }
            let change =
                Change { kind: ChangeKind::Retain, add: Vec::new(), remove, transactions: Vec::new() };
            if let Attempt::Done(state) = attempts.attempt(&mut base, &change).await? {
                return Ok(Retained::of(state.version(), &change.remove));
            }
        }
    }
}
