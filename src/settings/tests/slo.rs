//! SLOs, composites, budgets, burn tiers and corrections: what is understood and what is refused.

use arrow::array::{Array, AsArray};

use super::{check, load, refused};
use crate::domain::Budgeting;
use crate::settings::Settings;

#[test]
fn a_target_on_the_wrong_side_of_the_threshold_is_refused() {
    check(
        "[[slo]]\nname = \"api_latency_p95\"\ntarget = 250.0",
        "slo[0].threshold: expected a value at or above target 250, because lower is better for type `latency`, got 200",
        "swap them",
    );
    check(
        "[[slo]]\nname = \"availability\"\nthreshold = 0.9995",
        "slo[0].threshold: expected a value at or below target 0.999, because higher is better for type `availability`, got 0.9995",
        "swap them",
    );
}

#[test]
fn windows_are_whole_minutes() {
    check(
        "[[slo]]\nname = \"error_rate\"\nwindow_seconds = -300",
        "slo[0].window_seconds: expected a multiple of 60 between 60 and 86400, got -300",
        "window_seconds = 60",
    );
    check(
        "[[slo]]\nname = \"error_rate\"\nwindow_seconds = 90",
        "slo[0].window_seconds: expected a multiple of 60 between 60 and 86400, got 90",
        "window_seconds = 120",
    );
}

#[test]
fn a_filter_is_one_condition_and_decides_what_is_read() {
    let head = "[[slo]]\nname = \"error_rate\"\n";
    let reads = |line: &str| {
        let settings = load(&format!("{head}{line}")).unwrap();
        settings.slos.iter().find(|s| s.name == "error_rate").unwrap().reads_raw()
    };
    assert!(!reads(""));
    assert!(!reads("filter = \"route like '/pay/%' and region <> 'eu'\""));
    assert!(reads("filter = \"status_code <> 404\""));
    assert!(reads("agent_type = \"dqn\""));
    check(
        &format!("{head}filter = \"service in (select 1)\""),
        "slo[0].filter: expected one SQL condition, got `service in (select 1)`: it holds a query within it",
        "write one condition over the columns",
    );
    let misplaced = "[[slo]]\nname = \"evaluation_success\"\nroute = \"/x\"";
    check(
        misplaced,
        "slo[0].route: expected nothing for type `evaluation_success`, got a route",
        "filter by agent_type",
    );
    let (error, remedy) = refused(&format!("{head}band = \"bolinger\"\ndetect = \"all\""));
    assert!(error.contains("slo[0].band: expected one of bollinger, ewma, robust, season"), "{error}");
    assert!(error.contains("slo[0].detect: expected one of threshold, adaptive, both"), "{error}");
    assert!(remedy.contains("did you mean `bollinger`?"), "{remedy}");
}

#[test]
fn a_composite_names_slos_that_exist_and_weighs_them() {
    let given = "[[composite]]\nname = \"all\"\nobjective = 0.98\nperiod = \"week\"\n\
                 parts = [{ slo = \"error_rate\", weight = 2 }, { slo = \"availability\" }]";
    let composite = load(given).unwrap().composites.remove(0);
    assert_eq!((composite.objective, composite.period.name().as_str()), (0.98, "week"));
    assert_eq!(composite.parts.iter().map(|p| p.weight).collect::<Vec<_>>(), [2.0, 1.0]);
    check(
        &given.replace("\"availability\"", "\"avalability\""),
        "composite `all`.parts: expected the name of an SLO, got `avalability`",
        "did you mean `availability`?",
    );
    let (error, remedy) =
        refused(&given.replace("objective = 0.98\n", "").replace("weight = 2", "weight = 0"));
    assert!(error.contains("composite[0].parts[0].weight: expected a number above 0, got 0"), "{error}");
    assert!(remedy.contains("add `objective = 0.99`"), "{remedy}");
    let (error, _) = refused(&given.replace("\"all\"", "\"error_rate\""));
    assert!(error.contains("a name that no SLO has"), "{error}");
}

#[test]
fn burn_tiers_are_those_of_the_workbook_until_an_slo_has_its_own() {
    let rows = |text: &str| {
        let tables = load(text).unwrap().tables().unwrap();
        let (_, batch) = tables.into_iter().find(|(table, _)| *table == "settings_burn_tiers").unwrap();
        let text = |name: &str| batch.column_by_name(name).unwrap().as_string::<i32>().clone();
        let (slo, windows) = (text("slo"), text("windows"));
        (0..slo.len())
            .filter(|i| slo.value(*i) == "error_rate")
            .map(|i| windows.value(i).to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(rows(""), ["1h+5m", "6h+30m", "1d+2h", "3d+6h"]);
    let own = "[[burn_tier]]\nname = \"own\"\nslo = \"error_rate\"\nburn_rate = 10\nlong = \"30m\"\nshort = \"5m\"\naction = \"page\"";
    assert_eq!(rows(own), ["30m+5m"]);
    check(
        &own.replace("\"30m\"", "\"31m\""),
        "burn_tier[0].long: expected whole 5 minutes such as 5m, 6h or 3d, at most 28d, got `31m`",
        "write long = \"1h\"",
    );
    check(
        &own.replace("\"30m\"", "\"5m\""),
        "burn_tier[0].short: expected less than long, which is 5m, got 5m",
        "swap them",
    );
    check(
        &own.replace("burn_rate", "share"),
        "burn_tier[0].share: expected a share of the budget above 0 and at most 1, got 10",
        "write share = 0.1",
    );
    check(
        &own.replace("slo = \"error_rate\"", "slo = \"eror_rate\""),
        "burn_tier `own`.slo: expected the name of an SLO, got `eror_rate`",
        "did you mean `error_rate`?",
    );
}

#[test]
fn a_correction_is_for_an_slo_that_exists() {
    let given = |slo: &str| {
        format!(
            "[[composite]]\nname = \"all\"\nobjective = 0.98\nparts = [{{ slo = \"error_rate\" }}]\n\
             [[correction]]\nname = \"upgrade\"\nfrom = \"2025-01-15T10:00:00Z\"\nto = \"2025-01-15T11:00:00Z\"\n\
             reason = \"planned\"\nauthor = \"sre\"\nslo = \"{slo}\"\n"
        )
    };
    assert_eq!(load(&given("error_rate")).unwrap().corrections.len(), 1);
    let wrong = |slo| format!("correction `upgrade`.slo: expected the name of an SLO, got `{slo}`");
    check(&given("eror_rate"), &wrong("eror_rate"), "did you mean `error_rate`?");
    check(&given("all"), &wrong("all"), "name a part of the composite: error_rate");
}

#[test]
fn a_correction_of_a_route_is_for_slos_that_tell_it_apart() {
    let correction = |rest: &str| {
        format!(
            "[[correction]]\nname = \"upgrade\"\nfrom = \"2025-01-15T10:00:00Z\"\nto = \"2025-01-15T11:00:00Z\"\n\
             reason = \"planned\"\nauthor = \"sre\"\nroute = \"/pay\"\n{rest}"
        )
    };
    let by_route = "[[slo]]\nname = \"error_rate\"\nby = [\"region\", \"service\", \"route\"]\n";
    let of_route = "[[slo]]\nname = \"error_rate\"\nroute = \"/pay\"\n";
    for slo in [by_route, of_route] {
        let settings = load(&format!("{slo}{}", correction(""))).unwrap();
        assert_eq!(settings.corrections[0].route.as_deref(), Some("/pay"));
        load(&format!("{slo}{}", correction("slo = \"error_rate\"\n"))).unwrap();
        check(
            &format!("{slo}{}", correction("slo = \"availability\"\n")),
            "correction `upgrade`.route: expected a route that SLO `availability` is judged by, got `/pay`",
            "judge the SLO by = [\"region\", \"service\", \"route\"]",
        );
    }
    check(
        &correction(""),
        "correction `upgrade`.route: expected a route that an SLO is judged by, got `/pay`",
        "remove it to cover whole services",
    );
    check(
        &format!("{}{}", of_route.replace("/pay", "/look"), correction("slo = \"error_rate\"\n")),
        "correction `upgrade`.route: expected a route that SLO `error_rate` is judged by, got `/pay`",
        "remove it",
    );
}

#[test]
fn a_budget_follows_from_target_and_percentile_where_it_is_not_given() {
    let settings = Settings::default();
    let budget = |name: &str| settings.slos.iter().find(|s| s.name == name).unwrap().budget.clone();
    for (name, objective) in [
        ("api_latency_p95", 0.95),
        ("api_latency_p99", 0.99),
        ("error_rate", 0.99),
        ("availability", 0.999),
        ("evaluation_success", 0.99),
    ] {
        let budget = budget(name);
        assert_eq!(budget.objective, objective, "{name}");
        assert_eq!((budget.period.name(), budget.period.seconds()), ("28d".to_owned(), 28 * 86_400));
        assert_eq!((budget.budgeting, budget.time_zone.as_str()), (Budgeting::Occurrences, "UTC"));
    }
    let text = "[[slo]]\nname = \"availability\"\nobjective = 0.9995\nbudgeting = \"timeslices\"\n\
                period = \"month\"\ntime_zone = \"Europe/Berlin\"";
    let given = load(text).unwrap().slos.into_iter().find(|s| s.name == "availability").unwrap().budget;
    assert_eq!((given.objective, given.period.name().as_str()), (0.9995, "month"));
    assert_eq!((given.budgeting, given.time_zone.as_str()), (Budgeting::Timeslices, "Europe/Berlin"));
}

#[test]
fn a_wrong_budget_names_the_key_and_the_remedy() {
    let wrong = |line: &str, expected: &str, remedy: &str| {
        let (error, hint) = refused(&format!("[[slo]]\nname = \"availability\"\n{line}"));
        assert!(error.contains(expected), "{error}");
        assert!(hint.contains(remedy), "{hint}");
    };
    wrong("objective = 99.9", "objective", "write objective = 0.999");
    wrong("budgeting = \"occurences\"", "budgeting", "did you mean `occurrences`?");
    wrong("period = \"year\"", "period", "write period = \"28d\"");
    wrong("period = \"400d\"", "at most a year", "28d");
    wrong("time_zone = \"Berlin\"", "time_zone", "Europe/Berlin");
    wrong("objektive = 0.9", "objektive", "did you mean `objective`?");
    let throughput = "[[slo]]\nname = \"rps\"\ntype = \"throughput\"\ntarget = 5.0\nthreshold = 1.0\n\
                      window_seconds = 300\nbudgeting = \"occurrences\"";
    assert!(refused(throughput).1.contains("timeslices"));
}

#[test]
fn a_correction_needs_a_reason_an_author_and_an_end_after_its_start() {
    let text = "[[correction]]\nname = \"upgrade\"\nfrom = \"2025-01-15T10:00:00Z\"\nto = \"2025-01-15T11:00:00Z\"\n";
    let sound = load(&format!("{text}reason = \"planned\"\nauthor = \"sre\"")).unwrap();
    assert_eq!(sound.corrections.len(), 1);
    assert_eq!(sound.corrections[0].to - sound.corrections[0].from, 3_600_000_000);
    let (error, _) = refused(text);
    assert!(error.contains("reason") && error.contains("author"), "{error}");
    let (error, _) = refused(&format!("{}reason = \"r\"\nauthor = \"a\"", text.replace("T11", "T09")));
    assert!(error.contains("a time after 2025-01-15T10:00:00"), "{error}");
}
