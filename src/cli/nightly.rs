//! `tars nightly`: everything that is due after a day, in one go.

use std::path::{Path, PathBuf};
use std::time::Instant;

use super::Global;
use super::output::{thousands, unless_stopped, write_whole};
use super::report::Forms;
use super::workspace::{Window, open_run, refresh};
use crate::error::Error;
use crate::lake::Lake;
use crate::report::{self, Form, Period};

/// Bring the rollups up to date, judge every window, and write the day's report.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tars nightly --date 2025-01-15
  tars nightly --date 2025-01-15 --lake s3://telemetry/lake --out /srv/reports")]
pub(super) struct Nightly {
    /// Folder for the report
    #[arg(long, default_value = "reports", value_name = "DIR")]
    out: PathBuf,
    #[command(flatten)]
    forms: Forms,
    #[command(flatten)]
    window: Window,
}

impl Nightly {
    pub(super) async fn run(self, global: &Global) -> Result<(), Error> {
        let lake = global.open_lake().await?;
        let forms = self.forms.listed();
        let order = Order { period: Period::Daily, forms: &forms, out: &self.out };
        let report = nightly(global, &lake, &self.window, order);
        let written = unless_stopped(report).await?;
        written.print();
        Ok(())
    }
}

/// The report that a run wrote.
pub(super) struct Written {
    headline: String,
    files: Vec<PathBuf>,
}

impl Written {
    /// The headline and the files, on stdout.
    pub(super) fn print(&self) {
        #![allow(clippy::print_stdout)] // The result of the command.
        println!("{}", self.headline);
        for file in &self.files {
            println!("{}", file.display());
        }
    }
}

/// Which report to write.
#[derive(Clone, Copy)]
pub(super) struct Order<'a> {
    pub(super) period: Period,
    pub(super) forms: &'a [Form],
    /// The folder.
    pub(super) out: &'a Path,
}

/// Rollups, models, verdicts, report.
pub(super) async fn nightly(
    global: &Global,
    lake: &Lake,
    window: &Window,
    order: Order<'_>,
) -> Result<Written, Error> {
    let start = Instant::now();
    let settings = global.settings()?;
    let (params, baseline) = window.params(lake).await?;
    let window = params.window()?;
    global.note(format_args!("window {window}, compared with {baseline}"));
    refresh(global, lake, &settings).await?;
    let run = open_run(global, lake, &settings, params).await?;
    run.hold(|model, rows| global.note(format_args!("{model}: {} rows", thousands(rows as u64)))).await?;
    let request = report::Request { period: order.period, window, baseline_note: baseline };
    let report = report::build(&run, &request).await?;
    let stem = order.out.join(report.file_stem());
    let mut files = Vec::new();
    for form in order.forms {
        let file = stem.with_added_extension(form.as_str());
        write_whole(&file, &report.to_form(*form)?)?;
        files.push(file);
    }
    global.note(format_args!("done in {:.1} s", start.elapsed().as_secs_f64()));
    Ok(Written { headline: report.headline().to_owned(), files })
}
