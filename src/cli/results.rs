//! Results of queries: in which format, and where to.

use std::path::PathBuf;

use datafusion::dataframe::DataFrame;

use super::rows::write_frame;
use crate::error::Error;
use crate::shell::Format;

/// How a result is written.
#[derive(Debug, clap::Args)]
pub(super) struct Results {
    /// table, md, json, ndjson, csv or parquet
    #[arg(long, default_value = "table", value_name = "FORMAT", value_parser = format)]
    format: Format,
    /// Write to a file instead of stdout
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(super) fn format(text: &str) -> Result<Format, String> {
    if text == "md" { Ok(Format::Markdown) } else { text.parse() }
}

impl Results {
    /// Writes the rows of a frame.
    pub(super) async fn write(&self, frame: DataFrame) -> Result<(), Error> {
        write_frame(self.format, self.output.as_deref(), frame).await
    }
}
