//! `tars nightly`: everything that is due after a day, in one go.

mod job;
mod steps;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::ValueEnum;

use super::Global;
use super::key::private_key;
use super::output::{Stop, thousands, write_whole};
use super::report::Forms;
use super::workspace::{Window, now, open_run, refresh};
use crate::domain::{MICROS_PER_DAY, TimeRange};
use crate::engine::Params;
use crate::error::Error;
use crate::lake::Lake;
use crate::pipeline::{self, Run};
use crate::report::{self, Form, Period};
use crate::settings::Settings;

/// Do what is due after a day: rollups, checks, report, messages, and old files away.
///
/// Steps run in the order in which they depend on each other. A step whose files are there, made from the same table
/// versions and settings, is skipped; so a run that was stopped goes on where it was. `tars runs` shows what each step
/// did. One run at a time works on a lake.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tars nightly --date 2025-01-15
  tars nightly --profile ga --date 2025-01-15 --out /srv/reports
  tars nightly --profile daily --baseline ga --lake s3://telemetry/lake
  tars nightly --dry-run                 print messages and expired files instead of sending and removing")]
pub(super) struct Nightly {
    /// What is due: ga (the day of general availability), daily or weekly
    #[arg(long, value_enum, default_value = "daily", value_name = "PROFILE")]
    profile: Profile,
    /// Folder for what is written
    #[arg(long, default_value = "reports", value_name = "DIR")]
    out: PathBuf,
    /// What the window is compared with [default: ga after the [ga] window of the settings, else previous]
    #[arg(long, value_enum, value_name = "BASELINE", conflicts_with = "baseline_from")]
    baseline: Option<Baseline>,
    /// With --profile ga: private key to sign the certification package with (PKCS#8 PEM)
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Send nothing and remove nothing: print what would be
    #[arg(long)]
    dry_run: bool,
    /// Take away the lock of a run that is surely gone
    #[arg(long)]
    break_lock: bool,
    /// Count the age of files back from here [default: the clock]
    #[arg(long, value_name = "TIME")]
    now: Option<String>,
    #[command(flatten)]
    forms: Forms,
    #[command(flatten)]
    window: Window,
}

/// What is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Profile {
    /// The day of general availability: key figures, SLOs, drift, WebSockets, validation, package, report
    Ga,
    /// Any day: report, and after general availability a retrospective
    Daily,
    /// The seven days that end with --date
    Weekly,
}

impl Profile {
    const fn as_str(self) -> &'static str {
        match self {
            Profile::Ga => "ga",
            Profile::Daily => "daily",
            Profile::Weekly => "weekly",
        }
    }
}

/// What a window is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Baseline {
    /// The [ga] window of the settings
    Ga,
    /// The period before
    Previous,
}

/// The lock that keeps two runs apart.
const LOCK: &str = "nightly";
/// How long a lock outlives its last sign of life. A run shows one every quarter of it.
const LEASE: Duration = Duration::from_secs(15 * 60);
/// What a baseline of general availability is called.
pub(super) const GA_NOTE: &str = "the window of general availability";

impl Nightly {
    pub(super) async fn run(self, global: &Global) -> Result<(), Error> {
        let lake = global.open_lake().await?;
        let settings = global.settings()?;
        let forms = self.forms.listed();
        let key = self.key.as_deref().map(private_key).transpose()?;
        let (params, baseline_note) = self.params(&lake, &settings).await?;
        let now = now(self.now.as_deref())?;
        let present = lake.present();
        if self.break_lock {
            let broken = present.break_lock(LOCK).await?;
            global.note(format_args!("{broken} locks taken away"));
        }
        let stop = Stop::listen();
        let lock = present.lock(LOCK, &holder(), LEASE, super::workspace::now(None)?).await?;
        let job = job::Job {
            global,
            lake: &lake,
            settings: &settings,
            profile: self.profile,
            params,
            baseline_note,
            forms: &forms,
            key: key.as_ref(),
            out: &self.out,
            dry_run: self.dry_run,
            now,
            run: tokio::sync::OnceCell::new(),
        };
        // Whatever happens to the work, the lock is given back.
        let done = stop.unless(job.execute()).await;
        let released = lock.release().await;
        done?.print();
        Ok(released?)
    }

    async fn params(&self, lake: &Lake, settings: &Settings) -> Result<(Params, String), Error> {
        let (mut params, mut note) = self.window.params(lake).await?;
        let mut window = params.window()?;
        if self.profile == Profile::Weekly && self.window.from.is_none() {
            window = TimeRange::new(window.to() - 7 * MICROS_PER_DAY, window.to())?;
            let (baseline, which) = match self.window.baseline_from {
                Some(_) => (params.baseline()?, note),
                None => pipeline::default_baseline(lake, window).await?,
            };
            (params, note) = (Params::new(window, baseline), which);
        }
        if self.window.baseline_from.is_some() {
            return Ok((params, note));
        }
        match ga_baseline(self.baseline, settings, window, self.profile == Profile::Ga)? {
            Some(ga) => Ok((Params::new(window, ga), GA_NOTE.to_owned())),
            None => Ok((params, note)),
        }
    }
}

/// The GA window, where it is the baseline: when asked for, and by default for windows after it.
pub(super) fn ga_baseline(
    asked: Option<Baseline>,
    settings: &Settings,
    window: TimeRange,
    is_ga_day: bool,
) -> Result<Option<TimeRange>, Error> {
    match (asked, settings.ga.window) {
        (Some(Baseline::Previous), _) => Ok(None),
        (Some(Baseline::Ga), Some(ga)) => Ok(Some(ga)),
        (Some(Baseline::Ga), None) => Err(Error::Usage {
            message: "--baseline ga: expected a [ga] window in the settings, got none".into(),
            hint: Some("add [ga] with from = \"...\" and to = \"...\" to tars.toml".into()),
        }),
        (None, ga) => Ok(ga.filter(|ga| !is_ga_day && window.from() >= ga.to())),
    }
}

/// Who holds the lock, for whoever meets it.
fn holder() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host = host.trim();
    format!("process {} on {}", std::process::id(), if host.is_empty() { "some machine" } else { host })
}

/// What a run wrote.
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
    let written = write_report(&run, order, &baseline).await?;
    global.tell_timings(&run);
    global.note(format_args!("done in {:.1} s", start.elapsed().as_secs_f64()));
    Ok(written)
}

/// The report of a run whose models are held.
async fn write_report(run: &Run, order: Order<'_>, baseline: &str) -> Result<Written, Error> {
    let window = run.params().window()?;
    let request = report::Request { period: order.period, window, baseline_note: baseline.to_owned() };
    let report = report::build(run, &request).await?;
    let stem = order.out.join(report.file_stem());
    let mut files = Vec::new();
    for form in order.forms {
        let file = stem.with_added_extension(form.as_str());
        write_whole(&file, &report.to_form(*form)?)?;
        files.push(file);
    }
    Ok(Written { headline: report.headline().to_owned(), files })
}
