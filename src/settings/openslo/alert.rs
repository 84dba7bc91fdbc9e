//! Alert policies as burn tiers.

use std::collections::BTreeMap;

use toml::Table;

use super::super::load::Entry;
use super::fields::{Fields, Reader};
use super::files::{Entries, inline};
use super::indicator::DataSources;
use super::time::seconds;
use super::yaml::Node;
use crate::settings::burn::span_name;
use crate::settings::read::did_you_mean;

/// What objects may refer to, by name.
#[derive(Debug, Default)]
pub(super) struct Library {
    pub(super) indicators: BTreeMap<String, Fields>,
    pub(super) policies: BTreeMap<String, Fields>,
    pub(super) conditions: BTreeMap<String, Fields>,
    pub(super) data_sources: DataSources,
}

const PAGE: (&str, &str) = ("page", "critical");
const TICKET: (&str, &str) = ("ticket", "warning");
/// Severities that are in use, with what they ask for and how bad they are here.
const SEVERITIES: [(&str, (&str, &str)); 10] = [
    ("page", PAGE),
    ("critical", PAGE),
    ("high", PAGE),
    ("error", ("page", "error")),
    ("ticket", TICKET),
    ("warning", TICKET),
    ("medium", TICKET),
    ("info", ("ticket", "info")),
    ("low", ("ticket", "info")),
    ("minor", ("ticket", "info")),
];
/// Without `alertAfter` the short window is a twelfth of the long one, as in the workbook, in whole slots.
const SHORT_SHARE: i64 = 12;
const SLOT: i64 = 300;

/// Reads the alert policies of an SLO into tiers of each of its names.
pub(super) fn policies(
    reader: &mut Reader<'_>,
    nodes: Vec<Node>,
    path: &str,
    slos: &[String],
    library: &Library,
    entries: &mut Entries,
) {
    let mut tiers: Vec<(String, Table)> = Vec::new();
    for (i, node) in nodes.into_iter().enumerate() {
        let path = format!("{path}[{i}]");
        let mut name = format!("policy_{}", i + 1);
        let spec =
            referred(reader, node, &path, ("alertPolicyRef", "AlertPolicy"), &library.policies, &mut name);
        if let Some(spec) = spec {
            policy(reader, spec, &name, library, &mut tiers);
        }
    }
    for slo in slos {
        for (place, tier) in &tiers {
            let mut table = tier.clone();
            let name = tier.get("name").and_then(|n| n.as_str()).unwrap_or_default();
            table.insert("name".into(), format!("{slo}/{name}").into());
            table.insert("slo".into(), slo.clone().into());
            entries.burn_tiers.push(Entry { path: place.clone(), table });
        }
    }
}

/// An object given in place, or by a reference.
fn referred(
    reader: &mut Reader<'_>,
    node: Node,
    path: &str,
    (reference, kind): (&'static str, &'static str),
    known: &BTreeMap<String, Fields>,
    name: &mut String,
) -> Option<Fields> {
    let mut fields = Fields::of(reader, node.clone(), path);
    let Some((wanted, line)) = fields.text(reader, reference) else {
        return inline(reader, node, path, Some((kind, name)));
    };
    fields.finish(reader);
    name.clone_from(&wanted);
    let found = known.get(&wanted).cloned();
    if found.is_none() {
        let remedy = did_you_mean(&wanted, known.keys().map(String::as_str))
            .unwrap_or_else(|| format!("add the {kind} to the files, or write it in place"));
        let key = format!("{path}.{reference}");
        reader.wrong((line, &key), format!("`{wanted}`"), format!("the name of an {kind}"), Some(&remedy));
    }
    found
}

fn policy(
    reader: &mut Reader<'_>,
    mut spec: Fields,
    name: &str,
    library: &Library,
    tiers: &mut Vec<(String, Table)>,
) {
    spec.skip(&["description"]);
    let breaching = spec.flag(reader, "alertWhenBreaching");
    let no_data = spec.flag(reader, "alertWhenNoData");
    if let Some((true, line)) = spec.flag(reader, "alertWhenResolved") {
        reader.note(line, "asks to be told when an alert is over: nobody is told here, alerts have an end");
    }
    if let Some(targets) = spec.take("notificationTargets") {
        reader.note(targets.line, "names notification targets: nobody is told here");
    }
    if let Some((true, line)) = no_data {
        let remedy = "write alertWhenNoData: false; coverage says what was not measured";
        reader.wrong((line, &spec.key("alertWhenNoData")), "true", "false", Some(remedy));
    }
    let path = spec.key("conditions");
    let conditions = spec.list(reader, "conditions");
    let line = spec.line;
    spec.finish(reader);
    if conditions.is_empty() {
        reader.wrong((line, &path), "nothing", "a condition", None);
    }
    if let Some((false, line)) = breaching {
        reader.note(
            line,
            &format!("has the policy `{name}`, which alerts of nothing: alertWhenBreaching is false"),
        );
        return;
    }
    let is_single = conditions.len() == 1;
    for (i, node) in conditions.into_iter().enumerate() {
        let path = format!("{path}[{i}]");
        let mut own = format!("condition_{}", i + 1);
        let known = &library.conditions;
        let spec = referred(reader, node, &path, ("conditionRef", "AlertCondition"), known, &mut own);
        let Some(spec) = spec else { continue };
        let place = format!("{}:{}: {}", reader.file, spec.line, reader.object);
        let name = if is_single { name.to_owned() } else { format!("{name}/{own}") };
        tiers.extend(tier(reader, spec, name).map(|table| (place, table)));
    }
}

/// The tier of a condition.
fn tier(reader: &mut Reader<'_>, mut spec: Fields, name: String) -> Option<Table> {
    spec.skip(&["description"]);
    let severity = spec.word(reader, "severity", &SEVERITIES);
    let place = (spec.line, spec.key("condition"));
    let condition = spec.map(reader, "condition");
    spec.finish(reader);
    let Some(mut condition) = condition else {
        reader.wrong((place.0, &place.1), "nothing", "a condition of kind burnrate", None);
        return None;
    };
    condition.word(reader, "kind", &[("burnrate", ())]);
    // `gt` and `gte` differ in a case that measured burn rates do not hit.
    condition.word(reader, "op", &[("gte", ()), ("gt", ())]);
    let threshold = condition.number(reader, "threshold");
    let long = window(reader, &mut condition, "lookbackWindow");
    let short = window(reader, &mut condition, "alertAfter");
    for (name, missing) in [("threshold", threshold.is_none()), ("lookbackWindow", long.is_none())] {
        if missing && !condition.has(name) && !reader.has_problem() {
            reader.wrong((condition.line, &condition.key(name)), "nothing", "a value", None);
        }
    }
    condition.finish(reader);
    let ((action, severity), _) = severity?;
    let long = long?;
    let short = short.unwrap_or_else(|| (long / SHORT_SHARE / SLOT * SLOT).max(SLOT));
    let mut table = Table::new();
    table.insert("name".into(), name.into());
    table.insert("burn_rate".into(), threshold?.0.into());
    table.insert("long".into(), span_name(long).into());
    table.insert("short".into(), span_name(short).into());
    table.insert("action".into(), action.into());
    table.insert("severity".into(), severity.into());
    Some(table)
}

fn window(reader: &mut Reader<'_>, condition: &mut Fields, name: &'static str) -> Option<i64> {
    let (text, line) = condition.text(reader, name)?;
    let found = seconds(&text).filter(|s| s % SLOT == 0);
    if found.is_none() {
        let expected = "whole 5 minutes such as 5m or 1h: events are counted by 5 minutes";
        reader.wrong((line, &condition.key(name)), format!("`{text}`"), expected, None);
    }
    found
}
