//! `tars kpi`: the key figures of a window as documents, one for each interval.

use std::path::PathBuf;

use super::Global;
use super::drift::write_documents;
use super::span::Span;
use super::workspace::{Window, open_run, refresh};
use crate::artifact::{Intervals, kpi};
use crate::engine::Value;
use crate::error::Error;

/// Collect key figures: a snapshot for each interval, the baseline that the first one makes, a summary with its hash.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tars kpi --date 2025-01-15 --out ga_kpis
  tars kpi --from 2025-01-15T00:00:00Z --to 2025-01-16T00:00:00Z --interval 5m --out ga_kpis
  cd ga_kpis && sha256sum -c ga_kpi_summary.json.sha256")]
pub(super) struct Kpi {
    /// Length of an interval, in whole minutes
    #[arg(long, default_value = "5m", value_name = "TIME")]
    interval: Span,
    /// Folder for the documents; it is replaced whole
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    #[command(flatten)]
    window: Window,
}

impl Kpi {
    pub(super) async fn run(self, global: &Global) -> Result<(), Error> {
        #![allow(clippy::print_stdout)] // The result of the command.
        let settings = global.settings()?;
        let lake = global.open_lake().await?;
        let (mut params, _) = self.window.params(&lake).await?;
        let seconds = self.interval.seconds()?;
        Intervals::new(params.window()?, seconds)?;
        params.set("interval_seconds", Value::Integer(seconds))?;
        refresh(global, &lake, &settings).await?;
        let run = open_run(global, &lake, &settings, params).await?;
        let documents = kpi::collect(&run).await?;
        write_documents(&self.out, &documents)?;
        println!("{}: {} documents", self.out.display(), documents.len());
        Ok(())
    }
}
