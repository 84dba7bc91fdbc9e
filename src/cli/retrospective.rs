//! `tars retrospective`: how days went, and whether to take a change back.

use std::path::PathBuf;

use clap::ValueEnum;

use super::Global;
use super::nightly::{Baseline, GA_NOTE, ga_baseline};
use super::output::{unless_stopped, write_whole};
use super::workspace::{Window, open_run, refresh};
use crate::engine::Params;
use crate::error::Error;
use crate::nightly;

/// Look back on a stretch of time: what went well, what could be improved, the trend, and whether to roll back.
///
/// Findings follow from violations, incidents, alerts, drift and recorded changes by rules in SQL
/// (`select * from retrospective`); each names its evidence. The rollback recommendation states its confidence and what
/// makes it up (`select * from rollback_signals`).
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tars retrospective --from 2025-01-16 --to 2025-01-23 --baseline ga
  tars retrospective --date 2025-01-16 --format json --output retrospective.json")]
pub(super) struct Retrospective {
    /// What the window is compared with [default: ga after the [ga] window of the settings, else previous]
    #[arg(long, value_enum, value_name = "BASELINE", conflicts_with = "baseline_from")]
    baseline: Option<Baseline>,
    /// markdown or json
    #[arg(long, value_enum, default_value = "markdown", value_name = "FORMAT")]
    format: Form,
    /// Write to a file instead of stdout
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    window: Window,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    /// For people
    #[value(alias = "md")]
    Markdown,
    /// For programs
    Json,
}

impl Retrospective {
    pub(super) async fn run(self, global: &Global) -> Result<(), Error> {
        #![allow(clippy::print_stdout)] // The result of the command.
        let made = unless_stopped(self.make(global)).await?;
        let text = match self.format {
            Form::Markdown => made.to_markdown(),
            Form::Json => made.to_json(),
        };
        match &self.output {
            Some(path) => write_whole(path, text.as_bytes()),
            None => {
                print!("{text}");
                Ok(())
            }
        }
    }

    async fn make(&self, global: &Global) -> Result<nightly::Retrospective, Error> {
        let lake = global.open_lake().await?;
        let settings = global.settings()?;
        let (mut params, mut note) = self.window.params(&lake).await?;
        if self.window.baseline_from.is_none()
            && let Some(ga) = ga_baseline(self.baseline, &settings, params.window()?, false)?
        {
            params = Params::new(params.window()?, ga);
            note = GA_NOTE.to_owned();
        }
        refresh(global, &lake, &settings).await?;
        let run = open_run(global, &lake, &settings, params).await?;
        run.hold(|_, _| ()).await?;
        Ok(nightly::Retrospective::of(&run, &note).await?)
    }
}
