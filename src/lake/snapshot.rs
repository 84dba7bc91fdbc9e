//! One version of one table.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::catalog::TableProvider;
use futures::{StreamExt, TryStreamExt, stream};
use tokio::sync::OnceCell;

use super::Result;
use super::delta::{CommitMark, State, TableLog};
use super::provider::{LakeTable, query_schema};
use super::transactions::Transactions;
use crate::domain::Hour;

/// Commits read at the same time.
const CONCURRENT_READS: usize = 16;

/// One data file of a table, as the transaction log describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataFile {
    /// Path relative to the table.
    pub path: String,
    /// Size in bytes.
    pub size: u64,
    /// Region of all its rows.
    pub region: String,
    /// Hour of all its rows.
    pub hour: Hour,
    /// Rows; 0 when another tool wrote the file and did not say.
    pub rows: u64,
    /// No row is earlier (UTC microseconds).
    pub min_time: i64,
    /// No row is later (UTC microseconds).
    pub max_time: i64,
    /// Whether `rows` is known, and both times are times of rows rather than bounds.
    pub exact: bool,
    /// When it was written (UTC milliseconds).
    pub modified: i64,
}

/// What changed in a table since a version of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Files with new rows.
    pub added: Vec<DataFile>,
    /// All files of the regions and hours whose content is another one.
    pub whole: Vec<DataFile>,
    /// Those regions and hours.
    pub rewritten: BTreeSet<(String, Hour)>,
}

/// One version of one table: its files, and what can be asked of its log. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Snapshot {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    log: TableLog,
    state: State,
    /// Tells this version of this table from the same version of one made anew in its place.
    mark: Option<CommitMark>,
    files: Arc<[DataFile]>,
    transactions: OnceCell<Transactions>,
}

impl Snapshot {
    pub(super) async fn new(log: TableLog, state: State) -> Result<Self> {
        let mut files = log.files(&state)?;
        sort(&mut files);
        let mark = log.mark(state.version()).await?;
        let inner = Inner { log, state, mark, files: files.into(), transactions: OnceCell::new() };
        Ok(Snapshot { inner: Arc::new(inner) })
    }

    /// The newest version of the same table. `None`: that table is gone, whatever lies there now.
    pub(super) async fn newest(&self) -> Result<Option<Self>> {
        let Inner { log, state, mark, .. } = &*self.inner;
        if mark.is_none() || log.mark(self.version()).await? != *mark {
            return Ok(None);
        }
        let mut newest = state.clone();
        log.refresh(&mut newest).await?;
        if newest.version() == self.version() {
            return Ok(Some(self.clone()));
        }
        Ok(Some(Snapshot::new(log.clone(), newest).await?))
    }

    /// The table's name.
    pub fn table(&self) -> &'static str {
        &self.inner.log.contract().name
    }

    /// The version: one more with every commit.
    pub fn version(&self) -> u64 {
        self.inner.state.version()
    }

    /// The active files, by time, then region and path.
    pub fn files(&self) -> &[DataFile] {
        &self.inner.files
    }

    /// Rows in the table.
    pub fn rows(&self) -> u64 {
        self.files().iter().map(|f| f.rows).sum()
    }

    /// Bytes of the active files.
    pub fn bytes(&self) -> u64 {
        self.files().iter().map(|f| f.size).sum()
    }

    /// The schema of [`Snapshot::provider`]: the contract's columns, then `region` and `hour`; text as string views.
    pub fn schema(&self) -> SchemaRef {
        query_schema(self.inner.log.contract())
    }

    /// The version that an application id recorded with its last commit.
    pub async fn transaction(&self, app_id: &str) -> Result<Option<i64>> {
        let Inner { log, state, transactions, .. } = &*self.inner;
        let all = transactions.get_or_try_init(|| Transactions::load(log, state.version())).await?;
        all.get(log, state, app_id).await
    }

    /// The newest version whose commit recorded a value from 0 to `at_most` for an application id, and that value.
    pub async fn last_recorded(&self, app_id: &str, at_most: i64) -> Result<Option<(u64, i64)>> {
        let log = &self.inner.log;
        let versions = (0..=self.version()).rev();
        let mut entries = Box::pin(
            stream::iter(versions)
                .map(|v| async move { Ok::<_, super::Error>((v, log.entry(v).await?)) })
                .buffered(CONCURRENT_READS),
        );
        while let Some((version, entry)) = entries.try_next().await? {
            let Some(entry) = entry else { return Ok(None) };
            let found =
                entry.transactions.iter().find(|t| t.app_id == app_id && (0..=at_most).contains(&t.version));
            if let Some(found) = found {
                return Ok(Some((version, found.version)));
            }
        }
        Ok(None)
    }

    /// What changed after `version`, up to this version; `None` when the log cannot tell any more.
    ///
    /// A file that was since merged into a bigger one is still listed as it was (its rows are new, the bigger file also
    /// holds old ones), and one whose rows were deleted is not.
    ///
    /// Compaction changes nothing, and retention nothing that follows from the rows that it took. Of a region and hour
    /// that lost rows in any other way, or got an older version's files back, the whole content is given.
    pub async fn changes_since(&self, version: u64) -> Result<Option<Changes>> {
        if version > self.version() {
            // Not an older version of this table: it was made anew.
            return Ok(None);
        }
        let log = &self.inner.log;
        let entries: Vec<_> = stream::iter(version + 1..=self.version())
            .map(|v| log.entry(v))
            .buffered(CONCURRENT_READS)
            .try_collect()
            .await?;
        let (mut added, mut deleted, mut rewritten) = (Vec::new(), HashSet::new(), BTreeSet::new());
        for entry in entries {
            let Some(entry) = entry else { return Ok(None) };
            if !entry.is_retention() {
                for partition in &entry.deleted_from {
                    let Some(partition) = partition else { return Ok(None) };
                    rewritten.insert(partition.clone());
                }
            }
            if entry.operation.as_deref() == Some("RESTORE") {
                rewritten.extend(entry.added.iter().map(|f| (f.region.clone(), f.hour)));
            }
            deleted.extend(entry.deleted);
            added.extend(entry.added);
        }
        let is_rewritten = |f: &DataFile| rewritten.contains(&(f.region.clone(), f.hour));
        added.retain(|file| !deleted.contains(&file.path) && !is_rewritten(file));
        let active: HashSet<&str> = self.files().iter().map(|f| f.path.as_str()).collect();
        for file in &added {
            // Merged away: the old file stays until it is vacuumed.
            if !active.contains(file.path.as_str()) && !log.storage().exists(&file.path).await? {
                return Ok(None);
            }
        }
        let whole: Vec<DataFile> = self.files().iter().filter(|f| is_rewritten(f)).cloned().collect();
        sort(&mut added);
        Ok(Some(Changes { added, whole, rewritten }))
    }

    /// This version as a table of the query engine.
    pub fn provider(&self) -> Arc<dyn TableProvider> {
        self.provider_of(self.inner.files.clone())
    }

    /// Only these files of the table, as a table of the query engine.
    pub fn provider_over(&self, files: Vec<DataFile>) -> Arc<dyn TableProvider> {
        let mut files = files;
        sort(&mut files);
        self.provider_of(files.into())
    }

    fn provider_of(&self, files: Arc<[DataFile]>) -> Arc<dyn TableProvider> {
        let log = &self.inner.log;
        Arc::new(LakeTable::new(log.contract(), log.storage().clone(), files))
    }
}

/// One order for everybody: plans, and so results that depend on the order of files, must not change between runs.
fn sort(files: &mut [DataFile]) {
    files.sort_by(|a, b| {
        (a.min_time, a.max_time, &a.region, &a.path).cmp(&(b.min_time, b.max_time, &b.region, &b.path))
    });
}
