//! S3, Google Cloud Storage and Azure Blob Storage through the command itself: objects that land, and lakes that live there.

use std::io::Write;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::stores::{Manners, SECRET, Store};
use crate::support::{Outcome, value};

fn lines(range: std::ops::Range<usize>) -> String {
    range
        .map(|i| {
            format!(
                "{{\"timestamp\":\"2025-01-15T0{}:00:00Z\",\"message\":\"m{i}\",\"service\":\"api\",\"duration_ms\":1.5}}\n",
                i % 3
            )
        })
        .collect()
}

fn packed(text: &str) -> Vec<u8> {
    let mut writer = GzEncoder::new(Vec::new(), Compression::fast());
    writer.write_all(text.as_bytes()).unwrap();
    writer.finish().unwrap()
}

#[track_caller]
fn fine(outcome: &Outcome) -> &str {
    assert_eq!(outcome.code, Some(0), "{}\n{}", outcome.stdout, outcome.stderr);
    &outcome.stdout
}

/// Objects land in a local lake, so that only the reading is on trial.
fn rows(folder: &Path) -> usize {
    value(folder, "lake", "select count(*) from logs").parse().unwrap()
}

#[test]
fn objects_prefixes_and_globs_of_a_bucket_land_once_and_unchanged_ones_are_not_fetched_again() {
    for store in Store::all() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        // More than one part: 4 MiB are asked for at a time.
        let large = 80_000;
        store.put("prod/a.ndjson", lines(0..large));
        store.put("prod/b.json.gz", packed(&lines(0..10)));
        store.put("prod/deep here/c.log", lines(0..20));
        store.put("prod/notes.md", "no telemetry");
        store.put("other/d.ndjson", lines(0..5));
        let ingest = |key: &str| store.tars(at, &["ingest", &store.url(key)]);

        fine(&ingest("prod/"));
        assert_eq!(rows(at), large + 30);
        assert!(store.fetched("prod/a.ndjson") >= 2);
        let again = ingest("prod/");
        assert!(fine(&again).contains("3 objects have landed in this very version"), "{}", again.stdout);
        assert_eq!(store.fetched("prod/a.ndjson"), 0);

        // However a key is found, it is the same object: by folder, by name, by a pattern with any wildcard.
        fine(&ingest("prod/deep here/c.log"));
        fine(&ingest("prod/deep h?re/*.log"));
        assert_eq!(rows(at), large + 30);
        // A pattern stays within a folder; an object that grew lands its rest.
        fine(&ingest("*/?.ndjson"));
        assert_eq!(rows(at), large + 35);
        store.put("prod/deep here/c.log", lines(0..25));
        fine(&ingest("prod/deep*/?.log"));
        assert_eq!(rows(at), large + 40);
    }
}

#[test]
fn a_busy_store_is_asked_again_and_nothing_is_lost() {
    for store in Store::all() {
        let folder = tempfile::tempdir().unwrap();
        (0..12).for_each(|i| store.put(&format!("day/{i}.ndjson"), lines(i..i + 10)));
        store.behave(Manners { busy_every: 4, ..Manners::default() }, 5);
        fine(&store.tars(folder.path(), &["ingest", &store.url("day/")]));
        assert_eq!(rows(folder.path()), 120);
    }
}

#[test]
fn what_is_missing_or_refused_is_told_at_once_with_its_remedy_and_no_secret() {
    for store in Store::all() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        store.put("a.ndjson", lines(0..1));
        let check = |outcome: Outcome, code: i32, expected: &[&str]| {
            assert_eq!(outcome.code, Some(code), "{}", outcome.stderr);
            for text in expected {
                assert!(outcome.stderr.contains(text), "expected `{text}` in: {}", outcome.stderr);
            }
            assert!(!outcome.stderr.contains(SECRET), "{}", outcome.stderr);
        };
        let url = store.url("a.ndjson");
        check(
            store.tars(at, &["ingest", &store.url("none.json")]),
            3,
            &["telemetry files below that prefix"],
        );
        check(store.tars(at, &["ingest", &store.url("none/*.gz")]), 3, &["at least one object that matches"]);
        check(store.tars(at, &["ingest", &store.elsewhere("a.ndjson")]), 3, &["elsewhere"]);
        check(store.as_another(at, &["ingest", &url]), 3, &["AWS_*, GOOGLE_*, AZURE_*"]);
        let refused = store.as_another(at, &["lake", "status", "--lake", &store.url("lake")]);
        check(refused, 4, &["permission denied", "check the credentials"]);

        let started = Instant::now();
        let (stranger, variables) = store.as_a_stranger(at, &["ingest", &url]);
        check(stranger, 3, &[variables, "docs/sources.md"]);
        for args in [["lake", "status"], ["ingest", "a.ndjson"]] {
            std::fs::write(at.join("a.ndjson"), lines(0..1)).unwrap();
            let lake = store.url("lake");
            let (stranger, variables) = store.as_a_stranger(at, &[args[0], args[1], "--lake", &lake]);
            check(stranger, 4, &[variables, "docs/sources.md"]);
        }
        assert!(started.elapsed() < Duration::from_secs(30), "strangers waited {:?}", started.elapsed());
    }
}

#[test]
fn a_lake_lives_in_a_store_that_is_busy_and_forgets_to_answer() {
    for store in Store::all() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        let lake = store.url("deep/lake");
        let tars = |args: &[&str]| {
            let args: Vec<&str> = args.iter().copied().chain(["--lake", &lake]).collect();
            fine(&store.tars(at, &args)).to_owned()
        };
        let count = |sql: &str| {
            let csv = tars(&["sql", "--format", "csv", "--date", "2025-01-15", "-c", sql]);
            csv.lines().nth(1).unwrap_or_else(|| panic!("no row from {sql}")).to_owned()
        };
        let data_files =
            || store.keys().iter().filter(|k| k.contains("/logs/region=") && k.ends_with(".parquet")).count();
        store.put("in/a.ndjson", lines(0..300));
        store.behave(Manners { busy_every: 17, forgets_every: 6 }, 40);
        tars(&["ingest", &store.url("in/")]);
        assert_eq!(count("select count(*) from logs"), "300");

        // Two at once both land, each once.
        std::fs::write(at.join("one.ndjson"), lines(1000..1100)).unwrap();
        std::fs::write(at.join("two.ndjson"), lines(2000..2050)).unwrap();
        let children = ["one.ndjson", "two.ndjson"].map(|input| {
            let mut command = store.command(at, &["ingest", "--lake", &lake, input]);
            command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
        });
        for mut child in children {
            assert_eq!(child.wait().unwrap().code(), Some(0));
        }
        tars(&["ingest", "one.ndjson", "two.ndjson"]);
        assert_eq!(count("select count(*) from logs"), "450");
        assert_eq!(count("select count(distinct message) from logs"), "450");
        assert_eq!(count("select sum(requests) from log_minutes"), "450");

        // Compacted, an older version is still there, until a vacuum.
        let landed = data_files();
        tars(&["lake", "compact", "--table", "logs"]);
        assert_eq!(count("select count(*) from logs"), "450");
        tars(&["lake", "restore", "--table", "logs", "--to", "1"]);
        assert_eq!(count("select count(*) from logs"), "300");
        assert_eq!(count("select sum(requests) from log_minutes"), "300");
        tars(&["ingest", "one.ndjson", "two.ndjson"]);
        tars(&["lake", "compact", "--table", "logs"]);
        assert!(data_files() > landed);
        tars(&["lake", "vacuum", "--table", "logs", "--days", "0", "--min-age-hours", "0"]);
        assert!(data_files() <= 3, "{:?}", store.keys());
        assert_eq!(count("select count(distinct message) from logs"), "450");
        assert_eq!(count("select sum(requests) from log_minutes"), "450");
        tars(&["report", "--date", "2025-01-15", "--out", "out"]);
        assert!(store.requests() > 100);
    }
}

#[test]
fn a_small_file_of_a_lake_is_asked_for_once() {
    let [store, ..] = Store::all();
    let folder = tempfile::tempdir().unwrap();
    let lake = store.url("lake");
    std::fs::write(folder.path().join("a.ndjson"), lines(0..300)).unwrap();
    fine(&store.tars(folder.path(), &["ingest", "a.ndjson", "--lake", &lake]));
    // Rollups read it as well; now they are there.
    fine(&store.tars(folder.path(), &["sql", "--lake", &lake, "-c", "select 1"]));
    let keys = store.keys();
    let file = keys.iter().find(|k| k.starts_with("lake/logs/region=") && k.ends_with(".parquet")).unwrap();
    // A filter and several columns: footer, bounds of pages, and columns.
    let sql = "select max(message), max(service), count(*) from logs where duration_ms > 0";
    for ask in [sql, "select * from logs order by message limit 3"] {
        store.fetched("");
        fine(&store.tars(folder.path(), &["sql", "--lake", &lake, "-c", ask]));
        assert_eq!(store.fetched(file), 1, "{ask}");
    }
}
