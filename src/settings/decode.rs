//! Typed settings from merged tables, with every check that one value, or one entry, can fail.

use std::fmt::Display;

use crate::domain::{ByteSize, DriftCategory, REGRESSION_FEATURES, Verdict};

use super::budget::correction;
use super::burn::burn_tier;
use super::change::change;
use super::composite::{check_composites, composite};
use super::evidence::{drift_evidence, mitigation};
use super::load::{Entry, Merged};
use super::model::{
    Cost, CsvFiles, Detection, Direction, DriftCheck, FieldMapping, Health, Ingest, MetricRole,
    PrometheusQuery, Recommendation, Regions, Retention, Rule, Settings, Upkeep,
};
use super::nightly::{artifacts, ga, notification, rollback_signal};
use super::read::{Problems, Section, did_you_mean};
use super::slo::slo;
use super::{alerts, certification, platform, recording, units};

/// How far back models read changes.
const WEEK: i64 = 7 * 86_400;
/// The shortest band that has a standard deviation worth the name; the window functions ask for as many.
const LEAST_PERIODS: i64 = 5;
/// Windows longer ago say nothing of this one.
const MOST_POOLED: i64 = 12;
/// The tables whose fields may be mapped: those that ingest fills.
const MAPPED_TABLES: [&str; 7] =
    ["logs", "spans", "metrics", "evaluations", "changes", "alerts", "incidents"];

pub(super) fn settings(mut merged: Merged, problems: &mut Problems) -> Settings {
    let categories = drift_categories(merged.list("drift_category"), problems);
    let mut settings = Settings {
        slos: each(merged.list("slo"), problems, slo),
        composites: each(merged.list("composite"), problems, composite),
        burn_tiers: each(merged.list("burn_tier"), problems, burn_tier),
        corrections: each(merged.list("correction"), problems, correction),
        regions: regions(merged.section("regions"), problems),
        drift: each(merged.list("drift"), problems, |section| drift_check(section, &categories)),
        drift_evidence: one(merged.section("drift_evidence"), problems, drift_evidence),
        mitigations: each(merged.list("mitigation"), problems, mitigation),
        detection: detection(merged.section("detection"), problems),
        change: change(merged.section("change"), problems),
        rules: each(merged.list("rule"), problems, rule),
        health: health(merged.section("health"), problems),
        metrics: metrics(std::mem::take(&mut merged.metrics), problems),
        recommendations: each(merged.list("recommendation"), problems, recommendation),
        criteria: each(merged.list("criterion"), problems, platform::criterion),
        alert_rules: each(merged.list("alert_rule"), problems, alerts::alert_rule),
        recording_rules: each(merged.list("recording_rule"), problems, recording::recording_rule),
        platform: platform::platform(merged.section("platform"), problems),
        certification: certification::certification(merged.section("certification"), problems),
        mappings: each(merged.list("mapping"), problems, mapping),
        csv: each(merged.list("csv"), problems, csv),
        cost: cost(merged.section("cost"), problems),
        ingest: ingest(merged.section("ingest"), problems),
        upkeep: upkeep(merged.section("upkeep"), problems),
        retention: each(merged.list("retention"), problems, retention),
        prometheus_queries: each(merged.list("prometheus_query"), problems, prometheus_query),
        notes: std::mem::take(&mut merged.notes),
        ga: ga(merged.section("ga"), problems),
        rollback: each(merged.list("rollback"), problems, rollback_signal),
        artifacts: artifacts(merged.section("artifacts"), problems),
        notifications: each(merged.list("notification"), problems, notification),
    };
    check_composites(&settings, problems);
    // One order whatever the file's, so that equal settings are equal to the digest as well.
    settings.retention.sort_by(|a, b| a.table.cmp(&b.table));
    settings.slos.sort_by(|a, b| a.name.cmp(&b.name));
    settings.composites.sort_by(|a, b| a.name.cmp(&b.name));
    settings.burn_tiers.sort_by(|a, b| (&a.slo, a.rank(), &a.name).cmp(&(&b.slo, b.rank(), &b.name)));
    settings.corrections.sort_by(|a, b| a.name.cmp(&b.name));
    settings.drift.sort_by(|a, b| a.name.cmp(&b.name));
    settings.mitigations.sort_by_key(|m| (m.category, std::cmp::Reverse(m.status)));
    settings.rules.sort_by_key(|rule| (feature_rank(rule), rule.verdict));
    settings.metrics.sort_by(|a, b| (&a.role, &a.metric).cmp(&(&b.role, &b.metric)));
    settings.recommendations.sort_by(|a, b| (a.rank, &a.code).cmp(&(b.rank, &b.code)));
    settings.alert_rules.sort_by(|a, b| (&a.group, &a.name).cmp(&(&b.group, &b.name)));
    settings.recording_rules.sort_by(|a, b| (&a.group, &a.name).cmp(&(&b.group, &b.name)));
    settings.criteria.sort_by(|a, b| (&a.suite, a.rank, &a.name).cmp(&(&b.suite, b.rank, &b.name)));
    settings.prometheus_queries.sort_by(|a, b| (&a.group, &a.name).cmp(&(&b.group, &b.name)));
    settings.rollback.sort_by(|a, b| a.signal.cmp(&b.signal));
    settings.notifications.sort_by(|a, b| a.name.cmp(&b.name));
    settings.mappings.sort_by(|a, b| (&a.table, &a.from).cmp(&(&b.table, &b.from)));
    settings
}

/// A section that is decoded in a file of its own.
fn one<T>(entry: Entry, problems: &mut Problems, decode: impl FnOnce(&mut Section<'_>) -> T) -> T {
    let mut section = Section::new(entry.path, entry.table, problems);
    let decoded = decode(&mut section);
    section.finish();
    decoded
}

fn prometheus_query(section: &mut Section<'_>) -> Option<PrometheusQuery> {
    let (name, group, query) = (section.text("name"), section.text("group"), section.text("query"));
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | ':' | '.');
    if !name.is_empty() && !name.chars().all(is_name) {
        section.wrong(
            "name",
            format!("{name:?}"),
            "a metric name of letters, digits, `_`, `:` and `.`",
            None,
        );
    }
    (!name.is_empty() && !query.is_empty()).then_some(PrometheusQuery { name, group, query })
}

fn feature_rank(rule: &Rule) -> usize {
    REGRESSION_FEATURES.iter().position(|f| *f == rule.feature).unwrap_or(usize::MAX)
}

fn each<T>(
    entries: Vec<Entry>,
    problems: &mut Problems,
    mut decode: impl FnMut(&mut Section<'_>) -> Option<T>,
) -> Vec<T> {
    let mut decoded = Vec::with_capacity(entries.len());
    for entry in entries {
        let mut section = Section::new(entry.path, entry.table, problems);
        decoded.extend(decode(&mut section));
        section.finish();
    }
    decoded
}

/// Reports a number outside its range; `remedy` may know what was meant.
pub(super) fn within(
    section: &mut Section<'_>,
    name: &'static str,
    value: Option<f64>,
    fits: impl Fn(f64) -> bool,
    expected: &str,
    remedy: impl Fn(f64) -> Option<String>,
) -> Option<f64> {
    let value = value?;
    if fits(value) {
        return Some(value);
    }
    section.wrong(name, value.to_string(), expected, remedy(value));
    None
}

/// A number written in percent where a share was asked for.
pub(super) fn as_share(name: &str, value: f64) -> Option<String> {
    // By way of whole billionths of a percent: 99.9 / 100 is not the double that 0.999 is.
    let share = (value * 1e10).round() / 1e12;
    (value > 1.0 && value <= 100.0).then(|| format!("write {name} = {share}"))
}

/// A whole number of at least `least`.
fn at_least(section: &mut Section<'_>, name: &'static str, least: i64) -> i64 {
    match section.integer(name) {
        Some(value) if value >= least => value,
        Some(value) => {
            section.wrong(name, value.to_string(), format!("a whole number of at least {least}"), None);
            least
        }
        None => least,
    }
}

fn regions(entry: Entry, problems: &mut Problems) -> Regions {
    let mut section = Section::new(entry.path, entry.table, problems);
    let primary = section.text("primary");
    let mut expected = section.texts("expected").unwrap_or_default();
    for (i, region) in expected.iter().enumerate() {
        if expected[..i].contains(region) {
            let got = format!("`{region}` a second time");
            section.wrong("expected", got, "each region once", Some("remove one of them".into()));
        }
    }
    if !primary.is_empty() && !expected.contains(&primary) {
        expected.push(primary.clone());
    }
    expected.sort();
    section.finish();
    Regions { primary, expected }
}

/// The limits of one drift category.
struct Limits {
    category: DriftCategory,
    threshold_percent: f64,
    warning_percent: f64,
    critical_percent: f64,
}

fn drift_categories(entries: Vec<Entry>, problems: &mut Problems) -> Vec<Limits> {
    each(entries, problems, |section| {
        let category = section.word("name", DriftCategory::ALL);
        let limits = Limits {
            category: category.unwrap_or(DriftCategory::Resource),
            threshold_percent: section.amount("threshold_percent"),
            warning_percent: section.amount("warning_percent"),
            critical_percent: section.amount("critical_percent"),
        };
        warning_before_critical(section, limits.warning_percent, limits.critical_percent);
        category.is_some().then_some(limits)
    })
}

fn warning_before_critical(section: &mut Section<'_>, warning: f64, critical: f64) {
    if warning > critical {
        section.wrong(
            "warning_percent",
            warning.to_string(),
            format!("at most critical_percent, which is {critical}"),
            Some("a warning comes before it is critical: swap them if they were mixed up".into()),
        );
    }
}

fn drift_check(section: &mut Section<'_>, categories: &[Limits]) -> Option<DriftCheck> {
    let name = section.text("name");
    let category = section.word("category", DriftCategory::ALL);
    let own = ["threshold_percent", "warning_percent", "critical_percent"].map(|key| {
        let value = section.optional_number(key);
        within(section, key, value, |v| v >= 0.0, "a number that is not negative", |_| None)
    });
    let floor = section.amount("floor");
    let seasonal = section.flag("seasonal").unwrap_or(false);
    let limits = categories.iter().find(|limits| Some(limits.category) == category);
    let Some(limits) = limits else {
        if let Some(category) = category {
            let remedy = Some(format!("keep the [[drift_category]] named `{category}`"));
            section.wrong("category", format!("`{category}`"), "a category that is enabled", remedy);
        }
        return None;
    };
    let check = DriftCheck {
        name,
        category: limits.category,
        threshold_percent: own[0].unwrap_or(limits.threshold_percent),
        warning_percent: own[1].unwrap_or(limits.warning_percent),
        critical_percent: own[2].unwrap_or(limits.critical_percent),
        floor,
        seasonal,
    };
    if own[1].is_some() || own[2].is_some() {
        warning_before_critical(section, check.warning_percent, check.critical_percent);
    }
    Some(check)
}

fn detection(entry: Entry, problems: &mut Problems) -> Detection {
    let mut section = Section::new(entry.path, entry.table, problems);
    let s = &mut section;
    let alpha = s.number("ewma_alpha");
    let expected = "a number above 0 and at most 1";
    let alpha = within(s, "ewma_alpha", alpha, |v| v > 0.0 && v <= 1.0, expected, |_| None);
    let width = s.number("band_width");
    let positive = "a number above 0";
    let width = within(s, "band_width", width, |v| v > 0.0, positive, |_| None);
    let limit = s.number("zscore_limit");
    let limit = within(s, "zscore_limit", limit, |v| v > 0.0, positive, |_| None);
    let detection = Detection {
        ewma_alpha: alpha.unwrap_or_default(),
        band_periods: at_least(s, "band_periods", LEAST_PERIODS),
        band_width: width.unwrap_or_default(),
        zscore_limit: limit.unwrap_or_default(),
        min_samples: at_least(s, "min_samples", 0),
        deviation_floor: s.amount("deviation_floor"),
        spike_min_errors: at_least(s, "spike_min_errors", 1),
        spike_sigmas: s.amount("spike_sigmas"),
        min_windows: at_least(s, "min_windows", 1),
        latency_sigmas: s.amount("latency_sigmas"),
        pooled_windows: at_least(s, "pooled_windows", 1),
        spike_ratio: s.amount("spike_ratio"),
        change_lookback_seconds: at_least(s, "change_lookback_seconds", 0),
    };
    if detection.change_lookback_seconds > WEEK {
        let got = detection.change_lookback_seconds.to_string();
        s.wrong("change_lookback_seconds", got, format!("at most {WEEK}, which is a week"), None);
    }
    if detection.pooled_windows > MOST_POOLED {
        s.wrong(
            "pooled_windows",
            detection.pooled_windows.to_string(),
            format!("at most {MOST_POOLED}"),
            None,
        );
    }
    section.finish();
    detection
}

fn rule(section: &mut Section<'_>) -> Option<Rule> {
    let feature = section.text("feature");
    let known = REGRESSION_FEATURES.contains(&feature.as_str());
    if !known && !feature.is_empty() {
        let remedy = did_you_mean(&feature, REGRESSION_FEATURES.into_iter())
            .or_else(|| Some(format!("features: {}", REGRESSION_FEATURES.join(", "))));
        section.wrong("feature", format!("`{feature}`"), "one of the 21 regression features", remedy);
    }
    let verdict = section.word("verdict", &[Verdict::PerformanceRegression, Verdict::EnvironmentRegression]);
    if verdict == Some(Verdict::Benign) {
        let remedy = "a window is benign when no rule speaks against it; write enabled = false to drop one";
        section.wrong("verdict", "`BENIGN`", "a regression", Some(remedy.into()));
    }
    let direction = section.word("direction", Direction::ALL);
    let threshold = section.number("threshold");
    let weight = section.number("weight");
    let weight = within(
        section,
        "weight",
        weight,
        |v| v > 0.0,
        "a number above 0",
        |_| Some("to drop the rule, write enabled = false".into()),
    );
    let rule =
        Rule { feature, verdict: verdict?, direction: direction?, threshold: threshold?, weight: weight? };
    known.then_some(rule)
}

fn health(entry: Entry, problems: &mut Problems) -> Health {
    let mut section = Section::new(entry.path, entry.table, problems);
    let s = &mut section;
    let health = Health {
        start: s.amount("start"),
        slo_violation: s.amount("slo_violation"),
        error_rate: s.amount("error_rate"),
        regression: s.amount("regression"),
        regional_drift: s.amount("regional_drift"),
        regional_drift_ms: s.amount("regional_drift_ms"),
        floor: s.amount("floor"),
    };
    if health.floor > health.start {
        let expected = format!("at most start, which is {}", health.start);
        s.wrong("floor", health.floor.to_string(), expected, None);
    }
    section.finish();
    health
}

fn cost(entry: Entry, problems: &mut Problems) -> Cost {
    let mut section = Section::new(entry.path, entry.table, problems);
    let cost =
        Cost { core_hour: section.amount("core_hour"), memory_gb_hour: section.amount("memory_gb_hour") };
    section.finish();
    cost
}

/// Files below this are what compaction is there to do away with.
const LEAST_FILE: u64 = 64 << 10;

/// A size of at least so many bytes.
fn size(section: &mut Section<'_>, key: &'static str, least: u64) -> u64 {
    let text = section.text(key);
    match text.parse::<ByteSize>() {
        Ok(ByteSize(bytes)) if bytes >= least => bytes,
        _ => {
            let remedy = Some("write a size such as \"64MiB\"".to_owned());
            section.wrong(
                key,
                format!("`{text}`"),
                format!("a size of at least {}", ByteSize(least)),
                remedy,
            );
            least
        }
    }
}

/// Records of a megabyte and nesting of so many levels occur in honest telemetry.
const LEAST_RECORD: u64 = 1 << 20;
const LEAST_NESTING: i64 = 16;
/// Deeper nesting could exhaust the stack.
const MOST_NESTING: i64 = 1_000;

fn ingest(entry: Entry, problems: &mut Problems) -> Ingest {
    let mut section = Section::new(entry.path, entry.table, problems);
    let max_nesting = at_least(&mut section, "max_nesting", LEAST_NESTING);
    if max_nesting > MOST_NESTING {
        section.wrong("max_nesting", max_nesting.to_string(), format!("at most {MOST_NESTING}"), None);
    }
    let ingest = Ingest {
        max_record_bytes: size(&mut section, "max_record", LEAST_RECORD),
        max_nesting,
        max_unpacked_bytes: size(&mut section, "max_unpacked", LEAST_RECORD),
    };
    section.finish();
    ingest
}

fn upkeep(entry: Entry, problems: &mut Problems) -> Upkeep {
    let mut section = Section::new(entry.path, entry.table, problems);
    let upkeep = Upkeep {
        target_file_bytes: size(&mut section, "target_file_size", LEAST_FILE),
        vacuum_days: at_least(&mut section, "vacuum_days", 0),
    };
    section.finish();
    upkeep
}

fn retention(section: &mut Section<'_>) -> Option<Retention> {
    let table = section.text("table");
    Some(Retention { table, days: at_least(section, "days", 0) })
}

fn metrics(entries: Vec<(String, Entry)>, problems: &mut Problems) -> Vec<MetricRole> {
    let mut decoded = Vec::with_capacity(entries.len());
    for (metric, entry) in entries {
        let mut section = Section::new(entry.path, entry.table, problems);
        decoded.extend(metric_role(&mut section, metric));
        section.finish();
    }
    decoded
}

fn metric_role(section: &mut Section<'_>, metric: String) -> Option<MetricRole> {
    let role = section.text("role");
    let unit = section.optional_text("unit");
    let factor = section.optional_number("factor");
    let is_part = section.flag("part").unwrap_or(false);
    let factor = within(section, "factor", factor, |v| v != 0.0, "a number other than 0", |_| None);
    let Some(dimension) = units::role(&role) else {
        if !role.is_empty() {
            section.wrong("role", format!("`{role}`"), "a known role", known_role(&role));
        }
        return None;
    };
    let unit = unit.unwrap_or_else(|| dimension.unit().to_owned());
    if factor.is_none() && dimension.factor(&unit).is_none() {
        let known = listed(dimension.units().iter().map(|(name, _)| name));
        let expected = format!("a unit that converts to {} ({known})", dimension.unit());
        let remedy = Some(format!("add `factor`: what turns {unit} into {}", dimension.unit()));
        section.wrong("unit", format!("`{unit}`"), expected, remedy);
        return None;
    }
    Some(MetricRole { role, metric, unit, factor, is_part })
}

fn known_role(role: &str) -> Option<String> {
    let names = || units::ROLES.iter().map(|(name, _)| *name);
    did_you_mean(role, names()).or_else(|| Some(format!("roles: {}", listed(names()))))
}

fn listed<T: Display>(words: impl Iterator<Item = T>) -> String {
    words.map(|w| w.to_string()).collect::<Vec<_>>().join(", ")
}

fn recommendation(section: &mut Section<'_>) -> Option<Recommendation> {
    let code = section.text("code");
    let condition = section.text("condition");
    let text = section.text("text");
    let runbook = section.optional_text("runbook");
    let rank = section.integer("rank");
    Some(Recommendation { code, condition, text, runbook, rank: rank? })
}

fn csv(section: &mut Section<'_>) -> Option<CsvFiles> {
    let set = section.texts("set").unwrap_or_default();
    if let Some(wrong) = set.iter().find(|pair| !pair.contains('=')) {
        section.wrong("set", format!("`{wrong}`"), "texts such as `service=petshop`", None);
    }
    Some(CsvFiles {
        files: section.text("files"),
        table: section.optional_text("table"),
        delimiter: section.optional_text("delimiter"),
        header: section.texts("header").unwrap_or_default(),
        time: section.optional_text("time"),
        time_format: section.optional_text("time_format"),
        time_zone: section.optional_text("time_zone"),
        wide: section.flag("wide").unwrap_or(false),
        pattern: section.optional_text("pattern"),
        set,
    })
}

fn mapping(section: &mut Section<'_>) -> Option<FieldMapping> {
    let table = section.text("table");
    if !table.is_empty() && !MAPPED_TABLES.contains(&table.as_str()) {
        let remedy = did_you_mean(&table, MAPPED_TABLES.into_iter());
        section.wrong("table", format!("`{table}`"), format!("one of {}", MAPPED_TABLES.join(", ")), remedy);
    }
    let from = section.text("from");
    let to = section.text("to");
    let unit = section.optional_text("unit");
    if let Some(unit) = &unit
        && units::field_factor(unit).is_none()
    {
        let expected = "a unit of time or size such as ns, us, ms, s, bytes, KiB, MB";
        section.wrong("unit", format!("`{unit}`"), expected, None);
    }
    Some(FieldMapping { table, from, to, unit })
}
