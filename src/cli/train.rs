//! `tars train`: a classifier from labelled incidents.

use std::path::PathBuf;

use super::Global;
use super::output::write_whole;
use super::workspace::{Window, open_run, refresh};
use crate::engine::{Params, Value};
use crate::error::Error;
use crate::functions::RuleSet;
use crate::lake::Lake;
use crate::pipeline::default_baseline;
use crate::score::{self, Frame, Incidents, Options, train};
use crate::settings::Settings;

/// Train the regression classifier on labelled incidents, and report on it.
///
/// Figures come from cross-validation in which whole incidents, and whole hours without one, are held out.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tars train --incidents labels.ndjson --out model.txt
  tars train --from 2025-01-13T00:00:00Z --to 2025-01-16T00:00:00Z   with the incidents of the lake
  tars train --incidents labels.ndjson --interval 60 --report report.json")]
pub(super) struct Train {
    /// Labels, one JSON object a line (region, service, from, to, verdict) [default: the lake's incidents]
    #[arg(long, value_name = "FILE")]
    incidents: Option<PathBuf>,
    /// Where the model goes
    #[arg(long, default_value = "tars-model.txt", value_name = "FILE")]
    out: PathBuf,
    /// Where the report goes as JSON, besides standard output
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Length of a window in seconds
    #[arg(long, default_value_t = 300, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..=86_400))]
    interval: u32,
    /// A verdict less probable than this is UNCERTAIN
    #[arg(long, default_value_t = 0.5, value_name = "SHARE", value_parser = share)]
    min_confidence: f64,
    /// The most rounds of boosting
    #[arg(long, default_value_t = 200, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    rounds: u32,
    /// The most folds of the cross-validation
    #[arg(long, default_value_t = 5, value_name = "N", value_parser = clap::value_parser!(u32).range(2..=100))]
    folds: u32,
    /// Seed of the training
    #[arg(long, default_value_t = 1, value_name = "N")]
    seed: u64,
    #[command(flatten)]
    window: Window,
}

pub(super) fn share(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err(format!("expected a number from 0 to 1, got `{text}`")),
    }
}

impl Train {
    pub(super) async fn run(self, global: &Global) -> Result<(), Error> {
        #![allow(clippy::print_stdout)] // The report is the result of the command.
        let lake = global.open_lake().await?;
        let settings = global.settings()?;
        let labels = match &self.incidents {
            Some(path) => {
                let text = std::fs::read_to_string(path)
                    .map_err(|source| Error::Read { path: path.clone(), source })?;
                Some(Incidents::parse(&text)?)
            }
            None => None,
        };
        refresh(global, &lake, &settings).await?;
        let (frame, lake_versions) = self.frame(global, &lake, &settings, labels).await?;
        let options = Options {
            rounds: self.rounds as usize,
            folds: self.folds as usize,
            min_confidence: self.min_confidence,
            seed: self.seed,
            interval_seconds: i64::from(self.interval),
            lake_versions,
        };
        let rules = RuleSet::try_from(&settings).map_err(crate::engine::Error::from)?;
        let trained = tokio::task::block_in_place(|| train(&frame, &rules, &options))?;
        write_whole(&self.out, trained.model.to_text().as_bytes())?;
        if let Some(path) = &self.report {
            let json = serde_json::to_string_pretty(&trained.report).expect("figures and words are JSON");
            write_whole(path, format!("{json}\n").as_bytes())?;
        }
        print!("{}", trained.report.to_markdown());
        global.note(format_args!("model: {}", self.out.display()));
        Ok(())
    }

    /// The labelled windows: of the window asked for, else of every day on which an incident began.
    async fn frame(
        &self,
        global: &Global,
        lake: &Lake,
        settings: &Settings,
        labels: Option<Incidents>,
    ) -> Result<(Frame, std::collections::BTreeMap<String, u64>), Error> {
        let mut frame = Frame::default();
        let mut versions = std::collections::BTreeMap::new();
        let asked = self.window.asked()?;
        let labels = match labels {
            Some(labels) => labels,
            None => {
                let (params, _) = self.window.params(lake).await?;
                Incidents::of_lake(&open_run(global, lake, settings, params).await?).await?
            }
        };
        let windows = asked.map_or_else(|| labels.days(), |window| vec![window]);
        for window in windows {
            let mut params = match asked {
                Some(_) => self.window.params(lake).await?.0,
                None => Params::new(window, default_baseline(lake, window).await?.0),
            };
            params
                .set("interval_seconds", Value::Integer(i64::from(self.interval)))
                .map_err(score::Error::from)?;
            let run = open_run(global, lake, settings, params).await?;
            versions.extend(run.versions().iter().map(|v| (v.table.clone(), v.version)));
            let found = score::Window::of_run(&run).await?;
            global.note(format_args!("{window}: {} windows with a symptom measured", found.len()));
            frame.add(found, &labels);
        }
        Ok((frame, versions))
    }
}
