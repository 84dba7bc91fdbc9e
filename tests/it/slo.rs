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
