//! `tars lake`, and reading a lake as it was, through the real command.

use std::path::Path;

use serde_json::Value;

use crate::support::{DAY, files_under, ok, tars, value};

/// Rows of a verb that prints JSON, by table.
fn rows(at: &Path, args: &[&str]) -> Vec<Value> {
    let text = ok(at, &[args, &["--format", "json"]].concat());
    serde_json::from_str(&text).unwrap()
}

fn of<'a>(rows: &'a [Value], table: &str) -> &'a Value {
    rows.iter().find(|r| r["table"] == table).unwrap_or_else(|| panic!("no {table} in {rows:?}"))
}

/// Every row of the merged rollup.
fn minutes(at: &Path, lake: &str, more: &[&str]) -> String {
    let sql = "select * from request_minutes order by minute, region, service, route";
    ok(at, &[&["sql", "--lake", lake, "--date", DAY, "--format", "csv", "-c", sql], more].concat())
}

/// A lake of `parts` ingests of interleaved lines, each followed by a refresh of the rollups.
fn lake_of_parts(at: &Path, parts: usize) {
    ok(at, &["simulate", "--out", "t", "--hours", "3", "--rows", "3000", "--seed", "7"]);
    let logs = std::fs::read_to_string(at.join("t/logs.ndjson")).unwrap();
    for part in 0..parts {
        let lines: String = logs.lines().skip(part).step_by(parts).flat_map(|l| [l, "\n"]).collect();
        std::fs::write(at.join(format!("p{part}.ndjson")), lines).unwrap();
        ok(at, &["ingest", &format!("p{part}.ndjson")]);
        minutes(at, "lake", &[]);
    }
}

#[test]
fn every_verb_of_the_lake_explains_itself_with_examples() {
    let folder = tempfile::tempdir().unwrap();
    let help = ok(folder.path(), &["lake", "--help"]);
    for verb in ["status", "history", "compact", "retain", "vacuum", "restore", "pin", "unpin", "pins"] {
        assert!(help.contains(verb), "{help}");
        let help = ok(folder.path(), &["lake", verb, "--help"]);
        assert!(help.contains("Examples:"), "{verb}: {help}");
    }
    for args in [&["rejects", "--help"][..], &["rejects", "replay", "--help"]] {
        assert!(ok(folder.path(), args).contains("Examples:"), "{args:?}");
    }
}

#[test]
fn compaction_changes_files_and_not_the_rollups_nor_the_answers() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    lake_of_parts(at, 4);
    // One more that the rollups have not seen when its files are merged away.
    let line = "{\"timestamp\":\"2025-01-15T00:30:00Z\",\"region\":\"us-east-1\",\"service\":\"late\",\
                \"status_code\":200,\"duration_ms\":5}\n";
    std::fs::write(at.join("late.ndjson"), line).unwrap();
    let status = rows(at, &["lake", "status"]);
    let before = of(&status, "logs").clone();
    ok(at, &["ingest", "late.ndjson"]);
    let told = rows(at, &["lake", "compact", "--dry-run"]);
    let done = rows(at, &["lake", "compact"]);
    assert_eq!(of(&told, "logs")["files_before"], of(&done, "logs")["files_before"]);
    assert_eq!(of(&done, "logs")["files_before"].as_i64(), before["files"].as_i64().map(|f| f + 1));
    assert!(of(&done, "log_minutes")["files_before"].as_i64() > Some(0), "rollups can be compacted too");
    let after = rows(at, &["lake", "status"]);
    let after = of(&after, "logs");
    // Three hours of each region, one file each; nothing is small beside something else.
    assert_eq!(after["files"], after["hours"]);
    assert_eq!(after["rows"].as_i64(), Some(3001));

    std::fs::write(at.join("all.ndjson"), std::fs::read_to_string(at.join("t/logs.ndjson")).unwrap() + line)
        .unwrap();
    ok(at, &["ingest", "--lake", "clean", "all.ndjson"]);
    let expected = minutes(at, "clean", &[]);
    assert!(expected.contains("late"), "{expected}");
    assert_eq!(minutes(at, "lake", &[]), expected);
    assert_eq!(minutes(at, "lake", &[]), expected, "and not counted once more by the next query");
    assert_eq!(of(&rows(at, &["lake", "compact"]), "logs")["partitions"], 0);
    let again = ok(at, &["ingest", "p0.ndjson", "late.ndjson"]);
    assert!(again.contains("751"), "what landed before is known after compaction: {again}");
    assert_eq!(value(at, "lake", "select count(*) from logs"), "3001");
}

#[test]
fn a_restored_lake_takes_the_lost_rows_again_once_and_its_rollups_follow() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    lake_of_parts(at, 3);
    let expected = minutes(at, "lake", &[]);
    let history = rows(at, &["lake", "history", "--table", "logs"]);
    let writes: Vec<&Value> = history.iter().filter(|c| c["operation"] == "WRITE").collect();
    assert_eq!(writes.len(), 3);
    let first = writes[2]["version"].to_string();

    // The raw table alone: the rollups are ahead of it now.
    let restored = rows(at, &["lake", "restore", "--table", "logs", "--to", &first]);
    assert_eq!(of(&restored, "logs")["rows_removed"].as_i64(), Some(2000));
    assert_eq!(value(at, "lake", "select count(*) from logs"), "1000");
    ok(at, &["ingest", "--lake", "one", "p0.ndjson"]);
    assert_eq!(minutes(at, "lake", &[]), minutes(at, "one", &[]), "rollups follow the rows that are left");
    for _ in 0..2 {
        ok(at, &["ingest", "p0.ndjson", "p1.ndjson", "p2.ndjson"]);
        assert_eq!(value(at, "lake", "select count(*) from logs"), "3000");
        assert_eq!(minutes(at, "lake", &[]), expected);
    }

    // The whole lake, to the time of the first ingest.
    let time = writes[2]["time"].as_str().unwrap().to_owned();
    let told = rows(at, &["lake", "restore", "--to", &time, "--dry-run"]);
    assert_eq!(of(&told, "logs")["rows_removed"].as_i64(), Some(2000));
    assert_eq!(value(at, "lake", "select count(*) from logs"), "3000");
    ok(at, &["lake", "restore", "--to", &time]);
    assert_eq!(minutes(at, "lake", &[]), minutes(at, "one", &[]));
    ok(at, &["ingest", "p1.ndjson", "p2.ndjson", "p0.ndjson"]);
    assert_eq!(minutes(at, "lake", &[]), expected);
}

#[test]
fn a_restore_names_the_files_that_a_vacuum_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    lake_of_parts(at, 2);
    ok(at, &["lake", "pin", "first", "--version", "logs=1"]);
    ok(at, &["lake", "compact"]);
    let late = ["--now", "2999-01-01T00:00:00Z"];
    let told = rows(at, &[&["lake", "vacuum", "--dry-run"][..], &late].concat());
    let done = rows(at, &[&["lake", "vacuum"][..], &late].concat());
    assert_eq!(of(&told, "logs")["files"], of(&done, "logs")["files"]);
    assert!(of(&done, "logs")["files"].as_i64() > Some(0));
    assert_eq!(of(&done, "logs")["pins"], "first");
    let refused = tars(at, &["lake", "restore", "--table", "logs", "--to", "2"]);
    assert_eq!(refused.code, Some(4), "{}", refused.stderr);
    for part in ["logs", "version 2", ".parquet", "hint: "] {
        assert!(refused.stderr.contains(part), "{part}: {}", refused.stderr);
    }
    assert_eq!(value(at, "lake", "select count(*) from logs"), "3000");
    // The pin held what version 1 needs.
    let sql = ["sql", "--as-of", "first", "--date", DAY, "--format", "csv", "-c"];
    assert_eq!(ok(at, &[&sql[..], &["select count(*) from logs"]].concat()), "count(*)\n1500\n");
    ok(at, &["lake", "restore", "--table", "logs", "--to", "1"]);
    assert_eq!(value(at, "lake", "select count(*) from logs"), "1500");
    ok(at, &["lake", "unpin", "first"]);
    assert_eq!(rows(at, &["lake", "pins"]), Vec::<Value>::new());
}

#[test]
fn retention_drops_old_hours_by_table_and_the_rollups_stay() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    lake_of_parts(at, 2);
    // Two of the three hours have not been rolled up yet when they go.
    let expected = minutes(at, "lake", &[]);
    std::fs::remove_dir_all(at.join("lake/log_minutes")).unwrap();
    // 90 days after 2025-01-15T02:00:00Z: date -u -d '2025-01-15 02:00 +90 days'
    let now = ["--now", "2025-04-15T02:00:00Z"];
    let done = rows(at, &[&["lake", "retain"][..], &now].concat());
    let logs = of(&done, "logs");
    assert_eq!((logs["days"].as_i64(), logs["to"].as_str()), (Some(90), Some("2025-01-15T02:00:00Z")));
    assert_eq!(of(&done, "log_minutes")["files"], 0);
    assert_eq!(of(&done, "log_minutes")["days"], 365);
    assert_eq!(value(at, "lake", "select count(distinct hour) from logs"), "1");
    assert_eq!(minutes(at, "lake", &[]), expected);
    assert_eq!(of(&rows(at, &[&["lake", "retain"][..], &now].concat()), "logs")["files"], 0);
    // A table's own entry goes before `raw`, and 0 keeps for ever.
    std::fs::write(at.join("tars.toml"), "[[retention]]\ntable = \"logs\"\ndays = 0\n").unwrap();
    let far = ["--now", "2999-01-01T00:00:00Z", "--dry-run"];
    let told = rows(at, &[&["lake", "retain"][..], &far].concat());
    assert_eq!((&of(&told, "logs")["days"], &of(&told, "logs")["files"]), (&Value::Null, &Value::from(0)));
    assert!(of(&told, "log_minutes")["files"].as_i64() > Some(0));
    std::fs::write(at.join("tars.toml"), "[[retention]]\ntable = \"lgos\"\ndays = 1\n").unwrap();
    assert_eq!(tars(at, &["lake", "retain"]).code, Some(2));
}

#[test]
fn a_lake_is_read_as_it_was_at_a_version_a_time_or_a_pin() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    lake_of_parts(at, 3);
    let history = rows(at, &["lake", "history", "--table", "logs"]);
    ok(at, &["lake", "pin", "now"]);
    ok(at, &["lake", "compact"]);
    ok(at, &["ingest", "--lake", "clean", "p0.ndjson"]);
    let clean = minutes(at, "clean", &[]);
    for (part, commit) in history.iter().filter(|c| c["operation"] == "WRITE").rev().enumerate() {
        if part > 0 {
            ok(at, &["ingest", "--lake", "clean", &format!("p{part}.ndjson")]);
        }
        let expected = minutes(at, "clean", &[]);
        for point in [format!("logs={}", commit["version"]), commit["time"].as_str().unwrap().to_owned()] {
            assert_eq!(minutes(at, "lake", &["--as-of", &point]), expected, "as of {point}");
        }
    }
    assert_eq!(minutes(at, "lake", &["--as-of", "now"]), minutes(at, "lake", &[]));
    let first = history.iter().rfind(|c| c["operation"] == "WRITE").unwrap();
    // The rollups have to be computed, because no version of theirs fits.
    std::fs::remove_dir_all(at.join("lake/log_minutes")).unwrap();
    assert_eq!(minutes(at, "lake", &["--as-of", &format!("logs={}", first["version"])]), clean);

    let out = ["--date", DAY, "--out", "r", "--as-of"];
    let point = format!("logs={}", first["version"]);
    ok(at, &[&["report"][..], &out, &[&point]].concat());
    let report = std::fs::read_to_string(at.join(format!("r/daily-{DAY}.md"))).unwrap();
    assert!(report.contains(&format!("logs version {}", first["version"])), "{report}");
    ok(at, &[&["nightly"][..], &out, &[&point]].concat());
    assert_eq!(std::fs::read_to_string(at.join(format!("r/daily-{DAY}.md"))).unwrap(), report);
    assert!(!at.join("lake/log_minutes").exists(), "reading the past writes nothing");

    minutes(at, "lake", &[]);
    for (args, code, expected) in [
        (&["sql", "--as-of", "nonsense!", "-c", "select 1"][..], 2, "pin"),
        (&["sql", "--as-of", "3", "-c", "select 1"], 2, "TABLE=VERSION"),
        (&["sql", "--as-of", "lgos=3", "-c", "select 1"], 2, "lgos"),
        (&["sql", "--as-of", "logs=99", "-c", "select 1"], 4, "got 99"),
        (&["ingest", "--as-of", "logs=1", "p0.ndjson"], 2, "tars ingest"),
        (&["lake", "compact", "--as-of", "logs=1"], 2, "tars lake compact"),
    ] {
        let outcome = tars(at, args);
        assert_eq!(outcome.code, Some(code), "{args:?}: {}", outcome.stderr);
        assert!(outcome.stderr.contains(expected), "{args:?}: {}", outcome.stderr);
    }
}

#[test]
fn status_tells_hours_and_gaps_by_region_and_what_lies_beside() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let line = |hour: u32| {
        format!("{{\"timestamp\":\"2025-01-15T{hour:02}:00:00Z\",\"region\":\"eu\",\"service\":\"s\"}}\n")
    };
    std::fs::write(at.join("a.ndjson"), [3, 4, 7].map(line).concat()).unwrap();
    ok(at, &["ingest", "a.ndjson"]);
    let regions = rows(at, &["lake", "status", "--regions", "--orphans"]);
    assert_eq!(regions.len(), 1);
    let eu = &regions[0];
    assert_eq!((&eu["region"], &eu["hours"], &eu["rows"]), (&"eu".into(), &3.into(), &3.into()));
    assert_eq!((&eu["missing_hours"], &eu["gaps"]), (&2.into(), &"2025-01-15T05..2025-01-15T06".into()));
    assert_eq!(eu["first_time"], "2025-01-15T03:00:00Z");
    assert_eq!(eu["unlisted_files"], 0);
    let file = files_under(&at.join("lake/logs"), ".parquet").remove(0);
    std::fs::copy(&file, file.with_file_name("part-abandoned.parquet")).unwrap();
    let status = rows(at, &["lake", "status", "--orphans"]);
    assert_eq!(of(&status, "logs")["unlisted_files"], 1);
    let table = ok(at, &["lake", "status"]);
    assert!(table.contains("missing_hours") && table.contains("logs"), "{table}");
    assert!(ok(at, &["lake", "status", "--format", "csv"]).starts_with("table,version,regions,files,"));
    assert_eq!(tars(at, &["lake", "status", "--table", "lgos"]).code, Some(2));
    assert_eq!(tars(at, &["lake", "status", "--table", "spans"]).code, Some(4));
}

#[test]
fn a_slip_in_sql_is_told_once() {
    let folder = tempfile::tempdir().unwrap();
    let outcome = tars(folder.path(), &["sql", "-c", "select 1 frm x y"]);
    assert_eq!(outcome.code, Some(6));
    assert_eq!(outcome.stderr.matches("Expected").count(), 1, "{}", outcome.stderr);
}

#[test]
fn spans_that_land_late_meet_those_that_were_there() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let span = |time: &str, region: &str, service: &str, id: &str, parent: &str, kind: &str, ms: u32| {
        format!(
            "{{\"timestamp\":\"2025-01-15T{time}Z\",\"region\":\"{region}\",\"service\":\"{service}\",\"trace_id\":\"t\",\
             \"span_id\":\"{id}\",\"parent_span_id\":{parent},\"kind\":\"{kind}\",\"duration_ms\":{ms}}}\n"
        )
    };
    let callees = [
        span("11:00:01", "us", "api", "2", "\"1\"", "server", 30),
        span("11:00:02", "us", "api", "3", "\"1\"", "server", 35),
    ];
    let caller = span("10:59:59", "eu", "web", "1", "null", "client", 50);
    let ways = |lake: &str| {
        let sql = "select minute, region, service, calls, round(sketch_quantile(way, 1.0)) as longest from call_ways";
        ok(at, &["sql", "--lake", lake, "--date", DAY, "--format", "csv", "-c", sql])
    };
    // The callees come one by one, before their caller of the hour before and another region.
    for (file, line) in [("a", &callees[0]), ("b", &callees[1]), ("c", &caller)] {
        std::fs::write(at.join(file).with_extension("ndjson"), line).unwrap();
        ok(at, &["ingest", "--table", "spans", &format!("{file}.ndjson")]);
        if file != "c" {
            assert_eq!(ways("lake").lines().count(), 1, "no caller is known yet");
        }
    }
    let expected = "minute,region,service,calls,longest\n2025-01-15T11:00:00Z,us,api,2,20.0\n";
    assert_eq!(ways("lake"), expected);
    assert_eq!(ways("lake"), expected, "and not counted once more by the next query");

    std::fs::write(at.join("all.ndjson"), callees.concat() + &caller).unwrap();
    ok(at, &["ingest", "--lake", "clean", "--table", "spans", "all.ndjson"]);
    assert_eq!(ways("clean"), expected);
}

#[test]
fn sums_of_samples_do_not_depend_on_how_they_arrived() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    // 0.1 + 0.2 + 0.3 is another number when two of them are rounded first.
    let sample = |second: u32, value: &str| {
        format!(
            "{{\"timestamp\":\"2025-01-15T10:00:0{second}Z\",\"region\":\"eu\",\"service\":\"api\",\"metric\":\"m\",\"value\":{value}}}\n"
        )
    };
    let samples = [sample(1, "0.1"), sample(2, "0.2"), sample(3, "0.3")];
    let sums = |lake: &str| {
        let sql = "select slot, samples, total, least, most from metric_slots";
        ok(at, &["sql", "--lake", lake, "--date", DAY, "--format", "csv", "-c", sql])
    };
    for (i, sample) in samples.iter().enumerate() {
        std::fs::write(at.join(format!("{i}.ndjson")), sample).unwrap();
        ok(at, &["ingest", "--table", "metrics", &format!("{i}.ndjson")]);
        sums("lake");
    }
    // python3 -c 'import math; print(math.fsum([0.1, 0.2, 0.3]), 0.1 + 0.2 + 0.3)' gives 0.6 0.6000000000000001
    let expected = "slot,samples,total,least,most\n2025-01-15T10:00:00Z,3,0.6,0.1,0.3\n";
    assert_eq!(sums("lake"), expected);
    std::fs::write(at.join("all.ndjson"), samples.concat()).unwrap();
    ok(at, &["ingest", "--lake", "clean", "--table", "metrics", "all.ndjson"]);
    assert_eq!(sums("clean"), expected);
}
