//! `tars record`: the series that dashboards read, computed ahead of time and kept in the lake.

use super::Global;
use super::output::thousands;
use super::workspace::{Window, open_run, refresh};
use crate::artifact::recorded::{Recorded, record};
use crate::engine::Value;
use crate::error::Error;

/// Compute the recording rules and keep their series in the table `recorded_series`.
///
/// A panel then reads rows of the model `dashboard_series` instead of raw telemetry. Recording the same window
/// again does nothing until the lake has gained rows or the settings have changed.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tars record --date 2025-01-15
  tars sql -c \"select slot, service, value from dashboard_series where rule = 'api_latency_p95' order by slot\"")]
pub(super) struct Record {
    /// Length of an interval in seconds
    #[arg(long, default_value_t = 300, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(60..=86_400))]
    interval: u32,
    #[command(flatten)]
    window: Window,
}

impl Record {
    pub(super) async fn run(self, global: &Global) -> Result<(), Error> {
        #![allow(clippy::print_stdout)] // The result of the command.
        global.only_present("tars record")?;
        if !self.interval.is_multiple_of(60) {
            return Err(Error::Usage {
                message: format!("--interval: expected whole minutes, got {} s", self.interval),
                hint: Some("requests are counted by the minute: give 60, 300, 3600 ...".into()),
            });
        }
        let lake = global.open_lake().await?;
        let settings = global.settings()?;
        let (mut params, _) = self.window.params(&lake).await?;
        params.set("interval_seconds", Value::Integer(i64::from(self.interval)))?;
        global.note(format_args!("window {}", params.window()?));
        refresh(global, &lake, &settings).await?;
        let run = open_run(global, &lake, &settings, params).await?;
        run.hold_only(&["request_minutes", "slo_observed", "oom_events"]).await?;
        match record(&run, &lake, &settings).await? {
            Recorded::Kept(rows) => println!("{} rows kept in recorded_series", thousands(rows)),
            Recorded::Known => println!("nothing to do: this window is recorded already"),
        }
        Ok(())
    }
}
