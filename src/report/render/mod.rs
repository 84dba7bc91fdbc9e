//! The forms a report can take. Each renderer reads the content and nothing else.

mod json;
mod markdown;

pub use json::JSON_SCHEMA_VERSION;
pub(crate) use markdown::escape as escape_markdown;

use super::content::Report;

impl Report {
    /// The report as GitHub-flavoured Markdown, for people.
    pub fn to_markdown(&self) -> String {
        markdown::render(self)
    }

    /// The report as JSON, for programs; the key `about` of the document describes it.
    pub fn to_json(&self) -> String {
        json::render(self)
    }
}
