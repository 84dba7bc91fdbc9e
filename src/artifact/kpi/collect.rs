//! From the models to the documents.

use serde_json::{Map, Value as Json, json};
use sha2::{Digest, Sha256};

use super::snapshot::{INFRASTRUCTURE, RESOURCES, SEVERITIES, Snapshot};
use super::summary::summary;
use crate::artifact::intervals::{Intervals, rounded, time};
use crate::artifact::rows::{Cells, Rows};
use crate::artifact::{Artifact, Error, json_text};
use crate::domain::MICROS_PER_SECOND;
use crate::pipeline::Run;

/// How messages call these documents.
pub(super) const DOCUMENT: &str = "ga_kpi_summary.json";

/// What the models of these documents share, computed once.
const HELD: [&str; 3] = ["region_kpis", "request_intervals", "metric_intervals"];

/// Figures of requests, with the columns of the model.
const REQUESTS: [&str; 5] = ["availability", "error_rate", "p50_ms", "p95_ms", "p99_ms"];

/// Deltas of a region from the primary, with the columns of the model.
const DELTAS: [(&str, &str); 4] = [
    ("availability", "availability_delta"),
    ("error_rate", "error_rate_delta"),
    ("p95_latency_ms", "p95_ms_delta"),
    ("request_count", "requests_delta"),
];

/// Snapshots of the run's window, the baseline that the first of them makes, and the summary with its hash.
///
/// The interval is the run's `$interval_seconds`. One pass over the lake serves all snapshots.
pub async fn collect(run: &Run) -> Result<Vec<Artifact>, Error> {
    let intervals = Intervals::of(run.params())?;
    run.hold_only(&HELD).await.map_err(|source| Error::Query { document: DOCUMENT, source })?;
    let mut snapshots = vec![Snapshot::default(); intervals.count()];
    add_resources(run, &mut snapshots).await?;
    add_regions(run, intervals, &mut snapshots).await?;
    add_evaluations(run, &mut snapshots).await?;
    add_alerts(run, &mut snapshots).await?;
    let mut documents: Vec<_> = snapshots
        .iter()
        .enumerate()
        .map(|(position, snapshot)| {
            let name = format!("snapshot_{:04}.json", position + 1);
            Artifact::text(name, json_text(&snapshot.document(intervals, position)))
        })
        .collect();
    if let Some(first) = snapshots.first() {
        documents.push(Artifact::text("baseline_metrics.json", json_text(&first.baseline(intervals))));
    }
    let summary = json_text(&summary(run, intervals, &snapshots).await?);
    let hash: String = Sha256::digest(summary.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    documents.push(Artifact::text(DOCUMENT, summary));
    documents.push(Artifact::text("ga_kpi_summary.json.sha256", format!("{hash}  {DOCUMENT}\n")));
    Ok(documents)
}

/// The snapshot that a row belongs to.
fn of_slot<'s>(snapshots: &'s mut [Snapshot], slots: &Cells, row: usize) -> Option<&'s mut Snapshot> {
    let slot = slots.integer(row).and_then(|slot| usize::try_from(slot).ok())?;
    snapshots.get_mut(slot)
}

async fn add_resources(run: &Run, snapshots: &mut [Snapshot]) -> Result<(), Error> {
    let rows = Rows::of(run, DOCUMENT, "select * from kpi_resources order by slot").await?;
    let slots = rows.integers("slot")?;
    let cells = |list: &[(&str, &str)]| {
        list.iter().map(|(name, _)| rows.numbers(name)).collect::<Result<Vec<_>, Error>>()
    };
    let (infrastructure, resources) = (cells(&INFRASTRUCTURE)?, cells(&RESOURCES)?);
    let mut rows_of = vec![None; snapshots.len()];
    for row in 0..rows.len() {
        let slot = slots.integer(row).and_then(|slot| usize::try_from(slot).ok());
        if let Some(place) = slot.and_then(|slot| rows_of.get_mut(slot)) {
            *place = Some(row);
        }
    }
    for (snapshot, row) in snapshots.iter_mut().zip(rows_of) {
        let at = |cells: &[Cells], i: usize| row.and_then(|row| cells[i].number(row));
        for (i, (name, needs)) in INFRASTRUCTURE.iter().enumerate() {
            snapshot.infrastructure.add("infrastructure.", name, at(&infrastructure, i), needs);
        }
        for (i, (name, needs)) in RESOURCES.iter().enumerate() {
            snapshot.resources.add("resources.", name, at(&resources, i), needs);
        }
    }
    Ok(())
}

async fn add_regions(run: &Run, intervals: Intervals, snapshots: &mut [Snapshot]) -> Result<(), Error> {
    let sql = "select * from kpi_regions order by slot, is_primary desc, region";
    let rows = Rows::of(run, DOCUMENT, sql).await?;
    let (slots, regions, primaries) =
        (rows.integers("slot")?, rows.texts("region")?, rows.flags("is_primary")?);
    let (requests, share) = (rows.integers("requests")?, rows.numbers("request_share")?);
    let figures = REQUESTS.iter().map(|name| rows.numbers(name)).collect::<Result<Vec<_>, _>>()?;
    let deltas = DELTAS.iter().map(|(_, name)| rows.numbers(name)).collect::<Result<Vec<_>, _>>()?;
    for row in 0..rows.len() {
        let Some(snapshot) = of_slot(snapshots, &slots, row) else { continue };
        let region = regions.text(row).unwrap_or_default();
        let count = requests.integer(row);
        let figure = |i: usize| figures[i].number(row).map(rounded);
        let position = slots.integer(row).and_then(|slot| usize::try_from(slot).ok()).unwrap_or_default();
        let (start, end) = intervals.bounds(position);
        if region == "all" {
            snapshot.requests = count.unwrap_or_default();
            let all = &mut snapshot.performance;
            let needs = "requests in logs or spans";
            let rate = count.map(|n| n as f64 * MICROS_PER_SECOND as f64 / (end - start) as f64);
            all.add("performance.", "request_count", count.map(|n| n as f64), needs);
            all.add("performance.", "requests_per_second", rate, needs);
            for (i, name) in REQUESTS.iter().enumerate() {
                all.add("performance.", name, figures[i].number(row), needs);
            }
            continue;
        }
        if primaries.flag(row) {
            snapshot.primary = Some(region.to_owned());
        }
        let delta: Map<String, Json> = DELTAS
            .iter()
            .zip(&deltas)
            .map(|((name, _), cells)| ((*name).to_owned(), delta(name, cells.number(row))))
            .collect();
        if count.unwrap_or_default() == 0 {
            let reason = match count {
                Some(_) => "no data: the region served no request in the interval",
                None => "no data: no region served a request in the interval",
            };
            snapshot.region_missing.insert(format!("cross_region.{region}"), json!(reason));
        } else if figure(3).is_none() {
            let reason = "no data: no request states its duration";
            let name = format!("cross_region.{region}.p95_latency_ms");
            snapshot.region_missing.insert(name, json!(reason));
        }
        snapshot.regions.push(json!({
            "region_name": region,
            "availability": figure(0),
            "error_rate": figure(1),
            "p95_latency_ms": figure(3),
            "request_count": count,
            "delta_from_primary": delta,
            "timestamp": time(end),
        }));
        snapshot.distribution.insert(region.to_owned(), json!(share.number(row).map(rounded)));
    }
    Ok(())
}

/// A difference; of counts it is whole.
fn delta(name: &str, value: Option<f64>) -> Json {
    match value {
        Some(value) if name.ends_with("_count") => json!(value as i64),
        other => json!(other.map(rounded)),
    }
}

async fn add_evaluations(run: &Run, snapshots: &mut [Snapshot]) -> Result<(), Error> {
    let rows = Rows::of(run, DOCUMENT, "select * from kpi_evaluations order by slot").await?;
    let (slots, success) = (rows.integers("slot")?, rows.numbers("evaluation_success")?);
    let count = rows.integers("evaluations")?;
    for row in 0..rows.len() {
        let Some(snapshot) = of_slot(snapshots, &slots, row) else { continue };
        let values = &mut snapshot.performance.values;
        values.insert("evaluations".into(), json!(count.integer(row)));
        values.insert("evaluation_success".into(), json!(success.number(row).map(rounded)));
    }
    for snapshot in snapshots {
        if !snapshot.performance.values.contains_key("evaluations") {
            snapshot.performance.values.insert("evaluations".into(), json!(0));
            snapshot.performance.add("performance.", "evaluation_success", None, "evaluations with a status");
        }
    }
    Ok(())
}

async fn add_alerts(run: &Run, snapshots: &mut [Snapshot]) -> Result<(), Error> {
    let sql =
        "select * from kpi_alerts order by timestamp, region, service, alert, severity, status, fingerprint";
    let rows = Rows::of(run, DOCUMENT, sql).await?;
    let (slots, times) = (rows.integers("slot")?, rows.times("timestamp")?);
    let (regions, services, alerts) = (rows.texts("region")?, rows.texts("service")?, rows.texts("alert")?);
    let (severities, statuses) = (rows.texts("severity")?, rows.texts("status")?);
    let (values, thresholds) = (rows.numbers("value")?, rows.numbers("threshold")?);
    let held = Rows::of(run, DOCUMENT, "select count(*) as held from alerts").await?;
    if held.integers("held")?.integer(0).unwrap_or_default() > 0 {
        snapshots.iter_mut().for_each(|s| s.alerts = Some(Default::default()));
    }
    for row in 0..rows.len() {
        let Some(snapshot) = of_slot(snapshots, &slots, row) else { continue };
        let (counts, resolved) = snapshot.alerts.get_or_insert_default();
        if statuses.text(row) == Some("resolved") {
            *resolved += 1;
        } else if let Some(i) = SEVERITIES.iter().position(|s| Some(*s) == severities.text(row)) {
            counts[i] += 1;
        }
        snapshot.events.push(json!({
            "timestamp": times.time(row).map(time),
            "alert": alerts.text(row),
            "severity": severities.text(row),
            "status": statuses.text(row),
            "region": regions.text(row),
            "service": services.text(row),
            "value": values.number(row).map(rounded),
            "threshold": thresholds.number(row).map(rounded),
        }));
    }
    Ok(())
}
