//! The settings as the rest of the crate sees them: checked, merged, typed.

use serde::{Serialize, Serializer};
use sha2::{Digest, Sha256};

use super::alerts::AlertRule;
use super::budget::{Budget, Correction};
use super::burn::BurnTier;
use super::certification::Certification;
use super::composite::Composite;
use super::evidence::{DriftEvidence, Mitigation};
use super::nightly::{Artifacts, Ga, Notification, RollbackSignal};
use super::platform::{Criterion, Platform};
use super::predicate::Predicate;
use super::recording::RecordingRule;
use crate::domain::{Band, DriftCategory, Percentiles, SloType, Verdict, ViolationKind};

/// Everything that a user may tune. Built by [`Settings::load`](super::Settings::load); every value has
/// passed the checks of `tars.toml`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Settings {
    /// Service level objectives, by name.
    pub slos: Vec<Slo>,
    /// SLOs made of others, by name.
    pub composites: Vec<Composite>,
    /// How fast a budget may burn before somebody is told, for all SLOs and for single ones.
    pub burn_tiers: Vec<BurnTier>,
    /// Stretches of time that no budget pays for, by name.
    pub corrections: Vec<Correction>,
    /// The regions that are expected to report.
    pub regions: Regions,
    /// Drift checks, by name.
    pub drift: Vec<DriftCheck>,
    /// What a drift needs besides its size.
    pub drift_evidence: DriftEvidence,
    /// What to do about drifts, by category and status.
    pub mitigations: Vec<Mitigation>,
    /// How anomalies and error spikes are told from noise.
    pub detection: Detection,
    /// What counts as a change of level, and as a difference between two sides.
    pub change: super::change::Change,
    /// Rules of the classifier, by feature and verdict.
    pub rules: Vec<Rule>,
    /// How the health score is computed.
    pub health: Health,
    /// Which metric plays which role.
    pub metrics: Vec<MetricRole>,
    /// What reports advise.
    pub recommendations: Vec<Recommendation>,
    /// How fields of incoming records are renamed.
    pub mappings: Vec<FieldMapping>,
    /// How CSV files are laid out, by their names; the first that fits a file counts.
    pub csv: Vec<CsvFiles>,
    /// What resources cost.
    pub cost: Cost,
    /// What a record may ask for. No analysis reads it, so it is no part of the digest.
    #[serde(skip)]
    pub ingest: Ingest,
    /// How the lake is kept in order.
    pub upkeep: Upkeep,
    /// What certifies and validates a platform, by suite and rank.
    pub criteria: Vec<Criterion>,
    /// How the parts of a platform are recognised.
    pub platform: Platform,
    /// Conditions over these series, by group and name.
    pub alert_rules: Vec<AlertRule>,
    /// The series that are computed ahead of time, by group and name.
    pub recording_rules: Vec<RecordingRule>,
    /// What a window has to bring to be certified at all.
    pub certification: Certification,
    /// How long rows are kept, by table.
    pub retention: Vec<Retention>,
    /// What a pull asks Prometheus for, by name. No analysis reads them, so they are no part of the digest.
    #[serde(skip)]
    pub prometheus_queries: Vec<PrometheusQuery>,
    /// What was read and is of no use here, in sentences. No analysis reads them.
    #[serde(skip)]
    pub notes: Vec<String>,
    /// The window that later days are compared with.
    pub ga: Ga,
    /// What speaks for a rollback, by signal.
    pub rollback: Vec<RollbackSignal>,
    /// How long files of nightly runs are kept. No analysis reads it, so it is no part of the digest.
    #[serde(skip)]
    pub artifacts: Artifacts,
    /// Where messages go, by name. No part of the digest.
    #[serde(skip)]
    pub notifications: Vec<Notification>,
}

/// A query that a pull sends to Prometheus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrometheusQuery {
    /// The metric that its samples land as.
    pub name: String,
    /// What it is about, such as `evaluation` or `redis`; queries are chosen by it.
    pub group: String,
    /// PromQL.
    pub query: String,
}

/// A service level objective.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Slo {
    /// Its name.
    pub name: String,
    /// What it measures.
    #[serde(serialize_with = "as_text")]
    pub kind: SloType,
    /// The value that a window should reach: ms for latency, requests per second for throughput, else a
    /// share of 1.
    pub target: f64,
    /// The value past which a window is a violation, in the same unit.
    pub threshold: f64,
    /// Length of a window in seconds; a multiple of 60.
    pub window_seconds: i64,
    /// For latency, which quantile of the durations is observed, between 0 and 1.
    pub percentile: Option<f64>,
    /// Only this region.
    pub region: Option<String>,
    /// Only this service.
    pub service: Option<String>,
    /// Only this route.
    pub route: Option<String>,
    /// Only this type of agent.
    pub agent_type: Option<String>,
    /// Only rows for which this holds.
    pub filter: Option<Predicate>,
    /// What a window is expected to be.
    #[serde(serialize_with = "as_text")]
    pub band: Band,
    /// Which windows count: those past the threshold, those that leave the band, or both.
    #[serde(serialize_with = "as_text")]
    pub detect: ViolationKind,
    /// For latency, what its percentile and its good events are counted in.
    #[serde(serialize_with = "as_text", skip_serializing_if = "is_usual")]
    pub percentiles: Percentiles,
    /// Where it is judged by route as well: how many routes of a service are judged each, those with most requests; the
    /// others are judged together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_routes: Option<i64>,
    /// Its error budget.
    pub budget: Budget,
}

fn is_usual(percentiles: &Percentiles) -> bool {
    *percentiles == Percentiles::Sketch
}

impl Slo {
    /// Whether it is judged route by route, not only by region and service.
    pub fn is_by_route(&self) -> bool {
        self.max_routes.is_some()
    }

    /// Whether it has figures of this route alone.
    pub fn tells_apart(&self, route: &str) -> bool {
        self.route.as_deref().map_or(self.is_by_route(), |own| own == route)
    }

    /// Whether the rollups by minute, region, service and route cannot answer it.
    pub fn reads_raw(&self) -> bool {
        self.kind == SloType::EvaluationSuccess
            || self.agent_type.is_some()
            || self.filter.as_ref().is_some_and(|filter| !filter.fits_rollups())
    }
}

/// The regions that are expected to report. One that is not named here is analysed all the same.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Regions {
    /// The region that others are compared with.
    pub primary: String,
    /// All of them, the primary included.
    pub expected: Vec<String>,
}

/// One comparison of the analysed window with the baseline window.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DriftCheck {
    /// What is compared.
    pub name: String,
    /// The family, which decides how much movement is tolerated.
    #[serde(serialize_with = "as_text")]
    pub category: DriftCategory,
    /// Tolerated movement of the category, in percent of the baseline.
    pub threshold_percent: f64,
    /// Movement that is a warning, in percent.
    pub warning_percent: f64,
    /// Movement that is critical, in percent.
    pub critical_percent: f64,
    /// Absolute movement, in the unit of the quantity, below which nothing is drift.
    pub floor: f64,
    /// Whether it follows the load of the day, so that only like hours can be compared.
    pub seasonal: bool,
}

/// How anomalies and error spikes are told from noise.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Detection {
    /// Weight of the newest value in the exponentially weighted mean, above 0 and at most 1.
    pub ewma_alpha: f64,
    /// Number of earlier windows behind a band and a z-score.
    pub band_periods: i64,
    /// Half width of a band, in standard deviations.
    pub band_width: f64,
    /// Distance from the mean, in standard deviations, from which a window is an anomaly.
    pub zscore_limit: f64,
    /// A window of fewer requests or evaluations is never an anomaly.
    pub min_samples: i64,
    /// Smallest distance from the expected value that can be an anomaly, as a share of the distance
    /// between an SLO's target and threshold.
    pub deviation_floor: f64,
    /// Errors that a window must have to be a spike.
    pub spike_min_errors: i64,
    /// Standard errors by which the error rate of a spike exceeds the baseline's.
    pub spike_sigmas: f64,
    /// Windows in a row that must get the same bad verdict to be a regression; one alone may be chance.
    pub min_windows: i64,
    /// Standard errors by which the share of requests above the baseline's p95 must exceed 5 % before a
    /// window's latency counts as risen.
    pub latency_sigmas: f64,
    /// The most windows that are judged together where one alone has fewer than `min_samples` requests.
    pub pooled_windows: i64,
    /// Times the baseline's error rate that a spike must exceed.
    pub spike_ratio: f64,
    /// How long before a window a change still counts for it, in seconds.
    pub change_lookback_seconds: i64,
}

/// On which side of its threshold a rule fires.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// When the feature is greater than the threshold.
    Above,
    /// When the feature is less than the threshold.
    Below,
}

impl Direction {
    /// Both.
    pub const ALL: &'static [Direction] = &[Direction::Above, Direction::Below];

    /// The spelling in settings and SQL.
    pub const fn as_str(self) -> &'static str {
        match self {
            Direction::Above => "above",
            Direction::Below => "below",
        }
    }
}

impl std::fmt::Display for Direction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

impl std::str::FromStr for Direction {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.iter().copied().find(|d| d.as_str().eq_ignore_ascii_case(text)).ok_or(())
    }
}

/// One rule of the classifier: a feature past its threshold speaks for a verdict.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Rule {
    /// One of [`REGRESSION_FEATURES`](crate::domain::REGRESSION_FEATURES).
    pub feature: String,
    /// What it speaks for.
    #[serde(serialize_with = "as_text")]
    pub verdict: Verdict,
    /// The side on which it fires.
    #[serde(serialize_with = "as_text")]
    pub direction: Direction,
    /// Where it fires, in the unit of the feature.
    pub threshold: f64,
    /// How much it says, above 0.
    pub weight: f64,
}

/// How the health score is computed: from `start` down, never below `floor`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Health {
    /// Points before anything is taken off.
    pub start: f64,
    /// Points per SLO violation.
    pub slo_violation: f64,
    /// Points for an error rate of 1.
    pub error_rate: f64,
    /// Points per regression of confidence 1.
    pub regression: f64,
    /// Points for regional drift past `regional_drift_ms`.
    pub regional_drift: f64,
    /// Regional drift in ms that costs points.
    pub regional_drift_ms: f64,
    /// Lowest score.
    pub floor: f64,
}

/// A metric that plays a role.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MetricRole {
    /// What it means, such as `cpu_utilization`.
    pub role: String,
    /// The metric's name at its source.
    pub metric: String,
    /// The unit of samples that state none.
    pub unit: String,
    /// What turns samples of `unit` into the role's unit, when `unit` is not a known one.
    pub factor: Option<f64>,
    /// Whether it is a part of what the role means, such as the reads of all disk operations: parts add up.
    pub is_part: bool,
}

/// What a report advises when a finding calls for it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Recommendation {
    /// Name of the finding.
    pub code: String,
    /// When it applies, in words.
    pub condition: String,
    /// The advice.
    pub text: String,
    /// The runbook to follow.
    pub runbook: Option<String>,
    /// Order in the report, lowest first.
    pub rank: i64,
}

/// A field of incoming records under another name.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FieldMapping {
    /// The table that it is for.
    pub table: String,
    /// The name in the records; dots lead into nested objects.
    pub from: String,
    /// The column of the table.
    pub to: String,
    /// The unit of the field, where the column has one.
    pub unit: Option<String>,
}

/// How CSV files of certain names are laid out; ingest checks what it means.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CsvFiles {
    /// Glob over the path, or over the file name alone.
    pub files: String,
    /// The table that the records are for.
    pub table: Option<String>,
    /// What separates the fields.
    pub delimiter: Option<String>,
    /// What each header row holds: `name`, `skip`, a column of the table, or `label:NAME`.
    pub header: Vec<String>,
    /// The column of times.
    pub time: Option<String>,
    /// How times are spelled: a unit, or a pattern with `%`.
    pub time_format: Option<String>,
    /// The zone of times that name none.
    pub time_zone: Option<String>,
    /// Whether every cell is a sample of its own.
    pub wide: bool,
    /// How column names are composed.
    pub pattern: Option<String>,
    /// Values for columns that the file does not hold, as `column=value`.
    pub set: Vec<String>,
}

impl FieldMapping {
    /// What turns a value of the field into the column's unit (ms or bytes); 1 when no unit is given.
    pub fn factor(&self) -> f64 {
        self.unit.as_deref().and_then(super::units::field_factor).unwrap_or(1.0)
    }
}

/// What resources cost, in dollars.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Cost {
    /// One core for one hour.
    pub core_hour: f64,
    /// One GB of memory for one hour.
    pub memory_gb_hour: f64,
}

/// How the lake is kept in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Upkeep {
    /// Size in bytes that compaction gives files.
    pub target_file_bytes: u64,
    /// Days for which versions of the past stay readable.
    pub vacuum_days: i64,
}

/// What a single record may ask for when it is ingested; more of it is rejected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ingest {
    /// Bytes of a record.
    pub max_record_bytes: u64,
    /// Arrays and objects in each other.
    pub max_nesting: i64,
    /// Bytes that packed data inside a record may unpack to.
    pub max_unpacked_bytes: u64,
}

/// How long rows of a table are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Retention {
    /// The table, or `raw` or `derived` for all that have no entry of their own.
    pub table: String,
    /// Days; 0 keeps rows for ever.
    pub days: i64,
}

impl Settings {
    /// The days for which a table keeps its rows; `None` for ever. `derived` says whether it is built from others.
    pub fn retention_days(&self, table: &str, derived: bool) -> Option<i64> {
        let days = |name: &str| self.retention.iter().find(|r| r.table == name).map(|r| r.days);
        let all = if derived { "derived" } else { "raw" };
        days(table).or_else(|| days(all)).filter(|days| *days > 0)
    }

    /// The SHA-256, in lower-case hex, of the effective settings in canonical form: the same settings
    /// give the same digest, whatever file, order or spelling they came from.
    pub fn digest(&self) -> String {
        let canonical = serde_json::to_vec(self).expect("settings hold only texts and finite numbers");
        Sha256::digest(&canonical).iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

pub(super) fn as_text<T: std::fmt::Display, S: Serializer>(
    value: &T,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}
