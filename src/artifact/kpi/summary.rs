//! The summary of all snapshots of a window.

use serde_json::{Map, Value as Json, json};

use super::collect::DOCUMENT;
use super::snapshot::{Figures, INFRASTRUCTURE, RESOURCES, SEVERITIES, Snapshot};
use crate::artifact::Error;
use crate::artifact::intervals::{Intervals, percent, rounded, time};
use crate::artifact::rows::Rows;
use crate::domain::MICROS_PER_HOUR;
use crate::pipeline::Run;

/// Smallest, mean and largest of a figure over the snapshots that have it.
fn spread(snapshots: &[Snapshot], figure: impl Fn(&Snapshot) -> Option<f64>) -> Json {
    let found: Vec<f64> = snapshots.iter().filter_map(figure).collect();
    if found.is_empty() {
        return Json::Null;
    }
    let mean = found.iter().sum::<f64>() / found.len() as f64;
    json!({
        "min": found.iter().copied().fold(f64::INFINITY, f64::min),
        "mean": rounded(mean),
        "max": found.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        "snapshots": found.len(),
    })
}

pub(super) async fn summary(run: &Run, intervals: Intervals, snapshots: &[Snapshot]) -> Result<Json, Error> {
    let window = intervals.window();
    let kpis = Rows::of(run, DOCUMENT, "select * from kpi_summary").await?;
    let mut missing = Map::new();
    let mut overall = Map::new();
    for name in ["requests", "errors", "evaluations"] {
        overall.insert(name.to_owned(), json!(kpis.integers(name)?.integer(0)));
    }
    for name in [
        "availability",
        "error_rate",
        "p50_ms",
        "p95_ms",
        "p99_ms",
        "requests_per_second",
        "evaluation_success",
        "coverage",
    ] {
        let value = kpis.numbers(name)?.number(0).map(rounded);
        if value.is_none() {
            let needs = if name == "evaluation_success" { "evaluations" } else { "requests" };
            missing.insert(format!("overall.{name}"), json!(format!("no data: needs {needs} in the window")));
        }
        overall.insert(name.to_owned(), json!(value));
    }
    let mut spreads = |group: &str, list: &[(&str, &str)], figures: fn(&Snapshot) -> &Figures| {
        let each = list.iter().map(|(name, needs)| {
            let spread = spread(snapshots, |s| figures(s).values.get(*name).and_then(Json::as_f64));
            if spread.is_null() {
                missing.insert(format!("{group}.{name}"), json!(format!("no data: needs {needs}")));
            }
            ((*name).to_owned(), spread)
        });
        each.collect::<Map<_, _>>()
    };
    let infrastructure = spreads("infrastructure", &INFRASTRUCTURE, |s| &s.infrastructure);
    let resources = spreads("resources", &RESOURCES, |s| &s.resources);
    let costs = snapshots.iter().enumerate().filter_map(|(position, s)| {
        let per_hour = s.infrastructure.values.get("estimated_cost_per_hour")?.as_f64()?;
        let (start, end) = intervals.bounds(position);
        Some(per_hour * (end - start) as f64 / MICROS_PER_HOUR as f64)
    });
    let costs: Vec<f64> = costs.collect();
    let cost = (!costs.is_empty()).then(|| rounded(costs.iter().sum::<f64>()));
    if cost.is_none() {
        missing.insert("estimated_cost".into(), json!("no data: needs the sizes of the cluster"));
    }
    let (regions, primary) = regions(run, &mut missing).await?;
    let rates = Rows::of(run, DOCUMENT, "select * from settings_cost").await?;
    let alerts = SEVERITIES.iter().enumerate().map(|(i, severity)| {
        let count = snapshots.iter().map(|s| s.alerts.map(|(counts, _)| counts[i])).sum::<Option<i64>>();
        ((*severity).to_owned(), json!(count))
    });
    if snapshots.iter().any(|s| s.alerts.is_none()) {
        missing.insert("alerts".into(), json!("no data: the lake holds no alert events"));
    }
    Ok(json!({
        "start_time": time(window.from()),
        "end_time": time(window.to()),
        "duration_hours": percent((window.to() - window.from()) as f64 / MICROS_PER_HOUR as f64),
        "interval_seconds": intervals.seconds(),
        "total_snapshots": snapshots.len(),
        "snapshots_with_requests": snapshots.iter().filter(|s| s.requests > 0).count(),
        "overall": overall,
        "infrastructure": infrastructure,
        "resources": resources,
        "estimated_cost": cost,
        "cost_rates": {
            "core_hour": rates.numbers("core_hour")?.number(0),
            "memory_gb_hour": rates.numbers("memory_gb_hour")?.number(0),
        },
        "primary_region": primary,
        "regions": regions,
        "alerts": alerts.collect::<Map<_, _>>(),
        "missing": missing,
    }))
}

/// Every region over the whole window.
async fn regions(run: &Run, missing: &mut Map<String, Json>) -> Result<(Vec<Json>, Option<String>), Error> {
    let sql = "select kpis.*, deltas.availability_delta, deltas.error_rate_delta, deltas.p95_delta \
        from region_kpis as kpis left join ( \
            select region, \
                max(case when metric = 'availability' then delta end) as availability_delta, \
                max(case when metric = 'error_rate' then delta end) as error_rate_delta, \
                max(case when metric = 'p95_ms' then delta end) as p95_delta \
            from region_deltas group by region \
        ) as deltas on kpis.region = deltas.region order by kpis.is_primary desc, kpis.region";
    let rows = Rows::of(run, DOCUMENT, sql).await?;
    let (names, primaries, requests) =
        (rows.texts("region")?, rows.flags("is_primary")?, rows.integers("requests")?);
    let columns = [
        "availability",
        "error_rate",
        "p95_ms",
        "request_share",
        "availability_delta",
        "error_rate_delta",
        "p95_delta",
    ];
    let cells = columns.iter().map(|name| rows.numbers(name)).collect::<Result<Vec<_>, _>>()?;
    let mut primary = None;
    let mut regions = Vec::with_capacity(rows.len());
    for row in 0..rows.len() {
        let name = names.text(row).unwrap_or_default();
        if primaries.flag(row) {
            primary = Some(name.to_owned());
        }
        if requests.integer(row).is_none() {
            missing.insert(format!("regions.{name}"), json!("no data: the region served no request"));
        }
        let cell = |i: usize| cells[i].number(row).map(rounded);
        regions.push(json!({
            "region_name": name,
            "availability": cell(0),
            "error_rate": cell(1),
            "p95_latency_ms": cell(2),
            "request_count": requests.integer(row),
            "request_share": cell(3),
            "delta_from_primary": { "availability": cell(4), "error_rate": cell(5), "p95_latency_ms": cell(6) },
        }));
    }
    Ok((regions, primary))
}
