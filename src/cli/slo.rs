//! `tars slo`: where the SLOs stand, what violated them, and which alerts would have fired.

mod queries;

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use clap::ValueEnum;
use datafusion::datasource::MemTable;

pub(super) use self::queries::told;
use self::queries::{ALERTS, BUDGETS, CORRELATIONS, IDLE_CORRECTIONS, STATUS, TRENDS, VIOLATIONS, WARNINGS};
use super::output::write_whole;
use super::rows::write_frame;
use super::workspace::{Window, open_run, refresh};
use super::{Global, charts};
use crate::domain::{Percentiles, Severity, SloType, TimeRange};
use crate::engine::{self, Params};
use crate::error::Error;
use crate::lake::Lake;
use crate::pipeline::{self, Run};
use crate::settings::{Settings, openslo};
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
  tars slo --exact --slo api_latency_p95          from raw rows: the sketches of the rollups are within 1 %
  tars slo --format json --fail-on critical       for a pipeline: exit code 8 when one was critical
  tars slo --slo-file slos/                       with the SLOs of OpenSLO documents
  tars slo export > slos.yaml                     the SLOs of the settings as OpenSLO documents
  tars slo --charts charts/                       SVG: budgets over time, latency with its band")]
pub(super) struct SloCommand {
    /// What to show
    #[arg(value_enum, default_value = "status")]
    what: What,
    /// OpenSLO v1 documents, a file or a folder, whose SLOs count as well (may be given several times)
    #[arg(long, value_name = "PATH")]
    slo_file: Vec<PathBuf>,
    /// Percentiles and budgets of latency from the raw rows instead of the rollups, whose sketches are within 1 %
    #[arg(long)]
    exact: bool,
    /// Only this SLO
    #[arg(long, value_name = "NAME")]
    slo: Option<String>,
    /// With backtest: what this objective would have meant, such as 99.95 (percent) or 0.9995
    #[arg(long, value_name = "SHARE", value_parser = objective)]
    objective: Option<f64>,
    /// table, md, json, ndjson, csv or parquet; with export: openslo [default: table]
    #[arg(long, value_name = "FORMAT", value_parser = format)]
    format: Option<Form>,
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
    /// Which way error rates, latencies and the others go
    Trends,
    /// What else moved in the windows of violations, ranked
    Correlations,
    /// The SLOs of the settings as OpenSLO v1 documents
    Export,
}

/// What the models of this command share, computed once.
const HELD: [&str; 7] = [
    "request_signals",
    "slo_counts",
    "slo_observed",
    "slo_violations",
    "slo_episodes",
    "slo_part_events",
    "slo_alerts",
];

impl SloCommand {
    pub(super) async fn run(self, global: &Global) -> Result<(), Error> {
        if self.objective.is_some() && self.what != What::Backtest {
            return Err(Error::Usage {
                message: "--objective: expected with `tars slo backtest` only".into(),
                hint: Some("the objectives of the other tables are those of the settings".into()),
            });
        }
        let mut settings = self.only_asked(global.settings_with(&self.slo_file)?)?;
        if self.exact {
            let latencies = settings.slos.iter_mut().filter(|slo| slo.kind == SloType::Latency);
            latencies.for_each(|slo| slo.percentiles = Percentiles::Exact);
        }
        settings.notes.iter().for_each(|note| global.note(note));
        if self.what == What::Export {
            return self.export(&settings);
        }
        let format = self.table_format()?;
        let lake = global.open_lake().await?;
        refresh(global, &lake, &settings).await?;
        let params = self.params(&lake).await?;
        let run = open_run(global, &lake, &settings, params.clone()).await?;
        run.hold_only(&HELD).await?;
        if self.what == What::Correlations {
            run.hold_only(&["slo_readings"]).await?;
        }
        self.warn(global, &run).await?;
        self.show(global, &lake, &settings, params, &run, format).await?;
        if let Some(folder) = &self.charts {
            for path in charts::write(&run, folder).await? {
                global.note(format_args!("{}", path.display()));
            }
        }
        global.tell_timings(&run);
        self.judge(&run).await
    }

    /// The settings with the SLO asked for alone.
    fn only_asked(&self, mut settings: Settings) -> Result<Settings, Error> {
        let Some(name) = &self.slo else { return Ok(settings) };
        let names = settings.slos.iter().map(|s| &s.name).chain(settings.composites.iter().map(|c| &c.name));
        let known: Vec<String> = names.cloned().collect();
        settings.composites.retain(|c| c.name == *name);
        // A composite is nothing without its parts.
        let parts: Vec<_> =
            settings.composites.iter().flat_map(|c| &c.parts).map(|p| p.slo.clone()).collect();
        settings.slos.retain(|s| s.name == *name || parts.contains(&s.name));
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

    /// How a table is written.
    fn table_format(&self) -> Result<Format, Error> {
        match self.format {
            None => Ok(Format::Table),
            Some(Form::Table(format)) => Ok(format),
            Some(Form::OpenSlo) => Err(Error::Usage {
                message: "--format openslo: expected with `tars slo export` only".into(),
                hint: Some("one of: table, md, json, ndjson, csv, parquet".into()),
            }),
        }
    }

    /// Writes the SLOs as OpenSLO documents.
    fn export(&self, settings: &Settings) -> Result<(), Error> {
        if let Some(Form::Table(_)) = self.format {
            return Err(Error::Usage {
                message: "--format: expected openslo with `tars slo export`".into(),
                hint: Some("leave --format out".into()),
            });
        }
        let text = openslo::export(settings);
        match &self.output {
            Some(path) => write_whole(path, text.as_bytes()),
            None => {
                let mut out = std::io::stdout().lock();
                // A closed pipe (`| head`) is not worth a word.
                let _ = out.write_all(text.as_bytes());
                Ok(())
            }
        }
    }

    async fn show(
        &self,
        global: &Global,
        lake: &Lake,
        settings: &Settings,
        params: Params,
        run: &Run,
        format: Format,
    ) -> Result<(), Error> {
        let write = async |sql| self.write(run, format, &told(sql, settings)).await;
        match self.what {
            What::Status => write(STATUS).await,
            What::Violations => write(VIOLATIONS).await,
            What::Budgets => write(BUDGETS).await,
            What::Trends => write(TRENDS).await,
            What::Correlations => write(CORRELATIONS).await,
            What::Export => Ok(()),
            What::Backtest => {
                let sql = "select slos.objective as objective, slo_alerts.* from slo_alerts \
                           join slo_objectives as slos on slo_alerts.slo = slos.name";
                let mut alerts = run.rows(sql).await?;
                let schema = run.engine().sql(sql).await?.schema().inner().clone();
                if let Some(objective) = self.objective {
                    let mut other = settings.clone();
                    other.slos.iter_mut().for_each(|slo| slo.budget.objective = objective);
                    other.composites.iter_mut().for_each(|composite| composite.objective = objective);
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
                write(ALERTS).await
            }
        }
    }

    async fn write(&self, run: &Run, format: Format, sql: &str) -> Result<(), Error> {
        let frame = run.engine().sql(sql).await?;
        write_frame(format, self.output.as_deref(), frame).await
    }

    /// Says what is odd about the definitions, given the data.
    async fn warn(&self, global: &Global, run: &Run) -> Result<(), Error> {
        let mut lines = texts(run, WARNINGS).await?;
        // With one SLO asked for, what corrects the others is for nothing, and need not be told.
        if self.slo.is_none() {
            lines.extend(texts(run, IDLE_CORRECTIONS).await?);
        }
        lines.iter().for_each(|line| global.note(line));
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

/// What a result is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Table(Format),
    OpenSlo,
}

fn format(text: &str) -> Result<Form, String> {
    match text {
        "openslo" => Ok(Form::OpenSlo),
        "md" => Ok(Form::Table(Format::Markdown)),
        other => other.parse().map(Form::Table),
    }
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
