//! What goes over the wire, against a server on this machine.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;

use super::send::send_with;
use super::*;
use crate::domain::{NotificationChannel, Severity, TimeRange};
use crate::ingest::Clock;
use crate::ingest::tests::server::{Request, Response, Server};

/// A clock that does not wait, and remembers how long it would have.
#[derive(Debug, Default)]
struct Waits(Mutex<Duration>);

impl Clock for Waits {
    fn now(&self) -> Duration {
        Duration::from_secs(1_737_000_000) + *self.0.lock().unwrap()
    }

    fn sleep(&self, duration: Duration) {
        *self.0.lock().unwrap() += duration;
    }
}

const SECRET: &str = "s3cr3t-key";

fn receiver(channel: NotificationChannel, url: &str) -> Notification {
    Notification {
        name: "ops".into(),
        channel,
        severity: Severity::Error,
        secret_env: "OPS_SECRET".into(),
        url: Some(url.to_owned()),
        page: Some("page1".into()),
        component: Some("comp1".into()),
    }
}

fn message() -> Message {
    let window = TimeRange::day("2025-01-15").unwrap();
    let title = "SLO <!channel> & p95\nbroken".to_owned();
    Message::new("slo-api", Severity::Critical, title, "service \u{202e}x".into(), window)
}

struct Seen {
    server: Server,
    requests: Arc<Mutex<Vec<Request>>>,
}

/// A server that answers the n-th request (from 0) as the function says.
fn serve(answer: impl Fn(usize) -> Response + Send + Sync + 'static) -> Seen {
    let requests: Arc<Mutex<Vec<Request>>> = Arc::default();
    let (seen, count) = (requests.clone(), AtomicUsize::new(0));
    let server = Server::start(move |request| {
        seen.lock().unwrap().push(request.clone());
        answer(count.fetch_add(1, Ordering::SeqCst))
    });
    Seen { server, requests }
}

impl Seen {
    fn bodies(&self) -> Vec<Value> {
        self.requests.lock().unwrap().iter().map(|r| serde_json::from_slice(&r.body).unwrap()).collect()
    }
}

fn options(clock: Arc<Waits>) -> Options {
    Options { retries: 3, timeout: Duration::from_secs(5), clock }
}

async fn sent(channel: NotificationChannel, secret: &str) -> (Request, Value) {
    let seen = serve(|_| Response::new(200, "ok"));
    let to = receiver(channel, &seen.server.url());
    send_with(&to, &message(), secret, &options(Arc::default())).await.unwrap();
    let request = seen.requests.lock().unwrap()[0].clone();
    (request, seen.bodies().remove(0))
}

#[tokio::test]
async fn slack_gets_plain_text_that_cannot_mention_anybody() {
    let (request, body) = sent(NotificationChannel::Slack, "https://hooks.slack.com/services/T0/B0/x").await;
    assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/services/T0/B0/x"));
    assert_eq!(request.header("content-type"), "application/json");
    assert_eq!(body["text"], "[critical] SLO &lt;!channel&gt; &amp; p95 broken");
    assert_eq!(body["blocks"][1]["text"]["type"], "plain_text");
    assert_eq!(body["blocks"][1]["text"]["text"], "service  x");
}

#[tokio::test]
async fn pagerduty_gets_an_event_with_a_key_against_repetitions() {
    let (_, body) = sent(NotificationChannel::PagerDuty, SECRET).await;
    assert_eq!(body["routing_key"], SECRET);
    assert_eq!(body["event_action"], "trigger");
    assert_eq!(body["dedup_key"], message().key);
    assert_eq!(body["payload"]["severity"], "critical");
    assert_eq!(body["payload"]["timestamp"], "2025-01-16T00:00:00Z");
}

#[tokio::test]
async fn statuspage_gets_an_incident_of_the_page_and_component() {
    let (request, body) = sent(NotificationChannel::Statuspage, SECRET).await;
    assert_eq!(request.path, "/pages/page1/incidents");
    assert_eq!(request.header("authorization"), format!("OAuth {SECRET}"));
    assert_eq!(body["incident"]["impact_override"], "critical");
    assert_eq!(body["incident"]["components"]["comp1"], "major_outage");
}

#[tokio::test]
async fn a_busy_service_is_asked_again_no_earlier_than_it_says() {
    let seen = serve(|n| match n {
        0 => Response::new(429, "slow down").with("retry-after", 7),
        1 => Response::new(500, "oops"),
        _ => Response::new(202, "{}"),
    });
    let clock = Arc::new(Waits::default());
    let to = receiver(NotificationChannel::PagerDuty, &seen.server.url());
    send_with(&to, &message(), SECRET, &options(clock.clone())).await.unwrap();
    let bodies = seen.bodies();
    assert_eq!(bodies.len(), 3);
    assert!(bodies.iter().all(|body| body == &bodies[0]), "a repetition is the same message");
    assert!(*clock.0.lock().unwrap() >= Duration::from_secs(7), "{:?}", clock.0);
}

#[tokio::test]
async fn a_refusal_is_not_repeated_and_its_words_carry_no_secret() {
    let seen = serve(|_| Response::new(400, format!("{{\"message\":\"bad key {SECRET}\"}}")));
    let to = receiver(NotificationChannel::PagerDuty, &seen.server.url());
    let error = send_with(&to, &message(), SECRET, &options(Arc::default())).await.unwrap_err();
    assert_eq!(seen.bodies().len(), 1);
    let text = error.to_string();
    assert!(text.contains("`ops`") && text.contains("400") && text.contains("bad key ***"), "{text}");
    assert!(!format!("{error:?}").contains(SECRET));
}

#[tokio::test]
async fn a_service_that_stays_down_fails_after_the_retries() {
    let seen = serve(|_| Response::new(503, ""));
    let to = receiver(NotificationChannel::Statuspage, &seen.server.url());
    let error = send_with(&to, &message(), SECRET, &options(Arc::default())).await.unwrap_err();
    assert_eq!(seen.bodies().len(), 4);
    assert!(error.to_string().contains("503"), "{error}");
}

#[tokio::test]
async fn a_service_that_does_not_answer_in_time_fails_without_showing_the_webhook() {
    let seen = serve(|_| {
        std::thread::sleep(Duration::from_millis(900));
        Response::new(200, "ok")
    });
    let to = Notification { url: None, ..receiver(NotificationChannel::Slack, "unused") };
    let webhook = format!("{}/services/T0/B0/hidden-part", seen.server.url());
    let options =
        Options { retries: 1, timeout: Duration::from_millis(100), clock: Arc::new(Waits::default()) };
    let error = send_with(&to, &message(), &webhook, &options).await.unwrap_err();
    assert!(!error.to_string().contains("hidden-part"), "{error}");
    // Nobody listens there any more.
    drop(seen);
    let error = send_with(&to, &message(), &webhook, &options).await.unwrap_err();
    assert!(!error.to_string().contains("hidden-part"), "{error}");
}

#[test]
fn a_dry_run_shows_all_but_the_secret() {
    for channel in NotificationChannel::ALL {
        let request = payload(&receiver(*channel, "http://127.0.0.1:1/x"), &message(), None);
        let shown = format!("{} {} {:?}", request.url, request.body, request.headers);
        assert!(shown.contains("***"), "{channel}: {shown}");
    }
}

#[test]
fn a_key_follows_from_finding_and_window_alone() {
    let other = Message { text: "else".into(), ..message() };
    assert_eq!(message().key, other.key);
    let next = TimeRange::day("2025-01-16").unwrap();
    assert_ne!(
        message().key,
        Message::new("slo-api", Severity::Info, String::new(), String::new(), next).key
    );
    let hostile = Message::new("a\nb\"c", Severity::Info, String::new(), String::new(), next);
    assert!(hostile.key.starts_with("tars-a-b-c-"), "{}", hostile.key);
}

#[test]
fn a_missing_secret_names_its_variable() {
    let to = Notification {
        secret_env: "TARS_TEST_NO_SUCH_SECRET".into(),
        ..receiver(NotificationChannel::Slack, "x")
    };
    let error = secret(&to).unwrap_err();
    assert!(error.to_string().contains("TARS_TEST_NO_SUCH_SECRET"), "{error}");
    assert!(error.hint().unwrap().contains("--dry-run"));
}
