//! From the models to the content of a report.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::prelude::SessionContext;
use tokio::task::JoinSet;

use super::Error;
use super::content::{Period, Report, Section, TableVersion, Unit};
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
    let scope = Arc::new(scope);
    let sections = sections(context, &scope).await?;
    Ok(Report {
        title,
        period: scope.period,
        window: scope.window,
        baseline: scope.baseline,
        baseline_note: scope.baseline_note.clone(),
        headline,
        health_score,
        sections,
        parameters: scope.parameters.clone(),
        versions: scope.versions.clone(),
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
    })
}

/// All sections, in their order. They are asked for side by side, because planning a small query takes longer than
/// running it, and one core.
async fn sections(context: &SessionContext, scope: &Arc<Scope>) -> Result<Vec<Section>, Error> {
    let mut asked = JoinSet::new();
    for place in 0..SECTIONS {
        let (context, scope) = (context.clone(), Arc::clone(scope));
        asked.spawn(async move { (place, section(place, &Reader::new(&context), &scope).await) });
    }
    let mut found = BTreeMap::new();
    while let Some(section) = asked.join_next().await {
        let (place, section) = section.map_err(|source| Error::Task { source })?;
        found.insert(place, section);
    }
    // Of several errors the one of the first section is told, whichever came first.
    found.into_values().collect()
}

/// The seven sections, and what the report was made from.
const SECTIONS: usize = 8;

async fn section(place: usize, reader: &Reader<'_>, scope: &Scope) -> Result<Section, Error> {
    match place {
        0 => sections::executive::section(reader, scope).await,
        1 => sections::performance::section(reader, scope).await,
        2 => sections::slo::section(reader, scope).await,
        3 => sections::errors::section(reader, scope).await,
        4 => sections::regions::section(reader, scope).await,
        5 => sections::regressions::section(reader, scope).await,
        6 => sections::recommendations::section(reader).await,
        _ => sections::about::section(reader, scope).await,
    }
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
