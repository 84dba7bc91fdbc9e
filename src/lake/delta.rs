//! The transaction log, in words of the lake. The only file that names `deltalake_core`.
//!
//! Tables are plain: reader protocol 1, writer protocol 2, no deletion vectors, no column mapping, so that every
//! engine that reads Delta, and every engine that reads Parquet folders, reads them.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use arrow::datatypes::Schema;
use deltalake_core::DeltaTableError;
use deltalake_core::kernel::engine::arrow_conversion::TryIntoKernel;
use deltalake_core::kernel::transaction::{
    CommitBuilder, CommitConflictError, CommitProperties, TransactionError,
};
use deltalake_core::kernel::{
    Action, Add, CommitInfo, Metadata, MetadataExt, Protocol, Remove, StructField, StructType,
    Transaction as Txn, new_metadata,
};
use deltalake_core::logstore::{CommitOrBytes, LogStoreRef, StorageConfig, default_logstore, get_actions};
use deltalake_core::protocol::{DeltaOperation, SaveMode};
use deltalake_core::table::state::DeltaTableState;
use object_store::ObjectStoreExt;
use object_store::prefix::PrefixStore;
use serde_json::{Value, json};

use super::change::{Change, ChangeKind};
use super::layout::LOG_FOLDER;
use super::snapshot::DataFile;
use super::stats::{self, FileStats};
use super::storage::Storage;
use super::writer::Transaction;
use super::{Error, Result};
use crate::contract::Table;
use crate::domain::{Hour, PARTITION_COLUMNS, UNKNOWN_REGION};

/// Commits between two checkpoints: a reader opens the newest checkpoint and then every commit after it.
const CHECKPOINT_INTERVAL: &str = "20";

/// Reader features that change nothing for somebody who reads the active files with plain Parquet.
const HARMLESS_FEATURES: [&str; 3] = ["v2Checkpoint", "vacuumProtocolCheck", "timestampNtz"];

/// The log of one table.
#[derive(Clone)]
pub(super) struct TableLog {
    contract: &'static Table,
    storage: Arc<Storage>,
    store: LogStoreRef,
}

impl std::fmt::Debug for TableLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TableLog")
            .field("table", &self.contract.name)
            .field("place", &self.storage.shown())
            .finish()
    }
}

/// One version of the log, replayed.
#[derive(Debug, Clone)]
pub(super) struct State(DeltaTableState);

/// When a commit was written, and how long it is. Commits are never changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CommitMark(chrono::DateTime<chrono::Utc>, u64);

/// What one commit did, as far as the lake asks.
#[derive(Debug, Default)]
pub(super) struct Entry {
    /// Files with new rows.
    pub(super) added: Vec<DataFile>,
    /// Files with rows that stood elsewhere before.
    pub(super) moved: Vec<DataFile>,
    /// Paths of files whose rows left the table.
    pub(super) deleted: HashSet<String>,
    /// The region and hour of each of them; `None` where the log does not say.
    pub(super) deleted_from: Vec<Option<(String, Hour)>>,
    /// Files taken off the table, those whose rows stay included.
    pub(super) removed: usize,
    /// Bytes of them, as far as the log says.
    pub(super) removed_bytes: u64,
    /// Application transactions.
    pub(super) transactions: Vec<Transaction>,
    /// The kind of commit, such as `WRITE`.
    pub(super) operation: Option<String>,
    /// What it was asked to do.
    pub(super) parameters: BTreeMap<String, Value>,
    /// Rows that left the table, where the writer says so.
    pub(super) removed_rows: Option<u64>,
    /// When it was committed (UTC milliseconds).
    pub(super) timestamp: Option<i64>,
    /// The program that committed.
    pub(super) engine: Option<String>,
}

/// Key and value in a commit's parameters that tell retention from other deletions.
const REASON: &str = "reason";
const RETENTION: &str = "retention";

/// Why a commit did not happen.
#[derive(Debug)]
pub(super) enum CommitFailure {
    /// Another writer recorded the same application id since the base version.
    Transaction,
    /// Another conflict; the commit may be tried again on a newer base.
    Conflict(DeltaTableError),
    /// Anything else. The commit may even have happened, when only its acknowledgement was lost.
    Other(DeltaTableError),
}

impl TableLog {
    pub(super) fn new(contract: &'static Table, storage: Storage) -> Self {
        let root = storage.store().clone();
        let table = Arc::new(PrefixStore::new(root.clone(), storage.prefix().clone()));
        let store = default_logstore(table, root, storage.url(), &StorageConfig::default());
        TableLog { contract, storage: Arc::new(storage), store }
    }

    pub(super) fn contract(&self) -> &'static Table {
        self.contract
    }

    pub(super) fn storage(&self) -> &Arc<Storage> {
        &self.storage
    }

    fn fail(&self, doing: &'static str, source: DeltaTableError) -> Error {
        Error::log(&self.contract.name, self.storage.shown(), doing, source)
    }

    /// Replays the log up to a version (the newest, if none is named). `None`: there is no such table.
    pub(super) async fn load(&self, version: Option<u64>) -> Result<Option<State>> {
        // Of a local folder that is not there, the log reader would say that the location is invalid.
        if self.storage.lacks(LOG_FOLDER).await? {
            return Ok(None);
        }
        let state = match DeltaTableState::try_new(self.store.as_ref(), version).await {
            Ok(state) => State(state),
            Err(DeltaTableError::NotATable(_)) => return Ok(None),
            Err(error) => {
                let Some(got) = version else { return Err(self.fail("read its log", error)) };
                // Whether that version does not exist, or cannot be read, only the newest one tells.
                let Some(newest) = Box::pin(self.load(None)).await? else { return Ok(None) };
                return Err(if got > newest.version() {
                    Error::Version { table: self.contract.name.clone(), got, latest: newest.version() }
                } else {
                    self.fail("read an older version of its log", error)
                });
            }
        };
        self.check_protocol(&state)?;
        self.missing_columns(&state)?;
        Ok(Some(state))
    }

    /// Makes the table, or loads it when it is there (also when another process was faster).
    pub(super) async fn load_or_create(&self) -> Result<State> {
        if let Some(state) = self.load(None).await? {
            return Ok(state);
        }
        let doing = "create the table";
        let schema = self.kernel_schema(&self.contract.table_schema())?;
        let configuration = [
            ("delta.checkpointInterval", CHECKPOINT_INTERVAL),
            ("delta.dataSkippingStatsColumns", self.contract.time.as_str()),
        ];
        let metadata = new_metadata(&schema, PARTITION_COLUMNS, configuration)
            .and_then(|m| m.with_name(self.contract.name.clone()))
            .map_err(|e| self.fail(doing, e.into()))?;
        let protocol: Protocol =
            serde_json::from_value(json!({ "minReaderVersion": 1, "minWriterVersion": 2 }))
                .map_err(|e| self.fail(doing, DeltaTableError::generic(e.to_string())))?;
        let actions =
            [commit_info("CREATE TABLE", None), Action::Protocol(protocol), Action::Metadata(metadata)];
        let lines: Vec<String> = actions
            .iter()
            .map(serde_json::to_string)
            .collect::<Result<_, _>>()
            .map_err(|json_err| self.fail(doing, DeltaTableError::SerializeLogJson { json_err }))?;
        let bytes = CommitOrBytes::LogBytes(lines.join("\n").into());
        match self.store.write_commit_entry(0, bytes, Default::default()).await {
            Ok(()) | Err(TransactionError::VersionAlreadyExists(_)) => {}
            Err(error) => return Err(self.fail(doing, error.into())),
        }
        self.load(None).await?.ok_or_else(|| {
            self.fail(
                doing,
                DeltaTableError::generic("the first commit was written but cannot be found again"),
            )
        })
    }

    /// Brings a replayed log up to the newest version.
    pub(super) async fn refresh(&self, state: &mut State) -> Result<()> {
        state.0.update(self.store.as_ref(), None).await.map_err(|e| self.fail("read its log", e))?;
        self.check_protocol(state)?;
        self.missing_columns(state)?;
        Ok(())
    }

    /// What identifies the commit of a version; `None` when the log does not hold it any more.
    pub(super) async fn mark(&self, version: u64) -> Result<Option<CommitMark>> {
        let path = self.storage.path(&format!("{LOG_FOLDER}/{version:020}.json"));
        match self.storage.store().head(&path).await {
            Ok(meta) => Ok(Some(CommitMark(meta.last_modified, meta.size))),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(e) => Err(self.fail("read its log", e.into())),
        }
    }

    fn kernel_schema(&self, schema: &Schema) -> Result<StructType> {
        schema
            .try_into_kernel()
            .map_err(|e: arrow::error::ArrowError| self.fail("spell its schema", e.into()))
    }

    /// Refuses a table whose active files do not tell the whole story.
    fn check_protocol(&self, state: &State) -> Result<()> {
        let protocol = serde_json::to_value(state.0.protocol()).unwrap_or(Value::Null);
        let refuse = |feature: String| Err(Error::Feature { table: self.contract.name.clone(), feature });
        let reader = protocol.get("minReaderVersion").and_then(Value::as_i64).unwrap_or(1);
        let features = protocol.get("readerFeatures").and_then(Value::as_array).cloned().unwrap_or_default();
        if let Some(feature) =
            features.iter().filter_map(Value::as_str).find(|f| !HARMLESS_FEATURES.contains(f))
        {
            return refuse(format!("`{feature}`"));
        }
        let mapping = state.0.metadata().configuration().get("delta.columnMapping.mode").cloned();
        match mapping {
            Some(mode) if mode != "none" => refuse(format!("column mapping `{mode}`")),
            _ if reader > 3 => refuse(format!("reader version {reader}")),
            _ => Ok(()),
        }
    }

    /// The columns that the contract gained since the table was last written; they read as NULL.
    fn missing_columns(&self, state: &State) -> Result<Vec<StructField>> {
        let wanted = self.kernel_schema(&self.contract.table_schema())?;
        let stored = state.0.schema();
        let wrong = |column: &str, expected: String, got: String| {
            Err(Error::Schema { table: self.contract.name.clone(), column: column.to_owned(), expected, got })
        };
        let partitions = state.0.metadata().partition_columns();
        if partitions.iter().ne(PARTITION_COLUMNS.iter()) {
            return wrong(
                &partitions.join(", "),
                "partitions by region, hour".into(),
                "partitions by these".into(),
            );
        }
        let mut missing = Vec::new();
        for field in wanted.fields() {
            match stored.field(field.name()) {
                Some(found) if found.data_type() == field.data_type() => {}
                Some(found) => {
                    return wrong(field.name(), field.data_type().to_string(), found.data_type().to_string());
                }
                None if field.is_nullable() => missing.push(field.clone()),
                None => {
                    return wrong(
                        field.name(),
                        format!("{}, never NULL", field.data_type()),
                        "no column".into(),
                    );
                }
            }
        }
        Ok(missing)
    }

    /// The table's description with the columns that it lacks, if it lacks any.
    fn evolved(&self, state: &State) -> Result<Option<Metadata>> {
        let missing = self.missing_columns(state)?;
        if missing.is_empty() {
            return Ok(None);
        }
        let fields = state.0.schema().fields().cloned().chain(missing).collect::<Vec<_>>();
        let fail = |e: DeltaTableError| self.fail("add columns", e);
        let schema = StructType::try_new(fields).map_err(|e| fail(e.into()))?;
        let metadata = state.0.metadata().clone().with_schema(&schema).map_err(|e| fail(e.into()))?;
        Ok(Some(metadata))
    }

    /// The active files of a version.
    pub(super) fn files(&self, state: &State) -> Result<Vec<DataFile>> {
        let log = state.0.log_data();
        let mut files = Vec::with_capacity(log.num_files());
        for view in log.iter() {
            if view.deletion_vector_descriptor().is_some() {
                let feature = format!("`deletionVectors`, on the file {}", view.path());
                return Err(Error::Feature { table: self.contract.name.clone(), feature });
            }
            let (size, modified) = (view.size(), view.modification_time());
            let partition = view.partition_values_map();
            files.push(self.data_file(
                view.path().into_owned(),
                size,
                modified,
                &partition,
                view.stats().as_deref(),
            )?);
        }
        Ok(files)
    }

    /// Whether a version lists a file.
    pub(super) fn lists(&self, state: &State, path: &str) -> bool {
        state.0.log_data().iter().any(|view| view.path() == path)
    }

    fn data_file(
        &self,
        path: String,
        size: i64,
        modified: i64,
        partition: &HashMap<String, Option<String>>,
        stats: Option<&str>,
    ) -> Result<DataFile> {
        let wrong = |expected: &str, got: &str| Error::Entry {
            table: self.contract.name.clone(),
            file: path.clone(),
            expected: expected.to_owned(),
            got: got.to_owned(),
        };
        if path.contains("://") || path.starts_with('/') {
            return Err(wrong("a path below the table", "an absolute one"));
        }
        let value = |key: &str| partition.get(key).and_then(Option::as_deref);
        let hour_text = value("hour").unwrap_or("NULL");
        let hour: Hour = hour_text
            .parse()
            .map_err(|_| wrong("a partition value such as hour=2025-01-15T13", hour_text))?;
        let size = u64::try_from(size).map_err(|_| wrong("a size", &size.to_string()))?;
        let region = value("region").filter(|r| !r.is_empty()).unwrap_or(UNKNOWN_REGION).to_owned();
        let facts = stats.map(|text| stats::from_json(&self.contract.time, text)).unwrap_or_default();
        let (first, last) = (hour.start(), hour.end() - 1);
        Ok(DataFile {
            size,
            region,
            hour,
            rows: facts.rows.unwrap_or(0),
            // The hour bounds the times even where the statistics do not.
            min_time: facts.min.map_or(first, |t| t.max(first)),
            max_time: facts.max.map_or(last, |t| t.min(last)),
            exact: facts.exact && facts.rows.is_some(),
            modified,
            path,
        })
    }

    /// What a commit did; `None` when the log does not hold it any more.
    pub(super) async fn entry(&self, version: u64) -> Result<Option<Entry>> {
        let doing = "read a commit of its log";
        let bytes = self.store.read_commit_entry(version).await.map_err(|e| self.fail(doing, e))?;
        let Some(bytes) = bytes else { return Ok(None) };
        let mut entry = Entry::default();
        for action in get_actions(version, &bytes).map_err(|e| self.fail(doing, e))? {
            match action {
                Action::Add(add) => {
                    let stats = add.stats.as_deref();
                    let (size, modified) = (add.size, add.modification_time);
                    let file = self.data_file(add.path, size, modified, &add.partition_values, stats)?;
                    if add.data_change { entry.added.push(file) } else { entry.moved.push(file) }
                }
                Action::Remove(remove) => {
                    entry.removed += 1;
                    entry.removed_bytes += remove.size.and_then(|s| u64::try_from(s).ok()).unwrap_or(0);
                    if remove.data_change {
                        entry.deleted_from.push(remove.partition_values.as_ref().and_then(partition));
                        entry.deleted.insert(remove.path);
                    }
                }
                Action::Txn(txn) => {
                    entry.transactions.push(Transaction { app_id: txn.app_id, version: txn.version });
                }
                Action::CommitInfo(info) => {
                    let metrics = info.info.get("operationMetrics");
                    let removed_rows = metrics.and_then(|m| m.get(REMOVED_ROWS));
                    entry.removed_rows = removed_rows.and_then(Value::as_u64);
                    entry.operation = info.operation;
                    entry.parameters = info.operation_parameters.into_iter().flatten().collect();
                    entry.timestamp = info.timestamp;
                    entry.engine = info.engine_info;
                }
                _ => {}
            }
        }
        Ok(Some(entry))
    }

    /// One attempt to commit a change on top of `base`, which has to be the newest version: whoever exchanges files
    /// has to look at what others did in between, and only the caller knows what to look for.
    ///
    /// The library's own check would let two merges of the same files pass, because neither changes data.
    pub(super) async fn change(&self, base: &State, change: &Change) -> Result<Result<State, CommitFailure>> {
        let data_change = !matches!(change.kind, ChangeKind::Compact { .. });
        let mut actions = vec![change.info(base.version())];
        actions.extend(self.evolved(base)?.map(Action::Metadata));
        let now = chrono::Utc::now().timestamp_millis();
        actions.extend(change.remove.iter().map(|file| {
            Action::Remove(Remove {
                path: file.path.clone(),
                data_change,
                deletion_timestamp: Some(now),
                extended_file_metadata: Some(true),
                partition_values: Some(partition_values(file)),
                size: i64::try_from(file.size).ok(),
                ..Default::default()
            })
        }));
        actions.extend(change.add.iter().map(|file| Action::Add(Add { data_change, ..self.add(file) })));
        let properties = CommitProperties::default()
            .with_max_retries(0)
            .with_cleanup_expired_logs(Some(false))
            .with_application_transactions(
                change.transactions.iter().map(|t| Txn::new(&t.app_id, t.version)).collect(),
            );
        let commit = CommitBuilder::from(properties)
            .with_actions(actions)
            .build(Some(&base.0), self.store.clone(), change.operation())
            .await;
        Ok(outcome(commit.map(|done| State(done.snapshot()))))
    }

    /// The version recorded for one application id; replays the log for it.
    pub(super) async fn transaction(&self, state: &State, app_id: &str) -> Result<Option<i64>> {
        let found = state.0.transaction_version(self.store.as_ref(), app_id).await;
        found.map_err(|e| self.fail("read its transactions", e))
    }

    /// One attempt to commit files and transactions on top of `base`; gives the new version.
    ///
    /// Appends of others since `base` do not matter, so they are stepped over.
    pub(super) async fn commit(
        &self,
        base: &State,
        files: &[DataFile],
        transactions: &[Transaction],
    ) -> Result<Result<State, CommitFailure>> {
        let mut actions = vec![commit_info("WRITE", Some(base.version()))];
        actions.extend(self.evolved(base)?.map(Action::Metadata));
        actions.extend(files.iter().map(|file| Action::Add(self.add(file))));
        let properties = CommitProperties::default()
            // Somebody may have pinned an old version, and pins need the log that leads to it.
            .with_cleanup_expired_logs(Some(false))
            .with_application_transactions(
                transactions.iter().map(|t| Txn::new(&t.app_id, t.version)).collect(),
            );
        let commit = CommitBuilder::from(properties)
            .with_actions(actions)
            .build(Some(&base.0), self.store.clone(), append())
            .await;
        Ok(outcome(commit.map(|done| State(done.snapshot()))))
    }

    fn add(&self, file: &DataFile) -> Add {
        let facts = FileStats { rows: file.rows, min: file.min_time, max: file.max_time };
        let stats = match file.exact {
            true => Some(stats::to_json(&self.contract.time, facts)),
            // Bounds that are not times of rows must not come back as such.
            false => (file.rows > 0).then(|| json!({ "numRecords": file.rows }).to_string()),
        };
        Add {
            path: file.path.clone(),
            partition_values: partition_values(file),
            size: i64::try_from(file.size).unwrap_or(i64::MAX),
            modification_time: file.modified,
            data_change: true,
            stats,
            ..Default::default()
        }
    }

    /// The error of a commit that could not be made.
    pub(super) fn commit_error(&self, failure: DeltaTableError) -> Error {
        self.fail("commit", failure)
    }
}

impl CommitMark {
    /// When it was written (UTC microseconds).
    pub(super) fn micros(self) -> i64 {
        self.0.timestamp_micros()
    }
}

impl State {
    pub(super) fn version(&self) -> u64 {
        self.0.version()
    }
}

impl Change {
    fn operation(&self) -> DeltaOperation {
        match self.kind {
            ChangeKind::Compact { target } => DeltaOperation::Optimize {
                predicate: None,
                target_size: i64::try_from(target).unwrap_or(i64::MAX),
            },
            ChangeKind::Retain | ChangeKind::Replace => DeltaOperation::Delete { predicate: None },
            ChangeKind::Restore { version } => {
                DeltaOperation::Restore { version: Some(version), datetime: None }
            }
            ChangeKind::Replay => append(),
        }
    }

    fn info(&self, read_version: u64) -> Action {
        let (operation, parameter) = match self.kind {
            ChangeKind::Compact { target } => ("OPTIMIZE", ("targetSize", json!(target))),
            ChangeKind::Retain => ("DELETE", (REASON, json!(RETENTION))),
            ChangeKind::Restore { version } => ("RESTORE", ("version", json!(version))),
            ChangeKind::Replace => ("REPLACE", (REASON, json!("rows of the source changed"))),
            ChangeKind::Replay => ("WRITE", (REASON, json!("replay of rejects"))),
        };
        let rows: u64 = self.remove.iter().map(|f| f.rows).sum();
        Action::CommitInfo(CommitInfo {
            timestamp: Some(chrono::Utc::now().timestamp_millis()),
            operation: Some(operation.to_owned()),
            operation_parameters: Some(HashMap::from([(parameter.0.to_owned(), parameter.1)])),
            read_version: Some(read_version),
            engine_info: Some(ENGINE.to_owned()),
            is_blind_append: Some(false),
            info: HashMap::from([("operationMetrics".to_owned(), json!({ REMOVED_ROWS: rows }))]),
            ..Default::default()
        })
    }
}

impl Entry {
    /// Whether what it deleted only grew too old: what was computed from it stays true.
    pub(super) fn is_retention(&self) -> bool {
        self.parameters.get(REASON).and_then(Value::as_str) == Some(RETENTION)
    }
}

/// Where a commit says how many rows left the table with it.
const REMOVED_ROWS: &str = "numRemovedRows";
/// The tool and its version.
const ENGINE: &str = concat!("tars/", env!("CARGO_PKG_VERSION"));

fn append() -> DeltaOperation {
    DeltaOperation::Write {
        mode: SaveMode::Append,
        partition_by: Some(PARTITION_COLUMNS.map(str::to_owned).to_vec()),
        predicate: None,
    }
}

fn outcome(commit: Result<State, DeltaTableError>) -> Result<State, CommitFailure> {
    commit.map_err(|error| match error {
        DeltaTableError::Transaction {
            source: TransactionError::CommitConflict(CommitConflictError::ConcurrentTransaction),
        } => CommitFailure::Transaction,
        error @ DeltaTableError::Transaction {
            source: TransactionError::CommitConflict(_) | TransactionError::MaxCommitAttempts(_),
        } => CommitFailure::Conflict(error),
        error => CommitFailure::Other(error),
    })
}

fn partition_values(file: &DataFile) -> HashMap<String, Option<String>> {
    HashMap::from([
        ("region".to_owned(), Some(file.region.clone())),
        ("hour".to_owned(), Some(file.hour.to_string())),
    ])
}

fn partition(values: &HashMap<String, Option<String>>) -> Option<(String, Hour)> {
    let value = |key: &str| values.get(key).and_then(Option::as_deref);
    let hour = value("hour")?.parse().ok()?;
    let region = value("region").filter(|r| !r.is_empty()).unwrap_or(UNKNOWN_REGION);
    Some((region.to_owned(), hour))
}

/// Who made a commit: the tool and its version, nothing about machine or user.
fn commit_info(operation: &str, read_version: Option<u64>) -> Action {
    Action::CommitInfo(CommitInfo {
        timestamp: Some(chrono::Utc::now().timestamp_millis()),
        operation: Some(operation.to_owned()),
        engine_info: Some(ENGINE.to_owned()),
        // Lets writers that read the table first (compaction, deletion) see that this commit read nothing.
        is_blind_append: read_version.map(|_| true),
        ..Default::default()
    })
}
