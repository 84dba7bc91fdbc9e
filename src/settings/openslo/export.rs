//! The settings' SLOs as OpenSLO v1 documents, which read back as the same SLOs.

use std::fmt::Write;

use super::files::{NAME, OBJECTIVE};
use super::indicator::{MAX_ROUTES, SOURCE};
use super::objective::tidy;
use super::slo::ALL_SERVICES;
use crate::domain::{AlertAction, Budgeting, CalendarPeriod, Percentiles, SloType};
use crate::settings::burn::span_name;
use crate::settings::{BurnLimit, BurnTier, Composite, Period, Predicate, Settings, Slo};

/// Midnight, a Monday, and the first day of a month, a quarter and a year.
const START: &str = "2024-01-01 00:00:00";

/// All SLOs as documents. A composite repeats its parts, because OpenSLO keeps them in its objectives.
///
/// Corrections are not part of OpenSLO, and stay in `tars.toml`.
pub fn export(settings: &Settings) -> String {
    let default = Settings::default();
    let general = |tiers: &[BurnTier]| tiers.iter().filter(|t| t.slo.is_none()).cloned().collect::<Vec<_>>();
    let usual = general(&settings.burn_tiers);
    // Tiers that everybody has need not be written.
    let is_usual = usual == general(&default.burn_tiers);
    let tiers_of = |name: &str| -> Vec<&BurnTier> {
        let own: Vec<_> = settings.burn_tiers.iter().filter(|t| t.slo.as_deref() == Some(name)).collect();
        if own.is_empty() && !is_usual { usual.iter().collect() } else { own }
    };
    let mut documents = Vec::new();
    for slo in &settings.slos {
        let mut text = head(&slo.name, None, slo.service.as_deref());
        indicator(&mut text, "  ", slo);
        window(&mut text, slo.budget.period, &slo.budget.time_zone);
        let _ = writeln!(text, "  budgetingMethod: {}", method(slo.budget.budgeting));
        text.push_str("  objectives:\n");
        objective(&mut text, slo, None);
        alerts(&mut text, &tiers_of(&slo.name), slo.budget.period);
        documents.push(text);
    }
    for composite in &settings.composites {
        documents.extend(whole(settings, composite, &tiers_of(&composite.name)));
    }
    documents.join("---\n")
}

/// A composite. OpenSLO has one budgeting method for all objectives, so parts that differ in it are an SLO of
/// their own as well as here a comment.
fn whole(settings: &Settings, composite: &Composite, tiers: &[&BurnTier]) -> Option<String> {
    let part = |name: &str| settings.slos.iter().find(|s| s.name == name);
    let parts: Vec<(&Slo, f64)> =
        composite.parts.iter().filter_map(|p| Some((part(&p.slo)?, p.weight))).collect();
    let (first, _) = parts.first()?;
    if parts.iter().any(|(s, _)| s.budget.budgeting != first.budget.budgeting) || parts.len() < 2 {
        return Some(format!(
            "# The composite {} has parts of several budgeting methods, or one part only: OpenSLO cannot say it.\n",
            text_of(&composite.name)
        ));
    }
    let mut text = head(&composite.name, Some(composite.objective), None);
    window(&mut text, composite.period, &composite.time_zone);
    let _ = writeln!(text, "  budgetingMethod: {}", method(first.budget.budgeting));
    text.push_str("  objectives:\n");
    for (slo, weight) in parts {
        objective(&mut text, slo, Some(weight));
        indicator(&mut text, "      ", slo);
    }
    alerts(&mut text, tiers, composite.period);
    Some(text)
}

/// A text in double quotes, which YAML reads as JSON does.
fn text_of(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn head(name: &str, objective: Option<f64>, service: Option<&str>) -> String {
    let objective = objective.map(|share| format!("    {OBJECTIVE}: \"{share}\"\n")).unwrap_or_default();
    let plain: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    format!(
        "apiVersion: openslo/v1\nkind: SLO\nmetadata:\n  name: {}\n  annotations:\n    {NAME}: {}\n{objective}spec:\n  service: {}\n",
        text_of(plain.to_lowercase().trim_matches('-')),
        text_of(name),
        text_of(service.unwrap_or(ALL_SERVICES)),
    )
}

fn indicator(text: &mut String, indent: &str, slo: &Slo) {
    let (metric, inner) = match slo.kind {
        SloType::Latency | SloType::Throughput => ("thresholdMetric:", ""),
        SloType::ErrorRate => ("ratioMetric:\n#rawType: failure\n#raw:", "  "),
        SloType::Availability | SloType::EvaluationSuccess => {
            ("ratioMetric:\n#rawType: success\n#raw:", "  ")
        }
    };
    let mut line = |depth: usize, content: &str| {
        let _ = writeln!(text, "{indent}{}{content}", "  ".repeat(depth));
    };
    line(0, "indicator:");
    line(1, "spec:");
    for (i, part) in metric.split('\n').enumerate() {
        line(if i == 0 { 2 } else { 3 }, part.trim_start_matches('#'));
    }
    let mut line = |depth: usize, content: &str| {
        let _ = writeln!(text, "{indent}{inner}{}{content}", "  ".repeat(depth));
    };
    line(3, "metricSource:");
    line(4, &format!("type: {SOURCE}"));
    line(4, "spec:");
    line(5, &format!("type: {}", slo.kind));
    line(5, &format!("target: {}", slo.target));
    line(5, &format!("threshold: {}", slo.threshold));
    line(5, &format!("window_seconds: {}", slo.window_seconds));
    if let Some(percentile) = slo.percentile {
        line(5, &format!("percentile: {percentile}"));
    }
    line(5, &format!("service: {}", text_of(slo.service.as_deref().unwrap_or(ALL_SERVICES))));
    let filter = slo.filter.as_ref().map(Predicate::sql);
    for (key, value) in [
        ("region", slo.region.as_deref()),
        ("route", slo.route.as_deref()),
        ("agent_type", slo.agent_type.as_deref()),
        ("filter", filter),
        ("band", Some(slo.band.as_str())),
        ("detect", Some(slo.detect.as_str())),
        ("percentiles", (slo.percentiles == Percentiles::Exact).then_some(slo.percentiles.as_str())),
    ] {
        if let Some(value) = value {
            line(5, &format!("{key}: {}", text_of(value)));
        }
    }
    if let Some(most) = slo.max_routes {
        line(5, "by: [region, service, route]");
        line(5, &format!("{MAX_ROUTES}: {most}"));
    }
}

fn objective(text: &mut String, slo: &Slo, weight: Option<f64>) {
    let _ = writeln!(text, "    - displayName: {}", text_of(&slo.name));
    let _ = writeln!(text, "      target: {}", slo.budget.objective);
    match slo.kind {
        SloType::Latency => drop(writeln!(text, "      op: lte\n      value: {}", slo.target)),
        SloType::Throughput => drop(writeln!(text, "      op: gte\n      value: {}", slo.target)),
        _ => {}
    }
    if slo.budget.budgeting != Budgeting::Occurrences {
        let _ = writeln!(text, "      timeSliceWindow: {}", slice(slo.window_seconds));
    }
    if slo.budget.budgeting == Budgeting::Timeslices {
        let good = match slo.kind {
            SloType::Latency => slo.percentile,
            SloType::ErrorRate => Some(tidy(1.0 - slo.target)),
            SloType::Throughput => None,
            SloType::Availability | SloType::EvaluationSuccess => Some(slo.target),
        };
        // A slice that nothing has to be good in says no more than the target of its source.
        if let Some(good) = good.filter(|g| *g > 0.0) {
            let _ = writeln!(text, "      timeSliceTarget: {good}");
        }
    }
    if let Some(weight) = weight {
        let _ = writeln!(text, "      compositeWeight: {weight}");
    }
}

fn slice(seconds: i64) -> String {
    span_name(seconds)
}

fn method(budgeting: Budgeting) -> &'static str {
    match budgeting {
        Budgeting::Occurrences => "Occurrences",
        Budgeting::Timeslices => "Timeslices",
        Budgeting::RatioTimeslices => "RatioTimeslices",
    }
}

fn window(text: &mut String, period: Period, time_zone: &str) {
    let duration = match period {
        Period::Rolling(_) => period.name(),
        Period::Calendar(CalendarPeriod::Day) => "1d".into(),
        Period::Calendar(CalendarPeriod::Week) => "1w".into(),
        Period::Calendar(CalendarPeriod::Month) => "1M".into(),
        Period::Calendar(CalendarPeriod::Quarter) => "1Q".into(),
    };
    let _ = writeln!(text, "  timeWindow:\n    - duration: {duration}");
    match period {
        Period::Rolling(_) => text.push_str("      isRolling: true\n"),
        Period::Calendar(_) => {
            let zone = text_of(time_zone);
            let _ = writeln!(
                text,
                "      isRolling: false\n      calendar:\n        startTime: {START}\n        timeZone: {zone}"
            );
        }
    }
}

/// One policy for each tier: a policy of OpenSLO v1 has one condition.
fn alerts(text: &mut String, tiers: &[&BurnTier], period: Period) {
    if tiers.is_empty() {
        return;
    }
    text.push_str("  alertPolicies:\n");
    for tier in tiers {
        let rate = match tier.limit {
            BurnLimit::Rate(rate) => rate,
            BurnLimit::Share(share) => {
                tidy((share * period.seconds() as f64 / tier.long_seconds as f64).max(1.0))
            }
        };
        let name = tier.slo.as_ref().and_then(|slo| tier.name.strip_prefix(&format!("{slo}/")));
        let name = text_of(name.unwrap_or(&tier.name));
        let severity = match tier.action {
            AlertAction::Page => "page",
            AlertAction::Ticket => "ticket",
        };
        let (long, short) = (span_name(tier.long_seconds), span_name(tier.short_seconds));
        let _ = writeln!(
            text,
            "    - kind: AlertPolicy\n      metadata:\n        name: {name}\n      spec:\n        alertWhenBreaching: true\n        \
             conditions:\n          - kind: AlertCondition\n            metadata:\n              name: {name}\n            \
             spec:\n              severity: {severity}\n              condition:\n                kind: burnrate\n                \
             op: gte\n                threshold: {rate}\n                lookbackWindow: {long}\n                \
             alertAfter: {short}"
        );
    }
}
