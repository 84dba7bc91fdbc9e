//! One interval's document under construction, and the baseline that the first makes.

use serde_json::{Map, Value as Json, json};

use crate::artifact::intervals::{Intervals, rounded, time};
use crate::domain::MICROS_PER_SECOND;

/// Figures of the infrastructure, in the order of the document, with what they need.
pub(super) const INFRASTRUCTURE: [(&str, &str); 7] = [
    ("cluster_cpu_cores", "a metric with the role cluster_cpu_cores"),
    ("cluster_memory_gb", "a metric with the role cluster_memory"),
    ("cluster_cpu_utilization", "a metric with the role cluster_cpu_utilization"),
    ("cluster_memory_utilization", "a metric with the role cluster_memory_utilization"),
    ("node_count", "a metric with the role node_count"),
    ("node_pressure_count", "a metric with the role node_pressure_count"),
    ("estimated_cost_per_hour", "metrics with the roles cluster_cpu_cores and cluster_memory"),
];

/// Figures of resources that drift is measured from.
pub(super) const RESOURCES: [(&str, &str); 4] = [
    ("cpu_utilization", "a metric with the role cpu_utilization"),
    ("memory_utilization", "a metric with the role memory_utilization"),
    ("cache_hit_rate", "a metric with the role cache_hit_rate"),
    ("database_latency_ms", "a metric with the role database_latency_ms"),
];

/// The severities that snapshots count.
pub(super) const SEVERITIES: [&str; 4] = ["critical", "error", "warning", "info"];

/// Figures under their names, and why some have no value.
#[derive(Debug, Clone, Default)]
pub(super) struct Figures {
    pub(super) values: Map<String, Json>,
    pub(super) missing: Map<String, Json>,
}

impl Figures {
    pub(super) fn add(&mut self, prefix: &str, name: &str, value: Option<f64>, needs: &str) {
        if value.is_none() {
            self.missing.insert(format!("{prefix}{name}"), json!(format!("no data: needs {needs}")));
        }
        let whole = value.filter(|v| name.ends_with("_count") && v.fract() == 0.0);
        let shown = whole.map_or_else(|| json!(value.map(rounded)), |v| json!(v as i64));
        self.values.insert(name.to_owned(), shown);
    }
}

/// One interval's documents under construction.
#[derive(Debug, Clone, Default)]
pub(super) struct Snapshot {
    pub(super) infrastructure: Figures,
    pub(super) performance: Figures,
    pub(super) resources: Figures,
    pub(super) regions: Vec<Json>,
    pub(super) distribution: Map<String, Json>,
    pub(super) region_missing: Map<String, Json>,
    pub(super) primary: Option<String>,
    pub(super) requests: i64,
    /// Alerts that started, by severity, and those that ended; nothing where the lake holds none at all.
    pub(super) alerts: Option<([i64; SEVERITIES.len()], i64)>,
    pub(super) events: Vec<Json>,
}

impl Snapshot {
    fn missing(&self) -> Map<String, Json> {
        let parts = [&self.infrastructure.missing, &self.performance.missing, &self.resources.missing];
        let mut all: Map<String, Json> =
            parts.into_iter().flatten().map(|(k, v)| (k.clone(), v.clone())).collect();
        all.extend(self.region_missing.clone());
        if self.alerts.is_none() {
            all.insert("alerts".into(), json!("no data: the lake holds no alert events"));
        }
        if self.requests == 0 {
            all.insert("request_distribution".into(), json!("no data: needs requests in logs or spans"));
        }
        all
    }

    fn alerts(&self) -> Map<String, Json> {
        let count = |i: usize| self.alerts.map(|(counts, _)| counts[i]);
        let counts = SEVERITIES.iter().enumerate().map(|(i, s)| ((*s).to_owned(), json!(count(i))));
        counts.chain([("resolved".to_owned(), json!(self.alerts.map(|(_, resolved)| resolved)))]).collect()
    }

    pub(super) fn document(&self, intervals: Intervals, position: usize) -> Json {
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
    pub(super) fn baseline(&self, intervals: Intervals) -> Json {
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
