//! One service level objective of the settings: what it measures, of which rows, and what is good enough.

use super::budget::budget;
use super::decode::{as_share, within};
use super::model::Slo;
use super::predicate::Predicate;
use super::read::Section;
use crate::domain::{Band, Percentiles, SloType, ViolationKind};

/// Windows are made of whole minutes, because the rollups are.
const MINUTE: i64 = 60;
/// The longest SLO window: a day, the unit of reports.
const DAY: i64 = 86_400;

pub(super) fn slo(section: &mut Section<'_>) -> Option<Slo> {
    let name = section.text("name");
    let kind = section.word("type", SloType::ALL);
    let target = section.number("target");
    let threshold = section.number("threshold");
    let window_seconds = section.integer("window_seconds");
    let percentile = section.optional_number("percentile");
    let region = section.optional_text("region");
    let service = section.optional_text("service");
    let route = section.optional_text("route");
    let agent_type = section.optional_text("agent_type");
    let filter = predicate(section);
    let band = section.optional_word("band", Band::ALL).unwrap_or(Band::Bollinger);
    let detect = section.optional_word("detect", ViolationKind::ALL).unwrap_or(ViolationKind::Both);
    let percentiles = section.optional_word("percentiles", Percentiles::ALL).unwrap_or(Percentiles::Sketch);
    let Some(kind) = kind else {
        // Known keys all the same.
        ["objective", "budgeting", "period", "time_zone"].into_iter().for_each(|key| section.skip(key));
        return None;
    };

    if kind == SloType::EvaluationSuccess && route.is_some() {
        let remedy = Some("remove it: evaluations have no route; filter by agent_type".to_owned());
        section.wrong("route", "a route", "nothing for type `evaluation_success`", remedy);
    }
    if kind != SloType::Latency && percentiles == Percentiles::Exact {
        let remedy = Some("remove it: counts are exact from rollups as well".to_owned());
        section.wrong("percentiles", "`exact`", format!("nothing for type `{kind}`"), remedy);
    }
    let is_share = matches!(kind, SloType::ErrorRate | SloType::Availability | SloType::EvaluationSuccess);
    let range = |section: &mut Section<'_>, key, value| {
        if is_share {
            let expected = format!("a share between 0 and 1 for type `{kind}`");
            within(section, key, value, |v| (0.0..=1.0).contains(&v), &expected, |v| as_share(key, v))
        } else {
            let unit = if kind == SloType::Latency { "milliseconds" } else { "requests per second" };
            let expected = format!("more than 0 {unit} for type `{kind}`");
            within(section, key, value, |v| v > 0.0, &expected, |_| None)
        }
    };
    let target = range(section, "target", target);
    let threshold = range(section, "threshold", threshold);
    if let (Some(target), Some(threshold)) = (target, threshold) {
        let lower_is_better = matches!(kind, SloType::Latency | SloType::ErrorRate);
        let (sound, relation) = if lower_is_better {
            (target <= threshold, "at or above target")
        } else {
            (target >= threshold, "at or below target")
        };
        if !sound {
            let better = if lower_is_better { "lower" } else { "higher" };
            section.wrong(
                "threshold",
                threshold.to_string(),
                format!("a value {relation} {target}, because {better} is better for type `{kind}`"),
                Some("target is what a window should reach, threshold where a violation begins; swap them if they were mixed up".into()),
            );
        }
    }
    let window_seconds = match window_seconds {
        Some(s) if s > 0 && s % MINUTE == 0 && s <= DAY => Some(s),
        Some(s) => {
            let rounded = ((s.max(1) + MINUTE - 1) / MINUTE * MINUTE).min(DAY);
            section.wrong(
                "window_seconds",
                s.to_string(),
                format!("a multiple of {MINUTE} between {MINUTE} and {DAY}"),
                Some(format!("write window_seconds = {rounded}")),
            );
            None
        }
        None => None,
    };
    let percentile = slo_percentile(section, kind, percentile);
    let budget = budget(section, kind, target, percentile);
    Some(Slo {
        name,
        kind,
        target: target?,
        threshold: threshold?,
        window_seconds: window_seconds?,
        percentile,
        region,
        service,
        route,
        agent_type,
        filter,
        band,
        detect,
        percentiles,
        budget,
    })
}

fn slo_percentile(section: &mut Section<'_>, kind: SloType, percentile: Option<f64>) -> Option<f64> {
    const NAME: &str = "percentile";
    match (kind, percentile) {
        (SloType::Latency, None) => {
            section.wrong(
                NAME,
                "nothing",
                "a share between 0 and 1 for type `latency`",
                Some("write percentile = 0.95".into()),
            );
            None
        }
        (SloType::Latency, value) => {
            let expected = "a share between 0 and 1, both excluded";
            within(section, NAME, value, |v| v > 0.0 && v < 1.0, expected, |v| as_share(NAME, v))
        }
        (_, Some(value)) => {
            let remedy = Some("remove it, or set type = \"latency\"".into());
            section.wrong(NAME, value.to_string(), format!("nothing for type `{kind}`"), remedy);
            None
        }
        (_, None) => None,
    }
}

/// The SQL predicate that chooses rows, in one spelling.
fn predicate(section: &mut Section<'_>) -> Option<Predicate> {
    let text = section.optional_text("filter")?;
    match text.parse() {
        Ok(predicate) => Some(predicate),
        Err(reason) => {
            let remedy = "write one condition over the columns of the rows, such as \
                          filter = \"method = 'POST' and status_code <> 404\"";
            section.wrong("filter", format!("`{text}`: {reason}"), "one SQL condition", Some(remedy.into()));
            None
        }
    }
}
