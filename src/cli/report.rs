//! `tars report`: the operational report of a day or a week.

use std::path::PathBuf;

use super::Global;
use super::nightly::nightly;
use super::output::unless_stopped;
use super::workspace::Window;
use crate::domain::{MICROS_PER_DAY, TimeRange, format_timestamp};
use crate::error::Error;
use crate::report::Period;

/// Write the report of a day or a week as Markdown and JSON.
///
/// A weekly report covers the seven days that end with --date.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tars report --period daily --date 2025-01-15
  tars report --period weekly --date 2025-01-19 --out /srv/reports")]
pub(super) struct Report {
    /// daily or weekly
    #[arg(long, default_value = "daily", value_name = "PERIOD")]
    period: Period,
    /// Folder for the report
    #[arg(long, default_value = "reports", value_name = "DIR")]
    out: PathBuf,
    #[command(flatten)]
    window: Window,
}

/// Days in a weekly report.
const DAYS_PER_WEEK: i64 = 7;

impl Report {
    pub(super) async fn run(self, global: &Global) -> Result<(), Error> {
        let lake = global.open_lake().await?;
        let mut window = self.window;
        if let (Period::Weekly, Some(date)) = (self.period, &window.date) {
            let day = TimeRange::day(date)?;
            window.from = Some(format_timestamp(day.to() - DAYS_PER_WEEK * MICROS_PER_DAY));
            window.to = Some(format_timestamp(day.to()));
            window.date = None;
        }
        unless_stopped(nightly(global, &lake, &window, self.period, &self.out)).await?.print();
        Ok(())
    }
}
