//! `tars baseline`: named, versioned figures that later windows are compared with.

use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::Float64Array;
use clap::Subcommand;

use super::Global;
use super::results::format;
use super::rows::{ints, print, texts, times, write_frame};
use super::span::Span;
use super::workspace::{Window, now, open_run, refresh};
use crate::artifact::baseline::{self, Kept};
use crate::domain::MICROS_PER_DAY;
use crate::engine::{Params, Value};
use crate::error::Error;
use crate::lake::Lake;
use crate::pipeline::Run;
use crate::shell::Format;

/// Keep baselines in the lake, and look at them.
///
/// A baseline is every figure of a window with its spread and its distribution, by region and service. `--baseline NAME`
/// of `tars drift`, `tars regions` and the reports compares with one.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tars baseline set ga --date 2025-01-15
  tars baseline list
  tars baseline diff ga@1 ga@2
  tars baseline rollback ga --to 1
  tars baseline export ga --output ga.parquet
  tars baseline import staging --file ga_kpis/baseline_metrics.json")]
pub(super) struct Baseline {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Keep the figures of a window as the next version of a name
    Set {
        /// Name of letters, digits, `.`, `_` and `-`
        name: String,
        /// Length of the intervals that the spread is over, in whole minutes
        #[arg(long, default_value = "5m", value_name = "TIME")]
        interval: Span,
        #[command(flatten)]
        window: Window,
    },
    /// Every version of every baseline, with its age
    List {
        /// table, md, json, ndjson or csv
        #[arg(long, default_value = "table", value_name = "FORMAT", value_parser = format)]
        format: Format,
        /// Count ages back from this time [default: now]
        #[arg(long, value_name = "TIME")]
        now: Option<String>,
    },
    /// The figures of a version
    Show {
        /// NAME, or NAME@VERSION
        baseline: String,
        /// table, md, json, ndjson or csv
        #[arg(long, default_value = "table", value_name = "FORMAT", value_parser = format)]
        format: Format,
    },
    /// What differs between two versions
    Diff {
        /// NAME, or NAME@VERSION
        from: String,
        /// NAME, or NAME@VERSION
        to: String,
        /// table, md, json, ndjson or csv
        #[arg(long, default_value = "table", value_name = "FORMAT", value_parser = format)]
        format: Format,
    },
    /// Make an older version the newest again, as a copy
    Rollback {
        /// Its name
        name: String,
        /// The version to go back to
        #[arg(long, value_name = "VERSION")]
        to: i64,
    },
    /// Write a version to a Parquet file, with its distributions
    Export {
        /// NAME, or NAME@VERSION
        baseline: String,
        /// The file
        #[arg(long, short, value_name = "FILE")]
        output: PathBuf,
    },
    /// Keep what an exported file or a baseline_metrics.json holds as the next version of a name
    Import {
        /// Its name here
        name: String,
        /// The file, .parquet or .json
        #[arg(long, value_name = "FILE")]
        file: PathBuf,
    },
}

impl Baseline {
    pub(super) async fn run(self, global: &Global) -> Result<(), Error> {
        let lake = global.open_lake().await?;
        match self.verb {
            Verb::Set { name, interval, window } => set(global, &lake, &name, interval, &window).await,
            Verb::List { format, now: at } => list(global, &lake, format, at.as_deref()).await,
            Verb::Show { baseline, format } => {
                let kept = baseline::find(&lake, &baseline).await?;
                let run = reader(global, &lake, &kept).await?;
                let sql =
                    format!("{SHOWN} where name = '{}' and version = {} {BY_PLACE}", kept.name, kept.version);
                write_frame(format, None, run.engine().sql(&sql).await?).await
            }
            Verb::Diff { from, to, format } => {
                let (from, to) = (baseline::find(&lake, &from).await?, baseline::find(&lake, &to).await?);
                let run = reader(global, &lake, &from).await?;
                write_frame(format, None, run.engine().sql(&difference(&from, &to)).await?).await
            }
            Verb::Rollback { name, to } => {
                global.only_present("tars baseline rollback")?;
                let kept = baseline::find(&lake, &format!("{name}@{to}")).await?;
                let run = reader(global, &lake, &kept).await?;
                let version = baseline::roll_back(&run, &lake, &name, to).await?;
                tell(&lake, &name, version).await
            }
            Verb::Export { baseline, output } => {
                let kept = baseline::find(&lake, &baseline).await?;
                let run = reader(global, &lake, &kept).await?;
                let frame = run.engine().sql(&baseline::export_sql(&kept)).await?;
                write_frame(Format::Parquet, Some(&output), frame).await
            }
            Verb::Import { name, file } => {
                global.only_present("tars baseline import")?;
                let run = Run::without_lake(global.engine(&global.settings()?)?);
                let version = baseline::import(&run, &lake, &name, &file).await?;
                tell(&lake, &name, version).await
            }
        }
    }
}

const SHOWN: &str =
    "select region, service, route, measure, season, value, unit, spread, intervals from baselines";
const BY_PLACE: &str = "order by region, service, measure, season, route";

/// Figures of both versions side by side, where they differ.
fn difference(from: &Kept, to: &Kept) -> String {
    let of = |kept: &Kept| {
        format!(
            "(select region, service, route, measure, season, value, unit from baselines \
             where name = '{}' and version = {})",
            kept.name, kept.version
        )
    };
    format!(
        "select coalesce(b.region, a.region) as region, coalesce(b.service, a.service) as service, \
         coalesce(b.route, a.route) as route, coalesce(b.measure, a.measure) as measure, coalesce(b.season, a.season) as season, \
         a.value as from_value, b.value as to_value, round(drift_percent(a.value, b.value), 4) as change_percent, \
         coalesce(b.unit, a.unit) as unit \
         from {} as a full outer join {} as b on a.region = b.region and a.service = b.service \
         and a.measure = b.measure and a.season = b.season and coalesce(a.route, '') = coalesce(b.route, '') \
         where a.value is null or b.value is null or a.value <> b.value order by 1, 2, 4, 5, 3",
        of(from),
        of(to)
    )
}

/// A run that reads the table of baselines.
async fn reader(global: &Global, lake: &Lake, kept: &Kept) -> Result<Run, Error> {
    let window = kept.window()?;
    open_run(global, lake, &global.settings()?, Params::new(window, window)).await
}

async fn set(global: &Global, lake: &Lake, name: &str, interval: Span, window: &Window) -> Result<(), Error> {
    global.only_present("tars baseline set")?;
    let settings = global.settings()?;
    let (params, _) = window.params(lake).await?;
    let window = params.window()?;
    // The window itself is what is kept.
    let mut params = Params::new(window, window);
    params.set("interval_seconds", Value::Integer(interval.seconds()?))?;
    refresh(global, lake, &settings).await?;
    let run = open_run(global, lake, &settings, params).await?;
    let version = baseline::keep(&run, lake, name).await?;
    tell(lake, name, version).await
}

async fn tell(lake: &Lake, name: &str, version: i64) -> Result<(), Error> {
    #![allow(clippy::print_stdout)] // The result of the command.
    let kept = baseline::find(lake, &format!("{name}@{version}")).await?;
    println!("{}: {} figures", baseline::described(&kept), kept.figures);
    Ok(())
}

async fn list(global: &Global, lake: &Lake, format: Format, at: Option<&str>) -> Result<(), Error> {
    let stale_after = global.settings()?.drift_evidence.stale_days * MICROS_PER_DAY;
    let now = now(at)?;
    let all = baseline::list(lake).await?;
    let ages = || all.iter().map(|k| now - k.to);
    let days = |age: i64| Some((age as f64 / MICROS_PER_DAY as f64 * 10.0).round() / 10.0);
    let columns = vec![
        ("name", texts(all.iter().map(|k| k.name.clone()))),
        ("version", ints(all.iter().map(|k| k.version))),
        ("from", times(all.iter().map(|k| Some(k.from)))),
        ("to", times(all.iter().map(|k| Some(k.to)))),
        ("interval_seconds", ints(all.iter().map(|k| k.interval_seconds))),
        ("seasons", texts(all.iter().map(|k| k.seasons.clone()))),
        ("figures", ints(all.iter().map(|k| k.figures))),
        ("age_days", Arc::new(Float64Array::from_iter(ages().map(days)))),
        ("state", texts(ages().map(|age| if age >= stale_after { "stale" } else { "fresh" }))),
        ("origin", texts(all.iter().map(|k| k.origin.clone()))),
    ];
    print(format, columns).await
}
