//! Rejected records: what is told about them, and landing them after all, once.

use std::path::Path;

use serde_json::Value;

use crate::support::{command, ok, tars, value};

fn rows(at: &Path, args: &[&str]) -> Vec<Value> {
    serde_json::from_str(&ok(at, &[args, &["--format", "json"]].concat())).unwrap()
}

/// Lines that name their time in a field that nothing knows yet, and good ones.
fn feed(bad: usize, good: usize) -> String {
    let bad = (0..bad).map(|i| {
        let millis = 1_736_946_000_000_i64 + i as i64;
        format!("{{\"when\":{millis},\"region\":\"eu\",\"service\":\"s\",\"request_id\":\"b{i}\",\"status_code\":200}}\n")
    });
    let good = (0..good).map(|i| {
        format!("{{\"timestamp\":\"2025-01-15T13:{:02}:{:02}Z\",\"region\":\"eu\",\"service\":\"s\",\"request_id\":\"g{i}\"}}\n", i / 60 % 60, i % 60)
    });
    good.chain(bad).collect()
}

const MAPPING: &str = "[[mapping]]\ntable = \"logs\"\nfrom = \"when\"\nto = \"timestamp\"\nunit = \"ms\"\n";

/// Distinct requests, and rows: the same when nothing landed twice.
fn landed(at: &Path) -> String {
    value(at, "lake", "select count(distinct request_id), count(*) from logs")
}

fn open_and_replayed(at: &Path) -> (i64, i64) {
    let rows = rows(at, &["rejects"]);
    let sum = |key: &str| rows.iter().map(|r| r[key].as_i64().unwrap()).sum();
    (sum("open"), sum("replayed"))
}

#[test]
fn rejects_are_counted_by_reason_with_an_example_that_steers_no_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    std::fs::write(at.join("a.ndjson"), feed(3, 2) + "\u{1b}[2Jnot json\n").unwrap();
    std::fs::write(at.join("b.ndjson"), feed(2, 1)).unwrap();
    ok(at, &["ingest", "--table", "logs", "a.ndjson", "b.ndjson"]);
    let found = rows(at, &["rejects"]);
    assert_eq!(found.len(), 2, "{found:?}");
    assert_eq!(
        (&found[0]["reason"], &found[0]["open"], &found[0]["replayed"]),
        (&"missing_time".into(), &5.into(), &0.into())
    );
    assert!(found[0]["example"].as_str().unwrap().starts_with("{\"when\":"), "{found:?}");
    assert_eq!(found[1]["example"], "\\u{1b}[2Jnot json");
    assert!(!ok(at, &["rejects"]).contains('\u{1b}'));
    let by_source = rows(at, &["rejects", "--by", "source", "--reason", "missing_time"]);
    assert_eq!(by_source.iter().map(|r| r["open"].as_i64().unwrap()).collect::<Vec<_>>(), [3, 2]);
    assert!(by_source[0]["source"].as_str().unwrap().ends_with("a.ndjson"));
    assert_eq!(rows(at, &["rejects", "--source", "b.ndjson"])[0]["open"], 2);
    assert_eq!(rows(at, &["rejects", "--table", "spans"]), Vec::<Value>::new());
    assert_eq!(rows(at, &["rejects", "--to", "2020-01-01"]), Vec::<Value>::new());
    assert_eq!(tars(at, &["rejects", "--table", "lgos"]).code, Some(2));
    assert_eq!(tars(at, &["rejects", "--from", "x"]).code, Some(2));
}

#[test]
fn a_replay_lands_what_lands_now_once_and_leaves_the_rest_open() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    std::fs::write(at.join("a.ndjson"), feed(20, 10) + "not json\n").unwrap();
    ok(at, &["ingest", "--table", "logs", "a.ndjson"]);
    assert_eq!(landed(at), "10,10");
    let early = ok(at, &["rejects", "replay"]);
    assert!(early.contains("still rejected as missing_time: 20"), "{early}");
    std::fs::write(at.join("tars.toml"), MAPPING).unwrap();
    let told = ok(at, &["rejects", "replay", "--dry-run"]);
    assert!(told.contains("logs: 20 rows would land"), "{told}");
    assert_eq!((landed(at).as_str(), open_and_replayed(at)), ("10,10", (21, 0)));
    let done = ok(at, &["rejects", "replay"]);
    assert!(done.contains("logs: 20 rows") && done.contains("still rejected as bad_json: 1"), "{done}");
    assert_eq!((landed(at).as_str(), open_and_replayed(at)), ("30,30", (1, 20)));
    let again = ok(at, &["rejects", "replay"]);
    assert!(!again.contains("rows"), "{again}");
    // The source itself, with the mapping that would land all of it now.
    ok(at, &["ingest", "--table", "logs", "a.ndjson"]);
    assert_eq!((landed(at).as_str(), open_and_replayed(at)), ("30,30", (1, 20)));
    assert_eq!(value(at, "lake", "select sum(records) from rejected_input"), "1");
    // Merging the files of both tables changes nothing of that.
    ok(at, &["lake", "compact"]);
    ok(at, &["rejects", "replay"]);
    assert_eq!((landed(at).as_str(), open_and_replayed(at)), ("30,30", (1, 20)));
}

#[test]
fn a_source_of_which_nothing_landed_lands_by_replay_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    std::fs::write(at.join("a.ndjson"), feed(20, 0)).unwrap();
    ok(at, &["ingest", "--table", "logs", "a.ndjson"]);
    let mapping = ["--mapping", "when=timestamp:ms"];
    ok(at, &[&["rejects", "replay"][..], &mapping].concat());
    assert_eq!(landed(at), "20,20");
    std::fs::write(at.join("tars.toml"), MAPPING).unwrap();
    for _ in 0..2 {
        ok(at, &["ingest", "--table", "logs", "a.ndjson"]);
        assert_eq!((landed(at).as_str(), open_and_replayed(at)), ("20,20", (0, 20)));
    }
    // It grows: only the new part lands.
    std::fs::write(at.join("a.ndjson"), feed(20, 0) + &feed(0, 5)).unwrap();
    ok(at, &["ingest", "--table", "logs", "a.ndjson"]);
    assert_eq!(landed(at), "25,25");
}

#[test]
fn filters_choose_what_is_replayed_and_the_format_can_be_another_one() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    std::fs::write(at.join("tars.toml"), MAPPING).unwrap();
    std::fs::write(at.join("none.toml"), "").unwrap();
    for name in ["a", "b"] {
        std::fs::write(at.join(format!("{name}.ndjson")), feed(4, 0).replace("\"b", &format!("\"{name}")))
            .unwrap();
        ok(at, &["ingest", "--config", "none.toml", "--table", "logs", &format!("{name}.ndjson")]);
    }
    ok(at, &["rejects", "replay", "--reason", "bad_json"]);
    ok(at, &["rejects", "replay", "--to", "2020-01-01"]);
    assert_eq!(open_and_replayed(at), (8, 0));
    ok(at, &["rejects", "replay", "--source", "a.ndjson"]);
    assert_eq!((landed(at).as_str(), open_and_replayed(at)), ("4,4", (4, 4)));
    ok(at, &["rejects", "replay"]);
    assert_eq!((landed(at).as_str(), open_and_replayed(at)), ("8,8", (0, 8)));
    // An event of CloudWatch that was read as ndjson with the wrong table.
    std::fs::write(at.join("c.ndjson"), "{\"timestamp\":1736946000000,\"message\":\"m\"}\n").unwrap();
    ok(at, &["ingest", "--format", "ndjson", "c.ndjson"]);
    assert_eq!(open_and_replayed(at), (1, 8));
    ok(at, &["rejects", "replay", "--read-as", "cloudwatch"]);
    assert_eq!(
        (value(at, "lake", "select count(*) from logs where message = 'm'").as_str(), open_and_replayed(at)),
        ("1", (0, 9))
    );
    for args in [
        &["--mapping", "when"][..],
        &["--mapping", "when=nowhere"],
        &["--read-as", "xml"],
        &["--into", "rejects"],
    ] {
        let code = tars(at, &[&["rejects", "replay"][..], args].concat()).code;
        assert!(matches!(code, Some(2 | 5)), "{args:?}: {code:?}");
    }
}

#[test]
fn a_record_that_was_cut_is_told_to_be_beyond_replay() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    // Larger than what is kept of an original (1 MiB).
    let long = format!("{{\"when\":1736946000000,\"message\":\"{}\"}}\n", "x".repeat(1 << 20));
    std::fs::write(at.join("a.ndjson"), feed(1, 1) + &long).unwrap();
    ok(at, &["ingest", "--table", "logs", "a.ndjson"]);
    let cut: i64 = rows(at, &["rejects"]).iter().map(|r| r["cut"].as_i64().unwrap()).sum();
    assert_eq!(cut, 1);
    let done = ok(at, &["rejects", "replay", "--mapping", "when=timestamp:ms"]);
    let count = |what: &str| {
        let line = done.lines().find(|l| l.starts_with(what)).unwrap();
        line.split_whitespace().last().unwrap().to_owned()
    };
    assert_eq!(["read", "replayed", "not replayable"].map(count), ["2", "1", "1"]);
    assert_eq!(landed(at).as_str(), "2,2");
}

#[cfg(unix)]
#[test]
fn a_replay_that_is_killed_anywhere_is_completed_by_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    std::fs::write(at.join("a.ndjson"), feed(6_000, 10)).unwrap();
    ok(at, &["ingest", "--table", "logs", "a.ndjson"]);
    std::fs::write(at.join("tars.toml"), MAPPING).unwrap();
    let mut killed = 0;
    for delay in [60, 150, 250, 350, 450, 550, 700, 900] {
        let mut child = command(at, &["rejects", "replay"])
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(std::time::Duration::from_millis(delay));
        let _ = child.kill();
        killed += usize::from(!child.wait().unwrap().success());
        let (open, replayed) = open_and_replayed(at);
        assert_eq!(open + replayed, 6_000, "after {delay} ms");
    }
    let _ = killed; // How many were caught in the act depends on the machine; the outcome must not.
    ok(at, &["rejects", "replay"]);
    ok(at, &["rejects", "replay"]);
    assert_eq!((landed(at).as_str(), open_and_replayed(at)), ("6010,6010", (0, 6_000)));
}

#[test]
fn rejects_of_csv_land_after_a_mapping_with_the_header_that_they_stood_behind() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    // The header stands far ahead of the record, and each file has another one.
    let lines = |from: i64| -> String {
        (from..from + 3_000).map(|i| format!("eu;{};api;b{i};200\n", 1_736_946_000_000_i64 + i)).collect()
    };
    std::fs::write(at.join("a.csv"), format!("region;when;service;request_id;status_code\n{}", lines(0)))
        .unwrap();
    let swapped = "status_code,request_id,when,region\n200,\"c,1\",1736946000000,eu\n";
    std::fs::write(at.join("b.csv"), swapped).unwrap();
    ok(at, &["ingest", "--table", "logs", "a.csv", "b.csv"]);
    assert_eq!(open_and_replayed(at), (3_001, 0));
    ok(at, &["rejects", "replay"]);
    assert_eq!(open_and_replayed(at), (3_001, 0), "nothing was corrected");
    std::fs::write(at.join("tars.toml"), MAPPING).unwrap();
    ok(at, &["rejects", "replay"]);
    assert_eq!((landed(at).as_str(), open_and_replayed(at)), ("3001,3001", (0, 3_001)));
    let odd = "select request_id || '/' || status_code || '/' || region from logs where request_id like 'c%'";
    assert_eq!(value(at, "lake", odd), "\"c,1/200/eu\"");
    let early = "select service || request_id from logs where timestamp < '2025-01-15T13:00:00.001Z' and service = 'api'";
    assert_eq!(value(at, "lake", early), "apib0");
}

#[test]
fn a_bad_feed_fails_loudly_and_lands_or_not_as_the_user_chose() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    std::fs::write(at.join("a.ndjson"), feed(6, 94)).unwrap();
    let ingest = |more: &[&str]| tars(at, &[&["ingest", "--table", "logs", "a.ndjson"][..], more].concat());
    let refused = ingest(&["--max-reject-ratio", "0.05"]);
    assert_eq!(refused.code, Some(7), "{}", refused.stderr);
    for part in ["6 of 100", "6.00 %", "5.00 %", "nothing of it landed", "hint: "] {
        assert!(refused.stderr.contains(part), "{part}: {}", refused.stderr);
    }
    assert!(refused.stdout.contains("missing_time"), "{}", refused.stdout);
    let held = |table: &str| {
        let snapshot = ok(
            at,
            &[
                "sql",
                "--date",
                "2025-01-15",
                "--format",
                "csv",
                "-c",
                &format!("select count(*) from {table}"),
            ],
        );
        snapshot.lines().last().unwrap().to_owned()
    };
    assert_eq!((held("logs"), held("rejects")), ("0".into(), "0".into()));
    assert_eq!(crate::support::files_under(&at.join("lake"), ".parquet"), Vec::<std::path::PathBuf>::new());
    // Exactly at the limit is within it, and then all of it lands.
    let good = ingest(&["--max-reject-ratio", "0.06"]);
    assert_eq!(good.code, Some(0), "{}", good.stderr);
    assert_eq!((held("logs"), held("rejects")), ("94".into(), "6".into()));
    let again = ingest(&["--max-reject-ratio", "0.05"]);
    assert_eq!(again.code, Some(0), "nothing new, nothing bad: {}", again.stderr);
    assert_eq!((held("logs"), held("rejects")), ("94".into(), "6".into()));

    std::fs::write(at.join("b.ndjson"), feed(6, 94)).unwrap();
    let keep =
        ["ingest", "--table", "logs", "b.ndjson", "--max-reject-ratio", "0.05", "--on-bad-feed", "keep"];
    let kept = tars(at, &keep);
    assert_eq!(kept.code, Some(7), "{}", kept.stderr);
    assert!(kept.stderr.contains("what was good landed"), "{}", kept.stderr);
    assert_eq!((held("logs"), held("rejects")), ("188".into(), "12".into()));
    assert_eq!(tars(at, &["ingest", "--max-reject-ratio", "5", "a.ndjson"]).code, Some(2));
    assert_eq!(tars(at, &["ingest", "--on-bad-feed", "keep", "a.ndjson"]).code, Some(2));
}

#[test]
fn a_long_bad_feed_is_given_up_early_and_a_bad_beginning_alone_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    // The first tenth is bad, which is much for a beginning and little for the whole.
    std::fs::write(at.join("a.ndjson"), feed(900, 0) + &feed(0, 29_100)).unwrap();
    ok(at, &["ingest", "--table", "logs", "--max-reject-ratio", "0.05", "a.ndjson"]);
    std::fs::write(at.join("b.ndjson"), feed(400_000, 0)).unwrap();
    let refused = tars(at, &["ingest", "--table", "logs", "--max-reject-ratio", "0.05", "b.ndjson"]);
    assert_eq!(refused.code, Some(7), "{}", refused.stderr);
    let total = refused.stdout.lines().find(|l| l.contains("b.ndjson")).unwrap();
    assert!(!total.contains("400,000"), "it should stop before the end: {total}");
}

#[test]
fn a_dry_run_says_what_would_land_and_shows_rejects_but_leaves_no_trace() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    std::fs::write(at.join("a.ndjson"), feed(3, 2) + "\u{1b}[2Jnot json\n").unwrap();
    let foreseen = ok(at, &["ingest", "--dry-run", "--table", "logs", "a.ndjson"]);
    assert!(
        foreseen.contains("nothing landed: the counts say what would have\nlogs: 2 rows\n"),
        "{foreseen}"
    );
    assert!(foreseen.contains("rejected as missing_time: 3\n"), "{foreseen}");
    assert_eq!(
        foreseen.matches("a.ndjson at byte ").count(),
        3,
        "two of one reason, one of the other: {foreseen}"
    );
    assert!(foreseen.contains("\\u{1b}[2Jnot json") && !foreseen.contains('\u{1b}'), "{foreseen}");
    assert!(!at.join("lake").exists());
    let bad = tars(at, &["ingest", "--dry-run", "--max-reject-ratio", "0.1", "--table", "logs", "a.ndjson"]);
    assert_eq!(bad.code, Some(7));

    // What has landed already is told apart, and the lake stays as it is.
    ok(at, &["ingest", "--table", "logs", "a.ndjson"]);
    let versions = || rows(at, &["lake", "history"]).len();
    let before = versions();
    std::fs::write(at.join("a.ndjson"), feed(3, 2) + "\u{1b}[2Jnot json\n" + &feed(0, 1)).unwrap();
    let again = ok(at, &["ingest", "--dry-run", "--table", "logs", "a.ndjson"]);
    assert!(again.contains("\nlogs: 1 rows\n"), "{again}");
    assert_eq!(
        again.lines().nth(1).unwrap().split_whitespace().skip(2).collect::<Vec<_>>(),
        ["7", "1", "0", "6"]
    );
    assert_eq!((versions(), landed(at)), (before, "2,2".to_owned()));
}
