//! Drift as episodes: stretches of drifted checks, ranked, so that nobody has to read single checks.

use serde_json::{Value as Json, json};

use super::DOCUMENT;
use crate::artifact::Error;
use crate::artifact::intervals::{percent, rounded, time};
use crate::artifact::rows::Rows;
use crate::pipeline::Run;

/// Episodes that the analysis lists; a day of a large platform may have more, which `drift_episodes` holds.
const MOST: usize = 1000;

/// The episodes of a run.
pub(super) struct Episodes {
    /// How many there are.
    pub(super) total: i64,
    /// The first of them, by rank.
    pub(super) listed: Vec<Json>,
}

/// What drifted, where, since when, the worst first.
pub(super) async fn listed(run: &Run) -> Result<Episodes, Error> {
    let counted = Rows::of(run, DOCUMENT, "select count(*) as episodes from drift_episodes").await?;
    let total = counted.integers("episodes")?.integer(0).unwrap_or_default();
    let sql = format!("select * from drift_episodes order by position limit {MOST}");
    let rows = Rows::of(run, DOCUMENT, &sql).await?;
    let texts = ["name", "category", "region", "service", "status", "unit"];
    let mut columns = Vec::with_capacity(texts.len());
    for name in texts {
        columns.push((name, rows.texts(name)?));
    }
    let (started, ended) = (rows.times("started")?, rows.times("ended")?);
    let (baseline, current) = (rows.numbers("baseline_value")?, rows.numbers("current_value")?);
    let drift = rows.numbers("drift_percent")?;
    let (checks, violations) = (rows.integers("checks")?, rows.integers("slo_violations")?);
    let narrower = rows.integers("narrower")?;
    let to = run.params().window()?.to();
    let listed = (0..rows.len()).map(|row| {
        let mut entry = json!({
            "started": started.time(row).map(time),
            "ended": ended.time(row).map(time),
            "ongoing": ended.time(row).is_some_and(|end| end >= to),
            "baseline_value": baseline.number(row).map(rounded),
            "current_value": current.number(row).map(rounded),
            "drift_percent": drift.number(row).map(percent),
            "checks": checks.integer(row),
            "slo_violations": violations.integer(row),
            "narrower_episodes": narrower.integer(row),
        });
        if let Some(fields) = entry.as_object_mut() {
            fields.extend(columns.iter().map(|(name, cells)| ((*name).to_owned(), json!(cells.text(row)))));
        }
        entry
    });
    Ok(Episodes { total, listed: listed.collect() })
}
