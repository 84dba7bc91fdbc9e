//! From telemetry to report through the real command, and what must hold on the way.

use std::collections::BTreeMap;
use std::path::Path;

use crate::support::{DAY, DEMO_ROWS, command, demo, files_under, ok, tars, value};

#[test]
fn a_newcomer_gets_a_report_whose_numbers_agree_with_the_raw_rows() {
    let demo = demo();
    let at = &demo.root;
    assert!(demo.stdout.contains("daily-2025-01-15.md"), "{}", demo.stdout);
    assert_eq!(value(at, "lake", "select count(*) from logs"), DEMO_ROWS.to_string());

    let report = std::fs::read_to_string(at.join("reports/daily-2025-01-15.json")).unwrap();
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    let raw = "from logs where (duration_ms is not null or status_code is not null) \
               and timestamp >= $from and timestamp < $to";
    let requests: i64 = value(at, "lake", &format!("select count(*) {raw}")).parse().unwrap();
    let errors: i64 = value(
        at,
        "lake",
        &format!(
            "select count(*) {raw} and (status_code >= 500 \
             or (status_code is null and (level in ('ERROR', 'FATAL') or error is not null)))"
        ),
    )
    .parse()
    .unwrap();
    let kpi: Vec<String> = value(at, "lake", "select requests, errors, p95_ms from kpi_summary")
        .split(',')
        .map(str::to_owned)
        .collect();
    assert_eq!(kpi[0], requests.to_string());
    assert_eq!(kpi[1], errors.to_string());
    let exact: f64 = value(
        at,
        "lake",
        &format!("select percentile_cont(0.95) within group (order by duration_ms) {raw} and duration_ms is not null"),
    )
    .parse()
    .unwrap();
    let p95: f64 = kpi[2].parse().unwrap();
    assert!((p95 / exact - 1.0).abs() <= 0.011, "sketch {p95}, exact {exact}");
    let text = std::fs::read_to_string(at.join("reports/daily-2025-01-15.md")).unwrap();
    for (section, title) in report["sections"].as_array().unwrap().iter().zip(1..=7) {
        assert!(text.contains(&format!("## {title}. {}", section["title"].as_str().unwrap())), "{section}");
    }
    let shown = tars_thousands(requests);
    assert!(text.contains(&shown), "the report does not show {shown} requests");
}

/// 1234567 as 1,234,567.
fn tars_thousands(number: i64) -> String {
    let digits: Vec<char> = number.to_string().chars().rev().collect();
    let groups: Vec<String> = digits.chunks(3).map(|c| c.iter().rev().collect()).collect();
    groups.into_iter().rev().collect::<Vec<_>>().join(",")
}

/// Text without white space, and without the marks of Markdown before a character that is meant as itself.
fn squeezed(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace() && !matches!(c, '\\' | '\u{200b}' | '\u{ad}')).collect()
}

/// Reads the file as people get it, with the program `pdftotext` where it is installed; what the pages were typeset from is
/// compared everywhere, by a test of the report itself.
#[test]
fn the_pages_hold_every_cell_and_every_number_of_the_markdown() {
    let reports = demo().root.join("reports");
    let printed = reports.join(format!("daily-{DAY}.pdf"));
    assert!(std::fs::read(&printed).unwrap().starts_with(b"%PDF-"));
    let markdown = std::fs::read_to_string(reports.join(format!("daily-{DAY}.md"))).unwrap();
    let rows = markdown.lines().filter(|line| line.starts_with('|') && !line.contains("---"));
    let cells: Vec<String> = rows.flat_map(|row| row.split('|')).map(squeezed).collect();
    assert!(cells.len() > 500, "{} cells", cells.len());
    let Ok(read) = std::process::Command::new("pdftotext").arg(&printed).arg("-").output() else {
        eprintln!("pdftotext is not installed: the text of {} was not compared", printed.display());
        return;
    };
    assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
    let pages = squeezed(&String::from_utf8_lossy(&read.stdout));
    let is_of_number = |c: char| c.is_ascii_digit() || matches!(c, '.' | ',');
    let numbers = markdown.split(|c: char| !is_of_number(c)).map(|n| n.trim_matches([',', '.']).to_owned());
    let missing: Vec<String> =
        cells.into_iter().chain(numbers).filter(|text| !pages.contains(text)).collect();
    assert_eq!(missing, Vec::<String>::new());
}

#[test]
fn the_same_lake_gives_the_same_bytes_at_any_thread_count() {
    let lake = demo().root.join("lake").display().to_string();
    let folder = tempfile::tempdir().unwrap();
    let mut reports = Vec::new();
    for threads in ["1", "2", "7"] {
        let out = folder.path().join(threads);
        let out = out.to_str().unwrap();
        ok(folder.path(), &["nightly", "--lake", &lake, "--threads", threads, "--date", DAY, "--out", out]);
        reports.push(["md", "json"].map(|e| std::fs::read(format!("{out}/daily-{DAY}.{e}")).unwrap()));
    }
    assert!(reports[0] == reports[1] && reports[0] == reports[2], "the reports differ");
}

#[test]
fn ingesting_the_same_files_again_lands_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    ok(at, &["simulate", "--out", "t", "--hours", "3", "--rows", "3000"]);
    ok(at, &["ingest", "t"]);
    let before = value(at, "lake", "select count(*) from logs");
    assert_eq!(before, "3000");
    let again = ok(at, &["ingest", "t/*.ndjson"]);
    assert!(again.contains("3,000"), "{again}");
    for table in ["logs", "spans", "metrics", "evaluations", "changes", "alerts", "incidents"] {
        let rows = value(at, "lake", &format!("select count(*) from {table}"));
        let lines = std::fs::read_to_string(at.join(format!("t/{table}.ndjson"))).unwrap().lines().count();
        assert_eq!(rows, lines.to_string(), "{table}");
    }
}

/// Every row of the merged rollup, as text.
fn minutes(at: &Path, lake: &str) -> String {
    ok(
        at,
        &[
            "sql",
            "--lake",
            lake,
            "--date",
            DAY,
            "--format",
            "csv",
            "-c",
            "select * from request_minutes order by minute, region, service, route",
        ],
    )
}

#[test]
fn the_rollup_equals_a_fresh_one_after_any_order_of_ingests() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    ok(at, &["simulate", "--out", "t", "--hours", "6", "--rows", "6000", "--seed", "3"]);
    let logs = std::fs::read_to_string(at.join("t/logs.ndjson")).unwrap();
    let lines: Vec<&str> = logs.lines().collect();
    // Interleaved thirds: every part touches the same minutes, so that partials of one key pile up.
    let part =
        |n: usize| lines.iter().skip(n).step_by(3).fold(String::new(), |text, line| text + line + "\n");
    for n in 0..3 {
        std::fs::write(at.join(format!("p{n}.ndjson")), part(n)).unwrap();
    }
    ok(at, &["ingest", "--lake", "whole", "t/logs.ndjson"]);
    let expected = minutes(at, "whole");
    assert!(expected.lines().count() > 100, "{expected}");
    for (lake, order) in [("a", [0, 1, 2]), ("b", [2, 0, 1]), ("c", [1, 2, 0])] {
        for n in order {
            ok(at, &["ingest", "--lake", lake, &format!("p{n}.ndjson")]);
            // A query in between brings the rollup up to date each time.
            minutes(at, lake);
        }
        assert_eq!(minutes(at, lake), expected, "lake {lake}");
    }
}

#[test]
fn late_rows_land_in_their_own_hour() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let line = |time: &str| {
        format!(
            "{{\"timestamp\":\"{time}\",\"region\":\"us-east-1\",\"service\":\"s\",\"status_code\":200}}\n"
        )
    };
    std::fs::write(at.join("a.ndjson"), line("2025-01-15T13:00:00Z")).unwrap();
    std::fs::write(at.join("b.ndjson"), line("2025-01-11T02:59:59.999999Z")).unwrap();
    ok(at, &["ingest", "a.ndjson", "b.ndjson"]);
    for hour in ["2025-01-15T13", "2025-01-11T02"] {
        let files = files_under(&at.join(format!("lake/logs/region=us-east-1/hour={hour}")), ".parquet");
        assert_eq!(files.len(), 1, "{hour}");
    }
}

#[test]
fn what_is_read_is_landed_or_rejected() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let good = "{\"timestamp\":\"2025-01-15T13:00:00Z\",\"service\":\"s\",\"tenant\":\"t-1\"}\n";
    std::fs::write(at.join("a.ndjson"), format!("{good}not json\n{{\"service\":\"no time\"}}\n{good}"))
        .unwrap();
    ok(at, &["ingest", "--table", "logs", "a.ndjson"]);
    assert_eq!(value(at, "lake", "select count(*) from logs"), "2");
    assert_eq!(value(at, "lake", "select count(*) from logs where attributes['tenant'] = 't-1'"), "2");
    let rejects = ok(
        at,
        &[
            "sql",
            "--format",
            "csv",
            "-c",
            "select \"offset\", arrow_cast(original, 'Utf8') as o from rejects order by 1",
        ],
    );
    assert_eq!(
        rejects,
        format!(
            "offset,o\n{},not json\n{},\"{{\"\"service\"\":\"\"no time\"\"}}\"\n",
            good.len(),
            good.len() + 9
        )
    );
}

#[test]
fn explain_shows_that_files_outside_the_window_are_not_read() {
    let lake = demo().root.join("lake").display().to_string();
    let folder = tempfile::tempdir().unwrap();
    let sql = "explain select count(*) from logs where region = 'us-west-2' \
               and timestamp >= '2025-01-15T03:10:00Z' and timestamp < '2025-01-15T04:00:00Z'";
    let plan = ok(folder.path(), &["sql", "--lake", &lake, "-c", sql]);
    let named = |part: &str| plan.matches(part).count();
    assert_eq!(named("hour=2025-01-15T03"), 1, "{plan}");
    assert_eq!(named("hour=2025-01-15T04"), 0, "{plan}");
    assert_eq!(named("region=us-east-1"), 0, "{plan}");
}

#[cfg(unix)]
#[test]
fn stopping_an_ingest_leaves_a_lake_that_opens_and_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    const ROWS: usize = 60_000;
    ok(at, &["simulate", "--out", "t", "--hours", "2", "--rows", &ROWS.to_string()]);
    let mut stopped = 0;
    for delay_ms in [5, 40, 120, 250] {
        let mut child =
            command(at, &["ingest", "--quiet", "t"]).stderr(std::process::Stdio::null()).spawn().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(delay_ms));
        let pid = child.id().to_string();
        // `kill` is the portable way to send a signal without a crate of its own.
        std::process::Command::new("kill").args(["-INT", &pid]).status().unwrap();
        stopped += usize::from(!child.wait().unwrap().success());
        if at.join("lake").exists() {
            let outcome = tars(at, &["sql", "-c", "select count(*) from logs", "--date", DAY]);
            assert!(matches!(outcome.code, Some(0 | 2 | 4)), "{}", outcome.stderr);
            assert!(!outcome.stderr.contains("panicked"), "{}", outcome.stderr);
        }
    }
    let _ = stopped; // How many were caught in the act depends on the machine; the outcome must not.
    ok(at, &["ingest", "t"]);
    assert_eq!(value(at, "lake", "select count(*) from logs"), ROWS.to_string());
    assert_eq!(
        value(at, "lake", "select count(distinct request_id) from logs where request_id is not null"),
        {
            let text = std::fs::read_to_string(at.join("t/logs.ndjson")).unwrap();
            let mut ids: BTreeMap<String, ()> = BTreeMap::new();
            for line in text.lines() {
                let row: serde_json::Value = serde_json::from_str(line).unwrap();
                if let Some(id) = row["request_id"].as_str() {
                    ids.insert(id.to_owned(), ());
                }
            }
            ids.len().to_string()
        }
    );
}

#[test]
fn every_stored_query_runs_on_a_lake() {
    let lake = demo().root.join("lake").display().to_string();
    let queries = Path::new(env!("CARGO_MANIFEST_DIR")).join("queries");
    let files = files_under(&queries, ".sql");
    assert!(files.len() >= 4, "{files:?}");
    for file in files {
        let args = ["sql", "--lake", &lake, "--date", DAY, "--format", "csv", "-f", file.to_str().unwrap()];
        let values = [
            "service=dashboard-api",
            "at=2025-01-15T12:00:00Z",
            "region=us-west-2",
            "version=",
            "baseline_region=us-east-1",
            "baseline_service=dashboard-api",
            "baseline_version=",
        ];
        let set = values.map(|value| ["--set", value]).concat();
        let csv = ok(&queries, &[&args[..], &set[..]].concat());
        assert!(csv.lines().next().unwrap().contains(','), "{}: {csv}", file.display());
    }
}
