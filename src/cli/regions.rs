//! `tars regions`: every region against the primary, its own past and the others.

use std::path::PathBuf;

use super::Global;
use super::results::format;
use super::rows::write_frame;
use super::workspace::{Window, open_run, refresh};
use crate::error::Error;
use crate::shell::Format;

/// Compare regions: with the primary, with their own past, and with each other; and whether they hold the same rows.
///
/// `reading` says `own` where a region moved away from its past and the others did not follow, `common` where they did.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tars regions --date 2025-01-15
  tars regions --date 2025-01-15 --baseline last-week --format md
  tars regions --date 2025-01-15 --baseline ga --format json --output regions.json")]
pub(super) struct Regions {
    /// table, md, json, ndjson, csv or parquet
    #[arg(long, default_value = "table", value_name = "FORMAT", value_parser = format)]
    format: Format,
    /// Write to a file instead of stdout
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    window: Window,
}

/// What the models of this command share, computed once.
const HELD: [&str; 8] = [
    "request_minutes",
    "region_kpis",
    "request_intervals",
    "baseline_series",
    "current_series",
    "place_series",
    "drift_requests",
    "request_series",
];

const REGIONS: &str = "select region, is_primary, requests, round(request_share, 4) as request_share, \
    round(availability, 6) as availability, round(error_rate, 6) as error_rate, round(p50_ms, 1) as p50_ms, \
    round(p95_ms, 1) as p95_ms, round(p99_ms, 1) as p99_ms, round(availability_delta, 6) as availability_delta, \
    round(error_rate_delta, 6) as error_rate_delta, round(p95_delta_ms, 1) as p95_delta_ms, \
    round(drift_score, 3) as drift_score, round(past_p95_ms, 1) as past_p95_ms, \
    round(past_error_rate, 6) as past_error_rate, round(p95_change_percent, 2) as p95_change_percent, \
    round(error_rate_change, 6) as error_rate_change, round(p95_did_ms, 1) as p95_did_ms, \
    round(error_rate_did, 6) as error_rate_did, reading, replicated_rows, rows_behind, \
    round(replication_lag_p95_ms, 1) as replication_lag_p95_ms, \
    round(replication_lag_max_ms, 1) as replication_lag_max_ms from region_comparison \
    order by is_primary desc, region";

impl Regions {
    pub(super) async fn run(self, global: &Global) -> Result<(), Error> {
        let settings = global.settings()?;
        let lake = global.open_lake().await?;
        let (params, compared) = self.window.params(&lake).await?;
        global.note(format_args!("window {}, compared with {compared}", params.window()?));
        refresh(global, &lake, &settings).await?;
        let run = open_run(global, &lake, &settings, params).await?;
        run.hold_only(&HELD).await?;
        let frame = run.engine().sql(REGIONS).await?;
        write_frame(self.format, self.output.as_deref(), frame).await
    }
}
