//! From the global options to what the verbs work with: settings, lake, engine, run.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use super::Global;
use super::output::note;
use crate::artifact::baseline;
use crate::domain::{ByteSize, MICROS_PER_DAY, TimeRange, parse_timestamp};
use crate::engine::{Engine, EngineOptions, Params, Value, default_memory_limit, default_threads};
use crate::error::Error;
use crate::gbm::schema_hash;
use crate::lake::{AsOf, Lake};
use crate::pipeline::{self, Run};
use crate::settings::Settings;

/// Lines that `--timings` prints.
const LONGEST: usize = 40;
/// Where settings are looked for when `--config` does not say.
const DEFAULT_CONFIG: &str = "tars.toml";

impl Global {
    pub(super) fn threads(&self) -> usize {
        self.threads.map_or_else(default_threads, usize::from)
    }

    pub(super) fn memory_limit(&self) -> u64 {
        self.memory_limit.map_or_else(default_memory_limit, |ByteSize(bytes)| bytes)
    }

    pub(super) fn settings(&self) -> Result<Settings, Error> {
        self.settings_with(&[])
    }

    /// The settings, with the SLOs of OpenSLO files or folders beside those that they name.
    pub(super) fn settings_with(&self, openslo: &[PathBuf]) -> Result<Settings, Error> {
        let default = Path::new(DEFAULT_CONFIG);
        let path = self.config.as_deref().or_else(|| default.exists().then_some(default));
        Ok(Settings::load_with(path, openslo)?)
    }

    pub(super) fn engine(&self, settings: &Settings) -> Result<Engine, Error> {
        let options = EngineOptions { memory_limit: self.memory_limit(), threads: self.threads() };
        let engine = Engine::new(&options, settings)?;
        if let Some(path) = &self.model {
            engine.judge_by(settings, Arc::new(super::model::read(path)?))?;
        }
        Ok(engine)
    }

    /// Who judges: a hash of the model, or `rules`.
    pub(super) fn judge(&self) -> Result<String, Error> {
        let Some(path) = &self.model else { return Ok("rules".to_owned()) };
        Ok(schema_hash(&[super::model::read(path)?.to_text()]))
    }

    pub(super) async fn open_lake(&self) -> Result<Lake, Error> {
        // What is wrong with the point in time is said before the lake is looked at.
        let points = self.as_of.iter().map(|text| text.parse()).collect::<Result<Vec<AsOf>, _>>()?;
        let lake = match (Lake::open(&self.lake).await, &self.model) {
            (Ok(lake), _) => lake,
            // The path of a model is cheaper to correct than a lake is to fill.
            (Err(missing), Some(model)) => {
                return super::model::read(model).and_then(|_| Err(missing.into()));
            }
            (Err(missing), None) => return Err(missing.into()),
        };
        if points.is_empty() { Ok(lake) } else { Ok(lake.as_of(&points).await?) }
    }

    /// For a command that writes, or that tells of all versions: `--as-of` makes no sense there.
    pub(super) fn only_present(&self, command: &str) -> Result<(), Error> {
        match self.as_of.first() {
            None => Ok(()),
            Some(point) => Err(Error::Usage {
                message: format!("--as-of {point}: expected a command that only reads, got `{command}`"),
                hint: Some("leave --as-of out; `tars lake restore` goes back to an older version".into()),
            }),
        }
    }

    /// Says what the run spent its time on, where `--timings` asks for it.
    pub(super) fn tell_timings(&self, run: &Run) {
        if self.timings {
            run.engine().timings().longest(LONGEST).iter().for_each(note);
        }
    }

    /// Says something to a person, unless they asked for quiet.
    pub(super) fn note(&self, text: impl std::fmt::Display) {
        if !self.quiet {
            note(text);
        }
    }
}

/// The window that a verb looks at.
#[derive(Debug, Clone, Default, clap::Args)]
pub(super) struct Window {
    /// A UTC day, such as 2025-01-15
    #[arg(long, value_name = "DATE", conflicts_with_all = ["from", "to"])]
    pub(super) date: Option<String>,
    /// Start of the window, such as 2025-01-15T13:00:00Z
    #[arg(long, value_name = "TIME", requires = "to")]
    pub(super) from: Option<String>,
    /// End of the window (not part of it)
    #[arg(long, value_name = "TIME", requires = "from")]
    pub(super) to: Option<String>,
    /// Start of the window to compare with [default: the period before]
    #[arg(long, value_name = "TIME", requires = "baseline_to")]
    pub(super) baseline_from: Option<String>,
    /// End of the window to compare with
    #[arg(long, value_name = "TIME", requires = "baseline_from")]
    pub(super) baseline_to: Option<String>,
    /// Compare with a kept baseline, `previous` (the period before), `last-week` (the same hours) or `first` (its first five minutes)
    #[arg(long, value_name = "NAME|NAME@VERSION", conflicts_with_all = ["baseline_from", "baseline_to"])]
    pub(super) baseline: Option<String>,
}

/// A lake without anything to analyse, such as one that holds only rejects.
pub(super) fn no_telemetry(lake: &Lake) -> Error {
    Error::Usage {
        message: format!("the lake {} holds no telemetry yet", lake.url()),
        hint: Some("tars ingest PATH".into()),
    }
}

pub(super) fn instant(option: &str, text: &str) -> Result<i64, Error> {
    parse_timestamp(text).ok_or_else(|| Error::Usage {
        message: format!("--{option}: expected a time such as 2025-01-15T13:00:00Z, got `{text}`"),
        hint: None,
    })
}

fn range(names: [&str; 2], from: &str, to: &str) -> Result<TimeRange, Error> {
    Ok(TimeRange::new(instant(names[0], from)?, instant(names[1], to)?)?)
}

impl Window {
    /// The window asked for, if any.
    pub(super) fn asked(&self) -> Result<Option<TimeRange>, Error> {
        match (&self.date, &self.from, &self.to) {
            (Some(date), _, _) => Ok(Some(TimeRange::day(date)?)),
            (None, Some(from), Some(to)) => Ok(Some(range(["from", "to"], from, to)?)),
            _ => Ok(None),
        }
    }

    /// The parameters of a run over this lake, and in words what the window is compared with. Without a
    /// window the newest day that holds requests is taken.
    pub(super) async fn params(&self, lake: &Lake) -> Result<(Params, String), Error> {
        let window = match self.asked()? {
            Some(window) => window,
            None => pipeline::last_day_with_requests(lake).await?.ok_or_else(|| no_telemetry(lake))?,
        };
        if let Some(text) = &self.baseline {
            return named_baseline(lake, window, text).await;
        }
        let (baseline, which) = match (&self.baseline_from, &self.baseline_to) {
            (Some(from), Some(to)) => {
                (range(["baseline-from", "baseline-to"], from, to)?, "as asked for".to_owned())
            }
            _ => pipeline::default_baseline(lake, window).await?,
        };
        Ok((Params::new(window, baseline), which))
    }
}

impl Window {
    /// Says so when a window is compared with a part of itself that nobody asked for: what the first hours of a day differ
    /// from is also the time of day.
    pub(super) fn tell_own_past(&self, global: &Global, params: &Params) -> Result<(), Error> {
        let (window, baseline) = (params.window()?, params.baseline()?);
        let is_asked = self.baseline.is_some() || self.baseline_from.is_some();
        if !is_asked && baseline.to() > window.from() && baseline.from() < window.to() {
            global.note(format_args!(
                "warning: the lake holds nothing of {}, the period before the window, so that its own beginning stands in \
                 for a baseline, at another time of day; compare with a kept one (--baseline NAME, `tars baseline list`) \
                 or with --baseline-from TIME --baseline-to TIME",
                window.previous()
            ));
        }
        Ok(())
    }
}

/// The parameters that compare a window with what a name means.
async fn named_baseline(lake: &Lake, window: TimeRange, text: &str) -> Result<(Params, String), Error> {
    let week = 7 * MICROS_PER_DAY;
    let baseline = match text {
        "previous" => window.previous(),
        "last-week" => TimeRange::new(window.from() - week, window.to() - week)?,
        "first" => {
            let first = Params::new(window, window).interval_micros();
            TimeRange::new(window.from(), (window.from() + first).min(window.to()))?
        }
        _ => {
            let kept = baseline::find(lake, text).await?;
            let mut params = Params::new(window, kept.window()?);
            params.set("baseline_name", Value::Text(kept.name.clone()))?;
            params.set("baseline_version", Value::Integer(kept.version))?;
            return Ok((params, baseline::described(&kept)));
        }
    };
    let which = match text {
        "previous" => "the period before it",
        "last-week" => "the same hours of the week before",
        _ => "its first five minutes",
    };
    Ok((Params::new(window, baseline), which.to_owned()))
}

/// The time that a command counts back from (UTC microseconds): what `--now` says, else the clock.
pub(super) fn now(text: Option<&str>) -> Result<i64, Error> {
    match text {
        Some(text) => instant("now", text),
        None => {
            let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
            Ok(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
        }
    }
}

/// Brings the incremental models up to date, with a line for each that had work to do.
pub(super) async fn refresh(global: &Global, lake: &Lake, settings: &Settings) -> Result<(), Error> {
    if lake.is_past() {
        return Ok(());
    }
    let engine = global.engine(settings)?;
    pipeline::refresh(&engine, lake, |done| {
        if done.files > 0 {
            global.note(format_args!(
                "{}: {} rows from {} new files ({} source rows)",
                done.model, done.rows, done.files, done.source_rows
            ));
        }
    })
    .await?;
    Ok(())
}

/// Opens a run over the lake.
pub(super) async fn open_run(
    global: &Global,
    lake: &Lake,
    settings: &Settings,
    params: Params,
) -> Result<Run, Error> {
    Ok(Run::open(global.engine(settings)?, lake, params).await?)
}
