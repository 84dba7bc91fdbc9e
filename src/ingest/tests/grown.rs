//! Text sources that grow: only what is new lands, records are never cut apart, headers hold behind an offset.

use std::fs::OpenOptions;
use std::io::Write;

use serde_json::json;

use super::super::options::Options;
use super::Bench;

/// Lands a file piece by piece; gives landed, rejected and already landed of each step.
async fn grow(name: &str, pieces: &[&str]) -> (Bench, Vec<(u64, u64, u64)>) {
    let bench = Bench::new().await;
    let path = bench.path(name);
    let mut steps = Vec::new();
    for piece in pieces {
        let mut file = OpenOptions::new().create(true).append(true).open(&path).unwrap();
        file.write_all(piece.as_bytes()).unwrap();
        let summary = bench.ingest(&[&path], &Options::default()).await;
        assert!(!summary.sources[0].changed, "{name}");
        steps.push((summary.landed, summary.rejected, summary.already_landed));
    }
    (bench, steps)
}

const CLF: &str = "192.0.2.1 - - [15/Jan/2025:09:00:00 +0000] \"GET /a HTTP/1.1\" 200 12";

#[tokio::test]
async fn a_header_holds_for_what_is_appended() {
    let (bench, steps) = grow(
        "a.csv",
        &["timestamp,message,k\n2025-01-15 09:00:00,one,1\n", "2025-01-15 09:00:01,\"two\n2\",2\n"],
    )
    .await;
    assert_eq!(steps, [(1, 0, 0), (1, 0, 1)]);
    assert_eq!(bench.rows("logs").await[1]["message"], json!("two\n2"));
    let fields = "#Version: 1.0\n#Fields: date time sc-status\n2025-01-15\t09:00:00\t200\n";
    let (bench, steps) = grow("cf.log", &[fields, "2025-01-15\t09:00:01\t404\n"]).await;
    assert_eq!(steps, [(1, 0, 0), (1, 0, 1)]);
    assert_eq!(bench.rows("logs").await[1]["status_code"], json!(404));
    let flow = "version account-id interface-id start end action log-status\n2 1 eni-1 1736931600 1736931660 ACCEPT OK\n";
    let (_, steps) = grow("flow.log", &[flow, "2 1 eni-1 1736931660 1736931720 REJECT OK\n"]).await;
    assert_eq!(steps, [(1, 0, 0), (1, 0, 1)]);
}

#[tokio::test]
async fn a_line_without_its_end_is_not_landed_again_when_the_end_comes() {
    let (_, steps) = grow("access.log", &[CLF, "\n", &format!("{CLF}\n")]).await;
    assert_eq!(steps, [(1, 0, 0), (0, 0, 1), (1, 0, 1)]);
}

#[tokio::test]
async fn a_line_cut_in_the_middle_lands_once_it_is_whole() {
    let (first, rest) = CLF.split_at(50);
    let (_, steps) = grow("access.log", &[&format!("{CLF}\n{first}"), &format!("{rest}\n"), "\n"]).await;
    // The first time the stump is a reject; then the line lands, and stays landed.
    assert_eq!(steps, [(1, 1, 0), (1, 0, 1), (0, 0, 2)]);
}

#[tokio::test]
async fn a_message_that_goes_on_after_it_landed_does_not_land_twice() {
    let line = "2025-01-15T09:00:00.000Z one\n";
    let (bench, steps) = grow("export.log", &[line, "goes on\n2025-01-15T09:00:01.000Z two\n"]).await;
    // The rest has no time of its own: it is kept in `rejects`.
    assert_eq!(steps, [(1, 0, 0), (1, 1, 1)]);
    assert_eq!(bench.rows("logs").await.len(), 2);
}

#[tokio::test]
async fn a_line_in_parts_lands_when_its_last_part_is_there() {
    let part = |log: &str, stream: &str| {
        format!("{}\n", json!({"log": log, "stream": stream, "time": "2025-01-15T09:00:00Z"}))
    };
    let pieces =
        [part("whole\n", "stdout") + &part("a", "stdout") + &part("err\n", "stderr"), part("b\n", "stdout")];
    let (bench, steps) = grow("c.log", &[&pieces[0], &pieces[1]]).await;
    assert_eq!(steps, [(1, 1, 0), (2, 0, 1)]);
    let mut messages: Vec<_> =
        bench.rows("logs").await.iter().map(|r| r["message"].as_str().unwrap().to_owned()).collect();
    messages.sort();
    assert_eq!(messages, ["ab", "err", "whole"]);
    let (bench, steps) = grow(
        "pod.log",
        &[
            "2025-01-15T09:00:00Z stdout F x\n2025-01-15T09:00:01Z stdout P a\n",
            "2025-01-15T09:00:02Z stdout F b\n",
        ],
    )
    .await;
    assert_eq!(steps, [(1, 1, 0), (1, 0, 1)]);
    assert_eq!(bench.rows("logs").await[1]["message"], json!("ab"));
}

#[tokio::test]
async fn a_quote_that_nobody_closes_costs_its_own_record() {
    let bench = Bench::new().await;
    let line = "2025-01-15 09:00:01,fine,some text to make it long\n".repeat(30_000);
    let text = format!("timestamp,message,k\n2025-01-15 09:00:00,\"open,1\n{line}");
    let path = bench.write("a.csv", &text);
    // The least memory makes the largest record one of a mebibyte.
    let summary = bench.ingest(&[&path], &Options { memory_limit: 1, ..Options::default() }).await;
    assert_eq!((summary.landed, summary.rejected), (30_000, 1));
    assert_eq!(summary.reasons["too_large"], 1);
}

#[tokio::test]
async fn a_line_larger_than_memory_allows_is_passed_over() {
    let bench = Bench::new().await;
    let long = "x".repeat(5 << 20);
    let text = format!(
        "2025-01-15T09:00:00.000Z one\n2025-01-15T09:00:01.000Z {long}\n2025-01-15T09:00:02.000Z two\n"
    );
    let path = bench.write("export.log", &text);
    let options = Options { memory_limit: 1, ..Options::default() };
    let summary = bench.ingest(&[&path], &options).await;
    assert_eq!((summary.landed, summary.rejected), (2, 1));
    assert_eq!(bench.ingest(&[&path], &options).await.already_landed, 3);
    // Parts that never end stand for themselves once they are as large as a record may be.
    let part = format!("2025-01-15T09:00:00Z stdout P {}\n", "y".repeat(200 << 10));
    let path = bench.write(
        "pod.log",
        part.repeat(20) + "2025-01-15T09:00:09Z stderr F fine\n2025-01-15T09:00:09Z stdout F end\n",
    );
    let summary = bench.ingest(&[&path], &options).await;
    assert_eq!(summary.reasons["truncated"], summary.rejected);
    assert!(summary.landed >= 2 && summary.rejected >= 2, "{summary:?}");
}
