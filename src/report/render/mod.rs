//! The forms a report can take. Each renderer reads the content and nothing else.

mod html;
mod json;
mod markdown;
pub(super) mod pdf;

pub use json::JSON_SCHEMA_VERSION;
pub(crate) use markdown::escape as escape_markdown;

use super::Error;
use super::content::Report;
use super::pdf::document_to_pdf;

/// A form that a report can take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Form {
    /// GitHub-flavoured Markdown, for people.
    Markdown,
    /// For programs; the key `about` of the document describes it.
    Json,
    /// One self-contained page with charts.
    Html,
    /// Pages to print or to send.
    Pdf,
}

impl Form {
    /// All of them, in the order in which they are written.
    pub const ALL: [Form; 4] = [Form::Markdown, Form::Json, Form::Html, Form::Pdf];

    /// The word on the command line, and the extension of the file.
    pub const fn as_str(self) -> &'static str {
        match self {
            Form::Markdown => "md",
            Form::Json => "json",
            Form::Html => "html",
            Form::Pdf => "pdf",
        }
    }
}

impl std::fmt::Display for Form {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

impl std::str::FromStr for Form {
    type Err = UnknownForm;

    fn from_str(text: &str) -> Result<Self, UnknownForm> {
        Form::ALL
            .into_iter()
            .find(|form| form.as_str().eq_ignore_ascii_case(text.trim()))
            .ok_or_else(|| UnknownForm { got: text.to_owned() })
    }
}

/// A word that names no form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown report form `{got}`; expected one of: md, json, html, pdf")]
pub struct UnknownForm {
    got: String,
}

impl Report {
    /// The report in a form, as the bytes of a file.
    pub fn to_form(&self, form: Form) -> Result<Vec<u8>, Error> {
        Ok(match form {
            Form::Markdown => self.to_markdown().into_bytes(),
            Form::Json => self.to_json().into_bytes(),
            Form::Html => self.to_html().into_bytes(),
            Form::Pdf => self.to_pdf()?,
        })
    }

    /// The report as GitHub-flavoured Markdown, for people.
    pub fn to_markdown(&self) -> String {
        markdown::render(self)
    }

    /// The report as JSON, for programs; the key `about` of the document describes it.
    pub fn to_json(&self) -> String {
        json::render(self)
    }

    /// The report as one HTML page that needs nothing else.
    pub fn to_html(&self) -> String {
        html::render(self)
    }

    /// The report as a PDF file.
    pub fn to_pdf(&self) -> Result<Vec<u8>, Error> {
        document_to_pdf(&pdf::document(self))
    }
}
