//! `snapshot_NNNN.json`, `baseline_metrics.json`, `ga_kpi_summary.json` and its `.sha256`: the key figures of a window,
//! interval by interval.
//!
//! A figure without data is `null`, and `missing` beside it says why.

use serde_json::{Map, Value as Json, json};
use sha2::{Digest, Sha256};

use super::intervals::{Intervals, percent, rounded, time};
use super::rows::{Cells, Rows};
use super::{Artifact, Error, json_text};
use crate::domain::{MICROS_PER_HOUR, MICROS_PER_SECOND};
use crate::pipeline::Run;

/// How messages call these documents.
const DOCUMENT: &str = "ga_kpi_summary.json";

/// What the models of these documents share, computed once.
const HELD: [&str; 4] = ["request_minutes", "region_kpis", "request_intervals", "metric_intervals"];

/// Figures of the infrastructure, in the order of the document, with what they need.
const INFRASTRUCTURE: [(&str, &str); 7] = [
    ("cluster_cpu_cores", "a metric with the role cluster_cpu_cores"),
    ("cluster_memory_gb", "a metric with the role cluster_memory"),
    ("cluster_cpu_utilization", "a metric with the role cluster_cpu_utilization"),
    ("cluster_memory_utilization", "a metric with the role cluster_memory_utilization"),
    ("node_count", "a metric with the role node_count"),
    ("node_pressure_count", "a metric with the role node_pressure_count"),
    ("estimated_cost_per_hour", "metrics with the roles cluster_cpu_cores and cluster_memory"),
];

/// Figures of resources that drift is measured from.
const RESOURCES: [(&str, &str); 4] = [
    ("cpu_utilization", "a metric with the role cpu_utilization"),
    ("memory_utilization", "a metric with the role memory_utilization"),
    ("cache_hit_rate", "a metric with the role cache_hit_rate"),
    ("database_latency_ms", "a metric with the role database_latency_ms"),
];

/// Figures of requests, with the columns of the model.
const REQUESTS: [&str; 5] = ["availability", "error_rate", "p50_ms", "p95_ms", "p99_ms"];

/// Deltas of a region from the primary, with the columns of the model.
const DELTAS: [(&str, &str); 4] = [
    ("availability", "availability_delta"),
    ("error_rate", "error_rate_delta"),
    ("p95_latency_ms", "p95_ms_delta"),
    ("request_count", "requests_delta"),
];

/// The severities that snapshots count.
const SEVERITIES: [&str; 4] = ["critical", "error", "warning", "info"];

/// Figures under their names, and why some have no value.
#[derive(Debug, Clone, Default)]
struct Figures {
    values: Map<String, Json>,
    missing: Map<String, Json>,
}

impl Figures {
    fn add(&mut self, prefix: &str, name: &str, value: Option<f64>, needs: &str) {
        if value.is_none() {
            self.missing.insert(format!("{prefix}{name}"), json!(format!("no data: needs {needs}")));
        }
        self.values.insert(name.to_owned(), json!(value.map(rounded)));
    }
}

/// One interval's documents under construction.
#[derive(Debug, Clone, Default)]
struct Snapshot {
    infrastructure: Figures,
    performance: Figures,
    resources: Figures,
    regions: Vec<Json>,
    distribution: Map<String, Json>,
    region_missing: Map<String, Json>,
    primary: Option<String>,
    requests: i64,
    counts: [i64; SEVERITIES.len()],
    resolved: i64,
    events: Vec<Json>,
}

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
        let count = requests.integer(row).unwrap_or_default();
        let figure = |i: usize| figures[i].number(row).map(rounded);
        if region == "all" {
            snapshot.requests = count;
            let all = &mut snapshot.performance;
            all.values.insert("request_count".into(), json!(count));
            let rate = count as f64 / intervals.seconds() as f64;
            all.values.insert("requests_per_second".into(), json!(rounded(rate)));
            for (i, name) in REQUESTS.iter().enumerate() {
                all.add("performance.", name, figures[i].number(row), "requests in logs or spans");
            }
            continue;
        }
        if primaries.flag(row) {
            snapshot.primary = Some(region.to_owned());
        }
        let position = slots.integer(row).and_then(|slot| usize::try_from(slot).ok()).unwrap_or_default();
        let delta: Map<String, Json> = DELTAS
            .iter()
            .zip(&deltas)
            .map(|((name, _), cells)| ((*name).to_owned(), json!(cells.number(row).map(rounded))))
            .collect();
        if count == 0 {
            let reason = "no data: the region served no request in the interval";
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
            "timestamp": time(intervals.bounds(position).1),
        }));
        snapshot.distribution.insert(region.to_owned(), json!(share.number(row).map(rounded)));
    }
    Ok(())
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
    for row in 0..rows.len() {
        let Some(snapshot) = of_slot(snapshots, &slots, row) else { continue };
        if statuses.text(row) == Some("resolved") {
            snapshot.resolved += 1;
        } else if let Some(i) = SEVERITIES.iter().position(|s| Some(*s) == severities.text(row)) {
            snapshot.counts[i] += 1;
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

impl Snapshot {
    fn missing(&self) -> Map<String, Json> {
        let parts = [&self.infrastructure.missing, &self.performance.missing, &self.resources.missing];
        let mut all: Map<String, Json> =
            parts.into_iter().flatten().map(|(k, v)| (k.clone(), v.clone())).collect();
        all.extend(self.region_missing.clone());
        if self.requests == 0 {
            all.insert("request_distribution".into(), json!("no data: needs requests in logs or spans"));
        }
        all
    }

    fn alerts(&self) -> Map<String, Json> {
        let counts = SEVERITIES.iter().zip(self.counts).map(|(s, n)| ((*s).to_owned(), json!(n)));
        counts.chain([("resolved".to_owned(), json!(self.resolved))]).collect()
    }

    fn document(&self, intervals: Intervals, position: usize) -> Json {
        let (start, end) = intervals.bounds(position);
        let mut alerts = self.alerts();
        alerts.insert("events".into(), json!(self.events));
        json!({
            "snapshot": position + 1,
            "timestamp": time(end),
            "interval_start": time(start),
            "interval_seconds": (end - start) / MICROS_PER_SECOND,
            "infrastructure": self.infrastructure.values,
            "performance": self.performance.values,
            "resources": self.resources.values,
            "primary_region": self.primary,
            "cross_region": self.regions,
            "request_distribution": self.distribution,
            "alerts": alerts,
            "missing": self.missing(),
        })
    }

    /// What later windows are compared with.
    fn baseline(&self, intervals: Intervals) -> Json {
        let (start, end) = intervals.bounds(0);
        let performance = |name: &str| self.performance.values.get(name).cloned().unwrap_or(Json::Null);
        let resource = |name: &str| self.resources.values.get(name).cloned().unwrap_or(Json::Null);
        let mut missing = self.performance.missing.clone();
        missing.extend(self.resources.missing.clone());
        json!({
            "baseline_timestamp": time(start),
            "window": { "from": time(start), "to": time(end) },
            "metrics": {
                "cpu_utilization": resource("cpu_utilization"),
                "memory_utilization": resource("memory_utilization"),
                "api_latency_p50": performance("p50_ms"),
                "api_latency_p95": performance("p95_ms"),
                "api_latency_p99": performance("p99_ms"),
                "error_rate": performance("error_rate"),
                "request_rate": performance("requests_per_second"),
                "cache_hit_rate": resource("cache_hit_rate"),
                "database_latency_p95": resource("database_latency_ms"),
            },
            "missing": missing,
        })
    }
}

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

async fn summary(run: &Run, intervals: Intervals, snapshots: &[Snapshot]) -> Result<Json, Error> {
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
        ((*severity).to_owned(), json!(snapshots.iter().map(|s| s.counts[i]).sum::<i64>()))
    });
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
            "request_count": requests.integer(row).unwrap_or_default(),
            "request_share": cell(3),
            "delta_from_primary": { "availability": cell(4), "error_rate": cell(5), "p95_latency_ms": cell(6) },
        }));
    }
    Ok((regions, primary))
}
