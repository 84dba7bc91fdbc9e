//! The settings as tables for SQL.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};

use super::Error;
use super::budget::Period;
use super::burn::BurnTier;
use super::model::{MetricRole, Settings};
use super::predicate::Predicate;
use super::{alerts, platform, recording, units};

/// The unit of samples that state none, as the staging model spells it.
const NO_UNIT: &str = "";

/// A column under construction.
pub(super) type Columns = Vec<(&'static str, ArrayRef)>;

pub(super) fn texts<'a>(values: impl Iterator<Item = &'a str>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}

fn optional_texts<'a>(values: impl Iterator<Item = Option<&'a str>>) -> ArrayRef {
    Arc::new(values.collect::<StringArray>())
}

pub(super) fn doubles(values: impl Iterator<Item = f64>) -> ArrayRef {
    Arc::new(Float64Array::from_iter_values(values))
}

pub(super) fn integers(values: impl Iterator<Item = i64>) -> ArrayRef {
    Arc::new(Int64Array::from_iter_values(values))
}

impl Settings {
    /// Every settings table by its SQL name, with its rows. A list that is empty gives a table without rows.
    pub fn tables(&self) -> Result<Vec<(&'static str, RecordBatch)>, Error> {
        let tables: Vec<(&'static str, Columns)> = vec![
            ("settings_slos", self.slo_columns()),
            ("settings_regions", self.region_columns()),
            ("settings_composites", self.composite_columns()),
            ("settings_burn_tiers", self.burn_tier_columns()),
            ("settings_corrections", self.correction_columns()),
            ("settings_drift", self.drift_columns()),
            ("settings_drift_evidence", self.evidence_columns()),
            ("settings_mitigations", self.mitigation_columns()),
            ("settings_detection", self.detection_columns()),
            ("settings_change", self.change_columns()),
            ("settings_rules", self.rule_columns()),
            ("settings_health", self.health_columns()),
            ("settings_metrics", self.metric_columns()),
            ("settings_recommendations", self.recommendation_columns()),
            ("settings_cost", self.cost_columns()),
            ("settings_ga", self.ga_columns()),
            ("settings_rollback", self.rollback_columns()),
            ("settings_certification", self.certification.columns()),
        ];
        let mut parts = platform::tables(&self.criteria, &self.platform)?;
        parts.push(recording::table(&self.recording_rules)?);
        parts.push(alerts::table(&self.alert_rules)?);
        tables
            .into_iter()
            .map(|(table, columns)| {
                let nullable = |name: &str| {
                    matches!(
                        (table, name),
                        (
                            "settings_slos",
                            "percentile"
                                | "region"
                                | "service"
                                | "route"
                                | "agent_type"
                                | "filter"
                                | "reads"
                                | "band"
                                | "detect"
                                | "percentiles"
                                | "max_routes"
                                | "rolling_seconds"
                        ) | ("settings_composites", "rolling_seconds")
                            | ("settings_burn_tiers", "share" | "burn_rate")
                            | ("settings_corrections", "slo" | "region" | "service" | "route")
                            | ("settings_recommendations", "runbook")
                    )
                };
                let columns = columns.into_iter().map(|(name, array)| (name, array, nullable(name)));
                RecordBatch::try_from_iter_with_nullable(columns)
                    .map(|batch| (table, batch))
                    .map_err(|source| Error::Table { table, source })
            })
            .chain(parts.into_iter().map(Ok))
            .collect()
    }

    fn slo_columns(&self) -> Columns {
        let all = || self.slos.iter();
        vec![
            ("name", texts(all().map(|s| s.name.as_str()))),
            ("type", texts(all().map(|s| s.kind.as_str()))),
            ("target", doubles(all().map(|s| s.target))),
            ("threshold", doubles(all().map(|s| s.threshold))),
            ("window_seconds", integers(all().map(|s| s.window_seconds))),
            ("percentile", Arc::new(all().map(|s| s.percentile).collect::<Float64Array>())),
            ("region", optional_texts(all().map(|s| s.region.as_deref()))),
            ("service", optional_texts(all().map(|s| s.service.as_deref()))),
            ("route", optional_texts(all().map(|s| s.route.as_deref()))),
            ("agent_type", optional_texts(all().map(|s| s.agent_type.as_deref()))),
            ("filter", optional_texts(all().map(|s| s.filter.as_ref().map(Predicate::sql)))),
            ("reads", texts(all().map(|s| if s.reads_raw() { "raw" } else { "rollup" }))),
            ("band", texts(all().map(|s| s.band.as_str()))),
            ("detect", texts(all().map(|s| s.detect.as_str()))),
            ("percentiles", texts(all().map(|s| s.percentiles.as_str()))),
            ("max_routes", Arc::new(all().map(|s| s.max_routes).collect::<Int64Array>())),
            ("objective", doubles(all().map(|s| s.budget.objective))),
            ("budgeting", texts(all().map(|s| s.budget.budgeting.as_str()))),
            ("period", Arc::new(StringArray::from_iter_values(all().map(|s| s.budget.period.name())))),
            ("period_seconds", integers(all().map(|s| s.budget.period.seconds()))),
            ("rolling_seconds", Arc::new(all().map(|s| rolling(s.budget.period)).collect::<Int64Array>())),
            ("time_zone", texts(all().map(|s| s.budget.time_zone.as_str()))),
        ]
    }

    /// One row per part of a composite.
    fn composite_columns(&self) -> Columns {
        let rows: Vec<_> = self.composites.iter().flat_map(|c| c.parts.iter().map(move |p| (c, p))).collect();
        let all = || rows.iter();
        vec![
            ("name", texts(all().map(|(c, _)| c.name.as_str()))),
            ("part", texts(all().map(|(_, p)| p.slo.as_str()))),
            ("weight", doubles(all().map(|(_, p)| p.weight))),
            ("objective", doubles(all().map(|(c, _)| c.objective))),
            ("period", Arc::new(StringArray::from_iter_values(all().map(|(c, _)| c.period.name())))),
            ("period_seconds", integers(all().map(|(c, _)| c.period.seconds()))),
            ("rolling_seconds", Arc::new(all().map(|(c, _)| rolling(c.period)).collect::<Int64Array>())),
            ("time_zone", texts(all().map(|(c, _)| c.time_zone.as_str()))),
        ]
    }

    /// The tiers of each SLO and composite, the fastest first: its own, else those of all.
    fn burn_tier_columns(&self) -> Columns {
        let names = self.slos.iter().map(|s| &s.name).chain(self.composites.iter().map(|c| &c.name));
        let mut rows: Vec<(&str, i64, &BurnTier)> = Vec::new();
        for name in names {
            let own = self.burn_tiers.iter().filter(|t| t.slo.as_ref() == Some(name)).collect::<Vec<_>>();
            let general = || self.burn_tiers.iter().filter(|t| t.slo.is_none()).collect();
            let mut tiers = if own.is_empty() { general() } else { own };
            tiers.sort_by_key(|t| t.rank());
            rows.extend((1..).zip(tiers).map(|(place, tier)| (name.as_str(), place, tier)));
        }
        let all = || rows.iter();
        let optional = |values: Vec<Option<f64>>| -> ArrayRef { Arc::new(Float64Array::from(values)) };
        vec![
            ("slo", texts(all().map(|r| r.0))),
            ("tier", integers(all().map(|r| r.1))),
            ("name", texts(all().map(|r| r.2.name.as_str()))),
            ("windows", Arc::new(StringArray::from_iter_values(all().map(|r| r.2.windows())))),
            ("share", optional(all().map(|r| r.2.limit.share()).collect())),
            ("burn_rate", optional(all().map(|r| r.2.limit.rate()).collect())),
            ("long_seconds", integers(all().map(|r| r.2.long_seconds))),
            ("short_seconds", integers(all().map(|r| r.2.short_seconds))),
            ("action", texts(all().map(|r| r.2.action.as_str()))),
            ("severity", texts(all().map(|r| r.2.severity.as_str()))),
        ]
    }

    fn region_columns(&self) -> Columns {
        let all = || self.regions.expected.iter();
        let primary: BooleanArray = all().map(|r| Some(*r == self.regions.primary)).collect();
        vec![("region", texts(all().map(String::as_str))), ("is_primary", Arc::new(primary))]
    }

    fn correction_columns(&self) -> Columns {
        let all = || self.corrections.iter();
        let times = |micros: Vec<i64>| -> ArrayRef {
            Arc::new(TimestampMicrosecondArray::from(micros).with_timezone("UTC"))
        };
        vec![
            ("name", texts(all().map(|c| c.name.as_str()))),
            ("from_time", times(all().map(|c| c.from).collect())),
            ("to_time", times(all().map(|c| c.to).collect())),
            ("reason", texts(all().map(|c| c.reason.as_str()))),
            ("author", texts(all().map(|c| c.author.as_str()))),
            ("slo", optional_texts(all().map(|c| c.slo.as_deref()))),
            ("region", optional_texts(all().map(|c| c.region.as_deref()))),
            ("service", optional_texts(all().map(|c| c.service.as_deref()))),
            ("route", optional_texts(all().map(|c| c.route.as_deref()))),
        ]
    }

    fn drift_columns(&self) -> Columns {
        let all = || self.drift.iter();
        vec![
            ("name", texts(all().map(|d| d.name.as_str()))),
            ("category", texts(all().map(|d| d.category.as_str()))),
            ("threshold_percent", doubles(all().map(|d| d.threshold_percent))),
            ("warning_percent", doubles(all().map(|d| d.warning_percent))),
            ("critical_percent", doubles(all().map(|d| d.critical_percent))),
            ("floor", doubles(all().map(|d| d.floor))),
            ("seasonal", Arc::new(all().map(|d| Some(d.seasonal)).collect::<BooleanArray>())),
        ]
    }

    /// One row; the kinds of changes stand in one text, with a comma between them.
    fn evidence_columns(&self) -> Columns {
        let e = &self.drift_evidence;
        vec![
            ("false_alarm_rate", doubles(std::iter::once(e.false_alarm_rate))),
            ("min_intervals", integers(std::iter::once(e.min_intervals))),
            ("season", texts(std::iter::once(e.season.as_str()))),
            ("change_kinds", texts(std::iter::once(e.change_kinds.join(",").as_str()))),
            ("stale_days", integers(std::iter::once(e.stale_days))),
            ("min_events", integers(std::iter::once(e.min_events))),
            ("max_pooled", integers(std::iter::once(e.max_pooled))),
        ]
    }

    fn mitigation_columns(&self) -> Columns {
        let all = || self.mitigations.iter();
        vec![
            ("category", texts(all().map(|m| m.category.as_str()))),
            ("status", texts(all().map(|m| m.status.as_str()))),
            ("text", texts(all().map(|m| m.text.as_str()))),
        ]
    }

    fn detection_columns(&self) -> Columns {
        let d = &self.detection;
        let double = |value| doubles(std::iter::once(value));
        let integer = |value| integers(std::iter::once(value));
        vec![
            ("ewma_alpha", double(d.ewma_alpha)),
            ("band_periods", integer(d.band_periods)),
            ("band_width", double(d.band_width)),
            ("zscore_limit", double(d.zscore_limit)),
            ("min_samples", integer(d.min_samples)),
            ("deviation_floor", double(d.deviation_floor)),
            ("spike_min_errors", integer(d.spike_min_errors)),
            ("spike_sigmas", double(d.spike_sigmas)),
            ("min_windows", integer(d.min_windows)),
            ("latency_sigmas", double(d.latency_sigmas)),
            ("pooled_windows", integer(d.pooled_windows)),
            ("spike_ratio", double(d.spike_ratio)),
            ("change_lookback_seconds", integer(d.change_lookback_seconds)),
        ]
    }

    fn change_columns(&self) -> Columns {
        let c = &self.change;
        let double = |value| doubles(std::iter::once(value));
        vec![
            ("lookback_seconds", integers(std::iter::once(c.lookback_seconds))),
            ("false_alarms", double(c.false_alarms)),
            ("min_effect_percent", double(c.min_effect_percent)),
            ("spread_ratio", double(c.spread_ratio)),
            ("psi", double(c.psi)),
        ]
    }

    fn rule_columns(&self) -> Columns {
        let all = || self.rules.iter();
        vec![
            ("feature", texts(all().map(|r| r.feature.as_str()))),
            ("verdict", texts(all().map(|r| r.verdict.as_str()))),
            ("threshold", doubles(all().map(|r| r.threshold))),
            ("direction", texts(all().map(|r| r.direction.as_str()))),
            ("weight", doubles(all().map(|r| r.weight))),
        ]
    }

    fn health_columns(&self) -> Columns {
        let h = &self.health;
        let rows = [
            ("start", h.start, "points before anything is taken off"),
            ("slo_violation", h.slo_violation, "points per SLO violation"),
            ("error_rate", h.error_rate, "points for an error rate of 1"),
            ("regression", h.regression, "points per regression of confidence 1"),
            ("regional_drift", h.regional_drift, "points when a region is too far from the primary"),
            ("regional_drift_ms", h.regional_drift_ms, "distance in ms from which it is too far"),
            ("floor", h.floor, "lowest score"),
        ];
        vec![
            ("item", texts(rows.iter().map(|r| r.0))),
            ("amount", doubles(rows.iter().map(|r| r.1))),
            ("meaning", texts(rows.iter().map(|r| r.2))),
        ]
    }

    /// One row per metric and unit that its samples may state; `unit` is empty for samples that state none.
    fn metric_columns(&self) -> Columns {
        let rows: Vec<(&MetricRole, &str, f64)> = self.metrics.iter().flat_map(metric_units).collect();
        vec![
            ("role", texts(rows.iter().map(|(m, _, _)| m.role.as_str()))),
            ("metric", texts(rows.iter().map(|(m, _, _)| m.metric.as_str()))),
            ("unit", texts(rows.iter().map(|(_, unit, _)| *unit))),
            ("factor", doubles(rows.iter().map(|(_, _, factor)| *factor))),
            ("is_part", Arc::new(rows.iter().map(|(m, _, _)| Some(m.is_part)).collect::<BooleanArray>())),
            ("role_unit", texts(rows.iter().map(|(m, _, _)| units::role(&m.role).map_or("", |d| d.unit())))),
        ]
    }

    fn recommendation_columns(&self) -> Columns {
        let all = || self.recommendations.iter();
        vec![
            ("code", texts(all().map(|r| r.code.as_str()))),
            ("condition", texts(all().map(|r| r.condition.as_str()))),
            ("text", texts(all().map(|r| r.text.as_str()))),
            ("runbook", optional_texts(all().map(|r| r.runbook.as_deref()))),
            ("rank", integers(all().map(|r| r.rank))),
        ]
    }

    fn ga_columns(&self) -> Columns {
        let once = std::iter::once;
        vec![
            ("recommend_at", doubles(once(self.ga.recommend_at))),
            ("consider_at", doubles(once(self.ga.consider_at))),
        ]
    }

    fn rollback_columns(&self) -> Columns {
        let all = || self.rollback.iter();
        vec![
            ("signal", texts(all().map(|s| s.signal.as_str()))),
            ("weight", doubles(all().map(|s| s.weight))),
            ("full_at", doubles(all().map(|s| s.full_at))),
        ]
    }

    fn cost_columns(&self) -> Columns {
        vec![
            ("core_hour", doubles(std::iter::once(self.cost.core_hour))),
            ("memory_gb_hour", doubles(std::iter::once(self.cost.memory_gb_hour))),
        ]
    }
}

/// The length of a period that moves with time; `None` for one of the calendar.
fn rolling(period: Period) -> Option<i64> {
    matches!(period, Period::Rolling(_)).then(|| period.seconds())
}

/// The units that samples of a metric may state, with their factors; each unit once.
fn metric_units(metric: &MetricRole) -> Vec<(&MetricRole, &str, f64)> {
    let known = units::role(&metric.role).map_or(&[][..], |d| d.units());
    let of_unit = |unit: &str| known.iter().find(|(name, _)| *name == unit).map(|(_, factor)| *factor);
    let own = metric.factor.or_else(|| of_unit(&metric.unit));
    let mut rows: Vec<_> = own.map(|factor| (metric, NO_UNIT, factor)).into_iter().collect();
    rows.extend(known.iter().filter(|(unit, _)| *unit != metric.unit).map(|(unit, f)| (metric, *unit, *f)));
    rows.extend(own.map(|factor| (metric, metric.unit.as_str(), factor)));
    rows
}
