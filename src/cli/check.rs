//! `tars check`: what a platform has to show, criterion by criterion, with the query behind each figure.

use std::path::PathBuf;

use arrow::array::{AsArray, StringArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use clap::ValueEnum;

use super::Global;
use super::rows::write_frame;
use super::workspace::{Window, open_run, refresh};
use crate::artifact::checks;
use crate::engine;
use crate::error::Error;
use crate::pipeline::Run;
use crate::shell::Format;

/// Check the platform: WebSockets, traces, replication, databases, dashboards, memory.
///
/// Every check compares an observed value with a threshold of the settings ([[criterion]]) and comes with the
/// query that gives the value. What was not measured is `no data`, never a pass.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tars check                                   all checks of the newest day
  tars check --suite validation --date 2025-01-15
  tars check --suite certification --format json
  tars check --fail-on no-data                 exit code 8 also when something was not measured")]
pub(super) struct Check {
    /// Only this suite (several times for more) [default: validation and platform]
    #[arg(long, value_enum, value_name = "SUITE")]
    suite: Vec<Suite>,
    /// table, md, json, ndjson, csv or parquet
    #[arg(long, default_value = "table", value_name = "FORMAT", value_parser = format)]
    format: Format,
    /// Write to a file instead of stdout
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// When to exit with code 8; checks of level `warning` never cause it
    #[arg(long, value_enum, default_value = "fail", value_name = "WHEN")]
    fail_on: FailOn,
    #[command(flatten)]
    window: Window,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
enum Suite {
    /// What a deployment must show
    Validation,
    /// What the platform's parts should show
    Platform,
    /// What a release must show to be certified
    Certification,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FailOn {
    /// A required check failed
    Fail,
    /// A required check failed or has no data
    NoData,
    /// Not at all
    Never,
}

/// What a program wants to know: everything.
const ALL: &str = "select suite, check, area, title, level, verdict, observed, comparison, threshold, unit, samples, \
    detail, measure, sql from checks_shown order by place, rank, check";
/// What fits on a screen.
const BRIEF: &str = "select suite, check, verdict, level, round(observed, 6) as observed, comparison, threshold, unit, \
    samples, detail from checks_shown order by place, rank, check";

impl Check {
    pub(super) async fn run(self, global: &Global) -> Result<(), Error> {
        let settings = global.settings()?;
        let lake = global.open_lake().await?;
        refresh(global, &lake, &settings).await?;
        let (params, _) = self.window.params(&lake).await?;
        let run = open_run(global, &lake, &settings, params).await?;
        run.hold_only(&checks::HELD).await?;
        self.collect(&run).await?;
        let is_for_people = matches!(self.format, Format::Table | Format::Markdown);
        self.write(&run, if is_for_people { BRIEF } else { ALL }).await?;
        self.judge(&run).await
    }

    /// The checks asked for, computed once, as the table `checks_shown`.
    async fn collect(&self, run: &Run) -> Result<(), Error> {
        let mut suites = self.suite.clone();
        if suites.is_empty() {
            suites = vec![Suite::Validation, Suite::Platform];
        }
        suites.sort();
        suites.dedup();
        let parts = suites.iter().enumerate().map(|(place, suite)| {
            let (suite, check, rows) = match suite {
                Suite::Validation => ("suite", "check", "validation_checks where suite = 'validation'"),
                Suite::Platform => ("suite", "check", "validation_checks where suite = 'platform'"),
                Suite::Certification => ("'certification'", "criterion", "criteria_results"),
            };
            format!(
                "select {place} as place, {suite} as suite, {check} as check, area, title, level, verdict, observed, \
                 comparison, threshold, unit, samples, detail, measure, sql, rank from {rows}"
            )
        });
        let sql = parts.collect::<Vec<_>>().join(" union all ");
        let frame = run.engine().sql(&sql).await?;
        let held = frame.cache().await.map_err(engine::Error::from)?;
        run.engine()
            .context()
            .register_table("checks_shown", held.into_view())
            .map_err(engine::Error::from)?;
        Ok(())
    }

    async fn write(&self, run: &Run, sql: &str) -> Result<(), Error> {
        let frame = run.engine().sql(sql).await?;
        write_frame(self.format, self.output.as_deref(), frame).await
    }

    /// An error that names what failed, when `--fail-on` asks for it.
    async fn judge(&self, run: &Run) -> Result<(), Error> {
        let bad = match self.fail_on {
            FailOn::Never => return Ok(()),
            FailOn::Fail => "verdict = 'fail'",
            FailOn::NoData => "verdict <> 'pass'",
        };
        let sql = format!(
            "select suite || ' ' || check || ' (' || verdict || ')' as line from checks_shown \
             where level = 'required' and {bad} order by place, rank, check"
        );
        let mut lines = Vec::new();
        for batch in run.rows(&sql).await? {
            let column = cast(batch.column(0), &DataType::Utf8)
                .map_err(|e| engine::Error::from(datafusion::error::DataFusionError::from(e)))?;
            let column: &StringArray = column.as_string();
            lines.extend(column.iter().flatten().map(str::to_owned));
        }
        if lines.is_empty() { Ok(()) } else { Err(Error::Checks { failed: lines.join(", ") }) }
    }
}

fn format(text: &str) -> Result<Format, String> {
    if text == "md" { Ok(Format::Markdown) } else { text.parse() }
}
