//! An objective of an SLO: what is good, how much of it, and by which measure.

use toml::{Table, Value as Toml};

use super::fields::{Fields, Reader};
use super::indicator::Indicator;
use super::time::seconds;
use crate::domain::{Budgeting, SloType};

/// Windows of an SLO that states none, in seconds.
const USUAL_WINDOW: i64 = 300;

/// Which side of its value an objective calls good.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Side {
    AtMost,
    AtLeast,
}

const SIDES: [(&str, (Side, &str)); 4] = [
    ("lte", (Side::AtMost, "`lte`")),
    ("lt", (Side::AtMost, "`lt`")),
    ("gte", (Side::AtLeast, "`gte`")),
    ("gt", (Side::AtLeast, "`gt`")),
];

/// A number without the noise that a sum of decimal fractions leaves: 1 - 0.999 is 0.001.
pub(super) fn tidy(number: f64) -> f64 {
    (number * 1e12).round() / 1e12
}

/// The share that has to be good: `target`, or `targetPercent`.
pub(super) fn share(reader: &mut Reader<'_>, objective: &mut Fields) -> Option<f64> {
    let share = objective.number(reader, "target");
    let percent = objective.number(reader, "targetPercent");
    let place = (objective.line, objective.key("target"));
    match (share, percent) {
        (Some((share, _)), None) if share > 0.0 && share <= 1.0 => Some(share),
        (Some((share, line)), None) => {
            let remedy = format!("write targetPercent: {share}");
            let remedy = (share > 1.0 && share <= 100.0).then_some(remedy.as_str());
            reader.wrong((line, &place.1), share.to_string(), "a share above 0 and at most 1", remedy);
            None
        }
        (None, Some((percent, _))) if percent > 0.0 && percent <= 100.0 => Some(tidy(percent / 100.0)),
        (None, Some((percent, line))) => {
            let expected = "a percentage above 0 and at most 100";
            reader.wrong((line, &objective.key("targetPercent")), percent.to_string(), expected, None);
            None
        }
        (given, _) => {
            let got = if given.is_some() { "both" } else { "neither" };
            reader.wrong((place.0, &place.1), got, "either target or targetPercent", None);
            None
        }
    }
}

/// Completes an SLO of the settings by an objective of which the share has been read.
pub(super) fn objective(
    reader: &mut Reader<'_>,
    mut objective: Fields,
    share: f64,
    budgeting: Budgeting,
    indicator: &Indicator,
    slo: &mut Table,
) {
    slo.insert("type".into(), indicator.kind.as_str().into());
    slo.insert("objective".into(), share.into());
    slo.insert("budgeting".into(), budgeting.as_str().into());
    slice_window(reader, &mut objective, budgeting, slo);
    let slice = slice_target(reader, &mut objective, budgeting);
    let says_good = if indicator.is_ratio { "target" } else { "percentile" };
    if budgeting == Budgeting::Timeslices
        && slice.is_none()
        && !slo.contains_key(says_good)
        && indicator.kind != SloType::Throughput
    {
        let key = objective.key("timeSliceTarget");
        let expected = "the share of a slice's requests that makes it a good one";
        reader.wrong((objective.line, &key), "nothing", expected, Some("add timeSliceTarget: 0.95"));
    }
    if indicator.is_ratio {
        for name in ["value", "op"] {
            if let Some(node) = objective.take(name) {
                let remedy = "a ratio is compared with target; use thresholdMetric to compare values";
                let got = node.value.to_string();
                reader.wrong(
                    (node.line, &objective.key(name)),
                    got,
                    "nothing beside a ratioMetric",
                    Some(remedy),
                );
            }
        }
        let good = slice.unwrap_or(share);
        let target = if indicator.kind == SloType::ErrorRate { tidy(1.0 - good) } else { good };
        // What a slice has to reach says how good a window has to be; else the source may say.
        if slice.is_some() || !slo.contains_key("target") {
            slo.insert("target".into(), target.into());
        }
    } else {
        value(reader, &mut objective, indicator, slo);
        if indicator.kind == SloType::Latency {
            let stated = slo.get("percentile").and_then(Toml::as_float);
            if let (Some(stated), Some(slice)) = (stated, slice)
                && stated != slice
            {
                let expected = format!("{stated}, the percentile of its source");
                let remedy = "p95 within the value is the same as 95 % of requests within it: leave one out";
                reader.wrong(
                    (objective.line, &objective.key("timeSliceTarget")),
                    slice.to_string(),
                    expected,
                    Some(remedy),
                );
            }
            slo.entry("percentile").or_insert_with(|| slice.unwrap_or(share).into());
        }
    }
    if let Some(target) = slo.get("target").cloned() {
        slo.entry("threshold").or_insert(target);
    }
    objective.finish(reader);
}

/// The value that separates good from bad, on the side that is good for the quantity.
fn value(reader: &mut Reader<'_>, objective: &mut Fields, indicator: &Indicator, slo: &mut Table) {
    let lower = matches!(indicator.kind, SloType::Latency | SloType::ErrorRate);
    let (side, words) = if lower { (Side::AtMost, "lte or lt") } else { (Side::AtLeast, "gte or gt") };
    if let Some(((got, op), line)) = objective.word(reader, "op", &SIDES)
        && got != side
    {
        let better = if lower { "lower" } else { "higher" };
        let expected = format!("{words}, because {better} is better for type `{}`", indicator.kind);
        reader.wrong((line, &objective.key("op")), op, expected, None);
    }
    match objective.number(reader, "value") {
        Some((value, _)) => {
            slo.insert("target".into(), value.into());
        }
        None => {
            let expected = match indicator.kind {
                SloType::Latency => "milliseconds",
                SloType::Throughput => "requests per second",
                _ => "a share of 1",
            };
            reader.wrong((objective.line, &objective.key("value")), "nothing", expected, None);
        }
    }
}

fn slice_window(reader: &mut Reader<'_>, objective: &mut Fields, budgeting: Budgeting, slo: &mut Table) {
    let stated = slo.get("window_seconds").and_then(Toml::as_integer);
    let window = objective.text(reader, "timeSliceWindow");
    let key = objective.key("timeSliceWindow");
    let read = window.as_ref().map(|(text, line)| (seconds(text), text, *line));
    match read {
        Some((Some(window), text, line)) => {
            if stated.is_some_and(|stated| stated != window) {
                let expected = format!("{} s, the window of its source", stated.unwrap_or_default());
                reader.wrong((line, &key), format!("`{text}`"), expected, Some("leave one of them out"));
            }
            slo.insert("window_seconds".into(), window.into());
        }
        Some((None, text, line)) => {
            reader.wrong((line, &key), format!("`{text}`"), "minutes, or a duration such as 5m or 1h", None);
        }
        None if budgeting != Budgeting::Occurrences && stated.is_none() => {
            let expected = "the length of a time slice such as 5m";
            reader.wrong((objective.line, &key), "nothing", expected, Some("add timeSliceWindow: 5m"));
        }
        None => {}
    }
    slo.entry("window_seconds").or_insert(Toml::Integer(USUAL_WINDOW));
}

fn slice_target(reader: &mut Reader<'_>, objective: &mut Fields, budgeting: Budgeting) -> Option<f64> {
    let (target, line) = objective.number(reader, "timeSliceTarget")?;
    let key = objective.key("timeSliceTarget");
    if budgeting != Budgeting::Timeslices {
        let remedy = Some("remove it, or write budgetingMethod: Timeslices");
        reader.wrong((line, &key), target.to_string(), "nothing but for Timeslices", remedy);
        return None;
    }
    if target > 0.0 && target <= 1.0 {
        return Some(target);
    }
    let remedy = format!("write {key}: {}", target / 100.0);
    let remedy = (target > 1.0 && target <= 100.0).then_some(remedy.as_str());
    reader.wrong((line, &key), target.to_string(), "a share above 0 and at most 1", remedy);
    None
}
