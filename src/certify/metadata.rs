//! `certification_metadata.json`: everything that the package follows from, pinned, so that it can be made
//! again.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::Error;
use super::manifest::digest;
use crate::engine::TableVersion;
use crate::pipeline::models;

/// The name of the file.
pub const METADATA: &str = "certification_metadata.json";
/// The form of the file. It changes when a reader of the old one would misread the new one.
const FORM: &str = "tars/certification-metadata/v1";

/// What a package follows from, and what came out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Metadata {
    /// The form of this document.
    pub form: String,
    /// The outcome.
    pub status: String,
    /// Why.
    pub reason: String,
    /// The program.
    pub tool: Tool,
    /// As of when the package is.
    pub generated_at: String,
    /// The window that is certified.
    pub window: Window,
    /// What it is compared with.
    pub baseline: Window,
    /// In words, which period that is.
    pub baseline_choice: String,
    /// Length of one interval of checks.
    pub interval_seconds: i64,
    /// Whether missing data was printed as `no data` instead of being an error.
    pub allow_missing: bool,
    /// The tables of the lake that models read, at the version that was read; others were not there.
    pub tables: Vec<Pinned>,
    /// Hash of the effective settings.
    pub settings_sha256: String,
    /// Hash of the model file that judges windows, or `rules`.
    pub judge: String,
    /// Hash of the template of the report.
    pub template_sha256: String,
    /// Hash of every SQL model, by name.
    pub models: BTreeMap<String, String>,
    /// Hash of all of those: of their lines `hash  name`.
    pub models_sha256: String,
    /// Every criterion and check.
    pub criteria: Vec<Json>,
    /// Every value of the report, by name, with its query.
    pub placeholders: BTreeMap<String, Json>,
}

/// The program that wrote a package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tool {
    /// `tars`.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// A stretch of time, `[from, to)`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Its start.
    pub from: String,
    /// Its end, which is not part of it.
    pub to: String,
}

/// A table at a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pinned {
    /// The table.
    pub table: String,
    /// Its version.
    pub version: u64,
    /// Rows in that version.
    pub rows: u64,
}

impl Metadata {
    /// The document.
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("metadata holds texts and finite numbers");
        text.push('\n');
        text
    }

    /// Reads the document.
    pub fn from_json(text: &[u8]) -> Result<Self, Error> {
        let wrong = |reason: String| Error::Metadata { reason };
        let metadata: Metadata = serde_json::from_slice(text).map_err(|e| wrong(e.to_string()))?;
        if metadata.form != FORM {
            return Err(wrong(format!("expected the form {FORM}, got {:?}", metadata.form)));
        }
        Ok(metadata)
    }

    /// The form that is written.
    pub(super) fn form() -> String {
        FORM.to_owned()
    }
}

/// The versions that a package depends on: of the tables that some model reads. Others, such as a log of
/// runs, may change without changing anything here.
pub(super) fn pinned(versions: &[TableVersion]) -> Vec<Pinned> {
    let read: BTreeSet<&str> = models()
        .iter()
        .flat_map(|model| model.reads.iter().map(String::as_str).chain([model.name.as_str()]))
        .collect();
    let mut pinned: Vec<Pinned> = versions
        .iter()
        .filter(|v| read.contains(v.table.as_str()))
        .map(|v| Pinned { table: v.table.clone(), version: v.version, rows: v.rows })
        .collect();
    pinned.sort_by(|a, b| a.table.cmp(&b.table));
    pinned
}

/// The hash of every model by name, and the hash of all of them.
pub(super) fn model_digests() -> (BTreeMap<String, String>, String) {
    let all: BTreeMap<_, _> =
        models().iter().map(|m| (format!("{}/{}.sql", m.layer, m.name), digest(m.sql.as_bytes()))).collect();
    let lines: String = all.iter().map(|(name, hash)| format!("{hash}  {name}\n")).collect();
    let together = digest(lines.as_bytes());
    (all, together)
}
