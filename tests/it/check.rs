//! `tars check` and `tars record`: formats, exit codes, the queries behind the figures, WebSocket health.

use arrow::array::{Array, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type};
use serde_json::Value;
use tars::artifact::{checks, websocket};
use tars::domain::TimeRange;
use tars::engine::{Engine, EngineOptions, Params};
use tars::lake::Lake;
use tars::pipeline::{Run, default_baseline};
use tars::settings::Settings;

use crate::support::{DAY, demo, ok, tars, value};

fn check(args: &[&str]) -> String {
    let mut all = vec!["check", "--lake", "lake", "--date", DAY, "-q", "--fail-on", "never"];
    all.extend(args);
    ok(&demo().root, &all)
}

#[test]
fn checks_come_in_every_format_and_are_the_same_at_any_thread_count() {
    let csv = check(&["--format", "csv", "--threads", "1"]);
    assert_eq!(csv, check(&["--format", "csv", "--threads", "5"]));
    let json: Value = serde_json::from_str(&check(&["--format", "json"])).unwrap();
    let rows = json.as_array().unwrap();
    let criteria = Settings::default().criteria;
    assert_eq!(rows.len(), criteria.iter().filter(|c| c.suite != "certification").count());
    for row in rows {
        // The simulated day has data for every check.
        assert!(row["observed"].is_number() && row["sql"].is_string(), "{row}");
        let (observed, threshold) = (row["observed"].as_f64().unwrap(), row["threshold"].as_f64().unwrap());
        let holds = match row["comparison"].as_str().unwrap() {
            ">=" => observed >= threshold,
            "<=" => observed <= threshold,
            "<" => observed < threshold,
            _ => (observed - threshold).abs() == 0.0,
        };
        assert_eq!(row["verdict"] == "pass", holds, "{row}");
    }
    let certification = check(&["--suite", "certification", "--format", "md"]);
    assert_eq!(certification.lines().count(), 2 + criteria.len() - rows.len(), "{certification}");
}

#[test]
fn a_required_check_that_fails_gives_exit_code_8_and_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let settings = folder.path().join("strict.toml");
    let strict = "[[criterion]]\nsuite = \"validation\"\nname = \"p99_latency\"\nthreshold = 0.001\n";
    std::fs::write(&settings, strict).unwrap();
    let at = settings.to_str().unwrap();
    let args = ["check", "--lake", "lake", "--date", DAY, "--config", at, "--suite", "validation"];
    let outcome = tars(&demo().root, &args);
    assert_eq!(outcome.code, Some(8), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("validation p99_latency (fail)"), "{}", outcome.stderr);
    assert!(outcome.stdout.contains("replication_lag"), "the result is written all the same");
    let unknown = tars(&demo().root, &["check", "--lake", "lake", "--suite", "everything"]);
    assert_eq!(unknown.code, Some(2));
    std::fs::write(&settings, strict.replace("threshold", "treshold")).unwrap();
    let wrong = tars(&demo().root, &["check", "--lake", "lake", "--config", at]);
    assert!(wrong.code == Some(5) && wrong.stderr.contains("did you mean `threshold`?"), "{}", wrong.stderr);
}

async fn run() -> Run {
    let lake = Lake::open(demo().root.join("lake").to_str().unwrap()).await.unwrap();
    let day = TimeRange::day(DAY).unwrap();
    let (baseline, _) = default_baseline(&lake, day).await.unwrap();
    let engine =
        Engine::new(&EngineOptions { memory_limit: 1 << 30, threads: 2 }, &Settings::default()).unwrap();
    Run::open(engine, &lake, Params::new(day, baseline)).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_query_of_every_measure_gives_its_observed_value() {
    let run = run().await;
    run.hold_only(&checks::HELD).await.unwrap();
    let batches = run.rows("select measure, observed, sql from check_observations").await.unwrap();
    let mut measures = 0;
    for batch in &batches {
        let text = |column: usize| cast(batch.column(column), &DataType::Utf8).unwrap();
        let (names, queries) = (text(0), text(2));
        for row in 0..batch.num_rows() {
            let name = names.as_string::<i32>().value(row);
            let answer = run.rows(queries.as_string::<i32>().value(row)).await.unwrap();
            let answer = answer.iter().find(|b| b.num_rows() > 0).unwrap_or_else(|| panic!("{name}"));
            let answer = cast(answer.column(0), &DataType::Float64).unwrap();
            let (expected, got) =
                (batch.column(1).as_primitive::<Float64Type>(), answer.as_primitive::<Float64Type>());
            assert_eq!(expected.is_null(row), got.is_null(0), "{name}");
            assert!(expected.is_null(row) || expected.value(row) == got.value(0), "{name}");
            measures += 1;
        }
    }
    let asked: std::collections::BTreeSet<_> =
        Settings::default().criteria.into_iter().map(|c| c.measure).collect();
    assert_eq!(measures, asked.len(), "measures and what criteria ask for differ");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_health_of_websockets_is_a_document_that_says_what_is_missing() {
    let run = run().await;
    let document = websocket::health(&run).await.unwrap();
    assert_eq!(document.name, "ws_health_metrics.json");
    assert_eq!(document, websocket::health(&run).await.unwrap());
    let json: Value = serde_json::from_slice(&document.bytes).unwrap();
    assert_eq!(json["start_time"], "2025-01-15T00:00:00Z");
    assert_eq!(json["missing"], serde_json::json!({}), "{json}");
    let sum: i64 = json["regions"].as_array().unwrap().iter().map(|r| r["attempts"].as_i64().unwrap()).sum();
    assert!(sum > 0 && json["overall"]["attempts"] == sum, "{json}");
    let rate = json["overall"]["success_rate"].as_f64().unwrap();
    let expected = 1.0 - json["overall"]["failures"].as_f64().unwrap() / sum as f64;
    assert!((rate - expected).abs() < 1e-6, "{rate} and {expected}");
}

#[test]
fn recorded_series_are_kept_once_and_read_by_panels() {
    // A lake of its own: the shared one is only read.
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    ok(at, &["simulate", "--out", "raw", "--hours", "2", "--rows", "4000", "-q"]);
    ok(at, &["ingest", "raw/*.ndjson", "-q"]);
    let record = ["record", "--from", "2025-01-15T00:00:00Z", "--to", "2025-01-15T02:00:00Z", "-q"];
    assert!(ok(at, &record).contains("rows kept in recorded_series"));
    // The first recording made the table of the minutes, so that the lake is another one; then it stays.
    ok(at, &record);
    assert!(ok(at, &record).contains("nothing to do"));
    let groups = "select count(distinct series_group) from dashboard_series";
    assert_eq!(value(at, "lake", groups), "9");
    let rules = value(at, "lake", "select count(distinct rule) from dashboard_series");
    assert!(rules.parse::<u32>().unwrap() >= 60, "{rules} rules have data");
    let twice = "select count(*) from (select rule from dashboard_series \
                 group by rule, slot, region, service, label having count(*) > 1) as doubled";
    assert_eq!(value(at, "lake", twice), "0");
    let served = "select sum(requests) from log_minutes";
    let counted = "select cast(round(sum(value * 300)) as bigint) from dashboard_series \
                   where rule = 'global_request_rate'";
    assert_eq!(value(at, "lake", counted), value(at, "lake", served));
    let panels = concat!(env!("CARGO_MANIFEST_DIR"), "/queries/dashboard/panels.sql");
    let rows = ok(at, &["sql", "-f", panels, "--date", DAY, "--format", "csv"]);
    let drawn: std::collections::BTreeSet<&str> =
        rows.lines().skip(1).filter_map(|row| row.split(',').next()).collect();
    assert!(drawn.len() >= 16 && drawn.contains("1"), "{drawn:?}");
    // A panel of a rule that nobody computes would stay empty for ever.
    let text = std::fs::read_to_string(panels).unwrap();
    let rules = include_str!("../../src/settings/recording.toml");
    for panel in text.lines().filter(|line| line.trim_start().starts_with('(')) {
        let rule = panel.rsplit('\'').nth(1).unwrap();
        assert!(rules.contains(&format!("name = \"{rule}\"")), "no rule {rule}");
    }
    let odd = tars(at, &["record", "--interval", "90"]);
    assert_eq!(odd.code, Some(2), "{}", odd.stderr);
}
