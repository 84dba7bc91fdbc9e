//! Labelled windows, for the commands that learn from them or are judged by them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::Global;
use super::workspace::{Window, open_run, refresh};
use crate::engine::{Params, Value};
use crate::error::Error;
use crate::lake::Lake;
use crate::pipeline::default_baseline;
use crate::score::{self, Frame, Incidents};
use crate::settings::Settings;

/// Which windows, and what is known of them.
#[derive(Debug, clap::Args)]
pub(super) struct Labelled {
    /// Labels, one JSON object a line (region, service, from, to, verdict) [default: the lake's incidents]
    #[arg(long, value_name = "FILE")]
    pub(super) incidents: Option<PathBuf>,
    /// Length of a window in seconds
    #[arg(long, default_value_t = 300, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..=86_400))]
    pub(super) interval: u32,
    #[command(flatten)]
    window: Window,
}

impl Labelled {
    /// Whether labels or a window were named.
    pub(super) fn is_asked(&self) -> Result<bool, Error> {
        Ok(self.incidents.is_some() || self.window.asked()?.is_some())
    }

    /// The labelled windows: of the window asked for, else of every day on which an incident began. And the versions of
    /// the lake's tables behind them.
    pub(super) async fn frame(
        &self,
        global: &Global,
        lake: &Lake,
        settings: &Settings,
    ) -> Result<(Frame, BTreeMap<String, u64>), Error> {
        let labels = match &self.incidents {
            Some(path) => {
                let text = std::fs::read_to_string(path)
                    .map_err(|source| Error::Read { path: path.clone(), source })?;
                Some(Incidents::parse(&text)?)
            }
            None => None,
        };
        refresh(global, lake, settings).await?;
        let mut frame = Frame::default();
        let mut versions = BTreeMap::new();
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
            frame.add(found, &labels)?;
        }
        Ok((frame, versions))
    }
}
