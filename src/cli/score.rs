//! `tars score`: verdicts for the windows of a day, kept in the lake.

use super::Global;
use super::output::thousands;
use super::workspace::{Window, open_run, refresh};
use crate::engine::Value;
use crate::error::Error;
use crate::score::{self, Predicted, predict};

/// Judge every window and keep the verdicts in the table `predictions`.
///
/// By the model of --model, else by the rules. Scoring the same window again does nothing until the lake has
/// gained rows.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tars score --model model.txt --date 2025-01-15
  tars sql -c \"select verdict, count(*) from predictions group by verdict\"")]
pub(super) struct Score {
    /// Length of a window in seconds
    #[arg(long, default_value_t = 300, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..=86_400))]
    interval: u32,
    #[command(flatten)]
    window: Window,
}

impl Score {
    pub(super) async fn run(self, global: &Global) -> Result<(), Error> {
        #![allow(clippy::print_stdout)] // The result of the command.
        let lake = global.open_lake().await?;
        let settings = global.settings()?;
        let (mut params, baseline) = self.window.params(&lake).await?;
        params
            .set("interval_seconds", Value::Integer(i64::from(self.interval)))
            .map_err(score::Error::from)?;
        let window = params.window()?;
        global.note(format_args!("window {window}, compared with {baseline}"));
        refresh(global, &lake, &settings).await?;
        let run = open_run(global, &lake, &settings, params).await?;
        let judge = format!("{}:{}", global.judge()?, self.interval);
        match predict(&run, &lake, &judge).await? {
            Predicted::Kept(rows) => println!("{} verdicts kept in predictions", thousands(rows)),
            Predicted::Known => println!("nothing to do: {judge} has judged this window already"),
        }
        Ok(())
    }
}
