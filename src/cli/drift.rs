//! `tars drift`: what moved away from the baseline, check by check.

use std::path::{Path, PathBuf};

use super::Global;
use super::span::Span;
use super::workspace::{Window, no_telemetry, open_run, refresh};
use crate::artifact::{Artifact, Folder, Intervals, drift, write_folder};
use crate::engine::Value;
use crate::error::Error;
use crate::lake::{self, Lake};
use crate::pipeline::{self, Run};

/// Check for drift: every few minutes of the window against the baseline, one document for each check, and an analysis.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tars drift --date 2025-01-15 --out drift
  tars drift --date 2025-01-15 --checks-every 15m --baseline ga --out drift
  tars drift --from 2025-01-15T00:00:00Z --to 2025-01-16T00:00:00Z --format md")]
pub(super) struct Drift {
    /// Time between two checks, in whole minutes
    #[arg(long, default_value = "5m", value_name = "TIME")]
    checks_every: Span,
    /// Folder for the documents; it is replaced whole
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// How the analysis is shown on stdout: md or json
    #[arg(long, default_value = "md", value_parser = ["md", "json"])]
    format: String,
    /// Exit with code 8 when a drift is at least this bad
    #[arg(long, value_parser = ["warning", "critical"])]
    fail_on: Option<String>,
    #[command(flatten)]
    window: Window,
}

impl Drift {
    pub(super) async fn run(self, global: &Global) -> Result<(), Error> {
        #![allow(clippy::print_stdout)] // The result of the command.
        let settings = global.settings()?;
        let lake = global.open_lake().await?;
        let (mut params, compared) = self.window.params(&lake).await?;
        self.refuse_empty(&lake).await?;
        self.window.tell_own_past(global, &params)?;
        let seconds = self.checks_every.seconds()?;
        Intervals::new(params.window()?, seconds)?;
        params.set("interval_seconds", Value::Integer(seconds))?;
        global.note(format_args!("window {}, compared with {compared}", params.window()?));
        refresh(global, &lake, &settings).await?;
        let run = open_run(global, &lake, &settings, params).await?;
        drift::count_alone(&run, self.out.is_some()).await?;
        let documents = match &self.out {
            None => drift::analyse(&run).await?,
            Some(path) => {
                let (documents, names) = write_checks(&run, path).await?;
                global.note(format_args!("{}: {} documents", path.display(), names.len()));
                documents
            }
        };
        global.tell_timings(&run);
        let shown = format!("drift_analysis.{}", self.format);
        if let Some(document) = documents.iter().find(|d| d.name == shown) {
            print!("{}", String::from_utf8_lossy(&document.bytes));
        }
        self.judge(&documents)
    }

    /// An analysis of nothing would read as one in which nothing drifted. Recorded changes alone can be judged.
    async fn refuse_empty(&self, lake: &Lake) -> Result<(), Error> {
        let fail = |e: lake::Error| Error::from(pipeline::Error::from(e));
        if pipeline::held_time(lake).await?.is_none()
            && lake.snapshot("changes").await.map_err(fail)?.is_none()
        {
            return Err(no_telemetry(lake));
        }
        Ok(())
    }

    /// An error when `--fail-on` is given and there is such a drift.
    fn judge(&self, documents: &[Artifact]) -> Result<(), Error> {
        let Some(limit) = &self.fail_on else { return Ok(()) };
        let analysis = documents.iter().find(|d| d.name == "drift_analysis.json");
        let analysis = analysis.and_then(|d| serde_json::from_slice::<serde_json::Value>(&d.bytes).ok());
        let count = |field: &str| analysis.as_ref().and_then(|a| a[field].as_i64()).unwrap_or_default();
        let found = if limit == "warning" { count("total_drifts") } else { count("critical_drifts") };
        match found {
            0 => Ok(()),
            count => Err(Error::Drifted { count, limit: limit.clone() }),
        }
    }
}

/// Writes all of an analysis as a folder that appears whole; the analysis, and the names of all files.
pub(super) async fn write_checks(run: &Run, path: &Path) -> Result<(Vec<Artifact>, Vec<String>), Error> {
    let fail = |source| Error::Write { path: path.to_owned(), source };
    make_parent(path)?;
    let mut folder = Folder::begin(path).map_err(fail)?;
    let analysis = drift::write(run, &mut folder).await?;
    Ok((analysis, folder.finish().map_err(fail)?))
}

/// Writes documents as a folder that appears whole.
pub(super) fn write_documents(folder: &Path, documents: &[Artifact]) -> Result<(), Error> {
    make_parent(folder)?;
    write_folder(folder, documents).map_err(|source| Error::Write { path: folder.to_owned(), source })
}

fn make_parent(path: &Path) -> Result<(), Error> {
    match path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        None => Ok(()),
        Some(parent) => {
            std::fs::create_dir_all(parent).map_err(|source| Error::Write { path: path.to_owned(), source })
        }
    }
}
