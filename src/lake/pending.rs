//! Commits of several tables that have to happen together: written down first, then done one by one.
//!
//! Tables have a log each, so nothing commits to two of them at once. What is to be committed therefore stands in a
//! file of the lake, `_replay/<number>.json`, before the first commit; whoever finds one that is not finished finishes
//! it. A number is taken once and for all, by the one who creates its file, so two writers who built on the same
//! state cannot both go ahead.

use std::collections::{BTreeMap, BTreeSet};

use futures::TryStreamExt;
use object_store::{ObjectStoreExt, PutMode, PutOptions};
use serde_json::{Value, json};

use super::change::{Attempt, Attempts, Change, ChangeKind};
use super::open::Lake;
use super::restore::missing;
use super::snapshot::DataFile;
use super::writer::Transaction;
use super::{Error, Result};

/// The folder of these files.
const FOLDER: &str = "_replay";
/// The application id under which a table records the number of the last one that it took part in.
const APP_ID: &str = "tars-replay";

/// Files for several tables, not yet visible.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pending {
    /// Its number.
    pub number: i64,
    /// The files of each table, in the order in which the tables are committed.
    pub tables: Vec<(String, Vec<DataFile>)>,
}

impl Pending {
    fn path(number: i64) -> String {
        format!("{FOLDER}/{number:010}.json")
    }

    fn to_json(&self) -> Value {
        let file = |f: &DataFile| {
            json!({
                "path": f.path, "size": f.size, "region": f.region, "hour": f.hour.to_string(), "rows": f.rows,
                "min_time": f.min_time, "max_time": f.max_time, "modified": f.modified,
            })
        };
        let tables = self.tables.iter().map(
            |(table, files)| json!({ "table": table, "files": files.iter().map(file).collect::<Vec<_>>() }),
        );
        json!({ "number": self.number, "tables": tables.collect::<Vec<_>>() })
    }

    fn from_json(json: &Value) -> Option<Pending> {
        let file = |f: &Value| {
            Some(DataFile {
                path: f.get("path")?.as_str()?.to_owned(),
                size: f.get("size")?.as_u64()?,
                region: f.get("region")?.as_str()?.to_owned(),
                hour: f.get("hour")?.as_str()?.parse().ok()?,
                rows: f.get("rows")?.as_u64()?,
                min_time: f.get("min_time")?.as_i64()?,
                max_time: f.get("max_time")?.as_i64()?,
                exact: true,
                modified: f.get("modified")?.as_i64()?,
            })
        };
        let tables = json.get("tables")?.as_array()?.iter().map(|t| {
            let files = t.get("files")?.as_array()?.iter().map(file).collect::<Option<_>>()?;
            Some((t.get("table")?.as_str()?.to_owned(), files))
        });
        Some(Pending { number: json.get("number")?.as_i64()?, tables: tables.collect::<Option<_>>()? })
    }
}

impl Lake {
    /// The number that the next pending commit will have.
    pub async fn next_pending(&self) -> Result<i64> {
        Ok(self.pending_numbers().await?.last().map_or(1, |last| last + 1))
    }

    async fn pending_numbers(&self) -> Result<BTreeSet<i64>> {
        let storage = self.storage();
        if !storage.has(FOLDER).await? {
            return Ok(BTreeSet::new());
        }
        let mut numbers = BTreeSet::new();
        let mut listed = storage.store().list(Some(&storage.path(FOLDER)));
        let fail = |e| Error::store(storage.shown(), "list its pending commits", e);
        while let Some(object) = listed.try_next().await.map_err(fail)? {
            let name = object.location.filename().and_then(|name| name.strip_suffix(".json"));
            numbers.extend(name.and_then(|n| n.parse::<i64>().ok()));
        }
        Ok(numbers)
    }

    async fn read_pending(&self, number: i64) -> Result<Pending> {
        let storage = self.storage();
        let fail = |e| Error::store(storage.shown(), "read a pending commit", e);
        let object = storage.store().get(&storage.path(&Pending::path(number))).await.map_err(fail)?;
        let bytes = object.bytes().await.map_err(fail)?;
        let json = serde_json::from_slice(&bytes).ok();
        json.as_ref()
            .and_then(Pending::from_json)
            .ok_or_else(|| Error::PinFile { file: Pending::path(number) })
    }

    /// The last pending commit, if it is not finished.
    async fn last_unfinished(&self) -> Result<Option<Pending>> {
        let Some(number) = self.pending_numbers().await?.last().copied() else { return Ok(None) };
        let pending = self.read_pending(number).await?;
        let Some((table, _)) = pending.tables.last() else { return Ok(None) };
        let done = match self.snapshot(table).await? {
            Some(snapshot) => snapshot.transaction(APP_ID).await?.is_some_and(|done| done >= number),
            None => false,
        };
        Ok((!done).then_some(pending))
    }

    /// The files of a table that an unfinished commit is about to list.
    pub(super) async fn unfinished(&self, table: &str) -> Result<Vec<String>> {
        let pending = self.last_unfinished().await?;
        let files = pending.into_iter().flat_map(|p| p.tables).filter(|(name, _)| name == table);
        Ok(files.flat_map(|(_, files)| files).map(|f| f.path).collect())
    }

    /// Finishes what somebody else wrote down and did not finish; gives its number.
    pub async fn finish_pending(&self) -> Result<Option<i64>> {
        let Some(pending) = self.last_unfinished().await? else { return Ok(None) };
        self.finish(&pending).await?;
        Ok(Some(pending.number))
    }

    /// Writes down what is to be committed.
    ///
    /// # Errors
    /// [`Error::NumberTaken`] when somebody else was faster; then nothing happened.
    pub async fn begin(&self, pending: &Pending) -> Result<()> {
        let storage = self.storage();
        let text = serde_json::to_vec(&pending.to_json()).unwrap_or_default();
        let options = PutOptions { mode: PutMode::Create, ..Default::default() };
        let path = storage.path(&Pending::path(pending.number));
        match storage.store().put_opts(&path, text.into(), options).await {
            Ok(_) => Ok(()),
            Err(object_store::Error::AlreadyExists { .. }) => {
                Err(Error::NumberTaken { number: pending.number })
            }
            Err(e) => Err(Error::store(storage.shown(), "write down a pending commit", e)),
        }
    }

    /// Commits each table in turn; what is committed already stays as it is.
    pub async fn finish(&self, pending: &Pending) -> Result<()> {
        for (table, files) in &pending.tables {
            self.finish_table(table, files, pending.number).await?;
        }
        Ok(())
    }

    /// Others may be at the same work, so files are never deleted here, whatever happens.
    async fn finish_table(&self, table: &str, files: &[DataFile], number: i64) -> Result<()> {
        let log = self.log(table)?;
        let mut attempts = Attempts::new(&log);
        let mut base = log.load_or_create().await?;
        loop {
            let recorded = log.transaction(&base, APP_ID).await?;
            if recorded.is_some_and(|done| done >= number) {
                return Ok(());
            }
            let gone = missing(&log, files).await?;
            if !gone.is_empty() {
                let version = base.version();
                return Err(Error::FilesGone { table: table.to_owned(), version, files: gone });
            }
            let change = Change {
                kind: ChangeKind::Replay,
                add: files.to_vec(),
                remove: Vec::new(),
                transactions: vec![Transaction { app_id: APP_ID.to_owned(), version: number }],
            };
            if let Attempt::Done(_) = attempts.attempt(&mut base, &change).await? {
                return Ok(());
            }
        }
    }
}

/// Those files grouped as a pending commit wants them.
pub fn by_table(files: BTreeMap<String, Vec<DataFile>>, last: &str) -> Vec<(String, Vec<DataFile>)> {
    let (ends, mut tables): (Vec<_>, Vec<_>) = files.into_iter().partition(|(table, _)| table == last);
    tables.extend(ends);
    tables
}
