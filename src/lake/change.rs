//! Committing a change against other writers: look at the newest version, try, and on a lost race look again.

use std::collections::HashSet;
use std::time::Duration;

use futures::{StreamExt, stream};
use object_store::ObjectStoreExt;

use super::delta::{CommitFailure, State, TableLog};
use super::parquet::EncodedFile;
use super::snapshot::DataFile;
use super::writer::Transaction;
use super::{Error, Result};

/// How often a change is tried. Every commit of somebody else in between costs one.
const MAX_ATTEMPTS: usize = 60;
/// Pause after the first lost race; doubles with each, up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_millis(400);
/// Deletions and uploads at the same time.
const CONCURRENT: usize = 8;

/// A commit that does more than append.
#[derive(Debug, Clone)]
pub(super) struct Change {
    pub(super) kind: ChangeKind,
    pub(super) add: Vec<DataFile>,
    pub(super) remove: Vec<DataFile>,
    pub(super) transactions: Vec<Transaction>,
}

/// Why files are exchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ChangeKind {
    /// The same rows in other files.
    Compact { target: u64 },
    /// Rows that are old enough to go.
    Retain,
    /// The files of an older version.
    Restore { version: u64 },
    /// Rows that were computed anew.
    Replace,
    /// Rows that were rejected before.
    Replay,
}

/// What became of an attempt.
pub(super) enum Attempt {
    /// It is committed.
    Done(State),
    /// Somebody else was faster: plan again on the newest version.
    Lost,
}

/// The attempts of one change.
#[derive(Debug)]
pub(super) struct Attempts<'a> {
    log: &'a TableLog,
    made: usize,
    pause: Duration,
}

impl<'a> Attempts<'a> {
    pub(super) fn new(log: &'a TableLog) -> Self {
        Attempts { log, made: 0, pause: FIRST_PAUSE }
    }

    /// Tries to commit on top of `base`, the newest version as the caller knows it, and catches up with the table.
    pub(super) async fn attempt(&mut self, base: &mut State, change: &Change) -> Result<Attempt> {
        let failure = match self.log.change(base, change).await? {
            Ok(state) => return Ok(Attempt::Done(state)),
            Err(failure) => failure,
        };
        self.log.refresh(base).await?;
        // A store may repeat a request whose answer was lost, and then find its own commit in the way.
        // Any of its files tells, since others may have merged some of them; but not those of a restore, which had
        // been listed before and may be listed again by another one: that plans anew and finds nothing left to do.
        let own = !matches!(change.kind, ChangeKind::Restore { .. });
        if own && self.is_done(base, change).await? {
            return Ok(Attempt::Done(base.clone()));
        }
        self.made += 1;
        match failure {
            CommitFailure::Other(source) => return Err(self.log.commit_error(source)),
            CommitFailure::Conflict(source) if self.made >= MAX_ATTEMPTS => {
                return Err(Error::Contended {
                    table: self.log.contract().name.clone(),
                    attempts: self.made,
                    source: Box::new(source),
                });
            }
            CommitFailure::Conflict(_) | CommitFailure::Transaction => {}
        }
        tokio::time::sleep(self.pause).await;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        Ok(Attempt::Lost)
    }

    /// Whether a version shows a change: by a file that it adds, or, where it only takes away, by what it records.
    async fn is_done(&self, base: &State, change: &Change) -> Result<bool> {
        if !change.add.is_empty() {
            let listed = self.log.files(base)?;
            let listed: HashSet<&str> = listed.iter().map(|f| f.path.as_str()).collect();
            return Ok(change.add.iter().any(|f| listed.contains(f.path.as_str())));
        }
        for wanted in &change.transactions {
            if self.log.transaction(base, &wanted.app_id).await? != Some(wanted.version) {
                return Ok(false);
            }
        }
        Ok(!change.transactions.is_empty())
    }
}

/// Stores an encoded file, not yet visible.
pub(super) async fn store(log: &TableLog, file: EncodedFile) -> Result<DataFile> {
    let storage = log.storage();
    let described = file.described();
    let put = storage.store().put(&storage.path(&file.path), file.bytes.into()).await;
    put.map_err(|e| Error::store(storage.shown(), "store a data file", e))?;
    Ok(described)
}

/// Deletes files that never became visible, as far as that works; what stays behind is a harmless orphan.
pub(super) async fn discard(log: &TableLog, files: impl IntoIterator<Item = DataFile>) {
    let storage = log.storage();
    stream::iter(files)
        .for_each_concurrent(CONCURRENT, |file| async move {
            let _ = storage.store().delete(&storage.path(&file.path)).await;
        })
        .await;
}
