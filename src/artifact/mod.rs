//! Documents of a fixed shape that other programs read: KPI snapshots, drift checks, WebSocket health.
//!
//! Each document comes from the models of `sql/` alone and is a function of the run: the same table
//! versions, settings and window give the same bytes. Nothing here reads a clock.

pub mod baseline;
pub mod checks;
pub mod drift;
mod error;
mod folder;
mod intervals;
pub mod kpi;
pub mod recorded;
mod rows;
pub mod websocket;

pub use error::Error;
pub use folder::{Folder, write_folder};
pub use intervals::Intervals;

/// A finished document: a file of a package that is not written yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// File name, without a folder.
    pub name: String,
    /// What the file holds.
    pub bytes: Vec<u8>,
}

impl Artifact {
    /// A document of text.
    pub fn text(name: impl Into<String>, text: impl Into<String>) -> Self {
        Artifact { name: name.into(), bytes: text.into().into_bytes() }
    }
}

/// A JSON document: two blanks of indent, a line break at the end.
fn json_text(document: &serde_json::Value) -> String {
    let mut text = serde_json::to_string_pretty(document).expect("every key is a text");
    text.push('\n');
    text
}
