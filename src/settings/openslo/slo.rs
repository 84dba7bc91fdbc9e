//! An SLO document as entries of the settings: one for each objective, and a composite where they have weights.

use toml::{Table, Value as Toml};

use super::super::load::Entry;
use super::alert::{Library, policies};
use super::fields::{Fields, Reader};
use super::files::{Entries, OBJECTIVE, Object, inline};
use super::indicator::{Indicator, indicator};
use super::objective::{objective, share, tidy};
use super::time::time_window;
use super::yaml::Node;
use crate::domain::Budgeting;
use crate::settings::read::did_you_mean;

/// The service name that stands for all services.
pub(super) const ALL_SERVICES: &str = "*";
const METHODS: [(&str, Budgeting); 3] = [
    ("Occurrences", Budgeting::Occurrences),
    ("Timeslices", Budgeting::Timeslices),
    ("RatioTimeslices", Budgeting::RatioTimeslices),
];

/// Reads an SLO into entries.
pub(super) fn slo(reader: &mut Reader<'_>, object: &Object, library: &Library, entries: &mut Entries) {
    let mut spec = object.spec.clone();
    spec.skip(&["description"]);
    let service = spec.text(reader, "service").map(|(service, _)| service);
    let common = own_indicator(reader, &mut spec, library);
    let mut shared = Table::new();
    time_window(reader, &mut spec, &mut shared);
    let method = spec.word(reader, "budgetingMethod", &METHODS);
    let path = spec.key("objectives");
    let nodes = spec.list(reader, "objectives");
    let alerts = spec.list(reader, "alertPolicies");
    let line = spec.line;
    spec.finish(reader);
    if nodes.is_empty() {
        reader.wrong((line, &path), "nothing", "at least one objective", None);
    }
    let Some((budgeting, _)) = method else { return };

    let is_single = nodes.len() == 1;
    let mut parts: Vec<Part> = Vec::new();
    for (i, node) in nodes.into_iter().enumerate() {
        let part = Part::read(reader, node, &format!("{path}[{i}]"), library, common.as_ref());
        let Some(mut part) = part else { continue };
        let name = match (&part.name, is_single) {
            (_, true) => object.name.clone(),
            (Some(shown), false) => format!("{}_{}", object.name, slug(shown)),
            (None, false) => format!("{}_{}", object.name, i + 1),
        };
        let mut table = part.indicator.keys.clone();
        table.extend(shared.clone());
        match table.get("service").and_then(Toml::as_str) {
            Some(ALL_SERVICES) => drop(table.remove("service")),
            Some(_) => {}
            None => {
                if let Some(service) = service.as_ref().filter(|s| *s != ALL_SERVICES) {
                    table.insert("service".into(), service.clone().into());
                }
            }
        }
        table.insert("name".into(), name.clone().into());
        let rest = std::mem::take(&mut part.rest);
        objective(reader, rest, part.share, budgeting, &part.indicator, &mut table);
        let place = format!("{}:{}: {}", reader.file, part.indicator.line, reader.object);
        entries.slos.push(Entry { path: place, table });
        part.name = Some(name);
        parts.push(part);
    }
    let composite = composite(reader, object, &parts, &shared, entries);
    let names: Vec<String> = parts.into_iter().filter_map(|p| p.name).chain(composite).collect();
    policies(reader, alerts, &path_of(&object.spec, "alertPolicies"), &names, library, entries);
}

fn path_of(spec: &Fields, name: &str) -> String {
    spec.key(name)
}

/// One objective before it is completed.
struct Part {
    name: Option<String>,
    share: f64,
    weight: Option<f64>,
    indicator: Indicator,
    rest: Fields,
}

impl Part {
    fn read(
        reader: &mut Reader<'_>,
        node: Node,
        path: &str,
        library: &Library,
        common: Option<&Indicator>,
    ) -> Option<Part> {
        let mut rest = Fields::of(reader, node, path);
        let name = rest.text(reader, "displayName").map(|(name, _)| name);
        let own = own_indicator(reader, &mut rest, library);
        let weight = rest.number(reader, "compositeWeight");
        if let Some((weight, line)) = weight
            && weight <= 0.0
        {
            let key = rest.key("compositeWeight");
            reader.wrong((line, &key), weight.to_string(), "a number above 0", None);
        }
        let indicator = own.or_else(|| common.cloned());
        if indicator.is_none() && !reader.has_problem() {
            let remedy = "add indicator or indicatorRef to the spec, or to each objective";
            reader.wrong((rest.line, path), "no indicator", "an indicator", Some(remedy));
        }
        let share = share(reader, &mut rest)?;
        Some(Part { name, share, weight: weight.map(|(w, _)| w), indicator: indicator?, rest })
    }
}

/// The indicator given in place or by name, if there is one.
fn own_indicator(reader: &mut Reader<'_>, holder: &mut Fields, library: &Library) -> Option<Indicator> {
    let reference = holder.text(reader, "indicatorRef");
    let given = holder.take("indicator");
    match (given, reference) {
        (Some(node), None) => {
            let spec = inline(reader, node, &holder.key("indicator"), None)?;
            indicator(reader, spec, &library.data_sources)
        }
        (None, Some((name, line))) => match library.indicators.get(&name) {
            Some(spec) => indicator(reader, spec.clone(), &library.data_sources),
            None => {
                let remedy = did_you_mean(&name, library.indicators.keys().map(String::as_str))
                    .unwrap_or_else(|| {
                        "add the SLI to the files, or write it in place as `indicator`".into()
                    });
                let key = holder.key("indicatorRef");
                reader.wrong((line, &key), format!("`{name}`"), "the name of an SLI", Some(&remedy));
                None
            }
        },
        (Some(node), Some(_)) => {
            let key = holder.key("indicator");
            reader.wrong((node.line, &key), "both", "either indicator or indicatorRef", None);
            None
        }
        (None, None) => None,
    }
}

/// The composite of objectives that have weights; its objective is the one annotated, else the weighted mean of
/// theirs.
fn composite(
    reader: &mut Reader<'_>,
    object: &Object,
    parts: &[Part],
    shared: &Table,
    entries: &mut Entries,
) -> Option<String> {
    if parts.iter().all(|p| p.weight.is_none()) {
        return None;
    }
    if parts.len() < 2 {
        let remedy = "leave compositeWeight out, or add the other objectives";
        let place = (object.line, "spec.objectives");
        reader.wrong(place, "one objective", "two or more with compositeWeight", Some(remedy));
        return None;
    }
    let weight = |p: &Part| p.weight.unwrap_or(1.0);
    let total: f64 = parts.iter().map(weight).sum();
    let mean = parts.iter().map(|p| weight(p) * p.share).sum::<f64>() / total;
    let stated = object.annotations.clone().text(reader, OBJECTIVE).map(|(text, line)| {
        // Annotations are texts. What is no share between 0 and 1 is refused here, with its place.
        text.parse().ok().filter(|share| *share > 0.0 && *share <= 1.0).unwrap_or_else(|| {
            let key = object.annotations.key(OBJECTIVE);
            reader.wrong((line, &key), format!("`{text}`"), "a share above 0 and at most 1", None);
            mean
        })
    });
    let members = parts.iter().map(|p| {
        let name = p.name.clone().unwrap_or_default();
        Toml::Table(Table::from_iter([
            ("slo".to_owned(), Toml::from(name)),
            ("weight".to_owned(), weight(p).into()),
        ]))
    });
    let mut table = shared.clone();
    table.insert("name".into(), object.name.clone().into());
    table.insert("objective".into(), stated.unwrap_or_else(|| tidy(mean)).into());
    table.insert("parts".into(), Toml::Array(members.collect()));
    let path = format!("{}:{}: {}", reader.file, object.line, reader.object);
    entries.composites.push(Entry { path, table });
    Some(object.name.clone())
}

/// A name as part of a name: lower case, and what is no letter or digit as `_`.
fn slug(text: &str) -> String {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty());
    words.map(str::to_lowercase).collect::<Vec<_>>().join("_")
}
