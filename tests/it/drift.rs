//! `tars kpi`, `tars drift`, `tars baseline`, `tars regions`: documents and their shape, and the same bytes at any thread count.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{DAY, demo, ok, tars};

/// A lake of two quiet hours, for commands that write to it.
fn quiet() -> (TempDir, &'static str) {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("telemetry");
    let out = out.to_str().unwrap();
    ok(folder.path(), &["simulate", "--out", out, "--hours", "2", "--rows", "6000", "--quiet-world", "-q"]);
    ok(folder.path(), &["ingest", "--lake", "lake", &format!("{out}/*.ndjson"), "-q"]);
    (folder, "lake")
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect()
}

/// Documents of the demo's day, made once.
fn documents(verb: &'static str) -> PathBuf {
    static FOLDER: OnceLock<TempDir> = OnceLock::new();
    static KPI: OnceLock<()> = OnceLock::new();
    static DRIFT: OnceLock<()> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| tempfile::tempdir().unwrap()).path().join(verb);
    let made = if verb == "kpi" { &KPI } else { &DRIFT };
    made.get_or_init(|| {
        let out = folder.to_str().unwrap();
        let mut args = vec![verb, "--lake", "lake", "--date", DAY, "--out", out, "-q", "--threads", "2"];
        // The demo holds one day, so that a part of it stands in for the past.
        if verb == "drift" {
            args.extend(["--baseline-from", "2025-01-15T00:00:00Z", "--baseline-to", "2025-01-15T06:00:00Z"]);
        }
        ok(&demo().root, &args);
    });
    folder
}

#[test]
fn a_day_of_key_figures_is_288_snapshots_a_baseline_and_a_summary_with_its_hash() {
    let folder = documents("kpi");
    let names = names(&folder);
    let others = ["baseline_metrics.json", "ga_kpi_summary.json", "ga_kpi_summary.json.sha256"];
    let expected: BTreeSet<String> =
        (1..=288).map(|n| format!("snapshot_{n:04}.json")).chain(others.map(str::to_owned)).collect();
    assert_eq!(names, expected);

    let snapshot = json(&folder.join("snapshot_0144.json"));
    assert_eq!(snapshot["timestamp"], "2025-01-15T12:00:00Z");
    for name in [
        "cluster_cpu_cores",
        "cluster_memory_gb",
        "cluster_cpu_utilization",
        "cluster_memory_utilization",
        "node_count",
        "node_pressure_count",
        "estimated_cost_per_hour",
    ] {
        assert!(snapshot["infrastructure"][name].is_number(), "{name}: {}", snapshot["infrastructure"]);
    }
    // The demo's regions have 416 cores and 1664 GB: 416 * 0.10 + 1664 * 0.02.
    assert_eq!(snapshot["infrastructure"]["estimated_cost_per_hour"], 74.88);
    let regions = snapshot["cross_region"].as_array().unwrap();
    assert_eq!((regions.len(), &regions[0]["region_name"]), (6, &Value::from("us-east-1")));
    for region in regions {
        for name in [
            "availability",
            "error_rate",
            "p95_latency_ms",
            "request_count",
            "delta_from_primary",
            "timestamp",
        ] {
            assert!(region.get(name).is_some(), "{name}: {region}");
        }
    }
    let share: f64 =
        snapshot["request_distribution"].as_object().unwrap().values().filter_map(Value::as_f64).sum();
    assert!((share - 1.0).abs() < 1e-9, "{share}");

    // The hash is that of the file, as sha256sum prints it.
    use sha2::Digest;
    let summary = std::fs::read(folder.join("ga_kpi_summary.json")).unwrap();
    let hash: String = sha2::Sha256::digest(&summary).iter().map(|byte| format!("{byte:02x}")).collect();
    let listed = std::fs::read_to_string(folder.join("ga_kpi_summary.json.sha256")).unwrap();
    assert_eq!(listed, format!("{hash}  ga_kpi_summary.json\n"));
    assert_eq!(json(&folder.join("ga_kpi_summary.json"))["total_snapshots"], 288);
}

#[test]
fn requests_of_all_snapshots_add_up_to_those_of_the_summary() {
    let folder = documents("kpi");
    let count = |n: usize| {
        let snapshot = json(&folder.join(format!("snapshot_{n:04}.json")));
        let regions: i64 = snapshot["cross_region"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|r| r["request_count"].as_i64())
            .sum();
        assert_eq!(snapshot["performance"]["request_count"].as_i64().unwrap_or_default(), regions, "{n}");
        regions
    };
    let total: i64 = (1..=288).map(count).sum();
    let summary = json(&folder.join("ga_kpi_summary.json"));
    assert_eq!(summary["overall"]["requests"].as_i64(), Some(total));
}

#[test]
fn a_day_of_drift_checks_adds_up_to_its_analysis() {
    let folder = documents("drift");
    let analysis = json(&folder.join("drift_analysis.json"));
    let count = |document: &Value, name: &str| document[name].as_i64().unwrap();
    let fields = [
        "total_checks",
        "total_drifts",
        "critical_drifts",
        "warning_drifts",
        "ok_checks",
        "unmeasured_checks",
    ];
    let mut sums = [0; 6];
    for n in 1..=288 {
        let check = json(&folder.join(format!("drift_check_{n:04}.json")));
        assert_eq!(count(&check, "check_number"), n);
        for (sum, field) in sums.iter_mut().zip(fields) {
            *sum += count(&check, field);
        }
    }
    assert_eq!(sums, fields.map(|field| count(&analysis, field)));
    assert_eq!(sums[0], sums[1] + sums[4]);
    assert_eq!(sums[1], sums[2] + sums[3]);
    let by_category: i64 =
        analysis["drift_categories"].as_object().unwrap().values().filter_map(Value::as_i64).sum();
    assert_eq!(by_category, sums[1]);
    assert!(count(&analysis, "critical_drifts") > 0, "the demo has faults");
    let top = analysis["top_drifts"].as_array().unwrap();
    assert_eq!(top.len(), 10);
    for drift in top {
        for name in [
            "name",
            "category",
            "baseline_value",
            "current_value",
            "drift_percent",
            "threshold_percent",
            "status",
            "timestamp",
        ] {
            assert!(drift.get(name).is_some(), "{name}: {drift}");
        }
    }
    assert!(!analysis["mitigation_actions"].as_array().unwrap().is_empty());
    assert_eq!(analysis["start_time"], "2025-01-15T00:00:00Z");
    assert_eq!(analysis["duration_hours"], 24.0);

    // Every drifted check is one of an episode, and the first thing to read is an episode.
    let episodes = analysis["episodes"].as_array().unwrap();
    assert_eq!(analysis["total_episodes"].as_u64(), Some(episodes.len() as u64));
    assert_eq!(
        episodes.iter().map(|e| e["checks"].as_i64().unwrap()).sum::<i64>(),
        count(&analysis, "total_drifts")
    );
    assert!(episodes.iter().all(|e| e["started"].as_str() < e["ended"].as_str()), "{episodes:?}");
    let text = std::fs::read_to_string(folder.join("drift_analysis.md")).unwrap();
    let headings: Vec<_> = text.lines().filter(|line| line.starts_with("## ")).collect();
    assert_eq!(headings, ["## What drifted", "## By category", "## Top drifts", "## What to do"]);
}

#[test]
fn a_day_that_is_compared_with_a_part_of_itself_says_so() {
    let (folder, lake) = quiet();
    let window = ["--from", "2025-01-15T00:00:00Z", "--to", "2025-01-15T02:00:00Z"];
    let drift = |more: &[&str]| tars(folder.path(), &[&["drift", "--lake", lake], more].concat());
    let own = drift(&window);
    assert_eq!(own.code, Some(0), "{}", own.stderr);
    assert!(own.stderr.contains("warning: the lake holds nothing of 2025-01-14T22:00:00Z"), "{}", own.stderr);
    for more in [
        &["--baseline", "first", window[0], window[1], window[2], window[3]][..],
        &["--from", "2025-01-15T01:00:00Z", "--to", "2025-01-15T02:00:00Z"],
    ] {
        let told = drift(more);
        assert_eq!(told.code, Some(0), "{}", told.stderr);
        assert!(!told.stderr.contains("warning"), "{}", told.stderr);
    }
}

#[test]
fn a_quiet_world_does_not_drift_and_the_documents_are_the_same_at_any_thread_count() {
    let (folder, lake) = quiet();
    let window = ["--from", "2025-01-15T00:00:00Z", "--to", "2025-01-15T02:00:00Z"];
    let past = ["--baseline-from", "2025-01-15T00:00:00Z", "--baseline-to", "2025-01-15T01:00:00Z"];
    let mut made = Vec::new();
    for threads in ["1", "2", "7"] {
        for verb in ["kpi", "drift"] {
            let out = format!("{verb}-{threads}");
            let mut args = vec![verb, "--lake", lake, "--out", &out, "--threads", threads, "-q"];
            args.extend(window);
            args.extend(past);
            ok(folder.path(), &args);
            let files = names(&folder.path().join(&out));
            let files = files.into_iter().map(|f| {
                let bytes = std::fs::read(folder.path().join(&out).join(&f)).unwrap();
                (f, bytes)
            });
            made.push((verb.to_owned(), files.collect::<Vec<_>>()));
        }
    }
    for verb in ["kpi", "drift"] {
        let all: Vec<_> = made.iter().filter(|(v, _)| v == verb).map(|(_, files)| files).collect();
        assert!(all[0] == all[1] && all[1] == all[2], "{verb}");
    }
    let analysis = json(&folder.path().join("drift-1/drift_analysis.json"));
    assert_eq!(
        (&analysis["total_drifts"], &analysis["check_runs"]),
        (&Value::from(0), &Value::from(24)),
        "{analysis}"
    );
    assert!(analysis["total_checks"].as_i64().unwrap() > 10_000);
    assert!(analysis["mitigation_actions"].as_array().unwrap().is_empty());
    let calm =
        [&["drift", "--lake", lake, "--fail-on", "warning", "-q"][..], &window[..], &past[..]].concat();
    ok(folder.path(), &calm);
}

#[test]
fn baselines_have_versions_that_can_be_compared_rolled_back_and_carried_to_another_lake() {
    let (folder, lake) = quiet();
    let root = folder.path();
    let set = |from: &str, to: &str| {
        ok(root, &["baseline", "set", "ga", "--lake", lake, "--from", from, "--to", to, "-q"])
    };
    assert!(
        set("2025-01-15T00:00:00Z", "2025-01-15T01:00:00Z")
            .starts_with("baseline ga@1 of 2025-01-15T00:00:00Z")
    );
    assert!(set("2025-01-15T01:00:00Z", "2025-01-15T02:00:00Z").starts_with("baseline ga@2"));
    let show = |place: &str, which: &str| {
        ok(root, &["baseline", "show", which, "--lake", place, "--format", "csv", "-q"])
    };
    assert_eq!(show(lake, "ga"), show(lake, "ga@2"));
    assert_ne!(show(lake, "ga@1"), show(lake, "ga@2"));
    ok(root, &["baseline", "rollback", "ga", "--to", "1", "--lake", lake, "-q"]);
    assert_eq!(show(lake, "ga@1"), show(lake, "ga"));
    let differ = |to: &str| {
        let csv = ok(root, &["baseline", "diff", "ga@1", to, "--lake", lake, "--format", "csv", "-q"]);
        csv.lines().count() - 1
    };
    assert_eq!(differ("ga@3"), 0);
    assert!(differ("ga@2") > 0);

    // From one lake to another, by file.
    let (other_folder, _) = quiet();
    let other = other_folder.path().join("lake");
    let other = other.to_str().unwrap();
    ok(root, &["baseline", "export", "ga@1", "--output", "ga.parquet", "--lake", lake, "-q"]);
    ok(root, &["baseline", "import", "carried", "--file", "ga.parquet", "--lake", other, "-q"]);
    assert_eq!(show(lake, "ga@1"), show(other, "carried"));

    // Against the kept baseline as against the same hours, figure by figure.
    let drift = |more: &[&str]| -> Value {
        let window = ["--from", "2025-01-15T01:00:00Z", "--to", "2025-01-15T02:00:00Z", "--format", "json"];
        let args = [&["drift", "--lake", lake, "-q"][..], &window[..], more].concat();
        serde_json::from_str(&ok(root, &args)).unwrap()
    };
    let kept = drift(&["--baseline", "ga@1"]);
    let live = drift(&["--baseline-from", "2025-01-15T00:00:00Z", "--baseline-to", "2025-01-15T01:00:00Z"]);
    for field in
        ["total_checks", "ok_checks", "total_drifts", "unmeasured_checks", "top_drifts", "baseline_timestamp"]
    {
        assert_eq!(kept[field], live[field], "{field}");
    }
    assert_eq!(
        (&kept["baseline"]["name"], &kept["baseline"]["version"]),
        (&Value::from("ga"), &Value::from(1))
    );
    assert_eq!(kept["baseline"]["stale"], false);
    assert_eq!(kept["missing"]["route_slow_requests"], Value::Null);
    // One that was exported before routes were kept has none, says so, and is good for all else.
    let older = "select * exclude (route, slow_from, pooled) from 'ga.parquet' where route is null";
    ok(root, &["sql", "-c", older, "--format", "parquet", "--output", "older.parquet", "--lake", lake, "-q"]);
    ok(root, &["baseline", "import", "older", "--file", "older.parquet", "--lake", lake, "-q"]);
    let older = drift(&["--baseline", "older"]);
    let reason = older["missing"]["route_slow_requests"].as_str().unwrap();
    assert!(reason.contains("the kept baseline has no routes"), "{reason}");
    let checks = |analysis: &Value| analysis["total_checks"].as_i64().unwrap();
    assert!(checks(&older) > 0 && checks(&older) < checks(&kept));

    let list =
        |now: &str| ok(root, &["baseline", "list", "--lake", lake, "--now", now, "--format", "csv", "-q"]);
    assert!(list("2025-01-16T00:00:00Z").lines().skip(1).all(|l| l.contains(",fresh,")));
    assert!(list("2025-01-22T02:00:00Z").lines().skip(1).all(|l| l.contains(",stale,")));
    let now = ["--now", "2025-01-16T00:00:00Z"];
    let json =
        ok(root, &[&["baseline", "list", "--lake", lake, "--format", "json", "-q"][..], &now].concat());
    let listed: Value = serde_json::from_str(&json).unwrap();
    assert!(listed[0]["age_days"].is_number(), "{json}");
}

#[test]
fn a_document_of_key_figures_is_a_baseline_judged_by_size_alone() {
    let (folder, lake) = quiet();
    let root = folder.path();
    let window = ["--from", "2025-01-15T00:00:00Z", "--to", "2025-01-15T02:00:00Z"];
    ok(root, &[&["kpi", "--lake", lake, "--out", "kpis", "-q"][..], &window[..]].concat());
    let import = ["baseline", "import", "first", "--lake", lake, "--file", "kpis/baseline_metrics.json"];
    // `first` means a stretch of time.
    let refused = tars(root, &import);
    assert_eq!(refused.code, Some(2), "{}", refused.stderr);
    assert!(refused.stderr.contains("other than previous, last-week, first"), "{}", refused.stderr);
    let import = ["baseline", "import", "staging", "--lake", lake, "--file", "kpis/baseline_metrics.json"];
    assert!(ok(root, &import).contains("9 figures"));
    let args =
        [&["drift", "--lake", lake, "--baseline", "staging", "--format", "json", "-q"][..], &window[..]]
            .concat();
    let analysis: Value = serde_json::from_str(&ok(root, &args)).unwrap();
    // The first check compares the interval with itself.
    assert!(analysis["total_checks"].as_i64().unwrap() >= 24 * 7, "{analysis}");
    assert_eq!(analysis["baseline"]["name"], "staging");
}

#[test]
fn what_is_asked_for_wrongly_is_refused_with_what_to_write() {
    let (folder, lake) = quiet();
    let check = |args: &[&str], code: i32, says: &str| {
        let outcome = tars(folder.path(), &[args, &["--lake", lake]].concat());
        assert_eq!(outcome.code, Some(code), "{args:?}: {}", outcome.stderr);
        assert!(outcome.stderr.contains(says), "{args:?}: {}", outcome.stderr);
    };
    check(&["drift", "--checks-every", "90s"], 2, "expected whole minutes");
    check(&["kpi", "--interval", "2d", "--out", "x"], 2, "at most the window");
    check(&["drift", "--baseline", "ga"], 2, "expected one that the lake keeps, which are: none");
    check(&["baseline", "show", "no name"], 2, "letters, digits");
    check(&["baseline", "rollback", "ga", "--to", "1"], 2, "tars baseline list");
    check(&["baseline", "import", "ga", "--file", "ga.parquet"], 2, "(.json), got no such file");
    std::fs::write(folder.path().join("ga.txt"), "figures").unwrap();
    check(&["baseline", "import", "ga", "--file", "ga.txt"], 2, "got a file of another kind");
}

#[test]
fn a_lake_of_rejects_alone_has_nothing_to_analyse_but_recorded_changes_are_judged() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    // Without a time a record cannot land.
    std::fs::write(root.join("bad.ndjson"), "{\"region\":\"eu\",\"service\":\"s\"}\n").unwrap();
    ok(root, &["ingest", "--lake", "lake", "bad.ndjson"]);
    let drift = ["drift", "--lake", "lake", "--date", "2025-01-15", "--format", "json", "-q"];
    let refused = tars(root, &drift);
    assert_eq!(refused.code, Some(2), "{}", refused.stderr);
    assert!(refused.stderr.contains("holds no telemetry yet"), "{}", refused.stderr);
    assert!(refused.stderr.contains("tars ingest PATH"), "{}", refused.stderr);
    let change = "{\"timestamp\":\"2025-01-15T10:00:00Z\",\"region\":\"eu\",\"service\":\"s\",\"kind\":\"replicas\",\
                  \"key\":\"replicas\",\"old_value\":\"2\",\"new_value\":\"3\",\"success\":true}\n";
    std::fs::write(root.join("changes.ndjson"), change).unwrap();
    ok(root, &["ingest", "--lake", "lake", "--table", "changes", "changes.ndjson"]);
    let analysis: Value = serde_json::from_str(&ok(root, &drift)).unwrap();
    assert_eq!((&analysis["total_drifts"], &analysis["critical_drifts"]), (&Value::from(1), &Value::from(1)));
}

#[test]
fn regions_are_compared_in_every_format_and_the_primary_comes_first() {
    let regions = |format: &str| {
        ok(&demo().root, &["regions", "--lake", "lake", "--date", DAY, "--format", format, "-q"])
    };
    let rows: Value = serde_json::from_str(&regions("json")).unwrap();
    let rows = rows.as_array().unwrap();
    assert_eq!((rows.len(), &rows[0]["region"]), (6, &Value::from("us-east-1")));
    // The simulated regions end up with the same rows.
    assert!(rows.iter().all(|row| row["rows_behind"] == 0), "{rows:?}");
    assert_eq!(regions("csv").lines().count(), 7);
    assert_eq!(regions("md").lines().count(), 8);
    assert!(regions("table").contains("reading"));
}
