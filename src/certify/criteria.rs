//! The outcome: what each criterion and each check says, and the status that follows.

use std::fmt;

use super::Error;
use crate::pipeline::Run;
use crate::report::{Reader, Rows, Unit, Value, show};

/// What a criterion or a check says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The observed value is within the limit.
    Pass,
    /// It is not.
    Fail,
    /// Nothing was observed.
    NoData,
}

impl Verdict {
    /// The spelling in SQL and documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Verdict::Pass => "pass",
            Verdict::Fail => "fail",
            Verdict::NoData => "no data",
        }
    }

    /// What is neither `pass` nor `fail` is no data.
    fn of(text: &str) -> Self {
        [Verdict::Pass, Verdict::Fail].into_iter().find(|v| v.as_str() == text).unwrap_or(Verdict::NoData)
    }
}

/// Whether a criterion decides, or is only worth a warning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// It decides.
    Required,
    /// It is worth a warning.
    Warning,
}

impl Level {
    /// The spelling in settings and documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Level::Required => "required",
            Level::Warning => "warning",
        }
    }
}

/// A criterion of certification, or a check of a suite, with what was observed.
#[derive(Debug, Clone, PartialEq)]
pub struct Criterion {
    /// The suite that it belongs to.
    pub suite: String,
    /// Its name, once per suite.
    pub name: String,
    /// What part of the platform it is about.
    pub area: String,
    /// What it says, in words.
    pub title: String,
    /// Whether it decides.
    pub level: Level,
    /// `>=`, `<=`, `>`, `<` or `=`.
    pub comparison: String,
    /// What the observed value is compared with.
    pub threshold: Value,
    /// The unit of both.
    pub unit: String,
    /// What was observed, rounded once.
    pub observed: Value,
    /// What follows.
    pub verdict: Verdict,
    /// What it rests on, in words.
    pub detail: String,
    /// A query that gives the observed value.
    pub sql: String,
}

impl Criterion {
    /// The threshold with its comparison, for people: `>= 99.9 %`.
    pub fn limit(&self) -> String {
        format!("{} {}", self.comparison, self.shown(&self.threshold))
    }

    /// A value in the criterion's unit, for people.
    pub fn shown(&self, value: &Value) -> String {
        let (unit, suffix) = match self.unit.as_str() {
            "1" => (Unit::Share, ""),
            "ms" => (Unit::Milliseconds, ""),
            "percent" => (Unit::Percent, ""),
            "count" => (Unit::Count, ""),
            other => (Unit::Plain, other),
        };
        let text = show(value, unit);
        if suffix.is_empty() || *value == Value::Missing { text } else { format!("{text} {suffix}") }
    }
}

/// Whether a window is certified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Every required criterion passed, over a window that was measured.
    Certified,
    /// A required criterion did not pass.
    NotCertified,
    /// Nothing failed, but too little of the window was measured to tell.
    Inconclusive,
}

impl Status {
    /// All of them.
    pub const ALL: [Status; 3] = [Status::Certified, Status::NotCertified, Status::Inconclusive];

    /// The spelling in documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Status::Certified => "CERTIFIED",
            Status::NotCertified => "NOT CERTIFIED",
            Status::Inconclusive => "INCONCLUSIVE",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Everything that was judged.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// What follows from the criteria and the coverage.
    pub status: Status,
    /// Why, in one sentence.
    pub reason: String,
    /// The criteria of certification, in their order.
    pub criteria: Vec<Criterion>,
    /// The checks of the other suites, in their order. They do not decide.
    pub checks: Vec<Criterion>,
}

impl Outcome {
    /// The outcome of criteria over a window of which this share was measured.
    pub fn new(
        criteria: Vec<Criterion>,
        checks: Vec<Criterion>,
        coverage: Option<f64>,
        min_coverage: f64,
    ) -> Self {
        let titles = |verdict: Verdict| {
            let of = criteria.iter().filter(|c| c.level == Level::Required && c.verdict == verdict);
            of.map(|c| c.title.as_str()).collect::<Vec<_>>()
        };
        let (failed, unmeasured) = (titles(Verdict::Fail), titles(Verdict::NoData));
        // What was seen to fail has failed, however little was seen. What was not seen is no proof of either.
        let (status, reason) = if !failed.is_empty() {
            (Status::NotCertified, format!("Not within its limit: {}.", failed.join("; ")))
        } else if coverage.is_none_or(|share| share < min_coverage) {
            let share =
                show(&coverage.map_or(Value::Missing, |c| Value::number(c, Unit::Share)), Unit::Share);
            let least = show(&Value::number(min_coverage, Unit::Share), Unit::Share);
            (Status::Inconclusive, format!("Coverage of the window: {share}; needed: {least}."))
        } else if !unmeasured.is_empty() {
            (Status::NotCertified, format!("Without data: {}.", unmeasured.join("; ")))
        } else if criteria.is_empty() {
            (Status::Inconclusive, "The settings list no criterion.".to_owned())
        } else {
            (Status::Certified, "Every required criterion is within its limit.".to_owned())
        };
        Outcome { status, reason, criteria, checks }
    }

    /// Reads the criteria and checks of a run.
    pub(super) async fn read(run: &Run, min_coverage: f64) -> Result<Self, Error> {
        let reader = Reader::new(run.engine().context());
        let criteria = reader
            .rows(
                "select 'certification' as suite, criterion as name, area, title, level, comparison, threshold, \
                 unit, observed, verdict, detail, sql from criteria_results order by rank, criterion",
            )
            .await?;
        let checks = reader
            .rows(
                "select suite, check as name, area, title, level, comparison, threshold, unit, observed, verdict, \
                 detail, sql from validation_checks order by suite desc, rank, check",
            )
            .await?;
        let coverage = reader.rows("select coverage from kpi_summary").await?;
        let coverage =
            if coverage.len() == 0 { None } else { coverage.number(0, "coverage", Unit::Share)? };
        Ok(Outcome::new(all(&criteria)?, all(&checks)?, coverage, min_coverage))
    }
}

fn all(rows: &Rows) -> Result<Vec<Criterion>, Error> {
    (0..rows.len()).map(|row| criterion(rows, row)).collect()
}

fn criterion(rows: &Rows, row: usize) -> Result<Criterion, Error> {
    let text = |column: &str| rows.text(row, column).map(Option::unwrap_or_default);
    let is_warning = text("level")? == Level::Warning.as_str();
    Ok(Criterion {
        suite: text("suite")?,
        name: text("name")?,
        area: text("area")?,
        title: text("title")?,
        level: if is_warning { Level::Warning } else { Level::Required },
        comparison: text("comparison")?,
        threshold: rows.value(row, "threshold", Unit::Plain)?,
        unit: text("unit")?,
        observed: rows.value(row, "observed", Unit::Plain)?,
        verdict: Verdict::of(&text("verdict")?),
        detail: text("detail")?,
        sql: text("sql")?,
    })
}
