//! Results of queries: in which format, and where to.

use std::io::Write;
use std::path::PathBuf;

use datafusion::dataframe::DataFrame;

use super::output::write_whole;
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
        match &self.output {
            Some(path) => {
                let mut content = Vec::new();
                self.format.write(frame, &mut content).await?;
                write_whole(path, &content)
            }
            None => {
                let mut out = std::io::BufWriter::new(std::io::stdout());
                self.format.write(frame, &mut out).await?;
                // A closed pipe (`| head`) is not worth a word.
                let _ = out.flush();
                Ok(())
            }
        }
    }
}
