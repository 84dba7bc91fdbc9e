//! SLOs by route, and the rollup of services that SLOs without routes read.

use crate::slo::{lake_of, shop};
use crate::support::{DAY, ok, tars};

/// An SLO that is judged by route.
fn by_route(rest: &str) -> String {
    format!(
        "[[slo]]\nname = \"routes\"\ntype = \"error_rate\"\ntarget = 0.05\nthreshold = 0.08\nwindow_seconds = 300\n\
         by = [\"region\", \"service\", \"route\"]\n{rest}"
    )
}

#[test]
fn an_slo_by_route_has_a_row_for_each_route_in_every_format() {
    let folder = shop();
    let run = |args: &[&str]| ok(folder.path(), &[args, &["--lake", "lake", "--date", DAY, "-q"]].concat());
    let before = run(&["slo", "--format", "csv"]);
    assert!(!before.contains("route"), "nobody asks for routes: {before}");
    std::fs::write(folder.path().join("tars.toml"), by_route("")).unwrap();
    let rows = |csv: &str| -> Vec<String> {
        let named = csv.lines().filter(|l| l.contains("routes,eu,shop,"));
        named.map(|l| l.split("eu,shop,").nth(1).unwrap().to_owned()).collect()
    };
    // Of 0 .. 400: 50 divide by 8 and pay, 10 of them by 40, which are all that fail: 10 of the 2.5 that may.
    let budgets = rows(&run(&["slo", "budgets", "--format", "csv"]));
    assert_eq!(budgets.len(), 2, "{budgets:?}");
    assert!(budgets[0].starts_with("/look,28d,") && budgets[0].contains(",350.0,0.0,"), "{budgets:?}");
    assert!(
        budgets[1].starts_with("/pay,28d,") && budgets[1].contains(",50.0,10.0,2.5,-7.5,4.0,"),
        "{budgets:?}"
    );
    let status = run(&["slo", "--format", "csv", "--threads", "1"]);
    assert_eq!(status, run(&["slo", "--format", "csv", "--threads", "4"]));
    assert!(status.starts_with("slo,region,service,route,status,"), "{status}");
    assert!(rows(&status)[0].starts_with("/pay,missed,critical,"), "{status}");
    // Other SLOs have the column, and nothing in it.
    assert!(status.contains("error_rate,eu,shop,,"), "{status}");
    // Without their column they are as they were.
    let others = |csv: &str| -> Vec<String> {
        csv.lines()
            .filter(|l| l.starts_with("error_rate,"))
            .map(|l| l.replacen(",eu,shop,,", ",eu,shop,", 1))
            .collect()
    };
    assert_eq!(others(&status), others(&before));
    let violations = run(&["slo", "violations", "--slo", "routes", "--format", "csv"]);
    assert!(violations.contains("routes,eu,shop,/pay,2025-01-15T10:00:00Z,"), "{violations}");
    assert!(violations.contains("shop /pay in eu: error rate was 21.053 % at worst"), "{violations}");
    let json: serde_json::Value =
        serde_json::from_str(&run(&["slo", "backtest", "--slo", "routes", "--format", "json"])).unwrap();
    let alerts = json.as_array().unwrap();
    assert!(!alerts.is_empty() && alerts.iter().all(|alert| alert["route"] == "/pay"), "{json}");
    let table = run(&["slo", "--slo", "routes", "--format", "md"]);
    assert!(table.lines().any(|l| l.contains("| route |")) && table.contains("| /look |"), "{table}");
    run(&["slo", "--slo", "routes", "--format", "parquet", "--output", "status.parquet"]);
    let again =
        run(&["sql", "--format", "csv", "-c", "select route, events from 'status.parquet' order by route"]);
    assert_eq!(again.lines().skip(1).collect::<Vec<_>>(), ["/look,350.0", "/pay,50.0"]);
    run(&["slo", "--slo", "routes", "--charts", "charts"]);
    let svg = std::fs::read_to_string(folder.path().join("charts/routes-budget.svg")).unwrap();
    assert!(svg.contains("eu shop /pay") && svg.contains("eu shop /look"), "{svg}");
}

#[test]
fn routes_that_are_too_many_are_judged_together_and_the_remedy_is_told() {
    let folder = shop();
    std::fs::write(folder.path().join("tars.toml"), by_route("max_routes = 1\n")).unwrap();
    let outcome =
        tars(folder.path(), &["slo", "--slo", "routes", "--lake", "lake", "--date", DAY, "--format", "csv"]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let told = "SLO routes: max_routes = 1, but service shop in eu has 2 routes; those with fewest requests are judged \
                together as (other routes); raise max_routes";
    assert!(outcome.stderr.contains(told), "{}", outcome.stderr);
    // The route with most requests is judged by itself; no request is lost.
    let events: Vec<_> = outcome.stdout.lines().skip(1).map(|l| l.split(',').nth(3).unwrap()).collect();
    assert_eq!(events, ["(other routes)", "/look"], "{}", outcome.stdout);
    assert!(
        outcome.stdout.contains(",50.0,10.0,") && outcome.stdout.contains(",350.0,0.0,"),
        "{}",
        outcome.stdout
    );
}

/// The budgets of the default SLOs, of ten o'clock or of a window.
fn budgets(folder: &std::path::Path, window: &[&str]) -> String {
    ok(folder, &[&["slo", "budgets", "--lake", "lake", "--format", "csv", "-q"], window].concat())
}

#[test]
fn the_rollup_of_services_grows_with_the_lake_and_is_made_where_it_is_lacking() {
    let folder = shop();
    let day = ["--date", DAY];
    let first = budgets(folder.path(), &day);
    assert!(first.contains("error_rate,eu,shop,28d,") && first.contains(",400.0,10.0,"), "{first}");
    // Late requests of slots that the rollup holds already: one of them failed, on a route of its own.
    let late = |second: usize, status: usize| {
        format!(
            "{{\"timestamp\":\"2025-01-15T10:02:{second:02}Z\",\"region\":\"eu\",\"service\":\"shop\",\"route\":\"/late\",\
             \"status_code\":{status},\"duration_ms\":40}}\n"
        )
    };
    std::fs::write(folder.path().join("late.jsonl"), late(1, 200) + &late(2, 503)).unwrap();
    ok(folder.path(), &["ingest", "late.jsonl", "--lake", "lake", "-q"]);
    let grown = budgets(folder.path(), &day);
    assert!(grown.contains(",402.0,11.0,"), "{grown}");
    // Every figure is that of a lake in which all rows landed at once, and of one whose rollup is made anew.
    let lines = std::fs::read_to_string(folder.path().join("requests.jsonl")).unwrap();
    let at_once = lake_of(&(lines + &late(1, 200) + &late(2, 503)));
    assert_eq!(budgets(at_once.path(), &day), grown);
    std::fs::remove_dir_all(folder.path().join("lake/log_service_slots")).unwrap();
    assert_eq!(budgets(folder.path(), &day), grown);
    assert!(folder.path().join("lake/log_service_slots").exists());
}

#[test]
fn a_window_that_cuts_slots_counts_the_requests_of_its_minutes_alone() {
    // Six logged requests, five of them in the slot that the end of the window cuts, but after it; and two spans, both
    // within it: the spans are the fuller of the two.
    let log = |minute: usize| {
        format!(
            "{{\"timestamp\":\"2025-01-15T10:{minute:02}:10Z\",\"region\":\"eu\",\"service\":\"shop\",\
             \"status_code\":200,\"duration_ms\":20}}\n"
        )
    };
    let span = |id: usize| {
        format!(
            "{{\"timestamp\":\"2025-01-15T10:03:{id:02}Z\",\"region\":\"eu\",\"service\":\"shop\",\"trace_id\":\"t{id}\",\
             \"span_id\":\"s{id}\",\"name\":\"buy\",\"kind\":\"server\",\"duration_ms\":30}}\n"
        )
    };
    let lines = [3, 8, 8, 8, 9, 9].map(log).concat() + &span(1) + &span(2);
    let folder = lake_of(&lines);
    let events = |from: &str, to: &str| {
        let csv = budgets(folder.path(), &["--from", from, "--to", to]);
        let line = csv.lines().find(|l| l.starts_with("error_rate,")).unwrap().to_owned();
        line.split(',').nth(12).unwrap().to_owned()
    };
    assert_eq!(events("2025-01-15T10:02:00Z", "2025-01-15T10:08:00Z"), "2.0");
    assert_eq!(events("2025-01-15T10:00:00Z", "2025-01-15T10:10:00Z"), "6.0");
}

#[test]
fn a_correction_of_a_route_takes_from_that_route_alone_and_one_for_nothing_is_told() {
    let folder = shop();
    let correction = |name: &str, rest: &str| {
        format!(
            "[[correction]]\nname = \"{name}\"\nfrom = \"{DAY}T10:00:00Z\"\nto = \"{DAY}T10:05:00Z\"\nreason = \"planned\"\n\
             author = \"sre\"\n{rest}\n"
        )
    };
    let settings =
        by_route(&correction("payments", "route = \"/pay\"")) + &correction("idle", "service = \"nobody\"");
    std::fs::write(folder.path().join("tars.toml"), settings).unwrap();
    let outcome =
        tars(folder.path(), &["slo", "budgets", "--lake", "lake", "--date", DAY, "--format", "csv"]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let told = "correction idle: nothing that an SLO measures is covered by it (service = nobody); correct what it names";
    assert!(outcome.stderr.contains(told), "{}", outcome.stderr);
    assert!(!outcome.stderr.contains("correction payments"), "{}", outcome.stderr);
    let line = |start: &str| outcome.stdout.lines().find(|l| l.starts_with(start)).unwrap().to_owned();
    // Of 300 .. 400 twelve divide by 8, and of them 320 and 360 by 40; in all ten fail.
    let pay = line("routes,eu,shop,/pay,");
    assert!(pay.contains(",12.0,2.0,") && pay.contains(",10.0,"), "{pay}");
    assert!(line("routes,eu,shop,/look,").contains(",350.0,0.0,"), "{}", outcome.stdout);
    // Who counts all routes together cannot leave one out.
    assert!(line("error_rate,eu,shop,,").contains(",400.0,10.0,"), "{}", outcome.stdout);
}
