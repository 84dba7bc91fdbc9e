//! The command line as a user meets it: a process, its streams and its exit code.

use std::path::Path;

use crate::support::{DAY, demo, ok, tars};

fn check_failure(folder: &Path, args: &[&str], code: i32, expected: &[&str]) {
    let outcome = tars(folder, args);
    assert_eq!(outcome.code, Some(code), "tars {args:?}\n{}", outcome.stderr);
    assert_eq!(outcome.stdout, "", "an error belongs on stderr");
    for part in expected {
        assert!(outcome.stderr.contains(part), "`{part}` is not in:\n{}", outcome.stderr);
    }
    assert!(!outcome.stderr.contains("panicked"), "{}", outcome.stderr);
}

#[test]
fn every_verb_explains_itself_with_examples() {
    let folder = tempfile::tempdir().unwrap();
    let help = ok(folder.path(), &["--help"]);
    let verbs = [
        "demo",
        "ingest",
        "lake",
        "model",
        "nightly",
        "notify",
        "pull",
        "rejects",
        "report",
        "retrospective",
        "runs",
        "score",
        "slo",
        "sql",
        "simulate",
        "train",
    ];
    for verb in verbs {
        assert!(help.contains(verb), "{help}");
        let help = ok(folder.path(), &[verb, "--help"]);
        assert!(help.contains("Examples:"), "{verb}: {help}");
    }
}

#[test]
fn wrong_input_names_place_expected_got_and_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    std::fs::write(at.join("x.ndjson"), "{\"timestamp\":\"2025-01-15T00:00:00Z\",\"message\":\"m\"}\n")
        .unwrap();
    std::fs::write(at.join("bad.toml"), "[[slo]]\nname = \"x\"\ntype = \"latency\"\npercentile = 95\n")
        .unwrap();

    check_failure(at, &["nightly", "--date", DAY], 4, &["error: ", "lake", "hint: "]);
    check_failure(at, &["sql", "--lake", "nowhere", "-c", "select 1"], 4, &["nowhere", "hint: "]);
    check_failure(at, &["ingest", "missing.ndjson"], 3, &["missing.ndjson"]);
    check_failure(at, &["ingest", "*.nothing"], 3, &["*.nothing"]);
    check_failure(at, &["ingest", "--table", "log", "x.ndjson"], 2, &["unknown table `log`", "logs, spans"]);
    check_failure(at, &["ingest", "--format", "xml", "x.ndjson"], 2, &["xml", "ndjson"]);
    check_failure(
        at,
        &["--config", "bad.toml", "sql", "-c", "select 1"],
        5,
        &["bad.toml", "percentile", "95"],
    );
    check_failure(at, &["--config", "none.toml", "sql", "-c", "select 1"], 5, &["none.toml"]);
    check_failure(at, &["--memory-limit", "lots", "sql", "-c", "select 1"], 2, &["256MiB", "lots"]);
    check_failure(at, &["sql", "-c", "selec 1"], 6, &["selec"]);
    check_failure(at, &["sql", "-c", "select * from lgos"], 6, &["lgos", "hint: "]);
    check_failure(at, &["sql", "-c", "select $form"], 6, &["$form"]);
    check_failure(at, &["sql", "-f", "none.sql"], 3, &["none.sql"]);
    check_failure(at, &["simulate", "--out", "x.ndjson/deeper"], 1, &["x.ndjson"]);
    check_failure(at, &["simulate", "--out", "o", "--start", "today"], 2, &["--start", "today"]);
}

#[test]
fn a_date_that_is_none_is_refused_before_any_work() {
    let lake = demo().root.join("lake").display().to_string();
    let folder = tempfile::tempdir().unwrap();
    check_failure(
        folder.path(),
        &["nightly", "--lake", &lake, "--date", "15.1.2025"],
        2,
        &["15.1.2025", "2025-01-15"],
    );
    check_failure(
        folder.path(),
        &["report", "--lake", &lake, "--from", "2025-01-16", "--to", "2025-01-15"],
        2,
        &["2025-01-16T00:00:00Z"],
    );
}

#[test]
fn a_short_simulation_has_as_many_lines_by_the_hour_as_a_day() {
    let folder = tempfile::tempdir().unwrap();
    ok(folder.path(), &["simulate", "--out", "t", "--hours", "0.24", "-q"]);
    let text = std::fs::read_to_string(folder.path().join("t/logs.ndjson")).unwrap();
    assert_eq!(text.lines().count(), 10_000);
}

#[test]
fn what_sql_names_and_does_not_exist_is_told_once() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    std::fs::write(at.join("access.csv"), "status,ms\n200,1.5\n").unwrap();
    for (sql, told) in
        [("select code from 'access.csv'", "No field named code"), ("select * from lgos", "lgos' not found")]
    {
        let output = tars(at, &["sql", "-c", sql]);
        assert_eq!((output.code, output.stderr.matches(told).count()), (Some(6), 1), "{}", output.stderr);
    }
}

#[test]
fn a_file_is_queried_by_its_path_without_any_lake() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    std::fs::write(at.join("access.csv"), "status,ms\n200,1.5\n500,3\n200,2\n").unwrap();
    for name in ["a.json", "a.ndjson", "a.jsonl"] {
        std::fs::write(at.join(name), "{\"k\":1}\n{\"k\":2}\n").unwrap();
    }
    let sql = "select status, count(*) as n, avg(ms) as ms from 'access.csv' group by status order by status";
    assert_eq!(ok(at, &["sql", "--format", "csv", "-c", sql]), "status,n,ms\n200,2,1.75\n500,1,3.0\n");
    let sql =
        "select (select sum(k) from 'a.json') + (select sum(k) from 'a.ndjson') + max(k) as k from 'a.jsonl'";
    assert_eq!(ok(at, &["sql", "--format", "ndjson", "-c", sql]), "{\"k\":8}\n");
    ok(at, &["sql", "--format", "parquet", "--output", "out.parquet", "-c", "select * from 'access.csv'"]);
    assert_eq!(
        ok(at, &["sql", "--format", "csv", "-c", "select count(*) as n from 'out.parquet'"]),
        "n\n3\n"
    );
    assert!(!at.join("lake").exists(), "a query makes no lake");
}

#[test]
fn statements_come_from_a_file_or_standard_input_with_parameters() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    std::fs::write(at.join("q.sql"), "-- two statements\nselect $who as who;\nselect ';' as s").unwrap();
    let out = ok(at, &["sql", "--format", "csv", "-f", "q.sql", "--set", "who=o'brien"]);
    assert_eq!(out, "who\no'brien\ns\n;\n");
}

#[cfg(unix)]
#[test]
fn a_folder_without_permission_is_named() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let locked = folder.path().join("locked");
    std::fs::create_dir(&locked).unwrap();
    std::fs::set_permissions(&locked, std::fs::Permissions::from_mode(0o000)).unwrap();
    let readable = std::fs::read_dir(&locked).is_ok();
    // The super-user may read everything; then there is nothing to refuse.
    if !readable {
        check_failure(folder.path(), &["ingest", "locked"], 3, &["locked", "ermission"]);
        check_failure(
            folder.path(),
            &["sql", "--lake", "locked", "-c", "select 1"],
            4,
            &["locked", "ermission"],
        );
    }
    std::fs::set_permissions(&locked, std::fs::Permissions::from_mode(0o755)).unwrap();
    // A file where a folder should be is refused for everybody.
    std::fs::write(folder.path().join("file"), "x").unwrap();
    check_failure(folder.path(), &["sql", "--lake", "file", "-c", "select 1"], 4, &["file"]);
}

#[test]
fn a_reader_that_goes_away_ends_the_program_without_a_word() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_tars"))
        .args(["model", "show", "default"])
        .stdout(writer)
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap()
        .wait_with_output()
        .unwrap();
    assert_eq!((output.status.code(), String::from_utf8(output.stderr).unwrap()), (Some(141), String::new()));
}
