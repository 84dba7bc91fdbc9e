//! Files that grow, are rotated and are cut while they are followed.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use tokio::task::JoinHandle;

use super::super::follow::{Follow, follow};
use super::super::options::Options;
use super::super::stats::{Silent, Summary};
use super::{Bench, check_sums};
use crate::lake::Lake;

fn line(i: usize) -> String {
    format!("{{\"timestamp\":\"2025-01-15T01:00:00Z\",\"message\":\"m{i:05}\"}}\n")
}

fn lines(range: std::ops::Range<usize>) -> String {
    range.map(line).collect()
}

fn append(path: &str, text: &str) {
    OpenOptions::new().append(true).create(true).open(path).unwrap().write_all(text.as_bytes()).unwrap();
}

fn packed(text: &str) -> Vec<u8> {
    let mut writer = GzEncoder::new(Vec::new(), Compression::fast());
    writer.write_all(text.as_bytes()).unwrap();
    writer.finish().unwrap()
}

/// A follower at work.
struct Running {
    cancel: Arc<AtomicBool>,
    task: JoinHandle<Summary>,
}

impl Running {
    fn start(lake: &Lake, input: &str) -> Running {
        let cancel = Arc::new(AtomicBool::new(false));
        let options = Options {
            cancel: Some(cancel.clone()),
            flush_interval: Some(Duration::from_millis(30)),
            threads: 1,
            ..Options::default()
        };
        let (lake, inputs) = (lake.clone(), vec![input.to_owned()]);
        let how = Follow { until_idle: None, poll: Duration::from_millis(5) };
        let task = tokio::spawn(async move { follow(&lake, &inputs, &options, how, &Silent).await.unwrap() });
        Running { cancel, task }
    }

    async fn stop(mut self) -> Summary {
        self.cancel.store(true, Ordering::Relaxed);
        let summary = (&mut self.task).await.unwrap();
        check_sums(&summary);
        summary
    }
}

/// A test that fails must not wait for a follower that nobody stops.
impl Drop for Running {
    fn drop(&mut self) {
        self.cancel.store(true, Ordering::Relaxed);
    }
}

async fn count(bench: &Bench) -> u64 {
    bench.lake.snapshot("logs").await.unwrap().map_or(0, |s| s.rows())
}

/// Waits until so many rows have landed.
async fn wait_for(bench: &Bench, rows: u64) {
    let start = Instant::now();
    while count(bench).await < rows {
        assert!(start.elapsed() < Duration::from_secs(60), "{} rows of {rows}", count(bench).await);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Each message in the lake, sorted.
async fn messages(bench: &Bench) -> Vec<String> {
    let rows = bench.rows("logs").await;
    let mut all: Vec<String> = rows.iter().map(|r| r["message"].as_str().unwrap().to_owned()).collect();
    all.sort();
    all
}

fn expected(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|i| format!("m{i:05}")).collect()
}

/// Lets the follower look a few times.
async fn settle() {
    tokio::time::sleep(Duration::from_millis(200)).await;
}

#[tokio::test]
async fn whole_lines_land_while_the_file_grows_and_a_batch_knows_what_landed() {
    let bench = Bench::new().await;
    let path = bench.path("app.log");
    // It is not there yet.
    let running = Running::start(&bench.lake, &path);
    append(&path, &lines(0..10));
    wait_for(&bench, 10).await;
    let (half, rest) = (line(10)[..20].to_owned(), line(10)[20..].to_owned());
    append(&path, &half);
    settle().await;
    assert_eq!(count(&bench).await, 10);
    append(&path, &(rest + &lines(11..20) + &half));
    wait_for(&bench, 20).await;
    let summary = running.stop().await;
    assert_eq!((summary.landed, summary.rejected), (20, 0));
    assert_eq!(messages(&bench).await, expected(0..20));
    // What follows is the same source to a batch, and to the next follower.
    fs::write(&path, lines(0..25)).unwrap();
    let batch = bench.ingest(&[&path], &Options::default()).await;
    assert_eq!((batch.landed, batch.already_landed), (5, 20));
    let running = Running::start(&bench.lake, &path);
    append(&path, &lines(25..30));
    wait_for(&bench, 30).await;
    let summary = running.stop().await;
    assert_eq!((summary.landed, summary.already_landed), (5, 25));
}

#[tokio::test]
async fn rotation_by_rename_loses_nothing_and_repeats_nothing() {
    let bench = Bench::new().await;
    let path = bench.path("app.log");
    // With the rotated names matched as well, and without.
    for (at, input) in [(0, bench.path("app.log*")), (1, path.clone())] {
        let first = at * 100;
        for name in ["app.log", "app.log.1", "app.log.2"] {
            let _ = fs::remove_file(bench.path(name));
        }
        let running = Running::start(&bench.lake, &input);
        append(&path, &lines(first..first + 10));
        wait_for(&bench, first as u64 + 10).await;
        for round in 1..=3usize {
            let now = first + round * 10;
            let _ = fs::rename(bench.path("app.log.1"), bench.path("app.log.2"));
            fs::rename(&path, bench.path("app.log.1")).unwrap();
            // The writer may not have noticed yet.
            if round != 2 {
                append(&bench.path("app.log.1"), &lines(now..now + 5));
            }
            append(&path, &lines(if round == 2 { now } else { now + 5 }..now + 10));
            wait_for(&bench, now as u64 + 10).await;
        }
        settle().await;
        running.stop().await;
        assert_eq!(messages(&bench).await, expected(0..first + 40), "following {input}");
        // A new follower finds everything landed under one name or another.
        let running = Running::start(&bench.lake, &input);
        settle().await;
        assert_eq!(running.stop().await.landed, 0);
        // The next round begins where this one ends.
        append(&path, &lines(first + 40..first + 100));
        let running = Running::start(&bench.lake, &input);
        wait_for(&bench, first as u64 + 100).await;
        running.stop().await;
    }
    assert_eq!(messages(&bench).await, expected(0..200));
}

#[tokio::test]
async fn a_file_that_was_rotated_away_while_nobody_looked_is_finished_first() {
    let bench = Bench::new().await;
    let path = bench.path("app.log");
    let running = Running::start(&bench.lake, &path);
    append(&path, &lines(0..10));
    wait_for(&bench, 10).await;
    running.stop().await;
    // Five more lines, then rotated and packed; a stranger lies beside it.
    fs::remove_file(&path).unwrap();
    fs::write(bench.path("app.log.1.gz"), packed(&lines(0..15))).unwrap();
    fs::write(bench.path("app.log.2.gz"), packed(&lines(900..910))).unwrap();
    append(&path, &lines(15..20));
    let running = Running::start(&bench.lake, &path);
    wait_for(&bench, 20).await;
    settle().await;
    running.stop().await;
    assert_eq!(messages(&bench).await, expected(0..20));
}

#[tokio::test]
async fn a_file_that_is_cut_lands_anew_from_its_start_and_its_copy_is_known() {
    let bench = Bench::new().await;
    let path = bench.path("app.log");
    let running = Running::start(&bench.lake, &bench.path("app.log*"));
    append(&path, &lines(0..10));
    wait_for(&bench, 10).await;
    // As `copytruncate` does it.
    fs::copy(&path, bench.path("app.log.1")).unwrap();
    fs::write(&path, "").unwrap();
    settle().await;
    append(&path, &lines(10..13));
    wait_for(&bench, 13).await;
    // Cut and longer than before between two looks: its beginning tells.
    fs::write(&path, lines(13..30)).unwrap();
    wait_for(&bench, 30).await;
    settle().await;
    running.stop().await;
    assert_eq!(messages(&bench).await, expected(0..30));
}

#[tokio::test]
async fn new_files_of_a_folder_are_taken_up_plain_and_packed() {
    let bench = Bench::new().await;
    let folder = bench.path("logs");
    fs::create_dir(&folder).unwrap();
    let running = Running::start(&bench.lake, &folder);
    append(&format!("{folder}/a.log"), &lines(0..10));
    wait_for(&bench, 10).await;
    append(&format!("{folder}/b.ndjson"), &lines(10..20));
    fs::write(format!("{folder}/c.json.gz"), packed(&lines(20..30))).unwrap();
    append(&format!("{folder}/notes.md"), "not telemetry\n");
    wait_for(&bench, 30).await;
    let summary = running.stop().await;
    assert_eq!((summary.landed, summary.sources.len()), (30, 3));
    assert_eq!(messages(&bench).await, expected(0..30));
}

#[tokio::test]
async fn it_ends_by_itself_when_nothing_comes_and_says_what_it_cannot_follow() {
    let bench = Bench::new().await;
    let path = bench.write("app.log", lines(0..10));
    let how = Follow { until_idle: Some(Duration::from_millis(100)), poll: Duration::from_millis(5) };
    let inputs = [path];
    let summary = follow(&bench.lake, &inputs, &Options::default(), how, &Silent).await.unwrap();
    assert_eq!((summary.landed, summary.cancelled), (10, false));
    for (input, expected) in [("-", "got standard input"), ("s3://b/k", "got a URL")] {
        let inputs = [input.to_owned()];
        let error = follow(&bench.lake, &inputs, &Options::default(), how, &Silent).await.unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[tokio::test]
async fn a_follower_that_died_at_any_moment_is_gone_on_with() {
    let bench = Bench::new().await;
    let path = bench.path("app.log");
    let mut written = 0;
    for round in 0..6u64 {
        let mut running = Running::start(&bench.lake, &bench.path("app.log*"));
        append(&path, &lines(written..written + 20));
        written += 20;
        tokio::time::sleep(Duration::from_millis(7 * round)).await;
        // Rows that wait are lost with the process; the reader is told nothing.
        running.task.abort();
        let _ = (&mut running.task).await;
        running.cancel.store(true, Ordering::Relaxed);
        settle().await;
        if round % 2 == 1 {
            fs::rename(&path, bench.path(&format!("app.log.{}", 9 - round))).unwrap();
        }
    }
    append(&path, &lines(written..written + 1));
    let running = Running::start(&bench.lake, &bench.path("app.log*"));
    wait_for(&bench, written as u64 + 1).await;
    settle().await;
    running.stop().await;
    assert_eq!(messages(&bench).await, expected(0..written + 1));
}
