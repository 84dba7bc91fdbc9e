//! Writing: data files first, visible to nobody; then one commit that makes all of them visible at once.

use std::collections::{BTreeSet, HashSet};
use std::time::Duration;

use arrow::array::RecordBatch;
use futures::{Stream, StreamExt, TryStreamExt, stream};
use object_store::ObjectStoreExt;
use tokio::task::spawn_blocking;

use super::change::{Attempt, Attempts, Change, ChangeKind};
use super::delta::{CommitFailure, State, TableLog};
use super::parquet::{EncodedFile, Encoder};
use super::snapshot::DataFile;
use super::transactions::Transactions;
use super::{Error, Result};
use crate::domain::Hour;

/// How often a commit is tried on newer and newer versions. Mere appends of others do not count.
const MAX_ATTEMPTS: usize = 10;
/// Pause after the first lost race; doubles with each.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
/// Uploads at the same time.
const CONCURRENT_PUTS: usize = 8;

/// What an application records with a commit: how far it got with one source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction {
    /// Identity of the source.
    pub app_id: String,
    /// How far it was read; grows with every commit.
    pub version: i64,
}

/// What a commit made visible.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Committed {
    /// The table's version afterwards.
    pub version: u64,
    /// Files added.
    pub files: usize,
    /// Rows added.
    pub rows: u64,
    /// Bytes added.
    pub bytes: u64,
}

/// Writes to one table.
///
/// Files that were written and never committed belong to nobody: readers do not see them, and a crash between
/// the two leaves them behind as harmless orphans.
///
/// A commit with a [`Transaction`] promises that nobody else recorded the same source since this writer was
/// opened (or refreshed). So open the writer first, then ask [`TableWriter::transaction`] where to go on; or say
/// with [`TableWriter::since`] what was known.
#[derive(Debug)]
pub struct TableWriter {
    log: TableLog,
    encoder: Encoder,
    base: State,
    /// The version that the caller knows: what is recorded after it is news. `None`: it knew of no table.
    since: Option<u64>,
    transactions: Option<Transactions>,
    /// Ids that others recorded since this writer read them.
    foreign: HashSet<String>,
    pending: Vec<DataFile>,
    /// Whether a commit of the pending files failed, so that it may have happened all the same.
    uncertain: bool,
}

impl TableWriter {
    pub(super) async fn open(log: TableLog) -> Result<Self> {
        let base = log.load_or_create().await?;
        Ok(TableWriter {
            encoder: Encoder::new(log.contract()),
            since: Some(base.version()),
            log,
            base,
            transactions: None,
            foreign: HashSet::new(),
            pending: Vec::new(),
            uncertain: false,
        })
    }

    /// For a caller that read what is recorded before it opened this writer: from that version of the table (`None`:
    /// the table was not there). Whatever others recorded after it makes a commit of the same source fail, as it
    /// does by itself for what they record after the writer was opened.
    pub fn since(mut self, version: Option<u64>) -> Self {
        self.since = version;
        self.transactions = None;
        self.foreign.clear();
        self
    }

    /// The table's version that this writer builds on.
    pub fn version(&self) -> u64 {
        self.base.version()
    }

    /// An encoder for worker threads; hand its files to [`TableWriter::put`].
    pub fn encoder(&self) -> Encoder {
        self.encoder.clone()
    }

    /// Encodes a batch as a data file. Computes only: nothing is stored.
    pub fn encode(&self, region: &str, hour: Hour, batch: &RecordBatch) -> Result<EncodedFile> {
        self.encoder.encode(region, hour, batch)
    }

    /// Stores a data file, not yet visible.
    pub async fn put(&mut self, file: EncodedFile) -> Result<()> {
        self.put_all([file]).await
    }

    /// Stores data files, several at a time, not yet visible.
    pub async fn put_all(&mut self, files: impl IntoIterator<Item = EncodedFile>) -> Result<()> {
        self.put_stream(stream::iter(files.into_iter().map(Ok::<_, Error>)), CONCURRENT_PUTS, |e| e).await
    }

    /// Stores data files as they come, `at_once` at a time, not yet visible; the next ones are made meanwhile.
    pub async fn put_stream<E>(
        &mut self,
        files: impl Stream<Item = std::result::Result<EncodedFile, E>>,
        at_once: usize,
        wrap: impl Fn(Error) -> E,
    ) -> std::result::Result<(), E> {
        let storage = self.log.storage().clone();
        let wrap = &wrap;
        let stored = files
            .map_ok(|file| {
                let storage = storage.clone();
                async move {
                    let described = file.described();
                    match storage.store().put(&storage.path(&file.path), file.bytes.into()).await {
                        Ok(_) => Ok(described),
                        Err(e) => Err(wrap(Error::store(storage.shown(), "store a data file", e))),
                    }
                }
            })
            .try_buffered(at_once.max(1));
        let mut stored = std::pin::pin!(stored);
        while let Some(file) = stored.try_next().await? {
            self.pending.push(file);
        }
        Ok(())
    }

    /// Encodes and stores one batch of the table's file schema, sorted by time and all in one hour; not yet visible.
    pub async fn write(&mut self, region: &str, hour: Hour, batch: RecordBatch) -> Result<()> {
        let (encoder, region) = (self.encoder.clone(), region.to_owned());
        let encoded = spawn_blocking(move || encoder.encode(&region, hour, &batch)).await;
        let file =
            encoded.map_err(|e| Error::store(self.log.storage().shown(), "encode a data file", e))??;
        self.put(file).await
    }

    /// Gives the files away that wait for the next commit: somebody else commits them.
    pub fn take_pending(&mut self) -> Vec<DataFile> {
        std::mem::take(&mut self.pending)
    }

    /// Files that wait for the next commit.
    pub fn pending(&self) -> &[DataFile] {
        &self.pending
    }

    /// The version recorded for an application id, as of [`TableWriter::version`].
    pub async fn transaction(&mut self, app_id: &str) -> Result<Option<i64>> {
        let known = match self.transactions.take() {
            Some(known) => known,
            None => {
                let mut known = match self.since {
                    Some(version) => Transactions::load(&self.log, version).await?,
                    None => Transactions::none(),
                };
                self.foreign.extend(known.advance(&self.log, self.base.version()).await?);
                known
            }
        };
        let recorded = known.get(&self.log, &self.base, app_id).await;
        self.transactions = Some(known);
        recorded
    }

    /// Catches up with what others committed, and accepts it: from here on this writer knows about it.
    pub async fn refresh(&mut self) -> Result<()> {
        self.catch_up().await?;
        self.foreign.clear();
        self.since = Some(self.base.version());
        Ok(())
    }

    /// Moves to the newest version, noting which sources others recorded.
    async fn catch_up(&mut self) -> Result<()> {
        self.log.refresh(&mut self.base).await?;
        let version = self.base.version();
        if let Some(transactions) = &mut self.transactions {
            self.foreign.extend(transactions.advance(&self.log, version).await?);
        }
        Ok(())
    }

    /// Makes all files written since the last commit visible, together with the transactions, in one version.
    ///
    /// Appends of other writers do not disturb it. Without files and transactions it does nothing.
    ///
    /// # Errors
    /// [`Error::AlreadyCommitted`] when one of the sources was recorded by somebody else in the meantime, or is
    /// recorded that far already. Then nothing became visible and the files are gone: read again from what is
    /// recorded.
    pub async fn commit(&mut self, transactions: &[Transaction]) -> Result<Committed> {
        let (files, rows, bytes) = (
            self.pending.len(),
            self.pending.iter().map(|f| f.rows).sum(),
            self.pending.iter().map(|f| f.size).sum(),
        );
        if files == 0 && transactions.is_empty() {
            return Ok(Committed { version: self.version(), ..Committed::default() });
        }
        let mut pause = FIRST_PAUSE;
        for attempt in 1.. {
            self.check_transactions(transactions).await?;
            let failure = match self.log.commit(&self.base, &self.pending, transactions).await? {
                Ok(state) => {
                    self.landed(state, transactions).await?;
                    break;
                }
                Err(failure) => failure,
            };
            self.uncertain = true;
            self.catch_up().await?;
            // A store may retry a request whose answer was lost, and then find its own commit in the way.
            if self.is_landed(transactions).await? {
                self.landed(self.base.clone(), transactions).await?;
                break;
            }
            self.uncertain = false;
            match failure {
                // The check above names it, in the next round.
                CommitFailure::Transaction if attempt < MAX_ATTEMPTS => {}
                CommitFailure::Conflict(_) if attempt < MAX_ATTEMPTS => {}
                CommitFailure::Conflict(source) => {
                    return Err(Error::Contended {
                        table: self.log.contract().name.clone(),
                        attempts: attempt,
                        source: Box::new(source),
                    });
                }
                CommitFailure::Transaction => {
                    return Err(Error::Contended {
                        table: self.log.contract().name.clone(),
                        attempts: attempt,
                        source: "the same source was recorded again and again".into(),
                    });
                }
                // The files stay: whether the commit happened is not certain, and if it did they are needed.
                CommitFailure::Other(source) => return Err(self.log.commit_error(source)),
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
        Ok(Committed { version: self.version(), files, rows, bytes })
    }

    /// As [`TableWriter::commit`], but the files written take the place of everything that the table holds of those
    /// regions and hours.
    pub async fn commit_replacing(
        &mut self,
        partitions: &BTreeSet<(String, Hour)>,
        transactions: &[Transaction],
    ) -> Result<Committed> {
        if partitions.is_empty() {
            return self.commit(transactions).await;
        }
        let log = self.log.clone();
        let mut attempts = Attempts::new(&log);
        loop {
            self.check_transactions(transactions).await?;
            let stale = |f: &DataFile| partitions.contains(&(f.region.clone(), f.hour));
            let change = Change {
                kind: ChangeKind::Replace,
                add: self.pending.clone(),
                remove: self.log.files(&self.base)?.into_iter().filter(stale).collect(),
                transactions: transactions.to_vec(),
            };
            if let Attempt::Done(state) = attempts.attempt(&mut self.base, &change).await? {
                let committed = Committed {
                    version: state.version(),
                    files: change.add.len(),
                    rows: change.add.iter().map(|f| f.rows).sum(),
                    bytes: change.add.iter().map(|f| f.size).sum(),
                };
                self.landed(state, transactions).await?;
                return Ok(committed);
            }
            self.catch_up().await?;
        }
    }

    /// Refuses to record a source that somebody else recorded, or that is recorded that far.
    async fn check_transactions(&mut self, transactions: &[Transaction]) -> Result<()> {
        for wanted in transactions {
            let recorded = self.transaction(&wanted.app_id).await?;
            match recorded {
                Some(recorded) if recorded >= wanted.version || self.foreign.contains(&wanted.app_id) => {
                    self.abort().await;
                    return Err(Error::AlreadyCommitted {
                        table: self.log.contract().name.clone(),
                        app_id: wanted.app_id.clone(),
                        recorded,
                        got: wanted.version,
                    });
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Whether this very commit is in the log already.
    async fn is_landed(&mut self, transactions: &[Transaction]) -> Result<bool> {
        if let Some(file) = self.pending.first() {
            return Ok(self.log.lists(&self.base, &file.path));
        }
        // Transactions alone: if they are recorded as wanted, it does not matter by whom.
        for wanted in transactions {
            if self.transaction(&wanted.app_id).await? != Some(wanted.version) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn landed(&mut self, state: State, transactions: &[Transaction]) -> Result<()> {
        self.pending.clear();
        self.uncertain = false;
        self.base = state;
        if let Some(known) = &mut self.transactions {
            let changed = known.advance(&self.log, self.base.version()).await?;
            let own = |id: &String| transactions.iter().any(|t| &t.app_id == id);
            self.foreign.extend(changed.into_iter().filter(|id| !own(id)));
        }
        self.foreign.retain(|id| !transactions.iter().any(|t| &t.app_id == id));
        Ok(())
    }

    /// Gives up the files that were written since the last commit and deletes them, as far as that works; not if a
    /// commit of them failed in a way that leaves open whether it happened.
    pub async fn abort(&mut self) {
        if self.uncertain {
            let landed = match self.catch_up().await {
                Ok(()) => self.pending.first().is_some_and(|file| self.log.lists(&self.base, &file.path)),
                Err(_) => true,
            };
            if landed {
                self.pending.clear();
            }
            self.uncertain = false;
        }
        let storage = self.log.storage().clone();
        stream::iter(self.pending.drain(..))
            .for_each_concurrent(CONCURRENT_PUTS, |file| {
                let storage = storage.clone();
                async move {
                    // What stays behind is an orphan, which is harmless.
                    let _ = storage.store().delete(&storage.path(&file.path)).await;
                }
            })
            .await;
    }
}
