//! The lake itself: where it is and which tables it holds.

use std::sync::Arc;

use datafusion::prelude::SessionContext;
use url::Url;

use super::delta::TableLog;
use super::layout::LOG_FOLDER;
use super::snapshot::Snapshot;
use super::storage::Storage;
use super::writer::TableWriter;
use super::{Error, Result};
use crate::contract;

/// A lake. Cheap to clone; clones share the store.
#[derive(Debug, Clone)]
pub struct Lake {
    storage: Arc<Storage>,
}

impl Lake {
    /// A lake at that path or URL, made when it is a local directory that is not there yet.
    pub async fn create(url: &str) -> Result<Lake> {
        let storage = Storage::parse(url)?;
        storage.create().await?;
        Ok(Lake { storage: Arc::new(storage) })
    }

    /// The lake at that path or URL, which has to hold at least one table.
    pub async fn open(url: &str) -> Result<Lake> {
        let lake = Lake { storage: Arc::new(Storage::parse(url)?) };
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

    /// The newest version of a table, or `None` when nothing ever landed there.
    pub async fn snapshot(&self, table: &str) -> Result<Option<Snapshot>> {
        self.load(table, None).await
    }

    /// An older version of a table, as long as its log reaches back.
    pub async fn snapshot_at(&self, table: &str, version: u64) -> Result<Option<Snapshot>> {
        self.load(table, Some(version)).await
    }

    async fn load(&self, table: &str, version: Option<u64>) -> Result<Option<Snapshot>> {
        let contract = contract::table(table)?;
        let log = TableLog::new(contract, self.storage.below(table));
        match log.load(version).await? {
            Some(state) => Ok(Some(Snapshot::new(log, state)?)),
            None => Ok(None),
        }
    }

    /// A writer to a table, which is made when it is absent.
    pub async fn writer(&self, table: &str) -> Result<TableWriter> {
        let contract = contract::table(table)?;
        TableWriter::open(TableLog::new(contract, self.storage.below(table))).await
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
