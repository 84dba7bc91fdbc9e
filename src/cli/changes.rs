//! `tars changes`: when the level of a key figure changed, and what was changed before.

use super::Global;
use super::results::Results;
use super::span::Span;
use super::workspace::{Window, open_run, refresh};
use crate::engine::{Params, Value};
use crate::error::Error;
use crate::settings::Settings;

/// When key figures changed, by how much, whether it went away, and what was changed in the hours before.
///
/// Looks at p95 latency, error rate, request rate and every metric with a role, by region and service. Changes of level
/// that are certain but small (below the threshold or the floor of the drift check of that name, else
/// `change.min_effect_percent`) are counted, and shown with --all.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tars changes                                       the newest day in the lake
  tars changes --from 2025-01-08 --to 2025-01-15 --interval 30m
  tars changes --service agent-runner --metric error_rate --format json
  tars changes --lookback 1h                         only causes of the last hour count")]
pub(super) struct Changes {
    /// Only this region
    #[arg(long, value_name = "NAME")]
    region: Option<String>,
    /// Only this service
    #[arg(long, value_name = "NAME")]
    service: Option<String>,
    /// Only this figure: api_latency_p95, error_rate, request_rate or the role of a metric
    #[arg(long, value_name = "NAME")]
    metric: Option<String>,
    /// Length of the intervals that make the series
    #[arg(long, value_name = "TIME", default_value = "5m")]
    interval: Span,
    /// How long before a change of level its cause may lie [default: that of the settings, 6h]
    #[arg(long, value_name = "TIME")]
    lookback: Option<Span>,
    /// Show small changes as well
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    results: Results,
    #[command(flatten)]
    window: Window,
}

const COLUMNS: &str = "select changed_at, region, service, name, round(before, 6) as before, \
    round(after, 6) as after, round(change_percent, 2) as change_percent, unit, round(confidence, 6) as confidence, \
    provisional, went_away, went_away_at, changes_before, cause, cause_key, cause_from, cause_to, cause_version, \
    cause_author, cause_at, cause_id from change_points";

const ORDER: &str = "order by changed_at, region, service, name";

/// The whole seconds of a span, at least one minute where `least` asks for it.
fn seconds(option: &str, span: Span, least: u64) -> Result<i64, Error> {
    let seconds = span.0.as_secs();
    if seconds < least || span.0.subsec_nanos() > 0 || !seconds.is_multiple_of(least.max(1)) {
        return Err(Error::Usage {
            message: format!(
                "--{option}: expected whole {}, got {span}",
                if least > 1 { "minutes" } else { "seconds" }
            ),
            hint: None,
        });
    }
    i64::try_from(seconds)
        .map_err(|_| Error::Usage { message: format!("--{option}: {span} is too long"), hint: None })
}

impl Changes {
    pub(super) async fn run(self, global: &Global) -> Result<(), Error> {
        let settings = self.settings(global.settings()?)?;
        // The rollups count by minute.
        let interval = seconds("interval", self.interval, 60)?;
        let lake = global.open_lake().await?;
        refresh(global, &lake, &settings).await?;
        let (params, _) = self.window.params(&lake).await?;
        // Nothing is compared, so nothing before the window is read.
        let window = params.window()?;
        let mut params = Params::new(window, window);
        params.set("interval_seconds", Value::Integer(interval))?;
        let run = open_run(global, &lake, &settings, params).await?;
        let filters = [("region", &self.region), ("service", &self.service), ("name", &self.metric)];
        let filters = filters.into_iter().filter_map(|(column, value)| {
            value.as_ref().map(|value| format!("{column} = {}", Value::Text(value.clone()).to_sql()))
        });
        let filters: Vec<String> = filters.collect();
        let condition = |own: &str| {
            let all: Vec<&str> = std::iter::once(own).chain(filters.iter().map(String::as_str)).collect();
            format!("where {}", all.join(" and "))
        };
        run.hold_only(&["change_points"]).await?;
        let shown = condition(if self.all { "true" } else { "matters" });
        self.results.write(run.engine().sql(&format!("{COLUMNS} {shown} {ORDER}")).await?).await?;
        if !self.all {
            let small = format!("select 1 from change_points {}", condition("not matters"));
            let small: usize = run.rows(&small).await?.iter().map(|batch| batch.num_rows()).sum();
            if small > 0 {
                global.note(format_args!("{small} smaller changes are not shown; --all shows them"));
            }
        }
        Ok(())
    }

    fn settings(&self, mut settings: Settings) -> Result<Settings, Error> {
        if let Some(lookback) = self.lookback {
            settings.change.lookback_seconds = seconds("lookback", lookback, 1)?;
        }
        Ok(settings)
    }
}
