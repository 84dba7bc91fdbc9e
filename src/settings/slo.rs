//! One service level objective of the settings: what it measures, of which rows, and what is good enough.

use super::budget::budget;
use super::decode::{as_share, within};
use super::model::Slo;
use super::predicate::Predicate;
use super::read::{Section, did_you_mean};
use crate::domain::{Band, Percentiles, SloType, ViolationKind};

/// Windows are made of whole minutes, because the rollups are.
const MINUTE: i64 = 60;
/// The longest SLO window: a day, the unit of reports.
const DAY: i64 = 86_400;
/// What figures can be told apart by. The first two always are.
const DIMENSIONS: [&str; 3] = ["region", "service", ROUTE];
const ROUTE: &str = "route";
/// Routes of a service that are judged each where nothing else is said.
const USUAL_ROUTES: i64 = 100;
/// What `max_routes` may be: each route is a series of its own, in memory and in output.
const MOST_ROUTES: i64 = 10_000;

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
    let by = section.texts("by");
    let max_routes = section.optional_integer("max_routes");
    let Some(kind) = kind else {
        // Known keys all the same.
        ["objective", "budgeting", "period", "time_zone"].into_iter().for_each(|key| section.skip(key));
        return None;
    };

    if kind == SloType::EvaluationSuccess && route.is_some() {
        let remedy = Some("remove it: evaluations have no route; filter by agent_type".to_owned());
        section.wrong("route", "a route", "nothing for type `evaluation_success`", remedy);
    }
    let max_routes = judged_routes(section, kind, by, max_routes);
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
        max_routes,
        budget,
    })
}

/// How many routes of a service are judged each, where `by` asks for routes.
fn judged_routes(
    section: &mut Section<'_>,
    kind: SloType,
    by: Option<Vec<String>>,
    most: Option<i64>,
) -> Option<i64> {
    const BY: &str = "by";
    const MOST: &str = "max_routes";
    let by = by.unwrap_or_else(|| DIMENSIONS[..2].iter().map(|name| (*name).to_owned()).collect());
    let all = format!("{BY} = {DIMENSIONS:?}");
    if let Some(unknown) = by.iter().find(|name| !DIMENSIONS.contains(&name.as_str())) {
        let remedy = did_you_mean(unknown, DIMENSIONS.into_iter())
            .unwrap_or_else(|| format!("write {all}; rows of other kinds are chosen with filter"));
        section.wrong(BY, format!("`{unknown}`"), "some of region, service, route", Some(remedy));
        return None;
    }
    if let Some(lacking) = DIMENSIONS[..2].iter().find(|name| !by.iter().any(|given| given == *name)) {
        let remedy = format!("write {all}: every SLO is judged by region and service");
        section.wrong(
            BY,
            format!("a list without `{lacking}`"),
            "region and service among them",
            Some(remedy),
        );
        return None;
    }
    if !by.iter().any(|name| name == ROUTE) {
        if let Some(most) = most {
            let remedy = Some(format!("remove it, or write {all}"));
            section.wrong(MOST, most.to_string(), "nothing where `by` does not name route", remedy);
        }
        return None;
    }
    if kind == SloType::EvaluationSuccess {
        let remedy =
            Some("remove route from it: evaluations have none; choose them by agent_type".to_owned());
        section.wrong(BY, "`route`", format!("region and service for type `{kind}`"), remedy);
        return None;
    }
    let most = most.unwrap_or(USUAL_ROUTES);
    if !(1..=MOST_ROUTES).contains(&most) {
        let remedy = Some(format!("write {MOST} = {}", most.clamp(1, MOST_ROUTES)));
        section.wrong(MOST, most.to_string(), format!("a number between 1 and {MOST_ROUTES}"), remedy);
        return None;
    }
    Some(most)
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

#[cfg(test)]
mod tests {
    use crate::settings::Settings;

    fn load(rest: &str) -> Result<Settings, (String, String)> {
        let text = format!("[[slo]]\nname = \"error_rate\"\n{rest}\n");
        Settings::from_text(Some(("tars.toml", &text)))
            .map_err(|error| (error.to_string(), error.hint().unwrap_or_default()))
    }

    fn routes(rest: &str) -> Option<i64> {
        let settings = load(rest).unwrap();
        settings.slos.iter().find(|slo| slo.name == "error_rate").unwrap().max_routes
    }

    #[test]
    fn an_slo_is_judged_by_region_and_service_and_by_route_where_it_asks_for_it() {
        assert_eq!(routes(""), None);
        assert_eq!(routes("by = [\"service\", \"region\"]"), None);
        assert_eq!(routes("by = [\"region\", \"service\", \"route\"]"), Some(100));
        assert_eq!(routes("by = [\"route\", \"service\", \"region\"]\nmax_routes = 7"), Some(7));
    }

    #[test]
    fn settings_that_ask_for_no_routes_are_those_they_were() {
        assert_eq!(Settings::default().digest(), load("by = [\"region\", \"service\"]").unwrap().digest());
        assert_ne!(
            Settings::default().digest(),
            load("by = [\"region\", \"service\", \"route\"]").unwrap().digest()
        );
    }

    #[test]
    fn what_figures_cannot_be_told_apart_by_is_refused_with_slo_key_and_remedy() {
        let check = |rest: &str, parts: &[&str]| {
            let (error, hint) = load(rest).unwrap_err();
            let said = format!("{error}\n{hint}");
            for part in [&["slo[0].", "in `error_rate`"], parts].concat() {
                assert!(said.contains(part), "{part} is not in {said}");
            }
        };
        check(
            "by = [\"region\", \"service\", \"host\"]",
            &["by", "`host`", "some of region, service, route"],
        );
        check("by = [\"region\", \"service\", \"routes\"]", &["`routes`", "did you mean `route`?"]);
        check(
            "by = [\"route\"]",
            &["a list without `region`", "write by = [\"region\", \"service\", \"route\"]"],
        );
        check("max_routes = 5", &["max_routes", "nothing where `by` does not name route", "remove it"]);
        let by = "by = [\"region\", \"service\", \"route\"]\n";
        check(&format!("{by}max_routes = 0"), &["a number between 1 and 10000", "write max_routes = 1"]);
        check(&format!("{by}max_routes = 1.5"), &["max_routes", "a whole number"]);
        check(
            &format!("{by}type = \"evaluation_success\""),
            &["`route`", "type `evaluation_success`", "evaluations have none"],
        );
    }
}
