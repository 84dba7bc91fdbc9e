//! `tars score`: verdicts for the windows of a day, or as they come, kept in the lake.

use std::io::Write;
use std::time::{Duration, Instant};

use super::Global;
use super::output::thousands;
use super::span::Span;
use super::workspace::{Window, instant, open_run, refresh};
use crate::engine::{self, Value};
use crate::error::Error;
use crate::lake::Lake;
use crate::score::{self, Predicted, Predictions, Stream, judged_until};
use crate::settings::Settings;
use crate::shell::{self, Format};

/// Judge every window and keep the verdicts in the table `predictions`.
///
/// By the model of --model, else by the rules. Scoring the same window again does nothing until the lake has
/// gained rows. With --follow each window is judged once it is over, from where the same judge stopped last,
/// and its verdicts are written to stdout as well, one JSON object a line.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tars score --model model.txt --date 2025-01-15
  tars score --follow --interval 60 | grep -v BENIGN
  tars sql -c \"select verdict, count(*) from predictions group by verdict\"")]
pub(super) struct Score {
    /// Length of a window in seconds
    #[arg(long, default_value_t = 300, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..=86_400))]
    interval: u32,
    /// Judge windows as they end, until stopped
    #[arg(long, conflicts_with_all = ["date", "from", "to", "baseline_from", "baseline_to"])]
    follow: bool,
    /// With --follow: the first window to judge [default: where the same judge stopped, else the last that is over]
    #[arg(long, value_name = "TIME", requires = "follow")]
    since: Option<String>,
    /// With --follow: how long after its end a window waits for late rows, by the time of the newest row
    #[arg(long, default_value = "1m", value_name = "TIME", requires = "follow")]
    lag: Span,
    /// With --follow: how much time before it a window is compared with
    #[arg(long, default_value = "1d", value_name = "TIME", requires = "follow")]
    baseline_span: Span,
    /// With --follow: end when no window was due for that long
    #[arg(long, value_name = "TIME", requires = "follow")]
    until_idle: Option<Span>,
    #[command(flatten)]
    window: Window,
}

/// How often the lake is looked at.
const POLL: Duration = Duration::from_secs(1);

impl Score {
    pub(super) async fn run(self, global: &Global) -> Result<(), Error> {
        #![allow(clippy::print_stdout)] // The result of the command.
        global.only_present("score")?;
        let lake = global.open_lake().await?;
        let settings = global.settings()?;
        let judge = format!("{}:{}", global.judge()?, self.interval);
        if self.follow {
            return tokio::select! {
                done = self.follow(global, &lake, &settings, &judge) => done,
                // Being stopped is how following ends; each stretch of verdicts is one commit.
                Ok(()) = tokio::signal::ctrl_c() => Ok(()),
            };
        }
        let (mut params, baseline) = self.window.params(&lake).await?;
        params
            .set("interval_seconds", Value::Integer(i64::from(self.interval)))
            .map_err(score::Error::from)?;
        let window = params.window()?;
        global.note(format_args!("window {window}, compared with {baseline}"));
        refresh(global, &lake, &settings).await?;
        let run = open_run(global, &lake, &settings, params).await?;
        match Predictions::of_run(&run, &judge).await?.keep(&lake).await? {
            Predicted::Kept(rows) => println!("{} verdicts kept in predictions", thousands(rows)),
            Predicted::Known => println!("nothing to do: {judge} has judged this window already"),
        }
        Ok(())
    }

    async fn follow(
        &self,
        global: &Global,
        lake: &Lake,
        settings: &Settings,
        judge: &str,
    ) -> Result<(), Error> {
        let stream = Stream {
            interval_seconds: self.interval,
            lag: micros(self.lag),
            baseline: micros(self.baseline_span),
        };
        let mut until = self.since.as_deref().map(|text| instant("since", text)).transpose()?;
        let mut asked = until.is_some();
        let mut idle = Instant::now();
        loop {
            let Some(mut due) = stream.due(lake, until).await? else {
                if self.until_idle.is_some_and(|most| idle.elapsed() >= most.0) {
                    return Ok(());
                }
                tokio::time::sleep(POLL).await;
                continue;
            };
            refresh(global, lake, settings).await?;
            let mut run = open_run(global, lake, settings, stream.params(due)?).await?;
            if !asked {
                // The first look at the lake tells where the same judge stopped.
                asked = true;
                until = judged_until(&run, judge).await?;
                match stream.due(lake, until).await? {
                    None => continue,
                    Some(window) if window != due => {
                        due = window;
                        run = open_run(global, lake, settings, stream.params(due)?).await?;
                    }
                    Some(_) => {}
                }
            }
            let predictions = Predictions::of_run(&run, judge).await?;
            // Printed before they are kept: killed in between they are printed twice, but never lost.
            let reader = print(&run, &predictions).await?;
            if let Predicted::Kept(rows) = predictions.keep(lake).await? {
                global.note(format_args!("{due}: {} verdicts", thousands(rows)));
            }
            if !reader {
                return Ok(());
            }
            until = Some(due.to());
            idle = Instant::now();
        }
    }
}

fn micros(span: Span) -> i64 {
    i64::try_from(span.0.as_micros()).unwrap_or(i64::MAX)
}

/// Writes verdicts to stdout; whether somebody still reads them.
async fn print(run: &crate::pipeline::Run, predictions: &Predictions) -> Result<bool, Error> {
    if predictions.rows.iter().all(|batch| batch.num_rows() == 0) {
        return Ok(true);
    }
    let frame = run.engine().context().read_batches(predictions.rows.clone()).map_err(engine::Error::from)?;
    let mut out = std::io::BufWriter::new(std::io::stdout());
    let written = Format::Ndjson.write(frame, &mut out).await;
    match (written, out.flush()) {
        (Ok(_), Ok(())) => Ok(true),
        (Ok(_) | Err(shell::Error::Write { .. }), _) => Ok(false),
        (Err(error), _) => Err(error.into()),
    }
}
