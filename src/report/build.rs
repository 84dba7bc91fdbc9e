//! From the models to the content of a report.

use datafusion::prelude::SessionContext;

use super::Error;
use super::content::{Period, Report, TableVersion, Unit};
use super::format::{count, instant, show};
use super::rows::Reader;
use super::sections;
use crate::domain::{MICROS_PER_DAY, TimeRange, format_timestamp};
use crate::pipeline::Run;

/// What a report is about.
#[derive(Debug, Clone)]
pub struct Request {
    /// Daily or weekly.
    pub period: Period,
    /// The window, the one that the models are bound to.
    pub window: TimeRange,
    /// In words, what the baseline is, such as `the period before it`.
    pub baseline_note: String,
}

/// A request with what the session knows: what the sections work from.
pub(super) struct Scope {
    pub(super) period: Period,
    pub(super) window: TimeRange,
    pub(super) baseline: TimeRange,
    pub(super) baseline_note: String,
    pub(super) parameters: Vec<(String, String)>,
    pub(super) versions: Vec<TableVersion>,
}

impl Scope {
    /// A title for people: `Daily report for 2025-01-15`.
    fn title(&self) -> String {
        let (from, to) = (self.window.from(), self.window.to());
        let word = match self.period {
            Period::Daily => "Daily",
            Period::Weekly => "Weekly",
            Period::Span => "Operational",
        };
        let date = |micros: i64| format_timestamp(micros)[..10].to_owned();
        let whole_days = from % MICROS_PER_DAY == 0 && to % MICROS_PER_DAY == 0;
        match whole_days {
            true if self.window.micros() == MICROS_PER_DAY => format!("{word} report for {}", date(from)),
            true => format!("{word} report for {} to {}", date(from), date(to - 1)),
            false => format!("{word} report for {} to {} UTC", instant(from), instant(to)),
        }
    }
}

/// Builds a report from a run, whose models are bound to the request's window.
pub async fn build(run: &Run, request: &Request) -> Result<Report, Error> {
    let scope = Scope {
        period: request.period,
        window: request.window,
        baseline: run.params().baseline()?,
        baseline_note: request.baseline_note.clone(),
        parameters: run.params().iter().map(|(name, value)| (name.to_owned(), value.to_string())).collect(),
        versions: run
            .versions()
            .iter()
            .map(|v| TableVersion { table: v.table.clone(), version: v.version })
            .collect(),
    };
    from_session(run.engine().context(), scope).await
}

/// Builds a report from a session in which every model can be asked.
pub(super) async fn from_session(context: &SessionContext, scope: Scope) -> Result<Report, Error> {
    let reader = Reader::new(context);
    let title = scope.title();
    let health = reader.rows("select score, start_points, deducted_points from health_score").await?;
    let health_score = if health.len() == 0 { None } else { health.number(0, "score", Unit::Points)? };
    let headline = headline(&reader, &title, health_score).await?;
    let sections = vec![
        sections::executive::section(&reader, &scope).await?,
        sections::performance::section(&reader, &scope).await?,
        sections::slo::section(&reader, &scope).await?,
        sections::errors::section(&reader, &scope).await?,
        sections::regions::section(&reader, &scope).await?,
        sections::regressions::section(&reader, &scope).await?,
        sections::recommendations::section(&reader).await?,
        sections::about::section(&reader, &scope).await?,
    ];
    Ok(Report {
        title,
        period: scope.period,
        window: scope.window,
        baseline: scope.baseline,
        baseline_note: scope.baseline_note,
        headline,
        health_score,
        sections,
        parameters: scope.parameters,
        versions: scope.versions,
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
    })
}

/// The report in one line: score, violations, regressions, drift.
async fn headline(reader: &Reader<'_>, title: &str, score: Option<f64>) -> Result<String, Error> {
    let violations = reader
        .rows("select count(*) as violations from slo_episodes where kind = 'violation'")
        .await?
        .integer(0, "violations")?
        .unwrap_or(0);
    let regressions = reader.rows("select count(*) as regressions from regressions").await?;
    let regressions = regressions.integer(0, "regressions")?.unwrap_or(0);
    let drift = reader
        .rows("select coalesce(sum(critical), 0) as critical from drift_summary")
        .await?
        .integer(0, "critical")?
        .unwrap_or(0);
    let score = score.map_or("health unknown, nothing was measured".to_owned(), |score| {
        let value = super::content::Value::number(score, Unit::Points);
        format!("health {} of 100", show(&value, Unit::Points))
    });
    Ok(format!(
        "{title}: {score}; {}, {}, {}",
        count(violations, "SLO violation", "SLO violations"),
        count(regressions, "regression", "regressions"),
        count(drift, "critical drift", "critical drifts"),
    ))
}
