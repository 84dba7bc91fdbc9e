//! `tars compare` and `tars changes`: verdicts on cases whose answer is known, exit codes, and formats.

use std::fmt::Write;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{DAY, Outcome, demo, ok, tars};

/// Requests of a side in each minute.
const PER_MINUTE: usize = 40;
/// Requests of a side in its hour.
const REQUESTS: usize = 60 * PER_MINUTE;

/// What a version does in an hour.
struct Version {
    name: &'static str,
    /// Latency of a minute around 100 ms, by how far minutes are apart.
    spread: f64,
    /// Added to every latency.
    slower: f64,
    /// Requests that fail.
    errors: usize,
}

const GOOD: Version = Version { name: "1.0.0", spread: 1.0, slower: 0.0, errors: 0 };

/// A lake with two versions side by side.
fn lake(versions: [Version; 2]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut lines = String::new();
    for version in versions {
        for minute in 0..60 {
            // 60 latencies symmetric around 100 ms, shuffled.
            let place = f64::from(minute * 37 % 60) - 29.5;
            for request in 0..PER_MINUTE {
                let number = minute as usize * PER_MINUTE + request;
                let jitter = (number * 53 % 41) as f64 / 10.0;
                let ms = 100.0 + version.slower + place * version.spread + jitter;
                let status = if number * 7919 % REQUESTS < version.errors { 503 } else { 200 };
                writeln!(
                    lines,
                    "{{\"timestamp\":\"2025-01-15T08:{minute:02}:{:02}Z\",\"region\":\"eu\",\"service\":\"shop\",\"version\":\"{}\",\
                     \"duration_ms\":{ms},\"status_code\":{status},\"request_id\":\"{}-{number}\"}}",
                    request % 60, version.name, version.name
                )
                .unwrap();
            }
        }
    }
    std::fs::write(folder.path().join("shop.ndjson"), lines).unwrap();
    ok(folder.path(), &["ingest", "--lake", "lake", "shop.ndjson"]);
    folder
}

fn compare(at: &Path, more: &[&str]) -> Outcome {
    let sides = [
        "compare",
        "--lake",
        "lake",
        "--baseline",
        "version=1.0.0",
        "--candidate",
        "version=1.1.0",
        "--date",
        DAY,
    ];
    tars(at, &[&sides[..], more].concat())
}

/// The rows of a comparison.
fn rows(at: &Path) -> Vec<Value> {
    let outcome = compare(at, &["--format", "json", "-q"]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    serde_json::from_str(&outcome.stdout).unwrap()
}

fn row<'a>(rows: &'a [Value], metric: &str, test: &str) -> &'a Value {
    rows.iter()
        .find(|r| r["metric"] == metric && r["test"] == test)
        .unwrap_or_else(|| panic!("{metric} {test}: {rows:?}"))
}

/// Memory of a service in an hour: 40 to 41 percent while it serves with one version, 60 to 61 with the next.
#[test]
fn what_machines_measure_belongs_to_the_version_that_served_alone_or_that_their_labels_name() {
    let folder = tempfile::tempdir().unwrap();
    let (mut logs, mut metrics) = (String::new(), String::new());
    for minute in 0..60 {
        // Both serve from 08:28 to 08:32; what is measured then is of neither, unless it says so.
        let serving: &[&str] = match minute {
            0..28 => &["1.0.0"],
            28..32 => &["1.0.0", "1.1.0"],
            _ => &["1.1.0"],
        };
        for version in serving {
            writeln!(
                logs,
                "{{\"timestamp\":\"2025-01-15T08:{minute:02}:10Z\",\"region\":\"eu\",\"service\":\"shop\",\"version\":\"{version}\",\
                 \"duration_ms\":100,\"status_code\":200}}"
            )
            .unwrap();
        }
        let percent = if minute < 30 { 40.0 } else { 60.0 } + f64::from(minute % 10) / 10.0;
        let (percent, labels) = match minute {
            // One sample that two versions share says which it is of, another does not and would be far off.
            29 => (40.5, ",\"labels\":{\"version\":\"1.0.0\"}"),
            30 => (99.0, ""),
            _ => (percent, ""),
        };
        writeln!(
            metrics,
            "{{\"timestamp\":\"2025-01-15T08:{minute:02}:30Z\",\"region\":\"eu\",\"service\":\"shop\",\"metric\":\"memory_utilization\",\
             \"value\":{percent},\"unit\":\"percent\"{labels}}}"
        )
        .unwrap();
    }
    std::fs::write(folder.path().join("logs.ndjson"), logs).unwrap();
    std::fs::write(folder.path().join("metrics.ndjson"), metrics).unwrap();
    ok(folder.path(), &["ingest", "--lake", "lake", "logs.ndjson", "metrics.ndjson"]);
    let rows = rows(folder.path());
    let memory = row(&rows, "memory_utilization", "shift");
    // 28 minutes of the first version alone and its one labelled sample; 28 of the second.
    assert_eq!((&memory["baseline_n"], &memory["candidate_n"]), (&29.into(), &28.into()), "{memory}");
    assert_eq!(memory["verdict"], "worse", "{memory}");
    let shift = memory["effect"].as_f64().unwrap();
    assert!((shift - 20.0).abs() < 0.11, "{memory}");
}

#[test]
fn a_version_that_does_the_same_passes() {
    let folder = lake([GOOD, Version { name: "1.1.0", ..GOOD }]);
    let rows = rows(folder.path());
    // A minute of 40 requests has no p99 worth the name.
    let expected = |r: &Value| if r["metric"] == "api_latency_p99" { "no data" } else { "same" };
    assert!(rows.iter().all(|r| r["verdict"] == expected(r)), "{rows:?}");
    let shift = row(&rows, "api_latency_p95", "shift");
    assert_eq!((shift["effect"].as_f64(), shift["statistic"].as_f64()), (Some(0.0), Some(0.5)));
    let outcome = compare(folder.path(), &["--fail-on", "unclear"]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("verdict: no difference that matters"), "{}", outcome.stderr);
}

#[test]
fn equal_medians_with_very_different_spread_do_not_pass() {
    let folder = lake([GOOD, Version { name: "1.1.0", spread: 3.0, ..GOOD }]);
    let rows = rows(folder.path());
    assert_eq!(row(&rows, "api_latency_p50", "shift")["verdict"], "same");
    let spread = row(&rows, "api_latency_p50", "spread");
    assert_eq!(spread["verdict"], "worse");
    assert!((spread["effect"].as_f64().unwrap() - 3.0).abs() < 0.2, "{spread:?}");
    let outcome = compare(folder.path(), &["--fail-on", "worse"]);
    assert_eq!(outcome.code, Some(8), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("api_latency_p50 worse (spread)"), "{}", outcome.stderr);
    assert!(outcome.stdout.contains("api_latency_p50"), "the result is written all the same");
    // Minutes lie 15 ms from their median on average, then 45: 30 ms further, which a floor may call too little.
    for (floor, verdict) in [("25.0", "worse"), ("35.0", "same")] {
        let config =
            format!("[[drift]]\nname = \"api_latency_p50\"\ncategory = \"performance\"\nfloor = {floor}\n");
        std::fs::write(folder.path().join("tars.toml"), config).unwrap();
        assert_eq!(
            row(&self::rows(folder.path()), "api_latency_p50", "spread")["verdict"],
            verdict,
            "{floor}"
        );
    }
}

#[test]
fn rare_errors_against_an_error_free_baseline_are_judged_by_counts() {
    let folder = lake([GOOD, Version { name: "1.1.0", errors: 14, ..GOOD }]);
    let rows = rows(folder.path());
    let errors = row(&rows, "error_rate", "counts");
    // scipy.stats.fisher_exact([[0, 2400], [14, 2386]]).pvalue
    let expected = 0.000_119_771_454_583_070_12;
    assert!((errors["p"].as_f64().unwrap() / expected - 1.0).abs() < 1e-6, "{errors:?}");
    assert_eq!((errors["verdict"].as_str(), errors["baseline"].as_f64()), (Some("worse"), Some(0.0)));
    // statsmodels.stats.proportion.confint_proportions_2indep(14, 2400, 0, 2400, method="newcomb")
    for (end, expected) in
        [("effect_low", 0.002_987_050_334_638_068_3), ("effect_high", 0.009_768_065_952_936_058)]
    {
        assert!((errors[end].as_f64().unwrap() - expected).abs() < 1e-6, "{end}: {errors:?}");
    }
    assert!(rows.iter().all(|r| r["verdict"] != "worse" || r["metric"] == "error_rate"), "{rows:?}");
}

#[test]
fn too_few_errors_to_be_sure_are_unclear_rather_than_the_same() {
    let folder = lake([GOOD, Version { name: "1.1.0", errors: 2, ..GOOD }]);
    assert_eq!(row(&rows(folder.path()), "error_rate", "counts")["verdict"], "unclear");
    assert_eq!(compare(folder.path(), &["--fail-on", "changed", "-q"]).code, Some(0));
    assert_eq!(compare(folder.path(), &["--fail-on", "unclear", "-q"]).code, Some(8));
}

#[test]
fn a_slower_version_is_worse_by_as_much_as_it_is_slower_within_the_interval() {
    let folder = lake([GOOD, Version { name: "1.1.0", slower: 40.0, ..GOOD }]);
    let rows = rows(folder.path());
    let shift = row(&rows, "api_latency_p50", "shift");
    let of = |key: &str| shift[key].as_f64().unwrap();
    assert_eq!(shift["verdict"], "worse");
    assert!(of("effect_low") < of("effect") && of("effect") < of("effect_high"), "{shift:?}");
    assert!((of("effect") - 40.0).abs() < 3.0 && of("adjusted_p") >= of("p"), "{shift:?}");
    assert_eq!(row(&rows, "api_latency", "distribution")["verdict"], "changed");
}

#[test]
fn nothing_to_compare_is_no_pass_and_sides_that_make_no_sense_are_refused() {
    let folder = lake([GOOD, Version { name: "1.2.0", ..GOOD }]);
    let outcome = compare(folder.path(), &["--fail-on", "worse"]);
    assert_eq!(outcome.code, Some(8), "{}", outcome.stderr);
    assert!(
        outcome.stdout.contains("no data") && outcome.stderr.contains("cannot be judged"),
        "{}",
        outcome.stderr
    );
    for (baseline, candidate, expected) in [
        ("region=eu", "region=eu", "two different sides"),
        ("pod=a", "region=eu", "expected region=NAME"),
        (
            "2025-01-15T09:00:00Z..2025-01-15T10:00:00Z",
            "2025-01-15T08:00:00Z..2025-01-15T09:00:00Z",
            "ends no later",
        ),
    ] {
        let args = ["compare", "--lake", "lake", "--baseline", baseline, "--candidate", candidate];
        let outcome = tars(folder.path(), &args);
        assert_eq!(outcome.code, Some(2), "{}", outcome.stderr);
        assert!(outcome.stderr.contains(expected), "{}", outcome.stderr);
    }
}

#[test]
fn two_regions_and_two_windows_compare_in_every_format_and_at_any_thread_count() {
    let run = |args: &[&str]| ok(&demo().root, &[&["compare", "--lake", "lake", "-q"], args].concat());
    let regions = ["--baseline", "region=us-east-1", "--candidate", "region=eu-central-1", "--date", DAY];
    let with = |more: &[&'static str]| run(&[&regions[..], more].concat());
    let csv = with(&["--format", "csv", "--threads", "1"]);
    assert_eq!(csv, with(&["--format", "csv", "--threads", "4"]));
    assert!(csv.starts_with(
        "metric,test,verdict,baseline,candidate,effect,effect_low,effect_high,unit,statistic,p,"
    ));
    assert!(csv.contains("cpu_utilization,shift,") && !csv.contains("request_rate"), "{csv}");
    assert_eq!(with(&["--format", "md"]).lines().count(), csv.lines().count() + 1);
    let json: Value = serde_json::from_str(&with(&["--format", "json"])).unwrap();
    assert_eq!(json.as_array().unwrap().len(), csv.lines().count() - 1);
    let windows = run(&[
        "--baseline",
        "2025-01-15T02:00:00Z..2025-01-15T04:00:00Z",
        "--candidate",
        "2025-01-15T04:00:00Z..2025-01-15T06:00:00Z",
        "--format",
        "csv",
    ]);
    assert!(windows.contains("request_rate,shift,"), "{windows}");
}

#[test]
fn changes_name_when_by_how_much_and_what_was_changed_before() {
    let folder = tempfile::tempdir().unwrap();
    let mut lines = String::new();
    for k in 0..288 {
        let ms = if (120..180).contains(&k) { 140.0 } else { 100.0 } + f64::from(k * 37 % 11);
        let (hour, minute) = (k / 12, k % 12 * 5);
        for request in 0..5 {
            writeln!(
                lines,
                "{{\"timestamp\":\"2025-01-15T{hour:02}:{minute:02}:{request:02}Z\",\"region\":\"eu\",\"service\":\"shop\",\
                 \"duration_ms\":{ms},\"status_code\":200,\"request_id\":\"{k}-{request}\"}}"
            )
            .unwrap();
        }
    }
    std::fs::write(folder.path().join("shop.ndjson"), lines).unwrap();
    let change = |at: &str, id: &str, kind: &str, success: bool| {
        format!(
            "{{\"timestamp\":\"2025-01-15T{at}Z\",\"region\":\"eu\",\"service\":\"shop\",\"change_id\":\"{id}\",\"kind\":\"{kind}\",\
             \"version\":\"1.1.0\",\"success\":{success}}}\n"
        )
    };
    let changes = change("03:00:00", "c1", "config", true)
        + &change("09:58:00", "c2", "deployment", true)
        + &change("09:59:00", "c3", "config", false);
    std::fs::write(folder.path().join("changes.ndjson"), changes).unwrap();
    ok(folder.path(), &["ingest", "--lake", "lake", "shop.ndjson"]);
    ok(folder.path(), &["ingest", "--lake", "lake", "--table", "changes", "changes.ndjson"]);

    let run = |more: &[&str]| -> Vec<Value> {
        let args = ["changes", "--lake", "lake", "--date", DAY, "-q", "--format", "json"];
        serde_json::from_str(&ok(folder.path(), &[&args[..], more].concat())).unwrap()
    };
    let rows = run(&[]);
    assert_eq!(rows.len(), 2, "{rows:?}");
    let up = &rows[0];
    assert_eq!(
        (up["changed_at"].as_str(), up["name"].as_str()),
        (Some("2025-01-15T10:00:00Z"), Some("api_latency_p95"))
    );
    assert!(
        (up["before"].as_f64().unwrap() - 105.0).abs() < 1.1
            && (up["after"].as_f64().unwrap() - 145.0).abs() < 1.5
    );
    assert_eq!((up["cause"].as_str(), up["cause_id"].as_str()), (Some("deployment"), Some("c2")));
    assert_eq!((up["changes_before"].as_i64(), up["went_away"].as_bool()), (Some(1), Some(true)));
    assert_eq!(up["went_away_at"].as_str(), Some("2025-01-15T15:00:00Z"));
    // Nothing was changed in the minute before it fell back, and seven hours before it rose there was another change.
    assert_eq!(run(&["--lookback", "1m"])[1]["cause"], Value::Null);
    assert_eq!(run(&["--lookback", "8h"])[0]["changes_before"].as_i64(), Some(2));
    assert!(run(&["--metric", "error_rate"]).is_empty());
    // With a threshold of 60 % the step of two fifths is small.
    let config =
        "[[drift]]\nname = \"api_latency_p95\"\ncategory = \"performance\"\nthreshold_percent = 60.0\n";
    std::fs::write(folder.path().join("tars.toml"), config).unwrap();
    assert_eq!(run(&[]), Vec::<Value>::new());
    assert_eq!(run(&["--all"]).len(), 2);
    let refused = tars(folder.path(), &["changes", "--lake", "lake", "--interval", "90s"]);
    assert_eq!(refused.code, Some(2));
    assert!(refused.stderr.contains("--interval: expected whole minutes"), "{}", refused.stderr);
}
