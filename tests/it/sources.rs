//! Sources over the wire and over time, through the command itself: web servers, live pulls that are killed, files that are
//! followed until a signal comes.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::server::{Response, Server};
use crate::stores::{object, outcome as run};
use crate::support::{Outcome, command, value};

fn line(i: usize) -> String {
    format!("{{\"timestamp\":\"2025-01-15T01:00:00Z\",\"message\":\"m{i}\"}}\n")
}

fn lines(range: std::ops::Range<usize>) -> String {
    range.map(line).collect()
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
                "/exports/a.ndjson" => object(&request, &bytes, None, chrono::DateTime::UNIX_EPOCH),
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
