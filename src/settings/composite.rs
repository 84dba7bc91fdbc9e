//! SLOs made of others: what a user's journey needs, each part with its weight.

use serde::Serialize;

use super::budget::{Period, objective, period};
use super::model::{Settings, Slo};
use super::read::{Problems, Section, did_you_mean};

/// An SLO over other SLOs. In each slot of five minutes it is as good as the weighted mean of its parts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Composite {
    /// Its name.
    pub name: String,
    /// What it is made of.
    pub parts: Vec<Part>,
    /// The share that has to be good.
    pub objective: f64,
    /// How long a budget has to last.
    pub period: Period,
    /// Where a calendar period begins at midnight.
    pub time_zone: String,
}

/// A part of a composite.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Part {
    /// The SLO.
    pub slo: String,
    /// How much it counts, relative to the other parts.
    pub weight: f64,
}

/// Reads a composite.
pub(super) fn composite(section: &mut Section<'_>) -> Option<Composite> {
    let name = section.text("name");
    let objective = objective(section);
    let (period, time_zone) = period(section);
    let mut parts: Vec<Part> = Vec::new();
    for (path, table) in section.tables("parts").unwrap_or_default() {
        let mut part = section.inner(path, table);
        let slo = part.text("slo");
        let weight = part.optional_number("weight").unwrap_or(1.0);
        if weight <= 0.0 {
            let remedy = Some("leave the part out if it does not count".to_owned());
            part.wrong("weight", weight.to_string(), "a number above 0", remedy);
        }
        if parts.iter().any(|p| p.slo == slo) {
            part.wrong("slo", format!("`{slo}` a second time"), "each SLO once", None);
        }
        part.finish();
        parts.push(Part { slo, weight });
    }
    if parts.is_empty() {
        let remedy = "write parts = [{ slo = \"api_latency_p95\", weight = 2 }, { slo = \"error_rate\" }]";
        section.wrong("parts", "nothing", "a list of SLOs", Some(remedy.into()));
    }
    if objective.is_none() {
        let remedy = Some("add `objective = 0.99`: a composite cannot take it from its parts".to_owned());
        section.wrong("objective", "nothing", "a share above 0 and at most 1", remedy);
    }
    Some(Composite { name, parts, objective: objective?, period, time_zone })
}

/// Checks what one entry cannot know: that the SLOs named elsewhere exist.
pub(super) fn check_composites(settings: &Settings, problems: &mut Problems) {
    let names = || settings.slos.iter().map(|s| s.name.as_str());
    let known = |wrong: &str| {
        did_you_mean(wrong, names())
            .or_else(|| Some(format!("SLOs: {}", names().collect::<Vec<_>>().join(", "))))
    };
    for composite in &settings.composites {
        let place = format!("composite `{}`", composite.name);
        if names().any(|n| n == composite.name) {
            let got = format!("`{}`", composite.name);
            problems.add(format!("{place}.name"), got, "a name that no SLO has", None);
        }
        for part in composite.parts.iter().filter(|p| !names().any(|n| n == p.slo)) {
            let got = format!("`{}`", part.slo);
            problems.add(format!("{place}.parts"), got, "the name of an SLO", known(&part.slo));
        }
    }
    for correction in &settings.corrections {
        let Some(slo) = correction.slo.as_ref().filter(|slo| !names().any(|n| n == *slo)) else { continue };
        // A slot of a composite does not count when a part of it does not.
        let parts = settings.composites.iter().find(|c| c.name == *slo).map(|composite| {
            let parts: Vec<_> = composite.parts.iter().map(|p| p.slo.as_str()).collect();
            format!("name a part of the composite: {}", parts.join(", "))
        });
        let place = format!("correction `{}`.slo", correction.name);
        problems.add(place, format!("`{slo}`"), "the name of an SLO", parts.or_else(|| known(slo)));
    }
    check_corrected_routes(settings, problems);
    for tier in &settings.burn_tiers {
        let Some(slo) = &tier.slo else { continue };
        if !names().chain(settings.composites.iter().map(|c| c.name.as_str())).any(|n| n == slo) {
            let place = format!("burn_tier `{}`.slo", tier.name);
            problems.add(place, format!("`{slo}`"), "the name of an SLO", known(slo));
        }
    }
}

/// A correction of a route has to be of an SLO that tells it apart: within the figures of a whole service it could not
/// be left out.
fn check_corrected_routes(settings: &Settings, problems: &mut Problems) {
    for correction in &settings.corrections {
        let Some(route) = &correction.route else { continue };
        let is_meant = |slo: &&Slo| correction.slo.as_ref().is_none_or(|name| slo.name == *name);
        let mut meant = settings.slos.iter().filter(is_meant).peekable();
        // An SLO that does not exist is a problem of its own.
        if meant.peek().is_none() || meant.any(|slo| slo.tells_apart(route)) {
            continue;
        }
        let expected = match &correction.slo {
            Some(slo) => format!("a route that SLO `{slo}` is judged by"),
            None => "a route that an SLO is judged by".to_owned(),
        };
        let remedy =
            "remove it to cover whole services, or judge the SLO by = [\"region\", \"service\", \"route\"]";
        let place = format!("correction `{}`.route", correction.name);
        problems.add(place, format!("`{route}`"), expected, Some(remedy.to_owned()));
    }
}
