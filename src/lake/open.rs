//! The lake itself: where it is and which tables it holds.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::prelude::SessionContext;
use url::Url;

use super::as_of::Past;
use super::delta::TableLog;
use super::layout::LOG_FOLDER;
use super::snapshot::Snapshot;
use super::storage::Storage;
use super::writer::TableWriter;
use super::{Error, Result};
use crate::contract::{self, Table};

/// A lake. Cheap to clone; clones share the store and what was read from it.
#[derive(Debug, Clone)]
pub struct Lake {
    storage: Arc<Storage>,
    /// The newest version seen of each table. A run asks for the same tables again and again, and with thousands
    /// of files, looking for newer commits is much cheaper than replaying the log.
    seen: Arc<Mutex<HashMap<&'static str, Snapshot>>>,
    /// The versions to read, where they are not the newest.
    past: Option<Arc<Past>>,
}

impl Lake {
    /// A lake at that path or URL, made when it is a local directory that is not there yet.
    pub async fn create(url: &str) -> Result<Lake> {
        let storage = Storage::parse(url)?;
        storage.create().await?;
        Ok(Lake::at(storage))
    }

    /// The lake that is at that path or URL or may come to be there; makes nothing.
    pub fn maybe(url: &str) -> Result<Lake> {
        Ok(Lake::at(Storage::parse(url)?))
    }

    fn at(storage: Storage) -> Lake {
        Lake { storage: Arc::new(storage), seen: Arc::default(), past: None }
    }

    /// The lake at that path or URL, which has to hold at least one table.
    pub async fn open(url: &str) -> Result<Lake> {
        let lake = Lake::at(Storage::parse(url)?);
        if lake.tables().await?.is_empty() {
            return Err(Error::NoTables { place: url.to_owned() });
        }
        Ok(lake)
    }

    /// Where it is.
    pub fn url(&self) -> &Url {
        self.storage.url()
    }

    /// The tables in it, in the order of the contract. Folders that no contract describes are not looked at.
    pub async fn tables(&self) -> Result<Vec<&'static str>> {
        let folders = self.storage.folders().await?;
        let mut found = Vec::new();
        for table in contract::tables() {
            if folders.contains(&table.name)
                && self.storage.has(&format!("{}/{LOG_FOLDER}", table.name)).await?
            {
                found.push(table.name.as_str());
            }
        }
        Ok(found)
    }

    /// The same lake, read at those versions.
    pub(super) fn in_past(&self, past: Past) -> Lake {
        Lake { storage: self.storage.clone(), seen: Arc::default(), past: Some(Arc::new(past)) }
    }

    /// Whether it is a view of the past, which cannot be written to.
    pub fn is_past(&self) -> bool {
        self.past.is_some()
    }

    /// Whether [`Lake::as_of`] was asked for a version of this very table.
    pub fn is_named(&self, table: &str) -> bool {
        self.past.as_ref().is_some_and(|past| past.named.contains(table))
    }

    /// The same lake as it is now.
    pub fn present(&self) -> Lake {
        Lake { storage: self.storage.clone(), seen: Arc::default(), past: None }
    }

    /// The newest version of a table (or the one that [`Lake::as_of`] asked for), or `None` when nothing ever landed
    /// there.
    pub async fn snapshot(&self, table: &str) -> Result<Option<Snapshot>> {
        let contract = contract::table(table)?;
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner).get(table).cloned();
        if let Some(version) = self.past.as_ref().and_then(|past| past.versions.get(table)) {
            let Some(version) = *version else { return Ok(None) };
            if seen.is_some() {
                return Ok(seen);
            }
            let snapshot = self.load(contract, Some(version)).await?;
            if let Some(snapshot) = &snapshot {
                let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
                seen.insert(&contract.name, snapshot.clone());
            }
            return Ok(snapshot);
        }
        let newest = match seen {
            // Where that fails, the table may have been made anew: then only reading it from the start tells.
            Some(seen) => seen.newest().await.ok().flatten(),
            None => None,
        };
        let newest = match newest {
            Some(newest) => Some(newest),
            None => self.load(contract, None).await?,
        };
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        match &newest {
            Some(newest) => seen.insert(&contract.name, newest.clone()),
            None => seen.remove(table),
        };
        Ok(newest)
    }

    /// An older version of a table, as long as its log reaches back.
    pub async fn snapshot_at(&self, table: &str, version: u64) -> Result<Option<Snapshot>> {
        self.load(contract::table(table)?, Some(version)).await
    }

    async fn load(&self, contract: &'static Table, version: Option<u64>) -> Result<Option<Snapshot>> {
        let log = TableLog::new(contract, self.storage.below(&contract.name));
        match log.load(version).await? {
            Some(state) => Ok(Some(Snapshot::new(log, state).await?)),
            None => Ok(None),
        }
    }

    /// A writer to a table, which is made when it is absent.
    pub async fn writer(&self, table: &str) -> Result<TableWriter> {
        TableWriter::open(self.log(table)?).await
    }

    /// The log of a table, to write to.
    pub(super) fn log(&self, table: &str) -> Result<TableLog> {
        let contract = contract::table(table)?;
        if self.is_past() {
            return Err(Error::Past { table: contract.name.clone() });
        }
        Ok(TableLog::new(contract, self.storage.below(table)))
    }

    /// Where it is, for the other files of this module.
    pub(super) fn storage(&self) -> &Storage {
        &self.storage
    }

    /// Makes the lake's store known to a session, so that its plans can be read there (also plans that came from
    /// another machine). A provider does it by itself where it is scanned.
    pub fn register(&self, ctx: &SessionContext) -> Result<()> {
        let url = self.storage.store_url();
        let parsed =
            Url::parse(&url).map_err(|e| Error::store(self.storage.shown(), "register its store", e))?;
        ctx.register_object_store(&parsed, self.storage.store().clone());
        Ok(())
    }
}
