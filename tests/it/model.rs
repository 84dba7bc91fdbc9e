//! The classifier through the real commands: learn from simulated incidents, judge, keep, explain, exchange.

use crate::support::{DAY, ok, tars, value};

#[test]
fn a_model_is_trained_judges_windows_and_travels_to_lightgbm_and_back() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    ok(at, &["simulate", "--quiet", "--rows", "40000", "--out", "day"]);
    ok(at, &["ingest", "--quiet", "day"]);

    // Without a model the rules answer, and the output says so.
    let judges = "select string_agg(distinct judged_by, ',') from verdicts";
    assert_eq!(value(at, "lake", judges), "rules");

    let report =
        ok(at, &["train", "--date", DAY, "--rounds", "20", "--folds", "2", "--report", "report.json"]);
    for part in
        ["| model |", "| rules |", "| linfa decision tree |", "## Confusion", "## Importances", "```text"]
    {
        assert!(report.contains(part), "`{part}` is not in:\n{report}");
    }
    let json: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(at.join("report.json")).unwrap()).unwrap();
    // One day has too few incidents to learn much from; how well models learn is for the benchmark. Here every window is judged once.
    let confusion = json["model"]["confusion"].as_array().unwrap();
    let judged: u64 =
        confusion.iter().flat_map(|row| row.as_array().unwrap()).map(|n| n.as_u64().unwrap()).sum();
    assert_eq!(judged, json["windows"].as_u64().unwrap(), "{report}");
    assert!(judged > 1_000, "{report}");

    let score = ["score", "--quiet", "--model", "tars-model.txt", "--date", DAY];
    assert!(ok(at, &score).contains("verdicts kept in predictions"));
    assert!(ok(at, &score).contains("nothing to do"), "scoring is done once");
    assert_eq!(value(at, "lake", "select string_agg(distinct judged_by, ',') from predictions"), "model");
    let sums = "select count(*) from predictions where abs(benign + performance_regression + environment_regression - 1) > 1e-9 \
                or factor_1 is null";
    assert_eq!(value(at, "lake", sums), "0");

    let shown = ok(at, &["model", "show", "tars-model.txt"]);
    assert!(shown.contains("macro_f1") && shown.contains("latency_delta"), "{shown}");
    ok(at, &["model", "export", "tars-model.txt", "--out", "lightgbm.txt"]);
    ok(at, &["model", "import", "lightgbm.txt", "--out", "imported.txt"]);
    let compared = ok(at, &["model", "compare", "tars-model.txt", "imported.txt"]);
    assert!(compared.contains("| macro_f1 |"), "{compared}");
    let judged = ok(at, &["model", "compare", "rules", "default", "--date", DAY]);
    assert!(judged.contains("| figure | rules | default | difference |"), "{judged}");
    assert!(judged.contains("| F1 PERFORMANCE_REGRESSION ("), "{judged}");
    let exported = std::fs::read_to_string(at.join("lightgbm.txt")).unwrap();
    assert!(exported.starts_with("tree\nversion=v4\n") && !exported.contains("tars_model"));
}

#[test]
fn labels_and_models_that_do_not_do_are_refused_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    std::fs::write(
        at.join("x.ndjson"),
        "{\"timestamp\":\"2025-01-15T00:00:00Z\",\"service\":\"api\",\"duration_ms\":1}\n",
    )
    .unwrap();
    ok(at, &["ingest", "--quiet", "x.ndjson"]);
    let check = |args: &[&str], code: i32, expected: &str| {
        let outcome = tars(at, args);
        assert_eq!(outcome.code, Some(code), "tars {args:?}\n{}", outcome.stderr);
        assert!(outcome.stderr.contains(expected) && outcome.stderr.contains("hint: "), "{}", outcome.stderr);
    };
    std::fs::write(at.join("none.ndjson"), "").unwrap();
    std::fs::write(at.join("bad.ndjson"), "{\"from\":\"now\"}\n").unwrap();
    let far =
        r#"{"service":"api","from":"2020-01-15T10:00:00Z","to":"2020-01-15T11:00:00Z","verdict":"BENIGN"}"#;
    std::fs::write(at.join("far.ndjson"), far).unwrap();
    check(&["train", "--incidents", "none.ndjson"], 9, "no window with telemetry is labelled by them");
    check(&["train", "--incidents", "far.ndjson"], 9, "no window with telemetry is labelled by them");
    check(&["train", "--incidents", "bad.ndjson"], 3, "incidents, line 1: ");
    check(&["train", "--incidents", "far.ndjson", "--date", DAY], 9, "at least two classes, got only BENIGN");
    check(
        &["sql", "--model", "bad.ndjson", "-c", "select 1"],
        9,
        "model `bad.ndjson`: model text, line 1: expected a first line `tree`",
    );
    let missing = "cannot read `gone.txt`";
    check(&["model", "compare", "default", "gone.txt"], 3, missing);
    // The lake is missing as well, and is more work to mend.
    check(&["score", "--model", "gone.txt", "--lake", "nowhere"], 3, missing);
    check(&["score", "--model", "default", "--lake", "nowhere"], 4, "lake `nowhere`");
}

#[test]
fn following_judges_each_window_once_and_goes_on_where_it_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let minutes = |from: i64, to: i64| -> String {
        (from * 6..to * 6)
            .map(|n| {
                let (minute, second) = (n / 6, n % 6 * 10);
                let time = format!("2025-01-15T{:02}:{:02}:{second:02}Z", minute / 60, minute % 60);
                format!("{{\"timestamp\":\"{time}\",\"service\":\"api\",\"status_code\":200,\"duration_ms\":10}}\n")
            })
            .collect()
    };
    std::fs::write(at.join("one.ndjson"), minutes(0, 92)).unwrap();
    std::fs::write(at.join("two.ndjson"), minutes(92, 104)).unwrap();
    let follow = ["score", "--quiet", "--follow", "--until-idle", "10ms", "--baseline-span", "1h"];
    let windows = |text: &str| -> Vec<String> {
        let start = |line: &str| {
            let row: serde_json::Value = serde_json::from_str(line).unwrap();
            assert_eq!(row["verdict"], "BENIGN", "{line}");
            row["window_start"].as_str().unwrap()[11..16].to_owned()
        };
        text.lines().map(start).collect()
    };
    ok(at, &["ingest", "--quiet", "one.ndjson"]);
    assert_eq!(windows(&ok(at, &follow)), ["01:25"], "the last window that is over");
    assert_eq!(windows(&ok(at, &follow)), [""; 0]);
    ok(at, &["ingest", "--quiet", "two.ndjson"]);
    assert_eq!(windows(&ok(at, &follow)), ["01:30", "01:35"]);
    assert_eq!(value(at, "lake", "select count(*) from predictions"), "3");
    let since = [&follow[..], &["--since", "2025-01-15T01:10:00Z"]].concat();
    assert_eq!(windows(&ok(at, &since)).len(), 6, "asked for, they are judged again");
}
