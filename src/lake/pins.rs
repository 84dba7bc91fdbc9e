//! Named pins: versions that have to stay readable, because a report or a certificate names them.
//!
//! A pin is a small JSON file, `_pins/<name>.json` in the lake. A vacuum keeps every file that a pinned version has.

use std::collections::BTreeMap;

use futures::TryStreamExt;
use object_store::{ObjectStoreExt, PutMode, PutOptions};
use serde_json::{Value, json};

use super::open::Lake;
use super::restore::missing;
use super::{Error, Result};
use crate::contract;

/// The folder of the pins.
const FOLDER: &str = "_pins";
/// Longest name; it becomes a file name.
const LONGEST_NAME: usize = 100;

/// A pin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    /// Its name.
    pub name: String,
    /// The version of each table that it names.
    pub versions: BTreeMap<String, u64>,
}

impl Pin {
    /// A pin of versions under a name of letters, digits, `.`, `_` and `-`.
    pub fn new(name: &str, versions: BTreeMap<String, u64>) -> Result<Pin> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        if name.is_empty() || name.len() > LONGEST_NAME || name.starts_with('.') || !name.chars().all(plain) {
            return Err(Error::PinName { got: name.to_owned() });
        }
        Ok(Pin { name: name.to_owned(), versions })
    }

    fn path(&self) -> String {
        format!("{FOLDER}/{}.json", self.name)
    }

    fn parse(file: &str, bytes: &[u8]) -> Result<Pin> {
        let wrong = || Error::PinFile { file: file.to_owned() };
        let json: Value = serde_json::from_slice(bytes).map_err(|_| wrong())?;
        let tables = json.get("tables").and_then(Value::as_object).ok_or_else(wrong)?;
        let versions = tables.iter().map(|(table, version)| {
            let table = contract::table(table).map_err(|_| wrong())?;
            Ok((table.name.clone(), version.as_u64().ok_or_else(wrong)?))
        });
        let name = file.trim_end_matches(".json");
        Pin::new(name, versions.collect::<Result<_>>()?).map_err(|_| wrong())
    }
}

impl Lake {
    /// Pins versions that can all be read now; an existing pin of that name is not replaced.
    pub async fn pin(&self, pin: &Pin) -> Result<()> {
        let text = serde_json::to_vec_pretty(&json!({ "tables": pin.versions })).unwrap_or_default();
        let path = self.storage().path(&pin.path());
        let options = PutOptions { mode: PutMode::Create, ..Default::default() };
        match self.storage().store().put_opts(&path, text.into(), options).await {
            Ok(_) => {}
            Err(object_store::Error::AlreadyExists { .. }) => {
                return Err(Error::PinExists { name: pin.name.clone() });
            }
            Err(e) => return Err(Error::store(self.storage().shown(), "store a pin", e)),
        }
        // Looked at with the pin in place, so that no vacuum comes in between.
        let checked = self.check_pin(pin).await;
        if checked.is_err() {
            self.unpin(&pin.name).await?;
        }
        checked
    }

    async fn check_pin(&self, pin: &Pin) -> Result<()> {
        for (table, version) in &pin.versions {
            let Some(snapshot) = self.snapshot_at(table, *version).await? else {
                return Err(Error::NoTable { table: table.clone() });
            };
            let files = missing(&self.log(table)?, snapshot.files()).await?;
            if !files.is_empty() {
                return Err(Error::FilesGone { table: table.clone(), version: *version, files });
            }
        }
        Ok(())
    }

    /// Takes a pin away.
    pub async fn unpin(&self, name: &str) -> Result<()> {
        let pin = Pin::new(name, BTreeMap::new())?;
        if !self.storage().exists(&pin.path()).await? {
            return Err(Error::NoPin { name: pin.name });
        }
        let deleted = self.storage().store().delete(&self.storage().path(&pin.path())).await;
        deleted.map_err(|e| Error::store(self.storage().shown(), "delete a pin", e))
    }

    /// Every pin, by name.
    pub async fn pins(&self) -> Result<Vec<Pin>> {
        let storage = self.storage();
        let fail = |e| Error::store(storage.shown(), "read its pins", e);
        let mut pins = Vec::new();
        if !storage.has(FOLDER).await? {
            return Ok(pins);
        }
        let mut listed = storage.store().list(Some(&storage.path(FOLDER)));
        while let Some(object) = listed.try_next().await.map_err(fail)? {
            let Some(file) = object.location.filename().filter(|f| f.ends_with(".json")) else { continue };
            let bytes = storage.store().get(&object.location).await.map_err(fail)?.bytes().await;
            pins.push(Pin::parse(file, &bytes.map_err(fail)?)?);
        }
        pins.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(pins)
    }
}
