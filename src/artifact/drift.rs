//! `drift_check_NNNN.json` and `drift_analysis.json`: what drifted, when, and how badly.

mod checks;
mod episodes;
mod markdown;

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use super::intervals::{Intervals, percent, rounded, time};
use super::rows::Rows;
use super::{Artifact, Error, Folder, json_text};
use crate::domain::{DriftCategory, MICROS_PER_DAY, MICROS_PER_HOUR};
use crate::engine::Value;
use crate::pipeline::Run;

/// How messages call these documents.
const DOCUMENT: &str = "drift_analysis.json";

/// Drifts that the analysis names.
const TOP: usize = 10;

/// What the models of these documents share, computed once.
const HELD: [&str; 21] = [
    "request_minutes",
    "request_intervals",
    "baseline_series",
    "current_series",
    "place_series",
    "drift_requests",
    "request_series",
    "drift_baseline",
    "drift_slots",
    "drift_pairs",
    "drift_distances",
    "drift_candidates",
    "drift_ranked",
    "drift_limits",
    "drift_measured",
    "drift_found",
    "slo_observed",
    "slo_violations",
    "drift_effects",
    "drift_episodes",
    "drift_tallies",
];

/// Checks so far, by outcome.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Tally {
    ok: i64,
    warning: i64,
    critical: i64,
    unmeasured: i64,
}

impl Tally {
    fn add(&mut self, status: Option<&str>, count: i64) {
        match status {
            Some("ok") => self.ok += count,
            Some("warning") => self.warning += count,
            Some(_) => self.critical += count,
            None => self.unmeasured += count,
        }
    }

    fn drifts(self) -> i64 {
        self.warning + self.critical
    }

    fn total(self) -> i64 {
        self.ok + self.drifts()
    }
}

/// What the analysis reads once checks are counted.
const READS: [&str; 4] = [
    "select * from drift_tallies, drift_episodes, settings_drift_evidence, settings_mitigations",
    "select * from drift_effects",
    "select name from drift_pairs",
    "select name from drift_statistics",
];

/// Counts the checks, which reads most of all, and gives up the memory of what neither the analysis nor, with `is_listed`, the
/// documents of checks read any more. For a run that does nothing else.
pub async fn count_alone(run: &Run, is_listed: bool) -> Result<(), Error> {
    let fail = |source| Error::Query { document: DOCUMENT, source };
    // Routes read the most rows, and keep few: first, nothing else lies in memory beside them.
    Rows::of(run, DOCUMENT, "select count(*) as slots from drift_routes").await?;
    run.hold_only(&["drift_tallies"]).await.map_err(fail)?;
    let of_checks: &[&str] = if is_listed { &checks::READS } else { &[] };
    run.release_unread(&[&READS, of_checks].concat()).map_err(fail)
}

/// The analysis of all checks of the run's window, as JSON and as Markdown.
///
/// The interval is the run's `$interval_seconds`; the baseline is the run's, or the kept one that `$baseline_name` and
/// `$baseline_version` name. Computes what it needs and keeps it in the run.
pub async fn analyse(run: &Run) -> Result<Vec<Artifact>, Error> {
    let intervals = Intervals::of(run.params())?;
    run.hold_only(&HELD).await.map_err(|source| Error::Query { document: DOCUMENT, source })?;
    let tallies = tallies(run, intervals).await?;
    let baseline = baseline(run, intervals).await?;
    let analysis = analysis(run, intervals, &tallies, baseline).await?;
    Ok(vec![
        Artifact::text("drift_analysis.md", markdown::markdown(&analysis)),
        Artifact::text(DOCUMENT, json_text(&analysis)),
    ])
}

/// All of a run: one document for each interval, one after the other, and the analysis, which it gives back.
pub async fn write(run: &Run, folder: &mut Folder) -> Result<Vec<Artifact>, Error> {
    let analysis = analyse(run).await?;
    checks::write(run, folder).await?;
    for document in &analysis {
        written(folder, document)?;
    }
    Ok(analysis)
}

fn written(folder: &mut Folder, document: &Artifact) -> Result<(), Error> {
    folder.write(document).map_err(|source| Error::Write { document: document.name.clone(), source })
}

/// Outcomes by interval and category.
async fn tallies(run: &Run, intervals: Intervals) -> Result<Vec<BTreeMap<DriftCategory, Tally>>, Error> {
    let mut all = vec![BTreeMap::new(); intervals.count()];
    let sql = "select check_number, category, status, checks from drift_tallies";
    let rows = Rows::of(run, DOCUMENT, sql).await?;
    let (numbers, categories) = (rows.integers("check_number")?, rows.texts("category")?);
    let (statuses, counts) = (rows.texts("status")?, rows.integers("checks")?);
    for row in 0..rows.len() {
        let category = categories.text(row).and_then(|text| text.parse().ok());
        let position = numbers.integer(row).and_then(|n| usize::try_from(n - 1).ok());
        if let (Some(category), Some(tallies)) = (category, position.and_then(|p| all.get_mut(p))) {
            let tally: &mut Tally = tallies.entry(category).or_default();
            tally.add(statuses.text(row), counts.integer(row).unwrap_or_default());
        }
    }
    Ok(all)
}

/// What the window was compared with.
async fn baseline(run: &Run, intervals: Intervals) -> Result<Json, Error> {
    let name = run.params().iter().find_map(|(name, value)| match value {
        Value::Text(text) if name == "baseline_name" && !text.is_empty() => Some(text.clone()),
        _ => None,
    });
    let (from, to, version) = match &name {
        None => (run.params().baseline()?.from(), run.params().baseline()?.to(), None),
        Some(_) => {
            let sql = "select min(window_start) as since, max(window_end) as until, max(version) as version \
                       from baselines where name = $baseline_name and version = $baseline_version";
            let rows = Rows::of(run, DOCUMENT, sql).await?;
            let at = |cells: super::rows::Cells| cells.time(0).unwrap_or_default();
            (at(rows.times("since")?), at(rows.times("until")?), rows.integers("version")?.integer(0))
        }
    };
    let rows = Rows::of(run, DOCUMENT, "select stale_days from settings_drift_evidence").await?;
    let stale_days = rows.integers("stale_days")?.integer(0).unwrap_or(i64::MAX);
    let age = (intervals.window().to() - to) as f64 / MICROS_PER_DAY as f64;
    Ok(json!({
        "name": name,
        "version": version,
        "from": time(from),
        "to": time(to),
        "age_days": percent(age),
        "stale": age >= stale_days as f64,
    }))
}

/// A drift or a check as documents show it.
fn entries(rows: &Rows, more: bool) -> Result<Vec<(usize, Json)>, Error> {
    let numbers = rows.integers("check_number")?;
    let texts = ["name", "category", "region", "service", "unit", "status", "reason"]
        .map(|name| rows.texts(name).map(|cells| (name, cells)));
    let [name, category, region, service, unit, status, reason] = texts;
    let (baseline, current) = (rows.numbers("baseline_value")?, rows.numbers("current_value")?);
    let (drift, threshold) = (rows.numbers("drift_percent")?, rows.numbers("threshold_percent")?);
    let (p_value, timestamp) = (rows.numbers("p_value")?, rows.times("timestamp")?);
    let (name, category, region, service) = (name?.1, category?.1, region?.1, service?.1);
    let (unit, status, reason) = (unit?.1, status?.1, reason?.1);
    let beside = match more {
        true => Some((rows.integers("slo_violations")?, rows.integers("drifted_checks")?)),
        false => None,
    };
    let mut entries = Vec::with_capacity(rows.len());
    for row in 0..rows.len() {
        let mut entry = json!({
            "name": name.text(row),
            "category": category.text(row),
            "baseline_value": baseline.number(row).map(rounded),
            "current_value": current.number(row).map(rounded),
            "drift_percent": drift.number(row).map(percent),
            "threshold_percent": threshold.number(row),
            "status": status.text(row),
            "timestamp": timestamp.time(row).map(time),
            "region": region.text(row),
            "service": service.text(row),
            "unit": unit.text(row),
        });
        let fields = entry.as_object_mut().expect("made as one");
        if let Some(p) = p_value.number(row) {
            fields.insert("p_value".into(), json!(format!("{p:.2e}").parse::<f64>().unwrap_or(p)));
        }
        if let Some((violations, checks)) = &beside {
            fields.insert("slo_violations".into(), json!(violations.integer(row)));
            fields.insert("drifted_checks".into(), json!(checks.integer(row)));
        }
        if let Some(reason) = reason.text(row) {
            fields.insert("reason".into(), json!(reason));
        }
        let position = numbers.integer(row).and_then(|n| usize::try_from(n - 1).ok());
        entries.extend(position.map(|position| (position, entry)));
    }
    Ok(entries)
}

fn by_category(tallies: &BTreeMap<DriftCategory, Tally>) -> Json {
    let of = |category| tallies.get(category).copied().unwrap_or_default().drifts();
    DriftCategory::ALL.iter().map(|c| (c.to_string(), json!(of(c)))).collect::<Map<_, _>>().into()
}

fn sum<'t>(tallies: impl Iterator<Item = &'t Tally>) -> Tally {
    tallies.fold(Tally::default(), |sum, t| Tally {
        ok: sum.ok + t.ok,
        warning: sum.warning + t.warning,
        critical: sum.critical + t.critical,
        unmeasured: sum.unmeasured + t.unmeasured,
    })
}

/// The worst interval of each series, by what it did to SLOs, then by its size.
const WORST: &str = "select * from ( \
        select *, \
            count(*) over (partition by name, region, service) as drifted_checks, \
            row_number() over ( \
                partition by name, region, service \
                order by status, slo_violations desc, abs(drift_percent) desc nulls last, check_number, reason \
            ) as place \
        from drift_effects \
    ) where place = 1 \
    order by status, slo_violations desc, abs(drift_percent) desc nulls last, check_number, name, region, service";

/// Advice for every category that drifted, for the worst of its drifts.
const MITIGATIONS: &str = "select text from settings_mitigations as advice \
    join (select category, min(status) as status from drift_effects group by category) as found \
    on advice.category = found.category and advice.status = found.status order by found.status, advice.category";

async fn analysis(
    run: &Run,
    intervals: Intervals,
    tallies: &[BTreeMap<DriftCategory, Tally>],
    baseline: Json,
) -> Result<Json, Error> {
    let mut of_all: BTreeMap<DriftCategory, Tally> = BTreeMap::new();
    for (category, tally) in tallies.iter().flatten() {
        let total = of_all.entry(*category).or_default();
        *total = sum([*total, *tally].iter());
    }
    let total = sum(of_all.values());
    let worst = entries(&Rows::of(run, DOCUMENT, &format!("{WORST} limit {TOP}")).await?, true)?;
    let advice = Rows::of(run, DOCUMENT, MITIGATIONS).await?;
    let texts = advice.texts("text")?;
    let mitigations: Vec<_> = (0..advice.len()).filter_map(|row| texts.text(row)).collect();
    let window = intervals.window();
    let episodes = episodes::listed(run).await?;
    let is_kept = !baseline["name"].is_null();
    Ok(json!({
        "baseline_timestamp": baseline["from"],
        "start_time": time(window.from()),
        "end_time": time(window.to()),
        "duration_hours": percent((window.to() - window.from()) as f64 / MICROS_PER_HOUR as f64),
        "total_checks": total.total(),
        "total_drifts": total.drifts(),
        "critical_drifts": total.critical,
        "warning_drifts": total.warning,
        "ok_checks": total.ok,
        "drift_categories": by_category(&of_all),
        "top_drifts": worst.into_iter().map(|(_, entry)| entry).collect::<Vec<_>>(),
        "mitigation_actions": mitigations,
        "total_episodes": episodes.total,
        "episodes": episodes.listed,
        "check_interval_seconds": intervals.seconds(),
        "check_runs": intervals.count(),
        "unmeasured_checks": total.unmeasured,
        "baseline": baseline,
        "missing": missing(run, is_kept).await?,
    }))
}

/// Checks of the settings that nothing measured, with the reason.
async fn missing(run: &Run, is_kept: bool) -> Result<Json, Error> {
    let sql = "select name from settings_drift where name not in \
         (select name from drift_pairs union select name from drift_statistics) order by name";
    let rows = Rows::of(run, DOCUMENT, sql).await?;
    let names = rows.texts("name")?;
    let reasons = (0..rows.len()).filter_map(|row| names.text(row));
    let reason = |name: &str| match name {
        "route_slow_requests" if is_kept => {
            "the kept baseline has no routes: it was set by an older version, or when no service served several"
        }
        _ => "no data on either side",
    };
    Ok(reasons.map(|name| (name.to_owned(), json!(reason(name)))).collect::<Map<_, _>>().into())
}
