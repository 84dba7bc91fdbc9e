//! OpenSLO documents: what they become, and what is said of those that cannot be honoured.

use std::path::{Path, PathBuf};

use crate::domain::{AlertAction, Budgeting, CalendarPeriod, SloType};
use crate::settings::{BurnLimit, Period, Settings, Slo};

/// Settings with one file of documents.
fn load(text: &str) -> Result<Settings, crate::settings::Error> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("slos.yaml");
    std::fs::write(&path, text).unwrap();
    Settings::load_with(None, &[path])
}

fn slo(settings: &Settings, name: &str) -> Slo {
    let names: Vec<_> = settings.slos.iter().map(|s| &s.name).collect();
    settings
        .slos
        .iter()
        .find(|s| s.name == name)
        .unwrap_or_else(|| panic!("{name} is not in {names:?}"))
        .clone()
}

/// All that is said of a document that is refused, hints included, with the folder cut away.
fn refused(text: &str) -> String {
    let error = match load(text) {
        Ok(_) => panic!("accepted: {text}"),
        Err(error) => error,
    };
    let said = format!("{error}\n{}", error.hint().unwrap_or_default());
    let end = said.find("/slos.yaml").map_or(0, |at| at + 1);
    let start = said[..end].rfind([' ', '`', '\n']).map_or(0, |at| at + 1);
    let folder = said[start..end].to_owned();
    if folder.is_empty() { said } else { said.replace(&folder, "") }
}

/// An SLO document around an indicator and objectives.
fn document(indicator: &str, rest: &str) -> String {
    format!(
        "apiVersion: openslo/v1\nkind: SLO\nmetadata:\n  name: checkout\nspec:\n  service: shop\n{indicator}{rest}"
    )
}

const LATENCY: &str = "  indicator:
    spec:
      thresholdMetric:
        metricSource:
          type: tars
          spec:
            type: latency
            threshold: 400
            filter: method = 'POST'
";

const RATIO: &str = "  indicator:
    metadata:
      name: good
    spec:
      ratioMetric:
        counter: true
        good:
          metricSource: { type: tars, spec: { type: availability, route: /pay } }
        total:
          metricSource: { type: tars, spec: { route: /pay } }
";

#[test]
fn a_latency_objective_by_occurrences_is_a_share_within_a_value() {
    let text = document(
        LATENCY,
        "  timeWindow:
    - duration: 1M
      isRolling: false
      calendar: { startTime: 2024-03-01 00:00:00, timeZone: Europe/Berlin }
  budgetingMethod: Occurrences
  objectives:
    - { op: lte, value: 250, targetPercent: 99.5 }
",
    );
    let slo = slo(&load(&text).unwrap(), "checkout");
    assert_eq!((slo.kind, slo.target, slo.threshold), (SloType::Latency, 250.0, 400.0));
    assert_eq!((slo.percentile, slo.window_seconds), (Some(0.995), 300));
    assert_eq!(slo.service.as_deref(), Some("shop"), "the service of the SLO filters");
    assert_eq!(slo.filter.unwrap().sql(), "method = 'POST'");
    assert_eq!((slo.budget.objective, slo.budget.budgeting), (0.995, Budgeting::Occurrences));
    assert_eq!(slo.budget.period, Period::Calendar(CalendarPeriod::Month));
    assert_eq!(slo.budget.time_zone, "Europe/Berlin");
}

#[test]
fn time_slices_say_how_good_a_slice_has_to_be() {
    let rest = |method: &str, slice: &str| {
        let head = "  timeWindow: [{ duration: 4w, isRolling: true }]\n";
        format!("{head}  budgetingMethod: {method}\n  objectives:\n    - {{ target: 0.9, {slice} }}\n")
    };
    let text = document(RATIO, &rest("Timeslices", "timeSliceTarget: 0.99, timeSliceWindow: 10"));
    let slices = slo(&load(&text).unwrap(), "checkout");
    assert_eq!((slices.kind, slices.target, slices.window_seconds), (SloType::Availability, 0.99, 600));
    assert_eq!((slices.budget.objective, slices.budget.budgeting), (0.9, Budgeting::Timeslices));
    assert_eq!(slices.budget.period, Period::Rolling(28 * 86_400));
    assert_eq!(slices.route.as_deref(), Some("/pay"));

    let text = document(RATIO, &rest("RatioTimeslices", "timeSliceWindow: 1h"));
    let ratios = slo(&load(&text).unwrap(), "checkout");
    assert_eq!((ratios.target, ratios.window_seconds), (0.9, 3600));
    assert_eq!(ratios.budget.budgeting, Budgeting::RatioTimeslices);

    let latency = "op: lt, value: 300, timeSliceTarget: 0.95, timeSliceWindow: 5m";
    let text = document(LATENCY, &rest("Timeslices", latency));
    assert_eq!(slo(&load(&text).unwrap(), "checkout").percentile, Some(0.95));
}

const FAMILY: &str = "apiVersion: openslo/v1
kind: DataSource
metadata: { name: metrics }
spec: { type: Prometheus, connectionDetails: { url: http://x } }
---
apiVersion: openslo/v1
kind: DataSource
metadata: { name: lake }
spec: { type: tars }
---
apiVersion: openslo/v1
kind: Service
metadata: { name: shop, displayName: Shop }
spec: { description: sells }
---
apiVersion: openslo/v1
kind: SLI
metadata: { name: failures }
spec:
  ratioMetric:
    rawType: failure
    raw: { metricSource: { metricSourceRef: lake, spec: { type: error_rate, service: '*', region: eu } } }
---
apiVersion: openslo/v1
kind: AlertCondition
metadata: { name: fast-burn }
spec:
  severity: page
  condition: { kind: burnrate, op: gte, threshold: 14.4, lookbackWindow: 1h, alertAfter: 5m }
---
apiVersion: openslo/v1
kind: AlertPolicy
metadata: { name: wake-up }
spec:
  alertWhenBreaching: true
  conditions: [{ conditionRef: fast-burn }]
  notificationTargets: [{ targetRef: on-call }]
---
apiVersion: openslo/v1
kind: SLO
metadata: { name: journey }
spec:
  service: shop
  budgetingMethod: Occurrences
  objectives:
    - { displayName: Few Failures!, indicatorRef: failures, target: 0.99, compositeWeight: 3 }
    - displayName: Fast
      target: 0.95
      op: lte
      value: 200
      compositeWeight: 1
      indicator:
        spec:
          thresholdMetric: { metricSource: { type: tars, spec: { type: latency } } }
  alertPolicies:
    - alertPolicyRef: wake-up
    - kind: AlertPolicy
      metadata: { name: slow }
      spec:
        conditions:
          - kind: AlertCondition
            metadata: { name: slow }
            spec: { severity: ticket, condition: { kind: burnrate, op: gt, threshold: 1, lookbackWindow: 3d } }
";

#[test]
fn objectives_with_weights_and_references_become_parts_of_a_composite_with_its_alerts() {
    let settings = load(FAMILY).unwrap();
    let failures = slo(&settings, "journey_few_failures");
    assert_eq!((failures.kind, failures.target), (SloType::ErrorRate, 0.01));
    assert_eq!((failures.service, failures.region.as_deref()), (None, Some("eu")), "`*` is every service");
    let fast = slo(&settings, "journey_fast");
    assert_eq!((fast.target, fast.percentile, fast.service.as_deref()), (200.0, Some(0.95), Some("shop")));
    let composite = settings.composites.iter().find(|c| c.name == "journey").unwrap();
    let parts: Vec<_> = composite.parts.iter().map(|p| (p.slo.as_str(), p.weight)).collect();
    assert_eq!(parts, [("journey_few_failures", 3.0), ("journey_fast", 1.0)]);
    // python3 -c "print((3 * .99 + .95) / 4)"
    assert_eq!(composite.objective, 0.98);
    let tiers: Vec<_> = settings.burn_tiers.iter().filter(|t| t.slo.as_deref() == Some("journey")).collect();
    assert_eq!(tiers.len(), 2);
    assert_eq!(tiers[0].name, "journey/wake-up");
    assert_eq!((tiers[0].limit, tiers[0].windows().as_str()), (BurnLimit::Rate(14.4), "1h+5m"));
    assert_eq!((tiers[1].action, tiers[1].windows().as_str()), (AlertAction::Ticket, "3d+6h"));
    assert_eq!(
        settings.burn_tiers.iter().filter(|t| t.slo.is_some()).count(),
        6,
        "two for each of three names"
    );
    assert_eq!(settings.notes.len(), 2, "the data source and the target: {:?}", settings.notes);
    assert!(
        settings.notes[0].contains("slos.yaml:1: DataSource `metrics` is not used"),
        "{:?}",
        settings.notes
    );
}

#[test]
fn what_cannot_be_honoured_is_refused_with_file_line_object_key_and_remedy() {
    let objective = "  budgetingMethod: Occurrences\n  objectives:\n    - target: 0.99\n";
    let check = |text: &str, expected: &[&str]| {
        let said = refused(text);
        for part in expected {
            assert!(said.contains(part), "{part:?} is not in {said}");
        }
    };
    check(
        &document(&RATIO.replace("type: tars", "type: Prometheus"), objective),
        &[
            "slos.yaml:14: SLO `checkout`: spec.indicator.spec.ratioMetric.good.metricSource.type",
            "`Prometheus`",
            "write type: tars",
        ],
    );
    check(
        &document(RATIO, "  budgetingMethod: Occurrences\n  objectives:\n    - targetPercent: 101\n"),
        &["slos.yaml:19: SLO `checkout`: spec.objectives[0].targetPercent", "got 101"],
    );
    check(
        &document(RATIO, "  budgetingMethod: Occurences\n  objectives:\n    - target: 99.9\n"),
        &["spec.budgetingMethod", "`Occurences`", "did you mean `Occurrences`?"],
    );
    check(
        &document(RATIO, "  budgetingMethod: Occurrences\n  objectives:\n    - target: 99.9\n"),
        &[
            "spec.objectives[0].target",
            "a share above 0 and at most 1, got 99.9",
            "write targetPercent: 99.9",
        ],
    );
    check(
        &document(
            LATENCY,
            "  budgetingMethod: Occurrences\n  objectives:\n    - { target: 0.99, op: gte, value: 3 }\n",
        ),
        &["spec.objectives[0].op", "lte or lt, because lower is better for type `latency`", "got `gte`"],
    );
    check(
        &document(
            LATENCY,
            "  budgetingMethod: Timeslices\n  objectives:\n    - { target: 0.99, op: lte, value: 3 }\n",
        ),
        &["timeSliceTarget", "timeSliceWindow", "add timeSliceWindow: 5m"],
    );
    check(
        &document(RATIO, &format!("  timeWindow: [{{ duration: 1M, isRolling: true }}]\n{objective}")),
        &["slos.yaml:17: SLO `checkout`: spec.timeWindow[0].duration", "`1M`", "write 30d, or add calendar"],
    );
    check(
        &document(
            RATIO,
            &format!(
                "  timeWindow: [{{ duration: 1Q, calendar: {{ startTime: 2024-02-01 00:00:00, timeZone: UTC }} }}]\n{objective}"
            ),
        ),
        &["calendar.startTime", "the beginning of a quarter"],
    );
    check(
        &document(RATIO, &format!("  colour: red\n{objective}")),
        &["slos.yaml:17: SLO `checkout`: spec.colour: expected a key that is understood here", "known keys:"],
    );
    check(
        &document("  indicatorRef: faillures\n", objective).replace("faillures", "x"),
        &[
            "slos.yaml:7: SLO `checkout`: spec.indicatorRef: expected the name of an SLI, got `x`",
            "add the SLI",
        ],
    );
    check(
        &document(
            &LATENCY.replace("method = 'POST'", "method in (select 1)"),
            "  budgetingMethod: Occurrences\n  objectives:\n    - { target: 0.99, op: lte, value: 3 }\n",
        ),
        &["SLO `checkout`.filter", "a query within it"],
    );
    check(
        &FAMILY.replace("alertWhenBreaching: true", "alertWhenNoData: true"),
        &["alertWhenNoData", "coverage says"],
    );
    check(&FAMILY.replace("alertAfter: 5m", "alertAfter: 2m"), &["alertAfter", "whole 5 minutes", "`2m`"]);
    check(
        &FAMILY.replace("openslo/v1\nkind: SLI", "openslo/v2alpha\nkind: SLI"),
        &["apiVersion", "`openslo/v1`", "`openslo/v2alpha`"],
    );
    check("apiVersion: [", &["expected YAML", "slos.yaml"]);
}

#[test]
fn an_exported_slo_reads_back_as_it_was() {
    let text = "[[slo]]\nname = \"pay\"\ntype = \"availability\"\ntarget = 0.999\nthreshold = 0.99\nwindow_seconds = 900\n\
         service = \"shop\"\nroute = \"/pay\"\nfilter = \"method = 'POST' and attributes['tier'] <> 'trial'\"\n\
         objective = 0.9995\nbudgeting = \"timeslices\"\nperiod = \"month\"\ntime_zone = \"Europe/Berlin\"\n\
         band = \"robust\"\ndetect = \"threshold\"\n\
         [[slo]]\nname = \"busy\"\ntype = \"throughput\"\ntarget = 10\nthreshold = 5.5\nwindow_seconds = 60\n\
         by = [\"region\", \"service\", \"route\"]\nmax_routes = 7\n\
         [[slo]]\nname = \"agents\"\ntype = \"evaluation_success\"\ntarget = 0.99\nthreshold = 0.9\n\
         window_seconds = 3600\nagent_type = \"dqn\"\nbudgeting = \"ratio_timeslices\"\nperiod = \"36h\"\n\
         [[composite]]\nname = \"all\"\nobjective = 0.98\nparts = [{ slo = \"error_rate\", weight = 2 }, { slo = \"availability\" }]\n\
         [[burn_tier]]\nname = \"pay/quick\"\nslo = \"pay\"\nburn_rate = 10\nlong = \"30m\"\nshort = \"5m\"\naction = \"page\"\n";
    let settings = Settings::from_text(Some(("tars.toml", text))).unwrap();
    let exported = super::export(&settings);
    // The composite brings its parts under names of its own.
    let cut = exported.find("apiVersion: openslo/v1\nkind: SLO\nmetadata:\n  name: \"all\"").unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("own.yml"), exported[..cut].trim_end_matches("---\n")).unwrap();
    let empty = folder.path().join("tars.toml");
    std::fs::write(&empty, "openslo = [\".\"]\n").unwrap();
    let back = Settings::load(Some(Path::new(&empty))).unwrap();
    assert_eq!(back.slos, settings.slos);
    assert_eq!(back.burn_tiers, settings.burn_tiers);
    let whole: PathBuf = folder.path().join("own.yml");
    std::fs::write(&whole, &exported[cut..]).unwrap();
    let back = Settings::load(Some(Path::new(&empty))).unwrap();
    let composite = &back.composites[0];
    assert_eq!((composite.name.as_str(), composite.objective), ("all", 0.98));
    assert_eq!(composite.parts.iter().map(|p| p.weight).collect::<Vec<_>>(), [2.0, 1.0]);
    let part = slo(&back, &composite.parts[0].slo);
    assert_eq!(Slo { name: "error_rate".into(), ..part }, slo(&settings, "error_rate"));
}

#[test]
fn a_name_that_two_files_or_the_settings_give_twice_is_refused() {
    let one = document(RATIO, "  budgetingMethod: Occurrences\n  objectives:\n    - target: 0.99\n");
    assert!(refused(&format!("{one}---\n{one}")).contains("a second time"));
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.yaml"), &one).unwrap();
    let config = folder.path().join("tars.toml");
    let own = "[[slo]]\nname = \"checkout\"\ntype = \"error_rate\"\ntarget = 0.1\nthreshold = 0.2\nwindow_seconds = 300\n";
    std::fs::write(&config, format!("openslo = \"a.yaml\"\n{own}")).unwrap();
    let error = Settings::load(Some(&config)).unwrap_err().to_string();
    assert!(error.contains("`checkout` a second time"), "{error}");
}

#[test]
fn figures_by_route_are_asked_for_in_the_source_of_the_numerator() {
    let ratio = |good: &str, total: &str| {
        let indicator = format!(
            "  indicator:\n    spec:\n      ratioMetric:\n\
             \x20       good: {{ metricSource: {{ type: tars, spec: {{ type: availability{good} }} }} }}\n\
             \x20       total: {{ metricSource: {{ type: tars, spec: {{ type: availability{total} }} }} }}\n"
        );
        document(&indicator, "  budgetingMethod: Occurrences\n  objectives:\n    - target: 0.99\n")
    };
    let by = ", by: [region, service, route], max_routes: 20";
    for text in [ratio(by, ""), ratio(by, by)] {
        assert_eq!(slo(&load(&text).unwrap(), "checkout").max_routes, Some(20));
    }
    let lost = refused(&ratio("", by));
    assert!(lost.contains("total.by") && lost.contains("state it in the numerator"), "{lost}");
    let unknown = refused(&ratio(", by: [region, service, path]", ""));
    assert!(unknown.contains("`path`") && unknown.contains("region, service, route"), "{unknown}");
}
