//! Sources over the wire and over time, through the command itself: object stores, live pulls that are killed, files
//! that are followed until a signal comes.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use crate::server::{Request, Response, Server};
use crate::support::{Outcome, command, value};

fn line(i: usize) -> String {
    format!("{{\"timestamp\":\"2025-01-15T01:00:00Z\",\"message\":\"m{i}\"}}\n")
}

fn lines(range: std::ops::Range<usize>) -> String {
    range.map(line).collect()
}

fn packed(text: &str) -> Vec<u8> {
    let mut writer = GzEncoder::new(Vec::new(), Compression::fast());
    writer.write_all(text.as_bytes()).unwrap();
    writer.finish().unwrap()
}

/// Objects of one bucket by key, and what was asked for.
#[derive(Default)]
struct Bucket {
    objects: BTreeMap<String, Vec<u8>>,
    asked: Vec<String>,
}

/// The bytes that a `Range` header names: `bytes=FIRST-LAST`.
fn range(request: &Request, size: usize) -> Option<(usize, usize)> {
    let (first, last) = request.header("range").strip_prefix("bytes=")?.split_once('-')?;
    Some((first.parse().ok()?, last.parse::<usize>().ok()?.min(size - 1)))
}

fn object(request: &Request, bytes: &[u8], etag: Option<&str>) -> Response {
    let part = range(request, bytes.len());
    let mut response = match part {
        Some((first, last)) => Response::new(206, &bytes[first..=last])
            .with("content-range", format!("bytes {first}-{last}/{}", bytes.len())),
        None => Response::new(200, bytes).with("content-length", bytes.len()),
    };
    response = response.with("last-modified", "Wed, 15 Jan 2025 00:00:00 GMT");
    if let Some(etag) = etag {
        let wanted = request.header("if-match");
        if !wanted.is_empty() && wanted != etag {
            return Response::new(412, "");
        }
        response = response.with("etag", etag);
    }
    response
}

/// S3 with the bucket in the path: `ListObjectsV2` in pages of two keys, `HEAD`, and `GET` with a range.
fn s3(bucket: Arc<Mutex<Bucket>>) -> Server {
    Server::start(move |request| {
        let mut bucket = bucket.lock().unwrap();
        bucket.asked.push(format!("{} {}", request.method, request.path));
        let credential = format!(
            "AWS4-HMAC-SHA256 Credential=key/{}/us-east-1/s3/aws4_request",
            request.header("x-amz-date").get(..8).unwrap_or_default()
        );
        if !request.header("authorization").starts_with(&credential) {
            return Response::new(403, "<Error><Code>AccessDenied</Code></Error>");
        }
        let path = request.path.trim_start_matches('/');
        let Some(key) = path.strip_prefix("logs").map(|k| k.trim_start_matches('/')) else {
            return Response::new(404, "<Error><Code>NoSuchBucket</Code></Error>");
        };
        if key.is_empty() {
            assert_eq!(request.query.get("list-type").map(String::as_str), Some("2"));
            let prefix = request.query.get("prefix").cloned().unwrap_or_default();
            let after = request.query.get("continuation-token").cloned().unwrap_or_default();
            let all: Vec<_> =
                bucket.objects.iter().filter(|(k, _)| k.starts_with(&prefix) && **k > after).collect();
            let contents: String = all
                .iter()
                .take(2)
                .map(|(k, v)| {
                    format!(
                        "<Contents><Key>{k}</Key><LastModified>2025-01-15T00:00:00.000Z</LastModified>\
                         <ETag>&quot;{}&quot;</ETag><Size>{}</Size></Contents>",
                        v.len(),
                        v.len()
                    )
                })
                .collect();
            let next = match all.get(1).filter(|_| all.len() > 2) {
                Some((k, _)) => format!("<NextContinuationToken>{k}</NextContinuationToken>"),
                None => String::new(),
            };
            let text = format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?><ListBucketResult \
                 xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>logs</Name>\
                 <IsTruncated>{}</IsTruncated>{contents}{next}</ListBucketResult>",
                !next.is_empty()
            );
            return Response::new(200, text);
        }
        match bucket.objects.get(key) {
            Some(bytes) => object(request, bytes, Some(&format!("\"{}\"", bytes.len()))),
            None => Response::new(404, "<Error><Code>NoSuchKey</Code></Error>"),
        }
    })
}

fn with_s3(folder: &Path, url: &str, args: &[&str]) -> Outcome {
    let mut command = command(folder, args);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("AWS_")) {
        command.env_remove(name);
    }
    command.envs([
        ("AWS_ENDPOINT_URL", url),
        ("AWS_ACCESS_KEY_ID", "key"),
        ("AWS_SECRET_ACCESS_KEY", "secret-of-the-test"),
        ("AWS_REGION", "us-east-1"),
    ]);
    run(&mut command)
}

fn run(command: &mut Command) -> Outcome {
    let output = command.output().unwrap();
    Outcome {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

#[track_caller]
fn fine(outcome: &Outcome) -> &str {
    assert_eq!(outcome.code, Some(0), "{}\n{}", outcome.stdout, outcome.stderr);
    &outcome.stdout
}

fn rows(folder: &Path, sql: &str) -> u64 {
    value(folder, "lake", sql).parse().unwrap()
}

#[test]
fn objects_prefixes_and_globs_of_a_bucket_land_once_and_unchanged_ones_are_not_fetched_again() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let bucket = Arc::new(Mutex::new(Bucket::default()));
    // More than one part: 4 MiB are asked for at a time.
    let large = 100_000;
    for (key, bytes) in [
        ("prod/a.ndjson", lines(0..large).into_bytes()),
        ("prod/b.json.gz", packed(&lines(0..10))),
        ("prod/deep/c.log", lines(0..20).into_bytes()),
        ("prod/notes.md", b"no telemetry".to_vec()),
        ("other/d.ndjson", lines(0..5).into_bytes()),
    ] {
        bucket.lock().unwrap().objects.insert(key.to_owned(), bytes);
    }
    let server = s3(bucket.clone());
    let ingest = |input: &str| with_s3(at, &server.url(), &["ingest", input]);
    fine(&ingest("s3://logs/prod/"));
    assert_eq!(rows(at, "select count(*) from logs"), large as u64 + 30);
    let parts = |key: &str| {
        let asked = std::mem::take(&mut bucket.lock().unwrap().asked);
        asked.iter().filter(|a| **a == format!("GET /logs/{key}")).count()
    };
    assert!(parts("prod/a.ndjson") >= 2);
    let again = ingest("s3://logs/prod/");
    assert!(fine(&again).contains("3 objects have landed in this very version"), "{}", again.stdout);
    assert_eq!(parts("prod/a.ndjson"), 0);
    // A glob stays within a folder; an object that grew lands its rest.
    bucket.lock().unwrap().objects.insert("prod/deep/c.log".into(), lines(0..25).into_bytes());
    fine(&ingest("s3://logs/*/*.ndjson"));
    fine(&ingest("s3://logs/prod/deep/c.log"));
    assert_eq!(rows(at, "select count(*) from logs"), large as u64 + 40);

    for (input, code, expected) in [
        ("s3://logs/prod/none.json", 3, "telemetry files below that prefix"),
        ("s3://logs/none/*.gz", 3, "at least one object that matches"),
        ("s3://elsewhere/a.json", 3, "elsewhere"),
    ] {
        let outcome = ingest(input);
        assert_eq!(outcome.code, Some(code), "{input}: {}", outcome.stderr);
        assert!(outcome.stderr.contains(expected), "{}", outcome.stderr);
        assert!(!outcome.stderr.contains("secret-of-the-test"), "{}", outcome.stderr);
    }
}

#[test]
fn a_web_servers_file_lands_with_ranges_and_without() {
    for ranges in [true, false] {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        let bytes = lines(0..80_000).into_bytes();
        let server = Server::start(move |request| {
            let mut request = request.clone();
            if !ranges {
                request.headers.remove("range");
            }
            match request.path.as_str() {
                "/exports/a.ndjson" => object(&request, &bytes, None),
                _ => Response::new(404, ""),
            }
        });
        let url = format!("{}/exports/a.ndjson", server.url());
        let ingest = |url: &str| run(&mut command(at, &["ingest", url]));
        fine(&ingest(&url));
        let again = ingest(&url);
        assert!(fine(&again).contains("80,000"), "{}", again.stdout);
        assert_eq!(rows(at, "select count(*) from logs"), 80_000, "with ranges: {ranges}");
        let outcome = ingest(&format!("{}/exports/", server.url()));
        assert_eq!(outcome.code, Some(2), "{}", outcome.stderr);
        assert!(outcome.stderr.contains("name each file"), "{}", outcome.stderr);
    }
}

/// CloudWatch Logs with so many events, a second apart, in slow pages of ten.
fn cloudwatch(count: usize) -> Server {
    Server::start(move |request| {
        std::thread::sleep(Duration::from_millis(5));
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        let (from, to) = (body["startTime"].as_u64().unwrap(), body["endTime"].as_u64().unwrap());
        let time = |i: usize| 1_736_899_200_000 + i as u64 * 1000;
        let matching: Vec<usize> = (0..count).filter(|i| (from..=to).contains(&time(*i))).collect();
        let start: usize = body["nextToken"].as_str().map_or(0, |t| t.parse().unwrap());
        let end = matching.len().min(start + 10);
        let events: Vec<Value> = matching[start..end]
            .iter()
            .map(|i| json!({"eventId": format!("{i:056}"), "timestamp": time(*i), "message": format!("m{i}"), "ingestionTime": 1, "logStreamName": "s"}))
            .collect();
        let mut reply = json!({"events": events});
        if end < matching.len() {
            reply["nextToken"] = end.to_string().into();
        }
        Response::new(200, reply.to_string())
    })
}

#[test]
fn a_pull_that_is_killed_again_and_again_comes_to_the_rows_of_a_clean_one() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let server = cloudwatch(400);
    let url = server.url();
    let pull = || {
        let mut command = command(
            at,
            &[
                "pull",
                "cloudwatch",
                "--group",
                "g",
                "--region",
                "us-east-1",
                "--endpoint",
                &url,
                "--from",
                "2025-01-15T00:00:00Z",
                "--to",
                "2025-01-15T01:00:00Z",
                "--rate",
                "1000",
                "--flush-interval",
                "10ms",
            ],
        );
        command.envs([("AWS_ACCESS_KEY_ID", "key"), ("AWS_SECRET_ACCESS_KEY", "secret")]);
        command
    };
    for round in 0..8 {
        let mut child = pull().stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(150 + 40 * round));
        // SIGKILL: nothing can be tidied up.
        child.kill().unwrap();
        child.wait().unwrap();
    }
    fine(&run(&mut pull()));
    let again = run(&mut pull());
    assert!(!fine(&again).contains("logs:"), "{}", again.stdout);
    assert_eq!(rows(at, "select count(*) from logs"), 400);
    assert_eq!(rows(at, "select count(distinct attributes['eventId']) from logs"), 400);
}

#[test]
fn a_pull_without_credentials_or_reason_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let check = |args: &[&str], code: i32, expected: &str| {
        let outcome =
            run(command(folder.path(), args).env_remove("AWS_REGION").env_remove("AWS_DEFAULT_REGION"));
        assert_eq!(outcome.code, Some(code), "{args:?}: {}", outcome.stderr);
        assert!(outcome.stderr.contains(expected), "{}", outcome.stderr);
    };
    check(&["pull", "cloudwatch", "--group", "g"], 2, "AWS_REGION in the environment");
    check(&["pull", "gcp"], 2, "--project my-project");
    check(&["pull", "prometheus", "--url", "localhost:9090"], 2, "--url as an address such as");
    check(&["pull", "prometheus", "--url", "http://x", "--query", "nothing"], 2, "known: ");
    check(&["pull", "prometheus", "--url", "http://x", "--step", "60"], 2, "such as 250ms");
    let list = run(&mut command(folder.path(), &["pull", "prometheus", "--list", "--group", "redis"]));
    assert!(fine(&list).contains("cache_hit_rate = sum by (region)"), "{}", list.stdout);
}

fn wait_until(what: &str, done: impl Fn() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < Duration::from_secs(60), "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn landed(at: &Path) -> u64 {
    let outcome = crate::support::tars(at, &["sql", "--format", "csv", "-c", "select count(*) from logs"]);
    outcome.stdout.lines().nth(1).and_then(|l| l.parse().ok()).unwrap_or(0)
}

#[cfg(unix)]
fn terminate(child: &Child) {
    let status = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(status.success());
}

#[cfg(unix)]
#[test]
fn following_ends_cleanly_at_a_signal_and_lands_what_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    std::fs::write(at.join("app.log"), lines(0..10)).unwrap();
    let mut child = command(at, &["ingest", "--follow", "app.log", "--flush-interval", "100ms"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    wait_until("the first lines", || landed(at) == 10);
    let mut file = OpenOptions::new().append(true).open(at.join("app.log")).unwrap();
    file.write_all((lines(10..15) + "{\"timestamp\"").as_bytes()).unwrap();
    wait_until("the next lines", || landed(at) == 15);
    terminate(&child);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    // The half line came to its end later.
    file.write_all(&line(15).as_bytes()[12..]).unwrap();
    let idle = ["ingest", "--follow", "app.log", "--until-idle", "300ms"];
    fine(&run(&mut command(at, &idle)));
    assert_eq!(landed(at), 16);
}

#[test]
fn slow_standard_input_lands_while_it_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let mut child = command(at, &["ingest", "--flush-interval", "100ms", "--source-id", "x", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(lines(0..10).as_bytes()).unwrap();
    wait_until("the first lines", || landed(at) == 10);
    input.write_all(lines(10..12).as_bytes()).unwrap();
    wait_until("the next lines", || landed(at) == 12);
    drop(input);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    // The same stream again, with more behind it.
    std::fs::write(at.join("again"), lines(0..14)).unwrap();
    let again = ["ingest", "--flush-interval", "100ms", "--source-id", "x", "-"];
    let file = std::fs::File::open(at.join("again")).unwrap();
    fine(&run(command(at, &again).stdin(file)));
    assert_eq!(landed(at), 14);
}
