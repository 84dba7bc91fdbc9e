//! What an SLI measures: its metric sources as keys of an SLO of the settings.

use std::collections::BTreeMap;

use toml::{Table, Value as Toml};

use super::fields::{Fields, Reader};
use super::yaml::Value;
use crate::domain::SloType;

/// The type of metric source that is ours.
pub(super) const SOURCE: &str = "tars";
const TEXTS: [&str; 8] =
    ["service", "region", "route", "agent_type", "filter", "band", "detect", "percentiles"];
const NUMBERS: [&str; 3] = ["percentile", "target", "threshold"];
const WINDOW: &str = "window_seconds";
/// How many routes are judged each.
pub(super) const MAX_ROUTES: &str = "max_routes";
const BY: &str = "by";
const NO_SOURCE: &str = "write type: tars and spec: { type: latency }, or another of latency, error_rate, \
                         availability, throughput, evaluation_success: what other systems measure is not in the lake";

/// An indicator, read.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Indicator {
    pub(super) kind: SloType,
    /// Whether it is a ratio; else a value that objectives compare with a number.
    pub(super) is_ratio: bool,
    /// The keys of the settings that its source gives.
    pub(super) keys: Table,
    /// Where it stands.
    pub(super) line: u64,
}

/// Types of the data sources by name.
pub(super) type DataSources = BTreeMap<String, String>;

/// Reads the `spec` of an SLI.
pub(super) fn indicator(
    reader: &mut Reader<'_>,
    mut spec: Fields,
    sources: &DataSources,
) -> Option<Indicator> {
    spec.skip(&["description"]);
    let place = (spec.line, spec.path.clone());
    let threshold = spec.map(reader, "thresholdMetric");
    let ratio = spec.map(reader, "ratioMetric");
    spec.finish(reader);
    match (threshold, ratio) {
        (Some(mut metric), None) => {
            let (kind, keys) = metric_source(reader, &mut metric, sources, None)?;
            let line = metric.line;
            metric.finish(reader);
            Some(Indicator { kind, is_ratio: false, keys, line })
        }
        (None, Some(metric)) => ratio_metric(reader, metric, sources),
        (given, _) => {
            let got = if given.is_some() { "both" } else { "neither" };
            reader.wrong((place.0, &place.1), got, "either thresholdMetric or ratioMetric", None);
            None
        }
    }
}

fn ratio_metric(reader: &mut Reader<'_>, mut metric: Fields, sources: &DataSources) -> Option<Indicator> {
    metric.skip(&["counter"]);
    let place = (metric.line, metric.path.clone());
    let [good, bad, total, raw] = ["good", "bad", "total", "raw"].map(|name| metric.map(reader, name));
    let raw_type = metric.has("rawType").then(|| {
        metric.word(reader, "rawType", &[("success", SloType::Availability), ("failure", SloType::ErrorRate)])
    });
    metric.finish(reader);
    let (part, usual, total) = match (good, bad, raw, total, raw_type) {
        (Some(good), None, None, Some(total), None) => (good, SloType::Availability, Some(total)),
        (None, Some(bad), None, Some(total), None) => (bad, SloType::ErrorRate, Some(total)),
        (None, None, Some(raw), None, Some(kind)) => (raw, kind?.0, None),
        _ => {
            let expected = "good and total, bad and total, or raw and rawType";
            reader.wrong((place.0, &place.1), "other keys", expected, None);
            return None;
        }
    };
    let line = part.line;
    let (kind, keys) = whole_source(reader, part, sources, usual)?;
    let fits = match usual {
        SloType::ErrorRate => kind == SloType::ErrorRate,
        _ => matches!(kind, SloType::Availability | SloType::EvaluationSuccess),
    };
    if !fits {
        let (expected, remedy) = match usual {
            SloType::ErrorRate => {
                ("error_rate where failures are counted", "use `good`, or type: error_rate")
            }
            _ => (
                "availability or evaluation_success where successes are counted",
                "use `bad`, or thresholdMetric for latency and throughput",
            ),
        };
        reader.wrong((line, &format!("{}.type", place.1)), format!("`{kind}`"), expected, Some(remedy));
        return None;
    }
    if let Some(total) = total {
        let line = total.line;
        let (_, of_total) = whole_source(reader, total, sources, kind)?;
        let rows = |keys: &Table| TEXTS[..5].iter().map(|key| keys.get(*key).cloned()).collect::<Vec<_>>();
        if rows(&of_total) != rows(&keys) {
            let expected = "the same service, region, route, agent_type and filter as its numerator";
            let remedy = "the share is that of the chosen rows that succeeded; choose the rows in both";
            reader.wrong((line, &format!("{}.total", place.1)), "other rows", expected, Some(remedy));
        }
        // What the total says alone would be lost.
        if let Some(by) = [BY, MAX_ROUTES]
            .into_iter()
            .find(|by| of_total.contains_key(*by) && of_total.get(*by) != keys.get(*by))
        {
            let expected = "the same as its numerator, or nothing";
            reader.wrong(
                (line, &format!("{}.total.{by}", place.1)),
                "something else",
                expected,
                Some("state it in the numerator"),
            );
        }
    }
    Some(Indicator { kind, is_ratio: true, keys, line })
}

/// Reads a mapping that holds nothing but a metric source.
fn whole_source(
    reader: &mut Reader<'_>,
    mut holder: Fields,
    sources: &DataSources,
    usual: SloType,
) -> Option<(SloType, Table)> {
    let read = metric_source(reader, &mut holder, sources, Some(usual));
    holder.finish(reader);
    read
}

fn metric_source(
    reader: &mut Reader<'_>,
    holder: &mut Fields,
    sources: &DataSources,
    usual: Option<SloType>,
) -> Option<(SloType, Table)> {
    let place = (holder.line, holder.key("metricSource"));
    let Some(mut source) = holder.map(reader, "metricSource") else {
        reader.wrong((place.0, &place.1), "nothing", "a metric source", Some(NO_SOURCE));
        return None;
    };
    let reference = source.text(reader, "metricSourceRef");
    let stated = source.text(reader, "type");
    let spec = source.map(reader, "spec");
    let path = source.key("type");
    let line = source.line;
    source.finish(reader);
    let named = reference.and_then(|(name, line)| sources.get(&name).map(|kind| (kind.clone(), line)));
    let (kind, line) = stated.or(named).unwrap_or_else(|| ("nothing".to_owned(), line));
    if !kind.eq_ignore_ascii_case(SOURCE) {
        reader.wrong((line, &path), format!("`{kind}`"), format!("`{SOURCE}`"), Some(NO_SOURCE));
        return None;
    }
    let mut spec = spec.unwrap_or_default();
    let kinds: Vec<(&str, SloType)> = SloType::ALL.iter().map(|k| (k.as_str(), *k)).collect();
    let kind = match usual {
        Some(usual) if !spec.has("type") => Some(usual),
        _ => spec.word(reader, "type", &kinds).map(|(kind, _)| kind),
    };
    let mut keys = Table::new();
    for name in TEXTS {
        if let Some((text, _)) = spec.text(reader, name) {
            keys.insert(name.into(), text.into());
        }
    }
    for name in NUMBERS {
        if let Some((number, _)) = spec.number(reader, name) {
            keys.insert(name.into(), number.into());
        }
    }
    for (name, expected) in [(WINDOW, "whole seconds"), (MAX_ROUTES, "a whole number")] {
        if let Some((number, line)) = spec.number(reader, name) {
            if number.fract() != 0.0 {
                reader.wrong((line, &spec.key(name)), number.to_string(), expected, None);
            }
            keys.insert(name.into(), Toml::Integer(number as i64));
        }
    }
    if spec.has(BY) {
        let names = spec.list(reader, BY).into_iter().map(|node| match node.value {
            Value::Text(name) => name,
            other => other.to_string(),
        });
        keys.insert(BY.into(), Toml::Array(names.map(Toml::String).collect()));
    }
    spec.finish(reader);
    Some((kind?, keys))
}
