//! Live pulls against servers that speak as the real ones do.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use super::super::options::Options;
use super::super::pull::{Access, Pull, Target, pull_as};
use super::super::run::settings;
use super::super::source::pull::Credentials;
use super::super::stats::{Silent, Summary};
use super::apis::{self, Events, JumpingClock, KEY, Mishap, SECRET, log_event};
use super::server::Response;
use super::{Bench, check, check_sums};
use crate::ingest::error::Error;

/// 2025-01-15T00:00:00Z (`date -ud 2025-01-15 +%s`).
const DAY: i64 = 1_736_899_200;
const HOUR: i64 = 3600;

fn micros(seconds: i64) -> Option<i64> {
    Some(seconds * 1_000_000)
}

fn aws() -> Access {
    Access::Fixed(Credentials::fixed_aws(KEY, SECRET, Some("session-token"), "us-east-1"))
}

fn cloudwatch(url: &str, groups: &[&str], clock: &Arc<JumpingClock>) -> Pull {
    let target = Target::Cloudwatch {
        groups: groups.iter().map(|g| (*g).to_owned()).collect(),
        regions: vec!["us-east-1".into()],
        stream_prefix: None,
        filter: None,
        endpoint: Some(url.to_owned()),
    };
    Pull {
        from: micros(DAY),
        to: micros(DAY + HOUR),
        overlap: Duration::ZERO,
        clock: clock.clone(),
        ..Pull::new(target)
    }
}

fn none() -> Mishap {
    Box::new(|_| None)
}

/// Events, several of them at most instants.
fn events(count: usize) -> Vec<Value> {
    (0..count)
        .map(|i| {
            let message = match i % 10 {
                3 => json!({"level": "error", "status_code": 500, "duration_ms": i}).to_string(),
                _ => format!("line {i}"),
            };
            log_event(i, DAY * 1000 + (i as i64 / 3) * 1000, &message)
        })
        .collect()
}

/// An event without a time, which the server gives among those of another one's time.
fn timeless(at: usize, all: &[Value]) -> Value {
    let ms = all[at]["timestamp"].clone();
    json!({"eventId": format!("timeless{at}"), "message": "m", "ingestionTime": 1, "logStreamName": "s", "at": ms})
}

fn groups(list: &[(&str, Vec<Value>)]) -> Events {
    let named = list.iter().map(|(name, events)| ((*name).to_owned(), events.clone()));
    Arc::new(Mutex::new(named.collect::<BTreeMap<_, _>>()))
}

/// Pulls with a commit after every page; `crash_after` stops a flush after so many commits.
async fn try_pull(
    bench: &Bench,
    pull: &Pull,
    access: Access,
    crash_after: Option<usize>,
) -> Result<Summary, Error> {
    let options = Options { flush_interval: Some(Duration::ZERO), threads: 2, ..Options::default() };
    let checked = options.check().unwrap();
    let mut settings = settings(&checked);
    settings.crash_after = crash_after;
    pull_as(&bench.lake, pull, checked, settings, access, &Silent).await
}

async fn pull(bench: &Bench, pull: &Pull, access: Access) -> Summary {
    let summary = try_pull(bench, pull, access, None).await.unwrap();
    check_sums(&summary);
    summary
}

/// The event ids in the lake, sorted; a repeated one shows twice.
async fn landed(bench: &Bench) -> Vec<String> {
    let rows = bench.rows("logs").await;
    let mut ids: Vec<String> =
        rows.iter().map(|r| r["attributes"]["eventId"].as_str().unwrap().to_owned()).collect();
    ids.sort();
    ids
}

fn ids(range: impl Iterator<Item = usize>) -> Vec<String> {
    range.map(|i| format!("{i:056}")).collect()
}

#[test]
fn the_signature_that_servers_check_by_is_the_published_one() {
    // AWS General Reference, "Deriving the signing key" and "Task 3": example key, day, region and service.
    let key = apis::signing_key(SECRET, "20150830", "us-east-1", "iam");
    let hex: String = key.iter().map(|b| format!("{b:02x}")).collect();
    assert_eq!(hex, "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9");
    let to_sign = "AWS4-HMAC-SHA256\n20150830T123600Z\n20150830/us-east-1/iam/aws4_request\n\
                   f536975d06c0309214f805bb90ccff089219ecd68b2577efef23edd43b7e1a59";
    let signature = apis::signature(&key, to_sign);
    assert_eq!(signature, "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7");
}

#[tokio::test]
async fn cloudwatch_pages_land_once_with_group_region_and_what_the_message_holds() {
    let bench = Bench::new().await;
    let clock = JumpingClock::at((DAY + 2 * HOUR) as u64);
    let events = groups(&[("us-east-1/aws/lambda/checkout", events(100))]);
    let (server, _) = apis::cloudwatch(events, 7, none(), Some("session-token"));
    let request = cloudwatch(&server.url(), &["/aws/lambda/checkout"], &clock);
    let first = pull(&bench, &request, aws()).await;
    assert_eq!((first.landed, first.rejected, first.damaged().count()), (100, 0, 0), "{first:#?}");
    assert_eq!(first.sources[0].name, "cloudwatch:us-east-1:/aws/lambda/checkout");
    assert_eq!(landed(&bench).await, ids(0..100));
    check(
        &bench.rows("logs").await[3],
        &[
            ("timestamp", json!("2025-01-15T00:00:01Z")),
            ("region", json!("us-east-1")),
            ("service", json!("checkout")),
            ("level", json!("ERROR")),
            ("status_code", json!(500)),
            ("duration_ms", json!(3.0)),
            ("attributes/logGroup", json!("/aws/lambda/checkout")),
            ("attributes/logStreamName", json!("s")),
        ],
    );
    let again = pull(&bench, &request, aws()).await;
    assert_eq!((again.read, again.damaged().count()), (0, 0));
}

#[tokio::test]
async fn the_end_of_a_stretch_is_not_part_of_it_and_the_next_one_begins_there() {
    let bench = Bench::new().await;
    let clock = JumpingClock::at((DAY + 2 * HOUR) as u64);
    let all = vec![
        log_event(0, DAY * 1000, "at the start"),
        log_event(1, (DAY + HOUR) * 1000 - 1, "last millisecond"),
        log_event(2, (DAY + HOUR) * 1000, "at the end"),
    ];
    let (server, _) = apis::cloudwatch(groups(&[("us-east-1g", all)]), 10, none(), Some("session-token"));
    let request = cloudwatch(&server.url(), &["g"], &clock);
    pull(&bench, &request, aws()).await;
    assert_eq!(landed(&bench).await, ids(0..2));
    let next = Pull { from: None, to: micros(DAY + 2 * HOUR), ..request };
    assert_eq!(pull(&bench, &next, aws()).await.landed, 1);
    assert_eq!(landed(&bench).await, ids(0..3));
}

#[tokio::test]
async fn a_pull_that_was_stopped_anywhere_goes_on_to_the_rows_of_a_clean_one() {
    let mut all = events(60);
    // Three that are rejected, so that two tables commit.
    all.extend([10, 30, 50].map(|at| timeless(at, &all)));
    let clean = {
        let bench = Bench::new().await;
        let clock = JumpingClock::at((DAY + 2 * HOUR) as u64);
        let events = groups(&[("us-east-1g", all.clone())]);
        let (server, _) = apis::cloudwatch(events, 7, none(), Some("session-token"));
        pull(&bench, &cloudwatch(&server.url(), &["g"], &clock), aws()).await;
        assert_eq!(bench.rows("rejects").await.len(), 3);
        bench.rows("logs").await
    };
    assert_eq!(clean.len(), 60);
    for stop in 0..14 {
        let bench = Bench::new().await;
        let clock = JumpingClock::at((DAY + 2 * HOUR) as u64);
        let events = groups(&[("us-east-1g", all.clone())]);
        // From one request on the server is gone: without repetition the pull ends there.
        let mishap: Mishap = Box::new(move |n| (n == stop).then(|| Response::new(500, "")));
        let (server, _) = apis::cloudwatch(events, 7, mishap, Some("session-token"));
        let request = cloudwatch(&server.url(), &["g"], &clock);
        let impatient = Pull { retries: 0, overlap: Duration::from_secs(5), ..request.clone() };
        let part = pull(&bench, &impatient, aws()).await;
        assert!(part.damaged().count() == 1 || part.landed == 60, "{part:#?}");
        // Then the process dies before a commit, then between the commits of two tables, then it comes through.
        for commits in [0, 1] {
            let crash = try_pull(&bench, &impatient, aws(), Some(commits)).await;
            assert!(crash.is_err() || commits == 1 || part.landed == 60);
        }
        pull(&bench, &impatient, aws()).await;
        assert_eq!(bench.rows("logs").await, clean, "stopped at request {stop}");
        assert_eq!(bench.rows("rejects").await.len(), 3, "stopped at request {stop}");
    }
}

#[tokio::test]
async fn rejected_events_are_rejected_once_even_when_the_next_table_was_not_committed() {
    let bench = Bench::new().await;
    let clock = JumpingClock::at((DAY + 2 * HOUR) as u64);
    let mut all = events(30);
    all.extend([4, 20].map(|at| timeless(at, &all)));
    let events = groups(&[("us-east-1g", all)]);
    let (server, _) = apis::cloudwatch(events, 7, none(), Some("session-token"));
    let request = cloudwatch(&server.url(), &["g"], &clock);
    for commits in [0, 1, 0] {
        let _ = try_pull(&bench, &request, aws(), Some(commits)).await;
    }
    pull(&bench, &request, aws()).await;
    assert_eq!(bench.rows("logs").await.len(), 30);
    let rejects = bench.rows("rejects").await;
    assert_eq!(rejects.len(), 2);
    check(&rejects[0], &[("code", json!("missing_time")), ("source", json!("cloudwatch:us-east-1:g"))]);
}

#[tokio::test]
async fn an_event_that_comes_late_lands_while_the_overlap_still_reaches_it() {
    let bench = Bench::new().await;
    let clock = JumpingClock::at((DAY + 2 * HOUR) as u64);
    let list = groups(&[("us-east-1g", events(30))]);
    let (server, _) = apis::cloudwatch(list.clone(), 7, none(), Some("session-token"));
    let request = cloudwatch(&server.url(), &["g"], &clock);
    pull(&bench, &request, aws()).await;
    let at = |seconds: i64| (DAY + HOUR - seconds) * 1000;
    let late = [log_event(100, at(60), "a minute before"), log_event(101, at(600), "ten minutes before")];
    list.lock().unwrap().get_mut("us-east-1g").unwrap().extend(late);
    let next =
        Pull { from: None, to: micros(DAY + 2 * HOUR), overlap: Duration::from_secs(120), ..request.clone() };
    let summary = pull(&bench, &next, aws()).await;
    assert_eq!(summary.landed, 1);
    assert_eq!(landed(&bench).await, ids((0..30).chain([100])));
    // An earlier start does not join what was pulled: all of it is compared, and only what is missing lands.
    let before = Pull { from: micros(DAY - HOUR), to: micros(DAY + 2 * HOUR), ..request };
    assert_eq!(pull(&bench, &before, aws()).await.landed, 1);
    assert_eq!(landed(&bench).await, ids((0..30).chain([100, 101])));
}

#[tokio::test]
async fn throttling_is_waited_out_and_what_a_server_asks_for_is_heard() {
    let bench = Bench::new().await;
    let clock = JumpingClock::at((DAY + 2 * HOUR) as u64);
    let throttled = |n: usize| match n {
        0 => Some(Response::new(400, r#"{"__type":"ThrottlingException","message":"Rate exceeded"}"#)),
        1 => Some(Response::new(503, "busy").with("retry-after", 40)),
        2 => Some(Response::new(200, "{\"events\":[").with("content-length", 500)),
        _ => None,
    };
    let events = groups(&[("us-east-1g", events(20))]);
    let (server, asked) = apis::cloudwatch(events, 100, Box::new(throttled), Some("session-token"));
    let summary = pull(&bench, &cloudwatch(&server.url(), &["g"], &clock), aws()).await;
    assert_eq!((summary.landed, summary.damaged().count()), (20, 0), "{summary:#?}");
    assert_eq!(asked.load(Ordering::Relaxed), 4);
    // At least a quarter of a second, 40 seconds, and a second; at most twice the first and last and half a second.
    let slept = clock.slept().as_secs_f64();
    assert!((41.0..44.0).contains(&slept), "{slept}");
}

#[tokio::test]
async fn the_agreed_rates_hold_for_requests_and_for_records() {
    let bench = Bench::new().await;
    let clock = JumpingClock::at((DAY + 2 * HOUR) as u64);
    let events = groups(&[("us-east-1g", events(300))]);
    let (server, asked) = apis::cloudwatch(events, 10, none(), Some("session-token"));
    let request = cloudwatch(&server.url(), &["g"], &clock);
    pull(&bench, &request, aws()).await;
    let requests = asked.load(Ordering::Relaxed) as f64;
    // Five at once, and then five per second.
    let least = (requests - 5.0) / 5.0;
    let slept = clock.slept().as_secs_f64();
    assert!(requests >= 30.0 && (least - 0.01..least + 0.5).contains(&slept), "{slept} for {requests}");

    let (bench, clock) = (Bench::new().await, JumpingClock::at((DAY + 2 * HOUR) as u64));
    let limited = Pull {
        records_per_minute: Some(100),
        clock: clock.clone(),
        requests_per_second: Some(1000.0),
        ..request
    };
    pull(&bench, &limited, aws()).await;
    // 100 at once; the other 200 take two minutes.
    assert!((119.0..121.0).contains(&clock.slept().as_secs_f64()), "{:?}", clock.slept());
}

#[tokio::test]
async fn a_refusal_is_told_with_its_remedy_without_secrets_and_the_other_groups_land() {
    let bench = Bench::new().await;
    let clock = JumpingClock::at((DAY + 2 * HOUR) as u64);
    let events = groups(&[("us-east-1here", events(20))]);
    let (server, _) = apis::cloudwatch(events, 100, none(), Some("session-token"));
    let summary = pull(&bench, &cloudwatch(&server.url(), &["gone", "here"], &clock), aws()).await;
    assert_eq!(summary.landed, 20);
    let damaged: Vec<_> = summary.damaged().collect();
    assert_eq!((damaged.len(), damaged[0].name.as_str()), (1, "cloudwatch:us-east-1:gone"));
    let told = damaged[0].damage.as_deref().unwrap();
    assert!(told.contains("ResourceNotFoundException") && told.contains("check --group"), "{told}");
    assert_eq!(clock.slept(), Duration::ZERO, "a refusal is not asked for again");

    let echo = super::server::Server::start(|request| {
        let said = format!(
            "you sent {} and {}",
            request.header("authorization"),
            request.header("x-amz-security-token")
        );
        Response::new(403, json!({"__type": "AccessDeniedException", "message": said}).to_string())
    });
    let summary = pull(&bench, &cloudwatch(&echo.url(), &["g"], &clock), aws()).await;
    let told = summary.damaged().next().unwrap().damage.clone().unwrap();
    assert!(told.contains("logs:FilterLogEvents") && !told.contains("session-token"), "{told}");
}

#[tokio::test]
async fn several_groups_and_regions_are_pulled_apart_and_a_filter_is_a_pull_of_its_own() {
    let bench = Bench::new().await;
    let clock = JumpingClock::at((DAY + 2 * HOUR) as u64);
    let event =
        |id: usize| vec![log_event(id, DAY * 1000 + 5, "ERROR x"), log_event(id + 1, DAY * 1000 + 6, "ok")];
    let list = groups(&[("us-east-1a", event(0)), ("us-east-1b", event(2))]);
    let (server, _) = apis::cloudwatch(list, 100, none(), Some("session-token"));
    let request = cloudwatch(&server.url(), &["a", "b"], &clock);
    assert_eq!(pull(&bench, &request, aws()).await.landed, 4);
    let (a, b) = (event(10), event(12));
    let list = groups(&[("eu-central-1a", a), ("eu-central-1b", b)]);
    let (server, _) = apis::cloudwatch(list, 100, none(), Some("session-token"));
    let mut other = cloudwatch(&server.url(), &["a", "b"], &clock);
    if let Target::Cloudwatch { regions, filter, .. } = &mut other.target {
        (*regions, *filter) = (vec!["eu-central-1".into()], Some("ERROR".into()));
    }
    let access = Access::Fixed(Credentials::fixed_aws(KEY, SECRET, Some("session-token"), "eu-central-1"));
    let summary = pull(&bench, &other, access).await;
    assert_eq!((summary.landed, summary.sources[1].name.as_str()), (2, "cloudwatch:eu-central-1:b:ERROR"));
    let regions: Vec<_> = bench.rows("logs").await.iter().map(|r| r["region"].clone()).collect();
    assert_eq!(regions.iter().filter(|r| *r == "eu-central-1").count(), 2);
}

fn entries(count: usize) -> Vec<Value> {
    (0..count)
        .map(|i| {
            json!({
                "insertId": format!("id{i}"),
                "logName": "projects/p/logs/app",
                "resource": {"type": "k8s_container", "labels": {"location": "europe-west1-b", "container_name": "api"}},
                // Nanoseconds, three entries to a millisecond.
                "timestamp": format!("2025-01-15T00:00:00.{:03}{:06}Z", i / 3, i % 3 * 1001),
                "severity": "ERROR",
                "textPayload": format!("line {i}"),
            })
        })
        .collect()
}

#[tokio::test]
async fn cloud_logging_pages_land_once_however_often_it_is_stopped() {
    let clock = JumpingClock::at((DAY + 2 * HOUR) as u64);
    let access = || Access::Fixed(Credentials::Bearer("ya29.token".into()));
    let request = |url: String, resources: &[&str]| Pull {
        from: micros(DAY),
        to: micros(DAY + HOUR),
        clock: clock.clone(),
        retries: 3,
        ..Pull::new(Target::Gcp {
            resources: resources.iter().map(|r| (*r).to_owned()).collect(),
            filter: Some("severity >= DEFAULT OR x".into()),
            endpoint: Some(url),
        })
    };
    for stop in [0, 1, 3, 6, 100] {
        let bench = Bench::new().await;
        let list = groups(&[("projects/p", entries(40)), ("projects/empty", Vec::new())]);
        let mishap: Mishap = Box::new(move |n| match n {
            1 => Some(Response::new(
                429,
                r#"{"error":{"code":429,"status":"RESOURCE_EXHAUSTED","message":"Quota exceeded","details":[{"retryDelay":"2s"}]}}"#,
            )),
            n if n >= stop && n < stop + 5 => Some(Response::new(503, "")),
            _ => None,
        });
        let (server, _) = apis::gcp(list, 7, mishap);
        let request = request(server.url(), &["projects/p", "projects/empty", "projects/foreign"]);
        let _ = try_pull(&bench, &request, access(), Some(0)).await;
        pull(&bench, &request, access()).await;
        let summary = pull(&bench, &request, access()).await;
        let told: Vec<_> = summary.damaged().map(|s| s.damage.clone().unwrap()).collect();
        assert!(told.len() == 1 && told[0].contains("roles/logging.viewer"), "{told:?}");
        let rows = bench.rows("logs").await;
        let mut ids: Vec<_> =
            rows.iter().map(|r| r["attributes"]["insertId"].as_str().unwrap().to_owned()).collect();
        ids.sort();
        ids.dedup();
        assert_eq!((rows.len(), ids.len()), (40, 40), "from request {stop} on");
        check(
            &rows[0],
            &[("region", json!("europe-west1")), ("service", json!("api")), ("level", json!("ERROR"))],
        );
    }
}

#[tokio::test]
async fn prometheus_samples_lie_on_the_step_and_land_once_and_one_bad_query_harms_no_other() {
    let clock = JumpingClock::at((DAY + 50 * HOUR) as u64);
    let access = || Access::Fixed(Credentials::Basic("dXNlcjpzZWNyZXQ=".into()));
    let queries = [("cpu", "avg(cpu)"), ("bad", "broken("), ("memory_bytes", "sum(mem)")];
    let request = |url: String, from: i64, to: i64| Pull {
        // Neither lies on the step.
        from: micros(from + 1),
        to: micros(to + 1),
        clock: clock.clone(),
        retries: 0,
        ..Pull::new(Target::Prometheus {
            url,
            queries: queries.iter().map(|(n, q)| ((*n).to_owned(), (*q).to_owned())).collect(),
            step: Duration::from_secs(60),
        })
    };
    for stop in [1, 3, 4, 100] {
        let bench = Bench::new().await;
        let mishap: Mishap = Box::new(move |n| (n == stop).then(|| Response::new(502, "")));
        let (server, asked) = apis::prometheus(500, mishap);
        let request = request(server.url(), DAY, DAY + 30 * HOUR);
        let _ = try_pull(&bench, &request, access(), (stop == 4).then_some(0)).await;
        pull(&bench, &request, access()).await;
        let summary = pull(&bench, &request, access()).await;
        let told: Vec<_> = summary.damaged().map(|s| (s.name.clone(), s.damage.clone().unwrap())).collect();
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].0 == "prometheus:bad" && told[0].1.contains("check the filter or query"), "{told:?}");
        // 30 hours of minutes, two series, two queries.
        let rows = bench.rows("metrics").await;
        assert_eq!(rows.len(), 30 * 60 * 2 * 2, "stopped at request {stop}");
        let mut keys: Vec<_> =
            rows.iter().map(|r| format!("{} {} {}", r["timestamp"], r["metric"], r["region"])).collect();
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), rows.len());
        assert_eq!(rows[0]["timestamp"], "2025-01-15T00:01:00Z");
        assert_eq!(rows.last().unwrap()["timestamp"], "2025-01-16T06:00:00Z");
        // A reply that is refused for its length is asked for in parts: none of more than 500 points lands.
        assert!(asked.lock().unwrap().len() > 8);
    }
}

#[tokio::test]
async fn prometheus_values_keep_their_series_and_what_is_no_number() {
    let bench = Bench::new().await;
    let clock = JumpingClock::at((DAY + 2 * HOUR) as u64);
    let (server, _) = apis::prometheus(11_000, none());
    let request = Pull {
        from: micros(DAY),
        to: micros(DAY + 120),
        clock,
        ..Pull::new(Target::Prometheus {
            url: server.url(),
            queries: vec![("cpu".into(), "x".into())],
            step: Duration::from_secs(60),
        })
    };
    let access = || Access::Fixed(Credentials::Basic("dXNlcjpzZWNyZXQ=".into()));
    pull(&bench, &request, access()).await;
    let rows = bench.rows("metrics").await;
    assert_eq!(rows.len(), 4);
    let row = |region: &str, time: &str| {
        rows.iter().find(|r| r["region"] == region && r["timestamp"] == time).unwrap()
    };
    let nan = row("us-east-1", "2025-01-15T00:00:00Z");
    check(nan, &[("metric", json!("cpu")), ("value", Value::Null), ("labels/value", json!("NaN"))]);
    let number = row("unknown", "2025-01-15T00:01:00Z");
    check(number, &[("metric", json!("cpu")), ("value", json!(2.0 * (DAY as f64 + 60.0)))]);
    // Earlier points could not be told from those that landed: that is said, and nothing lands.
    let earlier = Pull { from: micros(DAY - 600), ..request };
    let summary = pull(&bench, &earlier, access()).await;
    let told = summary.damaged().next().unwrap().damage.clone().unwrap();
    assert!(told.contains("2025-01-15T00:00:00") && told.contains("--source-id"), "{told}");
    assert_eq!(bench.rows("metrics").await.len(), 4);
}

#[tokio::test]
async fn saved_replies_of_prometheus_are_told_from_their_content() {
    let bench = Bench::new().await;
    let series = |name: &str| json!({"metric": {"__name__": name, "job": "j"}, "values": [[1567527420.825, "0.5"], [1567527480, "+Inf"]]});
    let reply =
        json!({"status": "success", "data": {"resultType": "matrix", "result": [series("a"), series("b")]}});
    let first = bench.land("reply.json", reply.to_string()).await;
    assert_eq!((first.landed, first.sources[0].format), (4, "prometheus"));
    let list = serde_json::to_string_pretty(&json!([series("c")])).unwrap();
    assert_eq!(bench.land("list.json", list).await.landed, 2);
    let vector = json!({"data": {"resultType": "vector", "result": [{"metric": {"__name__": "d"}, "value": [1567527420, "7"]}]}});
    let options = Options { format: Some("prometheus".parse().unwrap()), ..Options::default() };
    let path = bench.write("vector.json", vector.to_string());
    assert_eq!(bench.ingest(&[&path], &options).await.landed, 1);
    let rows = bench.rows("metrics").await;
    let row = |name: &str| rows.iter().find(|r| r["metric"] == name).unwrap();
    // date -ud @1567527420 +%FT%TZ
    check(
        row("a"),
        &[
            ("timestamp", json!("2019-09-03T16:17:00.825Z")),
            ("value", json!(0.5)),
            ("labels/job", json!("j")),
        ],
    );
    check(row("d"), &[("value", json!(7.0))]);
    let wrong = bench.write("wrong.json", r#"{"status":"error","errorType":"bad_data"}"#);
    let summary = bench.ingest(&[&wrong], &options).await;
    assert_eq!((summary.rejected, summary.reasons.contains_key("unknown_shape")), (1, true));
}

#[tokio::test]
async fn a_request_that_makes_no_sense_is_refused_before_anything_is_asked() {
    let bench = Bench::new().await;
    let clock = JumpingClock::at((DAY + 2 * HOUR) as u64);
    let refused = async |change: &dyn Fn(&mut Pull), expected: &str| {
        let mut request = cloudwatch("http://127.0.0.1:1", &["g"], &clock);
        change(&mut request);
        let error = try_pull(&bench, &request, aws(), None).await.unwrap_err();
        let text = format!("{error} / {}", error.hint().unwrap_or_default());
        assert!(text.contains(expected) && !text.contains("hunter2"), "{text}");
    };
    refused(&|p| p.from = micros(DAY + 3 * HOUR), "--from before --to").await;
    refused(&|p| p.from = Some(-1), "years 1970").await;
    refused(&|p| p.requests_per_second = Some(0.0), "rates above zero").await;
    let endpoint = |text: &'static str| {
        move |p: &mut Pull| {
            if let Target::Cloudwatch { endpoint, .. } = &mut p.target {
                *endpoint = Some(text.to_owned());
            }
        }
    };
    refused(&endpoint("ftp://x"), "the scheme `ftp`").await;
    refused(&endpoint("https://user:hunter2@x"), "come from the environment").await;
    refused(
        &|p| {
            if let Target::Cloudwatch { regions, .. } = &mut p.target {
                regions[0] = "us-east-1.evil/x".into();
            }
        },
        "a region such as us-east-1",
    )
    .await;
}
