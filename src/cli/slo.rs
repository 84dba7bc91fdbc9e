//! `tars slo`: where the SLOs stand, what violated them, and which alerts would have fired.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use clap::ValueEnum;
use datafusion::datasource::MemTable;

use super::output::write_whole;
use super::workspace::{Window, open_run, refresh};
use super::{Global, charts};
use crate::domain::{Severity, TimeRange};
use crate::engine::{self, Params};
use crate::error::Error;
use crate::lake::Lake;
use crate::pipeline::{self, Run};
use crate::settings::Settings;
use crate::shell::Format;

/// Where every SLO stands: compliance, error budget, violations, burn-rate alerts.
///
/// Looks at all the history in the lake unless --date or --from and --to say otherwise.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tars slo                                        every SLO by region and service
  tars slo violations --date 2025-01-15           what violated them, in episodes
  tars slo budgets --slo availability             period by period, raw and corrected
  tars slo backtest --slo availability --objective 99.95
  tars slo --format json --fail-on critical       for a pipeline: exit code 8 when one was critical
  tars slo --charts charts/                       SVG: budgets over time, latency with its band")]
pub(super) struct SloCommand {
    /// What to show
    #[arg(value_enum, default_value = "status")]
    what: What,
    /// Only this SLO
    #[arg(long, value_name = "NAME")]
    slo: Option<String>,
    /// With backtest: what this objective would have meant, such as 99.95 (percent) or 0.9995
    #[arg(long, value_name = "SHARE", value_parser = objective)]
    objective: Option<f64>,
    /// table, md, json, ndjson, csv or parquet
    #[arg(long, default_value = "table", value_name = "FORMAT", value_parser = format)]
    format: Format,
    /// Write to a file instead of stdout
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Exit with code 8 when a violation is at least this severe: info, warning, error or critical
    #[arg(long, value_name = "SEVERITY")]
    fail_on: Option<Severity>,
    /// Folder for charts
    #[arg(long, value_name = "DIR")]
    charts: Option<PathBuf>,
    #[command(flatten)]
    window: Window,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    /// The newest period of each SLO, region and service
    Status,
    /// Violations and anomalies as episodes, with a sentence each
    Violations,
    /// Every period with its error budget, raw and corrected
    Budgets,
    /// The burn-rate alerts that would have fired
    Backtest,
}

/// What the models of this command share, computed once.
const HELD: [&str; 8] = [
    "request_minutes",
    "slo_windows",
    "slo_bands",
    "slo_violations",
    "slo_episodes",
    "slo_events",
    "slo_burn",
    "slo_alerts",
];

const ALERTS: &str = "select objective, slo, region, service, action, windows, severity, started_at, ended_at, \
    duration_seconds, round(burn_limit, 2) as burn_limit, round(worst_burn, 2) as worst_burn, \
    round(gone_at_start, 4) as gone_at_start, round(gone_at_end, 4) as gone_at_end from slo_backtest \
    order by slo, objective, started_at, region, service, tier";

impl SloCommand {
    pub(super) async fn run(self, global: &Global) -> Result<(), Error> {
        if self.objective.is_some() && self.what != What::Backtest {
            return Err(Error::Usage {
                message: "--objective: expected with `tars slo backtest` only".into(),
                hint: Some("the objectives of the other tables are those of the settings".into()),
            });
        }
        let settings = global.settings()?;
        let settings = self.only_asked(settings)?;
        let lake = global.open_lake().await?;
        refresh(global, &lake, &settings).await?;
        let params = self.params(&lake).await?;
        let run = open_run(global, &lake, &settings, params.clone()).await?;
        run.hold_only(&HELD).await?;
        self.warn(global, &run).await?;
        self.show(global, &lake, &settings, params, &run).await?;
        if let Some(folder) = &self.charts {
            for path in charts::write(&run, folder).await? {
                global.note(format_args!("{}", path.display()));
            }
        }
        self.judge(&run).await
    }

    /// The settings with the SLO asked for alone.
    fn only_asked(&self, mut settings: Settings) -> Result<Settings, Error> {
        let Some(name) = &self.slo else { return Ok(settings) };
        let known: Vec<String> = settings.slos.iter().map(|s| s.name.clone()).collect();
        settings.slos.retain(|s| s.name == *name);
        if settings.slos.is_empty() {
            return Err(Error::Usage {
                message: format!("--slo: the settings name no SLO `{name}`"),
                hint: Some(format!("one of: {}", known.join(", "))),
            });
        }
        Ok(settings)
    }

    /// The window asked for, else all there is.
    async fn params(&self, lake: &Lake) -> Result<Params, Error> {
        let history: Option<TimeRange> =
            if self.window.asked()?.is_none() { pipeline::whole_history(lake).await? } else { None };
        match history {
            Some(window) => Ok(Params::new(window, window.previous())),
            None => Ok(self.window.params(lake).await?.0),
        }
    }

    async fn show(
        &self,
        global: &Global,
        lake: &Lake,
        settings: &Settings,
        params: Params,
        run: &Run,
    ) -> Result<(), Error> {
        match self.what {
            What::Status => self.write(run, STATUS).await,
            What::Violations => self.write(run, VIOLATIONS).await,
            What::Budgets => self.write(run, BUDGETS).await,
            What::Backtest => {
                let sql = "select slos.objective as objective, slo_alerts.* from slo_alerts \
                           join settings_slos as slos on slo_alerts.slo = slos.name";
                let mut alerts = run.rows(sql).await?;
                let schema = run.engine().sql(sql).await?.schema().inner().clone();
                if let Some(objective) = self.objective {
                    let mut other = settings.clone();
                    other.slos.iter_mut().for_each(|slo| slo.budget.objective = objective);
                    let run = open_run(global, lake, &other, params).await?;
                    run.hold_only(&HELD).await?;
                    alerts.extend(run.rows(sql).await?);
                }
                let alerts = alerts.into_iter().map(|batch| batch.with_schema(Arc::clone(&schema)));
                let alerts = alerts.collect::<Result<Vec<_>, _>>().map_err(engine_error)?;
                let table = MemTable::try_new(schema, vec![alerts]).map_err(engine::Error::from)?;
                run.engine()
                    .context()
                    .register_table("slo_backtest", Arc::new(table))
                    .map_err(engine::Error::from)?;
                self.write(run, ALERTS).await
            }
        }
    }

    async fn write(&self, run: &Run, sql: &str) -> Result<(), Error> {
        let frame = run.engine().sql(sql).await?;
        match &self.output {
            Some(path) => {
                let mut content = Vec::new();
                self.format.write(frame, &mut content).await?;
                write_whole(path, &content)
            }
            None => {
                let mut out = std::io::BufWriter::new(std::io::stdout());
                self.format.write(frame, &mut out).await?;
                // A closed pipe (`| head`) is not worth a word.
                let _ = out.flush();
                Ok(())
            }
        }
    }

    /// Says what is odd about the definitions, given the data.
    async fn warn(&self, global: &Global, run: &Run) -> Result<(), Error> {
        for line in texts(run, WARNINGS).await? {
            global.note(line);
        }
        Ok(())
    }

    /// An error when `--fail-on` is given and a violation is as severe.
    async fn judge(&self, run: &Run) -> Result<(), Error> {
        let Some(limit) = self.fail_on else { return Ok(()) };
        let rank = Severity::ALL.iter().position(|s| *s == limit).unwrap_or(0) + 1;
        let sql = format!(
            "select distinct slo from slo_episodes where kind = 'violation' and severity_rank >= {rank} order by slo"
        );
        let unmet = texts(run, &sql).await?;
        if unmet.is_empty() {
            return Ok(());
        }
        Err(Error::Unmet {
            message: format!("violated with severity {limit} or worse: {}", unmet.join(", ")),
        })
    }
}

fn engine_error(error: arrow::error::ArrowError) -> engine::Error {
    datafusion::error::DataFusionError::from(error).into()
}

/// The first column of a query, as texts.
async fn texts(run: &Run, sql: &str) -> Result<Vec<String>, Error> {
    let mut found = Vec::new();
    for batch in run.rows(sql).await? {
        let column =
            arrow::compute::cast(batch.column(0), &arrow::datatypes::DataType::Utf8).map_err(engine_error)?;
        let column: &arrow::array::StringArray = arrow::array::AsArray::as_string(&column);
        found.extend(column.iter().flatten().map(str::to_owned));
    }
    Ok(found)
}

const STATUS: &str = "select slo, region, service, status, severity, round(objective, 6) as objective, \
    round(compliance, 6) as compliance, round(coverage, 4) as coverage, period, period_start, period_end, events, \
    bad_events, round(consumed, 4) as consumed, round(remaining, 4) as remaining, \
    round(exhausted_in_seconds / 3600, 1) as exhausted_in_hours, violations, violated_seconds, pages, tickets, \
    round(raw_compliance, 6) as raw_compliance from slo_status \
    order by slo, consumed desc nulls last, region, service";

const BUDGETS: &str = "select slo, region, service, period, time_zone, period_start, period_end, status, \
    round(objective, 6) as objective, budgeting, round(compliance, 6) as compliance, \
    round(coverage, 4) as coverage, events, bad_events, round(budget_events, 3) as budget_events, \
    round(remaining_events, 3) as remaining_events, round(consumed, 4) as consumed, \
    round(exhausted_in_seconds / 3600, 1) as exhausted_in_hours, round(raw_compliance, 6) as raw_compliance, \
    raw_bad_events, round(raw_consumed, 4) as raw_consumed, corrected_seconds from slo_budgets \
    order by slo, region, service, period_start";

const VIOLATIONS: &str = "select severity, kind, slo, region, service, started_at, ended_at, duration_seconds, \
    windows, samples, worst, target, threshold, expected, zscore, sentence from slo_episodes \
    order by severity_rank desc, kind desc, started_at, slo, region, service";

/// What the settings ask for and the data cannot answer, with a remedy.
const WARNINGS: &str = "select 'SLO ' || name || ': nothing was measured for it' \
    || coalesce(' (region = ' || region || ')', '') || coalesce(' (service = ' || service || ')', '') \
    || coalesce(' (route = ' || route || ')', '') \
    || '; correct its filters, or widen the window with --from and --to' as line \
    from settings_slos where name not in (select slo from slo_windows where observed is not null) \
    union all \
    select 'SLO ' || slos.name || ': window_seconds = ' || cast(slos.window_seconds as varchar) \
    || ' is longer than the data of ' || cast(max(spans.seconds) as varchar) \
    || ' s; shorten it, or look at more history' \
    from settings_slos as slos join ( \
        select slo, (max(cast(slot as bigint)) - min(cast(slot as bigint))) / 1000000 + 300 as seconds \
        from slo_events group by slo, region, service \
    ) as spans on slos.name = spans.slo \
    group by slos.name, slos.window_seconds having max(spans.seconds) < slos.window_seconds \
    order by line";

/// An objective in percent or as a share.
fn objective(text: &str) -> Result<f64, String> {
    let number: f64 =
        text.trim_end_matches('%').trim().parse().map_err(|_| "expected a number such as 99.95")?;
    // 0.5 % and 1 % are no objectives that anybody has; up to 1 it is a share.
    // By way of whole billionths of a percent: 99.99 / 100 is not the double that 0.9999 is.
    let share = if number > 1.0 { (number * 1e10).round() / 1e12 } else { number };
    if share > 0.0 && share <= 1.0 {
        Ok(share)
    } else {
        Err("expected above 0 and at most 100 percent".into())
    }
}

pub(super) fn format(text: &str) -> Result<Format, String> {
    if text == "md" { Ok(Format::Markdown) } else { text.parse() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_objective_is_a_percentage_or_a_share() {
        assert!((objective("99.95").unwrap() - 0.9995).abs() < 1e-12);
        assert!((objective("99.95%").unwrap() - 0.9995).abs() < 1e-12);
        assert_eq!(objective("0.999"), Ok(0.999));
        assert!(objective("0").is_err() && objective("101").is_err() && objective("all").is_err());
    }
}
