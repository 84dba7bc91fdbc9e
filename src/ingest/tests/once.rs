//! Exactly once: again, grown, rewritten, crashed, from standard input's point of view.

use proptest::prelude::*;

use super::super::options::Options;
use super::Bench;

fn line(i: usize) -> String {
    format!(
        "{{\"timestamp\":\"2025-01-15T{:02}:{:02}:{:02}Z\",\"region\":\"r{}\",\"message\":\"m{i}\"}}\n",
        i / 3600 % 24,
        i / 60 % 60,
        i % 60,
        i % 3
    )
}

fn lines(range: std::ops::Range<usize>) -> String {
    // Every 50th line is not JSON.
    range.map(|i| if i % 50 == 49 { format!("broken {i}\n") } else { line(i) }).collect()
}

#[tokio::test]
async fn the_same_source_lands_once() {
    let bench = Bench::new().await;
    let first = bench.land("a.ndjson", lines(0..100)).await;
    assert_eq!((first.landed, first.rejected, first.already_landed), (98, 2, 0));
    let again = bench.ingest(&[&bench.path("a.ndjson")], &Options::default()).await;
    assert_eq!((again.read, again.landed, again.rejected, again.already_landed), (100, 0, 0, 100));
    assert!(!again.sources[0].changed);
    assert_eq!(bench.rows("logs").await.len(), 98);
    assert_eq!(bench.rows("rejects").await.len(), 2);
}

#[tokio::test]
async fn a_source_that_grew_lands_its_rest() {
    let bench = Bench::new().await;
    bench.land("a.ndjson", lines(0..100)).await;
    let grown = bench.land("a.ndjson", lines(0..160)).await;
    assert_eq!((grown.read, grown.landed, grown.rejected, grown.already_landed), (160, 59, 1, 100));
    assert_eq!(bench.rows("logs").await.len(), 157);
}

#[tokio::test]
async fn a_last_line_that_was_cut_short_lands_once_it_is_whole() {
    let bench = Bench::new().await;
    let text = lines(0..10);
    let cut = bench.land("a.ndjson", &text[..text.len() - 9]).await;
    assert_eq!((cut.landed, cut.rejected), (9, 1));
    assert_eq!(bench.row("rejects").await["code"], "truncated");
    let again = bench.ingest(&[&bench.path("a.ndjson")], &Options::default()).await;
    assert_eq!((again.landed, again.rejected, again.already_landed), (0, 0, 10));
    let whole = bench.land("a.ndjson", lines(0..12)).await;
    assert_eq!((whole.landed, whole.rejected, whole.already_landed), (3, 0, 9));
    assert_eq!(bench.rows("logs").await.len(), 12);
    // A last line without a line break is whole all the same, and stays one when the break comes.
    let bare = lines(0..12) + line(12).trim_end();
    assert_eq!(bench.land("a.ndjson", &bare).await.landed, 1);
    assert_eq!(bench.land("a.ndjson", lines(0..13)).await.landed, 0);
}

#[tokio::test]
async fn a_rewritten_or_shortened_source_lands_anew_and_the_summary_says_so() {
    let bench = Bench::new().await;
    bench.land("a.ndjson", lines(0..60)).await;
    let shorter = bench.land("a.ndjson", lines(0..20)).await;
    assert_eq!((shorter.landed, shorter.already_landed), (20, 0));
    assert!(shorter.sources[0].changed);
    let other = bench.land("a.ndjson", lines(1000..1040)).await;
    assert_eq!((other.landed, other.already_landed), (40, 0));
    let again = bench.ingest(&[&bench.path("a.ndjson")], &Options::default()).await;
    assert_eq!((again.landed, again.already_landed), (0, 40));
}

#[tokio::test]
async fn a_file_named_twice_is_read_once_and_copies_are_sources_of_their_own() {
    let bench = Bench::new().await;
    let a = bench.write("a.ndjson", lines(0..10));
    let b = bench.write("b.ndjson", lines(0..10));
    let summary = bench.ingest(&[&a, &a, &b], &Options::default()).await;
    assert_eq!((summary.read, summary.sources.len()), (20, 2));
    // Both lie in one commit of one file per partition.
    assert_eq!(summary.tables["logs"].files, 3);
}

#[tokio::test]
async fn a_run_that_died_between_commits_is_completed_by_the_next() {
    // A flush commits `rejects` first, then the tables: die before any of them, and between each two.
    let text: String = (0..40_000)
        .map(|i| match i % 5 {
            0 => "broken\n".to_owned(),
            1 => "{\"timestamp\":\"2025-01-15T01:00:00Z\",\"metric\":\"m\",\"value\":1}\n".to_owned(),
            _ => line(i),
        })
        .collect();
    for crash_after in [0, 1, 2] {
        for buffer in [1, 3 << 20, 1 << 30] {
            let bench = Bench::new().await;
            let path = bench.write("a.ndjson", &text);
            assert!(bench.ingest_in_steps(&path, buffer, Some(crash_after)).await.is_none());
            let rest = bench.ingest_in_steps(&path, buffer, None).await.unwrap();
            assert_eq!(rest.read, 40_000);
            for (table, rows) in [("rejects", 8_000), ("metrics", 8_000), ("logs", 24_000)] {
                let found = bench.lake.snapshot(table).await.unwrap().unwrap().rows();
                assert_eq!(found, rows, "{table} after {crash_after} commits, buffer {buffer}");
            }
            let again = bench.ingest_in_steps(&path, buffer, None).await.unwrap();
            assert_eq!(again.already_landed, 40_000);
        }
    }
}

#[tokio::test]
async fn the_number_of_threads_and_the_size_of_buffers_change_no_row() {
    let text = lines(0..30_000);
    let mut results = Vec::new();
    for threads in [1, 4] {
        let bench = Bench::new().await;
        let path = bench.write("a.ndjson", &text);
        bench.ingest(&[&path], &Options { threads, ..Options::default() }).await;
        results.push(bench.rows("logs").await);
    }
    let bench = Bench::new().await;
    let path = bench.write("a.ndjson", &text);
    bench.ingest_in_steps(&path, 1 << 20, None).await.unwrap();
    assert_eq!(results[0], results[1]);
    assert_eq!(results[0], bench.rows("logs").await);
}

#[tokio::test]
async fn stopping_commits_what_is_complete_and_the_next_run_goes_on() {
    let bench = Bench::new().await;
    let path = bench.write("a.ndjson", lines(0..100));
    let cancel = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(true));
    let stopped = bench.ingest(&[&path], &Options { cancel: Some(cancel), ..Options::default() }).await;
    assert!(stopped.cancelled);
    assert_eq!(stopped.read, 0);
    assert_eq!(bench.ingest(&[&path], &Options::default()).await.landed, 98);
}

#[tokio::test]
async fn damaged_packing_lands_what_comes_before_and_says_so() {
    use std::io::Write;
    let bench = Bench::new().await;
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(lines(0..30_000).as_bytes()).unwrap();
    let whole = packed.finish().unwrap();
    let part = bench.land("a.ndjson.gz", &whole[..whole.len() / 2]).await;
    assert!(part.landed > 1_000 && part.damaged().count() == 1, "{part:#?}");
    let rest = bench.land("a.ndjson.gz", &whole).await;
    assert_eq!((rest.read, rest.damaged().count()), (30_000, 0));
    assert_eq!(bench.rows("logs").await.len(), 29_400);
}

#[tokio::test]
async fn documents_land_once_too() {
    let bench = Bench::new().await;
    let page = |n: usize| {
        let events: Vec<String> = (0..n)
            .map(|i| {
                format!(
                    "    {{\n      \"timestamp\": {},\n      \"message\": \"m{i}\"\n    }}",
                    1_700_000_000_000u64 + i as u64
                )
            })
            .collect();
        format!(
            "{{\n  \"events\": [\n{}\n  ],\n  \"searchedLogStreams\": [],\n  \"nextToken\": \"t\"\n}}\n",
            events.join(",\n")
        )
    };
    let first = bench.land("page.json", page(3)).await;
    assert_eq!((first.landed, first.sources[0].format), (3, "cloudwatch"));
    assert_eq!(bench.ingest(&[&bench.path("page.json")], &Options::default()).await.already_landed, 3);
    let second = bench.land("page.json", page(3) + &page(2)).await;
    assert_eq!((second.already_landed, second.landed), (3, 2));
}

/// Valid lines, damaged somewhere.
fn damaged() -> impl Strategy<Value = Vec<u8>> {
    let valid = prop_oneof![
        Just(line(1)),
        Just("{\"timestamp\":1700000000000,\"message\":\"{\\\"level\\\":\\\"warn\\\"}\",\"ingestionTime\":2}\n".to_owned()),
        Just("{\"insertId\":\"a\",\"logName\":\"l\",\"resource\":{\"labels\":{\"zone\":\"us-central1-a\"}},\"timestamp\":\"2025-01-15T00:00:00Z\"}\n".to_owned()),
        Just("{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"startTimeUnixNano\":\"1700000000000000000\",\"name\":\"x\"}]}]}]}\n".to_owned()),
        Just("{\"awslogs\":{\"data\":\"H4sIAAAAAAAA\"}}\n".to_owned()),
        Just("[\n {\n \"timestamp\": \"2025-01-15T00:00:00Z\"\n }\n]\n".to_owned()),
    ];
    let change = (any::<prop::sample::Index>(), any::<u8>(), 0..4u8);
    (prop::collection::vec(valid, 1..6), prop::collection::vec(change, 0..6)).prop_map(|(lines, changes)| {
        let mut bytes = lines.concat().into_bytes();
        for (at, byte, how) in changes {
            if bytes.is_empty() {
                break;
            }
            let at = at.index(bytes.len());
            match how {
                0 => bytes[at] = byte,
                1 => bytes.truncate(at),
                2 => drop(bytes.remove(at)),
                _ => bytes.insert(at, byte),
            }
        }
        bytes
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(24) })]

    #[test]
    fn whatever_comes_the_sums_add_up_and_nothing_lands_twice(
        bytes in prop_oneof![3 => damaged(), 1 => prop::collection::vec(any::<u8>(), 0..200)],
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let bench = Bench::new().await;
            let first = bench.land("x", &bytes).await;
            let again = bench.ingest(&[&bench.path("x")], &Options::default()).await;
            assert_eq!((again.read, again.landed, again.rejected), (first.read, 0, 0));
        });
    }
}
