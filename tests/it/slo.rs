//! `tars slo`: formats, exit codes, charts, the backtest, and the same bytes at any thread count.

use crate::support::{DAY, demo, ok, tars};

fn slo(args: &[&str]) -> String {
    let mut all = vec!["slo", "--lake", "lake", "--date", DAY, "-q"];
    all.extend(args);
    ok(&demo().root, &all)
}

#[test]
fn every_slo_has_a_status_in_every_format_and_at_any_thread_count() {
    let csv = slo(&["--format", "csv", "--threads", "1"]);
    assert_eq!(csv, slo(&["--format", "csv", "--threads", "4"]));
    for name in ["api_latency_p95", "api_latency_p99", "availability", "error_rate", "evaluation_success"] {
        assert!(csv.lines().any(|l| l.starts_with(&format!("{name},"))), "{name} is not in {csv}");
    }
    let rows = csv.lines().count() - 1;
    assert_eq!(slo(&["--format", "md"]).lines().count(), rows + 2);
    let json: serde_json::Value = serde_json::from_str(&slo(&["--format", "json"])).unwrap();
    assert_eq!(json.as_array().unwrap().len(), rows);
    let folder = tempfile::tempdir().unwrap();
    let parquet = folder.path().join("status.parquet");
    slo(&["--format", "parquet", "--output", parquet.to_str().unwrap()]);
    assert_eq!(&std::fs::read(&parquet).unwrap()[..4], b"PAR1");
}

#[test]
fn a_stricter_objective_is_replayed_beside_that_of_the_settings() {
    let csv = slo(&["backtest", "--slo", "error_rate", "--objective", "99.99", "--format", "csv"]);
    let of = |objective: &str| csv.lines().filter(|l| l.starts_with(objective)).count();
    // The faults of the simulated day fail far more than one request in 10,000.
    assert!(of("0.9999,error_rate,") > 0, "{csv}");
    assert_eq!(of("0.99,error_rate,") + of("0.9999,error_rate,"), csv.lines().count() - 1, "{csv}");
}

#[test]
fn the_exit_code_says_whether_a_violation_was_as_severe_and_names_the_slo() {
    let run = |severity| {
        tars(&demo().root, &["slo", "violations", "--lake", "lake", "--date", DAY, "--fail-on", severity])
    };
    let outcome = run("info");
    assert_eq!(outcome.code, Some(8), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("violated with severity info or worse"), "{}", outcome.stderr);
    assert!(outcome.stdout.contains("threshold"), "the result is written all the same");
}

#[test]
fn charts_are_svg_and_an_unknown_slo_or_option_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    slo(&["--slo", "api_latency_p95", "--charts", folder.path().to_str().unwrap()]);
    for name in ["api_latency_p95-budget.svg", "api_latency_p95-latency.svg"] {
        let svg = std::fs::read_to_string(folder.path().join(name)).unwrap();
        assert!(svg.starts_with("<svg ") && svg.contains("<path d=\"M") && !svg.contains("NaN"), "{name}");
    }
    let unknown = tars(&demo().root, &["slo", "--lake", "lake", "--slo", "latenzy"]);
    assert_eq!(unknown.code, Some(2));
    assert!(
        unknown.stderr.contains("no SLO `latenzy`") && unknown.stderr.contains("api_latency_p95"),
        "{}",
        unknown.stderr
    );
    let misplaced = tars(&demo().root, &["slo", "--lake", "lake", "--objective", "99.9"]);
    assert_eq!(misplaced.code, Some(2));
}

/// A lake of requests: `lines` of NDJSON.
pub fn lake_of(lines: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("requests.jsonl"), lines).unwrap();
    ok(folder.path(), &["ingest", "requests.jsonl", "--lake", "lake", "-q"]);
    folder
}

/// Ten minutes of a shop: a hundred POSTs of which every tenth fails and three hundred GETs of which none does; every
/// second request comes from the agent dqn, and every fourth POST from a gold customer.
pub fn shop() -> tempfile::TempDir {
    let mut lines = String::new();
    for i in 0..400 {
        let (method, is_bad) = if i % 4 == 0 { ("POST", i % 40 == 0) } else { ("GET", false) };
        let agent = if i % 2 == 0 { "dqn" } else { "ppo" };
        let tier = if i % 16 == 0 { "gold" } else { "plain" };
        lines += &format!(
            "{{\"timestamp\":\"2025-01-15T10:{:02}:{:02}Z\",\"region\":\"eu\",\"service\":\"shop\",\"route\":\"/{}\",\
             \"method\":\"{method}\",\"status_code\":{},\"duration_ms\":{},\"agent_type\":\"{agent}\",\"tier\":\"{tier}\"}}\n",
            i / 60,
            i % 60,
            if i % 8 == 0 { "pay" } else { "look" },
            if is_bad { 503 } else { 200 },
            if method == "POST" { 300 } else { 20 },
        );
    }
    lake_of(&lines)
}

const SLOS: &str = "
[[slo]]
name = \"posts\"
type = \"error_rate\"
target = 0.05
threshold = 0.08
window_seconds = 600
filter = \"method = 'POST'\"
[[slo]]
name = \"gold\"
type = \"error_rate\"
target = 0.05
threshold = 0.08
window_seconds = 600
filter = \"attributes['tier'] = 'gold' -- only those\"
[[slo]]
name = \"agents\"
type = \"latency\"
percentile = 0.5
target = 150
threshold = 200
window_seconds = 600
agent_type = \"dqn\"
[[slo]]
name = \"paths\"
type = \"throughput\"
target = 1
threshold = 0.1
window_seconds = 600
filter = \"route like '/p%'\"
";

#[test]
fn an_slo_looks_at_the_rows_that_its_condition_or_its_agent_type_chooses() {
    let folder = shop();
    std::fs::write(folder.path().join("tars.toml"), SLOS).unwrap();
    let csv = ok(folder.path(), &["slo", "--lake", "lake", "--date", DAY, "--format", "csv", "-q"]);
    let cell = |slo: &str, column: &str| {
        let at = csv.lines().next().unwrap().split(',').position(|c| c == column).unwrap();
        let line = csv
            .lines()
            .find(|l| l.starts_with(&format!("{slo},")))
            .unwrap_or_else(|| panic!("{slo} in {csv}"));
        line.split(',').nth(at).unwrap().to_owned()
    };
    // Of 0 .. 400: 100 divide by 4, 10 of them by 40; 25 divide by 16, 5 of them by 40 as well (80); 200 by 2.
    let counted = |slo: &str| (cell(slo, "events"), cell(slo, "bad_events"), cell(slo, "reads"));
    let row = |events: &str, bad: &str, reads: &str| (events.to_owned(), bad.to_owned(), reads.to_owned());
    assert_eq!(counted("posts"), row("100.0", "10.0", "raw"));
    assert_eq!(counted("gold"), row("25.0", "5.0", "raw"));
    assert_eq!(counted("agents"), row("200.0", "100.0", "raw"));
    assert_eq!(counted("error_rate"), row("400.0", "10.0", "rollup"));
    assert_eq!(cell("paths", "reads"), "rollup");
    let observed = |slo: &str| {
        let sql = format!(
            "select round(observed, 6), samples from slo_windows where slo = '{slo}' and samples > 0"
        );
        let csv =
            ok(folder.path(), &["sql", "--lake", "lake", "--date", DAY, "--format", "csv", "-c", &sql, "-q"]);
        csv.lines().nth(1).unwrap().to_owned()
    };
    // Windows of ten minutes: all of it in one. Fifty requests a window of 600 s pay (those that divide by 8).
    assert_eq!(observed("paths"), "0.083333,50");
    assert_eq!(observed("posts"), "0.1,100");
}

#[test]
fn slos_of_routes_count_each_request_of_their_route_once() {
    let folder = shop();
    let slo = |name: &str, route: &str, window: i64| {
        format!(
            "[[slo]]\nname = \"{name}\"\ntype = \"error_rate\"\ntarget = 0.05\nthreshold = 0.08\nwindow_seconds = {window}\n\
             route = \"{route}\"\n"
        )
    };
    // By slots of five minutes, by minutes, and a route that nobody asked for.
    let settings = slo("pay", "/pay", 300) + &slo("look", "/look", 300) + &slo("minutes", "/look", 60);
    std::fs::write(folder.path().join("tars.toml"), settings + &slo("none", "/none", 300)).unwrap();
    let csv =
        ok(folder.path(), &["slo", "budgets", "--lake", "lake", "--date", DAY, "--format", "csv", "-q"]);
    let at = |column: &str| csv.lines().next().unwrap().split(',').position(|c| c == column).unwrap();
    let counted = |slo: &str| {
        let line = csv.lines().find(|l| l.starts_with(&format!("{slo},"))).unwrap();
        let cell = |column: &str| line.split(',').nth(at(column)).unwrap().to_owned();
        format!("{} {}", cell("events"), cell("bad_events"))
    };
    // Of 0 .. 400: 50 divide by 8, 10 of them by 40, which are all that fail.
    assert_eq!(
        [counted("pay"), counted("look"), counted("minutes")],
        ["50.0 10.0", "350.0 0.0", "350.0 0.0"]
    );
    assert_eq!([counted("none"), counted("error_rate")], ["0.0 ", "400.0 10.0"]);
}

#[test]
fn a_request_that_takes_exactly_the_target_is_within_it() {
    let at = |i: usize| format!("2025-01-15T10:{:02}:{:02}Z", i / 60, i % 60);
    let line = |i: usize| {
        format!(
            "{{\"timestamp\":\"{}\",\"region\":\"eu\",\"service\":\"shop\",\"status_code\":200,\"duration_ms\":150}}\n",
            at(i)
        )
    };
    let folder = lake_of(&(0..100).map(line).collect::<String>());
    let args = ["slo", "budgets", "--slo", "api_latency_p95", "--lake", "lake", "--date", DAY, "-q"];
    for exact in [&[][..], &["--exact"]] {
        let table = ok(folder.path(), &[&args[..], &["--format", "csv"], exact].concat());
        // The target of the defaults is 150 ms: 100 events, none of them bad.
        assert!(table.contains(",100.0,0.0,"), "{table}");
    }
}

#[test]
fn the_events_of_one_series_at_a_time_are_searched_for_alerts() {
    let plan = ok(
        &demo().root,
        &[
            "sql",
            "--lake",
            "lake",
            "--date",
            DAY,
            "--format",
            "csv",
            "-q",
            "-c",
            "explain select * from slo_burn",
        ],
    );
    let search =
        plan.lines().find(|l| l.contains("AggregateExec") && l.contains("aggr=[burn_windows(")).unwrap();
    // Of a month of thousands of series all events at once do not fit into the memory limit.
    assert!(search.contains("ordering_mode=Sorted"), "{search}");
}

#[test]
fn a_condition_that_does_not_fit_the_rows_names_the_slo_the_key_and_the_columns() {
    let folder = shop();
    let said = |filter: &str| {
        let text = SLOS.replace("method = 'POST'", filter);
        std::fs::write(folder.path().join("tars.toml"), text).unwrap();
        let outcome = tars(folder.path(), &["slo", "--lake", "lake", "--date", DAY]);
        assert_ne!(outcome.code, Some(0));
        outcome.stderr
    };
    let unknown = said("methood = 'POST'");
    for part in ["SLO `posts`, key filter", "methood", "its columns are", "method", "attributes['tier']"] {
        assert!(unknown.contains(part), "{part} is not in {unknown}");
    }
    let aggregate = said("max(duration_ms) > 3");
    assert!(aggregate.contains("SLO `posts`, key filter"), "{aggregate}");
    let query = said("service in (select service from logs)");
    assert!(query.contains("slo[0].filter") && query.contains("a query within it"), "{query}");
}

#[test]
fn openslo_documents_count_beside_the_settings_and_come_back_from_an_export() {
    let folder = shop();
    let document = "apiVersion: openslo/v1
kind: DataSource
metadata: { name: other }
spec: { type: Prometheus }
---
apiVersion: openslo/v1
kind: SLO
metadata: { name: checkout }
spec:
  service: shop
  indicator:
    spec:
      ratioMetric:
        good: { metricSource: { type: tars, spec: { type: availability, filter: \"method = 'POST'\" } } }
        total: { metricSource: { type: tars, spec: { filter: \"method = 'POST'\" } } }
  timeWindow: [{ duration: 1d, calendar: { startTime: 2024-01-01 00:00:00, timeZone: UTC } }]
  budgetingMethod: Occurrences
  objectives: [{ targetPercent: 95 }]
";
    std::fs::create_dir(folder.path().join("slos")).unwrap();
    std::fs::write(folder.path().join("slos/shop.yaml"), document).unwrap();
    let args = ["slo", "budgets", "--lake", "lake", "--date", DAY, "--format", "csv", "--slo", "checkout"];
    let outcome = tars(folder.path(), &[&args[..], &["--slo-file", "slos"]].concat());
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("DataSource `other` is not used"), "{}", outcome.stderr);
    // 10 of 100 fail, 5 may.
    assert!(outcome.stdout.contains("checkout,eu,shop,day,UTC,"), "{}", outcome.stdout);
    assert!(outcome.stdout.contains(",missed,0.95,occurrences,0.9,"), "{}", outcome.stdout);

    let exported = ok(folder.path(), &["slo", "export", "--slo-file", "slos", "--format", "openslo"]);
    std::fs::write(folder.path().join("all.yaml"), &exported).unwrap();
    std::fs::write(folder.path().join("tars.toml"), "openslo = [\"all.yaml\"]\n").unwrap();
    assert_eq!(ok(folder.path(), &["slo", "export"]), exported);
    assert_eq!(ok(folder.path(), &[&args[..], &["-q"]].concat()), outcome.stdout);
    let refused = tars(folder.path(), &["slo", "export", "--slo-file", "missing.yaml"]);
    assert_eq!(refused.code, Some(5));
    assert!(refused.stderr.contains("missing.yaml"), "{}", refused.stderr);
}

#[test]
fn a_season_expects_what_the_same_hour_of_earlier_weeks_was() {
    // Three weeks, a request each five minutes: 20 ms, between 9:00 and 10:00 on Mondays 100; on the third Tuesday 100 at
    // 3:00. The first is a Monday.
    let mut lines = String::new();
    for slot in 0..21 * 288 {
        let (day, minute) = (slot / 288, slot % 288 * 5);
        let is_busy = day % 7 == 0 && minute / 60 == 9;
        let is_odd = day == 15 && minute == 180;
        // A little unrest, without which every step would be endlessly far.
        let ms = if is_busy || is_odd { 100 } else { 20 } + slot % 3;
        lines += &format!(
            "{{\"timestamp\":\"2025-01-{:02}T{:02}:{:02}:00Z\",\"region\":\"eu\",\"service\":\"shop\",\"status_code\":200,\
             \"duration_ms\":{ms}}}\n",
            day + 6,
            minute / 60,
            minute % 60
        );
    }
    let folder = lake_of(&lines);
    let found = |band: &str| {
        let text =
            format!("[detection]\nmin_samples = 1\n[[slo]]\nname = \"api_latency_p95\"\nband = \"{band}\"\n");
        std::fs::write(folder.path().join("tars.toml"), text).unwrap();
        let sql = "select window_start from slo_violations where slo = 'api_latency_p95' order by 1";
        let window = ["--from", "2025-01-06T00:00:00Z", "--to", "2025-01-27T00:00:00Z"];
        let args = ["sql", "--lake", "lake", "--format", "csv", "-q", "-c", sql];
        let csv = ok(folder.path(), &[&args[..], &window].concat());
        csv.lines().skip(1).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(found("season"), ["2025-01-21T03:00:00Z"]);
    let plain = found("bollinger");
    assert!(plain.contains(&"2025-01-20T09:00:00Z".to_owned()) && plain.len() > 1, "{plain:?}");
}

#[test]
fn a_metric_that_moved_before_a_violation_is_told_with_its_lead_and_others_are_not() {
    // Four hours of api: 40 requests of one latency in each five minutes, which climbs from slot 30 on. The processor is
    // busy two slots earlier; memory goes its own way, web stays as it is, and the processor of another region as well.
    let climb = |i: i64, from: i64| if (from..from + 12).contains(&i) { (i - from + 1).min(6) } else { 0 };
    let (mut requests, mut metrics) = (String::new(), String::new());
    for i in 0..48i64 {
        let at = |second: i64| {
            let second = i * 300 + second;
            format!("2025-01-15T{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60)
        };
        for (service, ms) in [("api", 100 + i * 7 % 5 * 5 + 40 * climb(i, 30)), ("web", 30 + i * 11 % 7)] {
            for k in 0..40 {
                requests += &format!(
                    "{{\"timestamp\":\"{}\",\"region\":\"eu\",\"service\":\"{service}\",\"status_code\":200,\"duration_ms\":{ms}}}\n",
                    at(k)
                );
            }
        }
        let calm = 20 + i * 3 % 4;
        for (region, metric, value) in [
            ("eu", "cpu_utilization", calm + 10 * climb(i, 28)),
            ("us", "cpu_utilization", calm),
            ("eu", "memory_utilization", 40 + i * 11 % 7),
        ] {
            metrics += &format!(
                "{{\"timestamp\":\"{}\",\"region\":\"{region}\",\"service\":\"api\",\"metric\":\"{metric}\",\"value\":{value},\"unit\":\"%\"}}\n",
                at(0)
            );
        }
    }
    let folder = lake_of(&requests);
    std::fs::write(folder.path().join("metrics.jsonl"), metrics).unwrap();
    ok(folder.path(), &["ingest", "--table", "metrics", "metrics.jsonl", "--lake", "lake", "-q"]);
    let args = [
        "slo",
        "correlations",
        "--slo",
        "api_latency_p95",
        "--lake",
        "lake",
        "--date",
        DAY,
        "--format",
        "csv",
        "-q",
    ];
    let csv = ok(folder.path(), &args);
    // python3, with i in 6 .. 44 as the slots of the processor and 8 .. 42 as those of the latency: the correlation of the
    // ranks (equal values share the mean of theirs) of latency[i + lag] and processor[i] for lag in -2 .. 2 is largest at
    // lag 2, 0.7214; statistics.median of the processor before slot 32, where the threshold is passed, 22, and from it on, 80.5.
    assert_eq!(
        csv.lines().skip(1).collect::<Vec<_>>(),
        ["api_latency_p95,eu,api,2025-01-15T02:40:00Z,1,api,cpu_utilization,0.7214,600,22.0,80.5,34"],
        "{csv}"
    );
    assert_eq!(csv, ok(folder.path(), &[&args[..], &["--threads", "1"]].concat()));
}

/// Ten minutes of a shop, two windows of a hundred requests: the latency of request k of a window is 100 + 37 k mod 101
/// and a bit, in no order; every fourth is a POST, which takes a second longer.
fn slow_shop() -> tempfile::TempDir {
    let mut lines = String::new();
    for i in 0..200 {
        let (is_post, ms) = (i % 4 == 0, 100.0 + f64::from(i * 37 % 101) + f64::from(i) / 1000.0);
        lines += &format!(
            "{{\"timestamp\":\"2025-01-15T10:{:02}:{:02}Z\",\"region\":\"eu\",\"service\":\"shop\",\"route\":\"/pay\",\
             \"method\":\"{}\",\"status_code\":200,\"duration_ms\":{:.3}}}\n",
            i / 100 * 5 + i % 100 / 60,
            i % 100 % 60,
            if is_post { "POST" } else { "GET" },
            if is_post { ms + 1000.0 } else { ms },
        );
    }
    lake_of(&lines)
}

#[test]
fn exact_percentiles_and_budgets_are_those_of_the_raw_rows_and_the_output_says_so() {
    let folder = slow_shop();
    let settings = "
[[slo]]
name = \"api_latency_p95\"
target = 1150
threshold = 1180
[[slo]]
name = \"gets\"
type = \"latency\"
percentile = 0.5
target = 150.5
threshold = 160
window_seconds = 600
filter = \"method = 'GET'\"
percentiles = \"exact\"
[[slo]]
name = \"pay\"
type = \"latency\"
percentile = 0.99
target = 1150
threshold = 1180
window_seconds = 300
route = \"/pay\"
budgeting = \"timeslices\"
";
    std::fs::write(folder.path().join("tars.toml"), settings).unwrap();
    let run = |args: &[&str]| {
        ok(folder.path(), &[args, &["--lake", "lake", "--date", DAY, "--format", "csv", "-q"]].concat())
    };
    let windows = |settings: &str| {
        std::fs::write(folder.path().join("tars.toml"), settings).unwrap();
        let sql = "select slo, window_position, observed, samples, round(good_share, 6) from slo_windows \
                   where observed is not null and slo in ('api_latency_p95', 'gets', 'pay') order by slo, window_position";
        run(&["sql", "-c", sql]).lines().skip(1).map(str::to_owned).collect::<Vec<_>>()
    };
    // python3: v = sorted(...) of each window; v[ceil(percentile * len(v)) - 1]; the share of v that is at most the target.
    let all_exact =
        settings.replace("name = \"api_latency_p95\"", "name = \"api_latency_p95\"\npercentiles = \"exact\"");
    assert_eq!(
        windows(&all_exact)[..3],
        [
            "api_latency_p95,120,1180.024,100,0.88".to_owned(),
            "api_latency_p95,121,1181.196,100,0.87".to_owned(),
            "gets,60,150.015,150,0.5".to_owned(),
        ]
    );
    let sketched = windows(settings);
    assert_eq!(sketched[2], "gets,60,150.015,150,0.5", "asked for in the settings");
    let observed = |line: &str| line.split(',').nth(2).unwrap().parse::<f64>().unwrap();
    for (line, exact) in sketched.iter().zip([1180.024, 1181.196]) {
        let relative = observed(line) / exact - 1.0;
        assert!(relative != 0.0 && relative.abs() < 0.01, "a sketch is near, not exact: {line}");
    }
    // 12 and 13 of 100 requests are slower than 1150 ms, of which 5 % may be.
    let exact = run(&["slo", "--exact"]);
    let line = |name: &str| exact.lines().find(|l| l.starts_with(name)).unwrap().to_owned();
    assert!(line("api_latency_p95").contains(",200.0,25.0,2.5,"), "{exact}");
    assert!(line("api_latency_p95").ends_with(",exact") && line("pay").ends_with(",exact"), "{exact}");
    assert!(line("error_rate").ends_with(",rollup"), "{exact}");
    assert!(run(&["slo"]).lines().any(|l| l.starts_with("api_latency_p95") && l.ends_with(",rollup")));
    assert_eq!(exact, run(&["slo", "--exact", "--threads", "1"]));
}

#[test]
fn a_season_goes_by_the_clocks_of_the_time_zone_of_the_slo() {
    // Busy on Mondays from 9:00 to 10:00 in Berlin, whose clocks go forward on Sunday 2025-03-30: from 8:00 UTC on the 17th and
    // the 24th, from 7:00 UTC on the 31st.
    let mut lines = String::new();
    for slot in 0..15 * 288 {
        let (day, minute) = (slot / 288, slot % 288 * 5);
        let busy_hour = if day < 13 { 8 } else { 7 };
        let ms = if day % 7 == 0 && minute / 60 == busy_hour { 100 } else { 20 } + slot % 3;
        lines += &format!(
            "{{\"timestamp\":\"2025-03-{:02}T{:02}:{:02}:00Z\",\"region\":\"eu\",\"service\":\"shop\",\"status_code\":200,\
             \"duration_ms\":{ms}}}\n",
            day + 17,
            minute / 60,
            minute % 60
        );
    }
    let folder = lake_of(&lines);
    let found = |zone: &str| {
        let text = format!(
            "[detection]\nmin_samples = 1\n[[slo]]\nname = \"api_latency_p95\"\nband = \"season\"\ntime_zone = \"{zone}\"\n"
        );
        std::fs::write(folder.path().join("tars.toml"), text).unwrap();
        let sql = "select distinct date_trunc('hour', window_start) from slo_violations \
                   where slo = 'api_latency_p95' order by 1";
        let window = ["--from", "2025-03-17T00:00:00Z", "--to", "2025-04-01T00:00:00Z"];
        let args = ["sql", "--lake", "lake", "--format", "csv", "-q", "-c", sql];
        let csv = ok(folder.path(), &[&args[..], &window].concat());
        csv.lines().skip(1).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(found("Europe/Berlin"), Vec::<String>::new());
    assert_eq!(found("UTC"), ["2025-03-31T07:00:00Z"]);
}
