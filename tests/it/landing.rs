//! Landing under attack: runs that are killed, runs at the same time, and input that means harm.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::support::{command, ok, tars, value};
use tars::lake::Lake;

/// Kills in all, over as many lakes as it takes.
const KILLS: usize = 50;
/// Log lines of the input: enough for several commits at the least memory.
const LINES: usize = 40_000;
/// The least memory that ingest takes: buffers are small then, and commits many.
const LITTLE: &str = "32MiB";

/// Log lines over several regions and hours, with a record in a hundred that cannot land.
fn lines(count: usize) -> String {
    let mut text = String::new();
    for i in 0..count {
        let (hour, minute, micros) = (i / 3600 % 24, i / 60 % 60, (i * 7919) % 1_000_000);
        if i % 100 == 99 {
            writeln!(text, r#"{{"timestamp":"yesterday","message":"line {i}"}}"#).unwrap();
            continue;
        }
        writeln!(
            text,
            r#"{{"timestamp":"2025-01-15T{hour:02}:{minute:02}:00.{micros:06}Z","region":"r{}","service":"s{}","level":"INFO","message":"line {i} {}","duration_ms":{}.5,"status_code":200}}"#,
            i % 3,
            i % 7,
            "x".repeat(i % 120),
            i % 500,
        )
        .unwrap();
    }
    text
}

/// How often each message stands in the lake, and how many rejects there are of each offset.
fn content(folder: &Path, lake: &str) -> (BTreeMap<String, usize>, BTreeMap<String, usize>) {
    let count = |sql: &str| {
        let csv = ok(folder, &["sql", "--lake", lake, "--format", "csv", "-c", sql]);
        let mut counts = BTreeMap::new();
        for line in csv.lines().skip(1) {
            *counts.entry(line.to_owned()).or_default() += 1;
        }
        counts
    };
    (
        count("select region, \"timestamp\", service, duration_ms, message from logs"),
        count("select source, \"offset\", code from rejects"),
    )
}

/// Numbers that look random and are the same in every run (Knuth's MMIX constants).
fn next(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *seed >> 33
}

#[test]
fn killed_at_any_point_and_run_again_gives_the_rows_of_one_clean_run() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("app.ndjson"), lines(LINES)).unwrap();
    let ingest = |lake: &str| {
        let mut command =
            command(folder, &["ingest", "--lake", lake, "--memory-limit", LITTLE, "-q", "app.ndjson"]);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command
    };
    let begin = Instant::now();
    assert!(ingest("clean").status().unwrap().success());
    let whole = begin.elapsed();
    let clean = content(folder, "clean");
    assert_eq!(clean.0.values().sum::<usize>(), LINES - LINES / 100);
    assert_eq!(clean.1.values().sum::<usize>(), LINES / 100);

    let (mut kills, mut seed, mut lakes) = (0, 7, 0);
    while kills < KILLS {
        lakes += 1;
        let lake = format!("lake{lakes}");
        // A few deaths per lake, each somewhere in what a whole run takes; then one run in peace.
        for _ in 0..5 {
            let mut run = ingest(&lake).spawn().unwrap();
            let micros = u64::try_from(whole.as_micros()).unwrap();
            std::thread::sleep(Duration::from_micros(next(&mut seed) % micros));
            if run.try_wait().unwrap().is_none() {
                run.kill().unwrap();
                kills += 1;
            }
            run.wait().unwrap();
        }
        assert!(ingest(&lake).status().unwrap().success());
        assert_eq!(content(folder, &lake), clean, "after {kills} kills, in {lake}");
        fs::remove_dir_all(folder.join(&lake)).unwrap();
    }
}

#[test]
fn two_ingests_at_once_into_one_lake_both_land() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let text = lines(LINES);
    let half = text.len() / 2 + text[text.len() / 2..].find('\n').unwrap() + 1;
    fs::write(folder.join("a.ndjson"), &text[..half]).unwrap();
    fs::write(folder.join("b.ndjson"), &text[half..]).unwrap();
    let runs: Vec<_> = ["a.ndjson", "b.ndjson"]
        .map(|file| {
            command(folder, &["ingest", "--lake", "lake", "--memory-limit", LITTLE, file])
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .into_iter()
        .map(|run| run.wait_with_output().unwrap())
        .collect();
    for run in runs {
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    }
    let count = |sql: &str| value(folder, "lake", sql);
    assert_eq!(count("select count(*) from logs"), (LINES - LINES / 100).to_string());
    assert_eq!(count("select count(*) from rejects"), (LINES / 100).to_string());
}

/// Ingests one file with little memory and returns what the command says.
fn land(name: &str, bytes: &[u8]) -> (tempfile::TempDir, crate::support::Outcome) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(name), bytes).unwrap();
    let outcome = tars(folder.path(), &["ingest", "--lake", "lake", "--memory-limit", "64MiB", name]);
    (folder, outcome)
}

const GOOD: &str = r#"{"timestamp":"2025-01-15T13:00:00Z","message":"good"}"#;

#[test]
fn a_gzip_bomb_is_passed_over_record_by_record() {
    // 300 MB of one line pack into 300 kB.
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    writeln!(packed, "{GOOD}").unwrap();
    packed.write_all(b"{\"message\":\"").unwrap();
    let chunk = vec![b'x'; 1 << 20];
    for _ in 0..300 {
        packed.write_all(&chunk).unwrap();
    }
    writeln!(packed, "\"}}\n{GOOD}").unwrap();
    let bomb = packed.finish().unwrap();
    assert!(bomb.len() < 1 << 20);
    let (folder, outcome) = land("bomb.ndjson.gz", &bomb);
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert_eq!(value(folder.path(), "lake", "select count(*) from logs"), "2");
    assert_eq!(value(folder.path(), "lake", "select code from rejects"), "too_large");
}

#[test]
fn nesting_without_end_is_refused_by_its_name() {
    let deep = format!(
        "{{\"timestamp\":\"2025-01-15T13:00:00Z\",\"x\":{}1{}}}",
        "[".repeat(200_000),
        "]".repeat(200_000)
    );
    let objects = "{\"a\":".repeat(100_000);
    let (folder, outcome) = land("deep.ndjson", format!("{GOOD}\n{deep}\n{objects}\n{GOOD}\n").as_bytes());
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert_eq!(value(folder.path(), "lake", "select count(*) from logs"), "2");
    assert_eq!(value(folder.path(), "lake", "select count(*) from rejects where code = 'too_deep'"), "2");
}

#[test]
fn keys_without_number_are_kept_and_do_not_fill_the_memory() {
    let mut text = String::new();
    for line in 0..2_000 {
        write!(text, "{{\"timestamp\":\"2025-01-15T13:00:00Z\"").unwrap();
        for key in 0..100 {
            write!(text, ",\"k{line}_{key}\":{key}").unwrap();
        }
        text.push_str("}\n");
    }
    let (folder, outcome) = land("keys.ndjson", text.as_bytes());
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let sum = "select count(*) || ' ' || sum(cardinality(attributes)) from logs";
    assert_eq!(value(folder.path(), "lake", sum), "2000 200000");
}

#[test]
fn times_at_the_edges_of_the_calendar_land_and_beyond_them_do_not() {
    let line = |time: &str| format!("{{\"timestamp\":\"{time}\",\"message\":\"{time}\"}}\n");
    let good = ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z", "1969-12-31T23:59:59.999999Z"];
    let bad = [
        "0000-12-31T23:59:59Z",
        "10000-01-01T00:00:00Z",
        "2025-02-30T00:00:00Z",
        "0001-01-01T00:00:00+01:00",
    ];
    let text: String = good.iter().chain(&bad).map(|t| line(t)).collect();
    let (folder, outcome) = land("edges.ndjson", text.as_bytes());
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    assert_eq!(value(folder.path(), "lake", "select count(*) from logs"), "3");
    assert_eq!(value(folder.path(), "lake", "select count(*) from rejects where code = 'bad_time'"), "4");
}

#[test]
fn regions_that_mean_harm_stay_inside_the_lake() {
    let regions = ["../../../x", "..", "/etc", "a/b=c", "con", "%2e%2e", "", &"é".repeat(30), "a b\u{7f}"];
    let mut text = String::new();
    for region in regions {
        let region = serde_json::to_string(region).unwrap();
        writeln!(text, "{{\"timestamp\":\"2025-01-15T13:00:00Z\",\"region\":{region},\"message\":{region}}}")
            .unwrap();
    }
    let (folder, outcome) = land("regions.ndjson", text.as_bytes());
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let around: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(around.len(), 2, "{around:?}");
    assert_eq!(value(folder.path(), "lake", "select count(*) from logs"), regions.len().to_string());
    let same = "select count(*) from logs where region = message";
    assert_eq!(value(folder.path(), "lake", same), (regions.len() - 2).to_string());
}

#[tokio::test]
async fn bytes_without_sense_are_accounted_for() {
    let folder = tempfile::tempdir().unwrap();
    let lake = Lake::create(folder.path().join("lake").to_str().unwrap()).await.unwrap();
    let mut seed = 11;
    for round in 0..40u64 {
        // Random bytes, then a good feed with random bytes in it.
        let mut bytes: Vec<u8> = (0..2_000).map(|_| next(&mut seed) as u8).collect();
        if round % 2 == 1 {
            let noise = std::mem::replace(&mut bytes, lines(100).into_bytes());
            for (at, byte) in noise.iter().enumerate().step_by(97) {
                let place = (at * 131 + *byte as usize * 7) % bytes.len();
                bytes[place] = *byte;
            }
        }
        let path = folder.path().join(format!("noise{round}.log"));
        fs::write(&path, &bytes).unwrap();
        let inputs = [path.to_str().unwrap().to_owned()];
        let summary =
            tars::ingest::ingest(&lake, &inputs, &tars::ingest::Options::default(), &tars::ingest::Silent)
                .await
                .unwrap();
        assert_eq!(summary.read, summary.landed + summary.rejected + summary.already_landed, "round {round}");
        let again =
            tars::ingest::ingest(&lake, &inputs, &tars::ingest::Options::default(), &tars::ingest::Silent)
                .await
                .unwrap();
        assert_eq!((again.landed, again.rejected), (0, 0), "round {round}");
        assert_eq!(again.read, summary.read, "round {round}");
    }
}
