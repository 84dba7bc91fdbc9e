//! CloudWatch Logs: `FilterLogEvents` over plain HTTP (JSON 1.1, Signature Version 4).
//!
//! <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html>: `startTime` and
//! `endTime` are milliseconds and both inclusive, so the end of a half-open stretch is one less. A page may be empty
//! and still have a `nextToken`.

use serde_json::json;

use super::answer::Trouble;
use super::api::{Api, Ask};
use super::credentials::{Credentials, Endpoint};
use super::events::{Event, Logs, Page};
use super::position::Stretch;
use super::seen::{Key, identity};
use crate::ingest::format::json::{Kind, Tape, Value};
use crate::ingest::options::Format;

/// Most events of a page, by definition of the API.
const PAGE: u32 = 10_000;

/// One log group in one region.
#[derive(Debug, Clone)]
pub(crate) struct CloudwatchLogs {
    pub(crate) endpoint: Endpoint,
    pub(crate) credentials: Credentials,
    pub(crate) region: String,
    /// Name, or ARN for a group of another account.
    pub(crate) group: String,
    pub(crate) stream_prefix: Option<String>,
    pub(crate) filter: Option<String>,
}

/// The address of the service in a region (AWS General Reference, "CloudWatch Logs endpoints").
pub(crate) fn address(region: &str) -> String {
    let domain = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
    format!("https://logs.{region}.{domain}")
}

impl CloudwatchLogs {
    fn ask(&self, stretch: Stretch, next: Option<&str>) -> Ask {
        let group = if self.group.starts_with("arn:") { "logGroupIdentifier" } else { "logGroupName" };
        let mut body = json!({
            group: self.group,
            "startTime": stretch.from,
            "endTime": stretch.to.saturating_sub(1),
            "limit": PAGE,
        });
        for (key, value) in [
            ("logStreamNamePrefix", self.stream_prefix.as_deref()),
            ("filterPattern", self.filter.as_deref()),
            ("nextToken", next),
        ] {
            if let Some(value) = value {
                body[key] = value.into();
            }
        }
        Ask {
            url: format!("{}/", self.endpoint.as_str()),
            headers: vec![
                ("content-type", "application/x-amz-json-1.1".to_owned()),
                ("x-amz-target", "Logs_20140328.FilterLogEvents".to_owned()),
            ],
            body: body.to_string().into_bytes(),
        }
    }
}

fn id_of(event: Value<'_>) -> Option<u128> {
    event.get_str("eventId").map(|id| Key::EventId.of(id, 0, ""))
}

/// A page by its text.
pub(super) fn page(text: &[u8]) -> Result<Page, Trouble> {
    let wrong = |what: &str| Trouble::Refused {
        status: 200,
        code: String::new(),
        what: format!("expected a page of events as JSON, got {what}"),
        remedy: "check that the endpoint is CloudWatch Logs",
    };
    let text = std::str::from_utf8(text).map_err(|_| wrong("bytes that are no UTF-8"))?;
    let mut tape = Tape::default();
    let value = tape.parse(text).map_err(|f| wrong(&format!("text that is none at byte {}", f.at)))?;
    if value.kind() != Kind::Object {
        return Err(wrong("another kind of value"));
    }
    let events = value.get("events").into_iter().flat_map(|v| v.items()).map(|event| {
        let json = event.raw().to_owned();
        // Without a time it is rejected when it is decoded; it counts as the first of its page.
        let ms = event.get("timestamp").and_then(|t| t.raw().parse().ok()).unwrap_or(0);
        let id = id_of(event).unwrap_or_else(|| identity(&["", &json]));
        Event { ms, id, json }
    });
    let next = value.get_str("nextToken").filter(|t| !t.is_empty()).map(str::to_owned);
    Ok(Page { events: events.collect(), next, bytes: text.len() })
}

impl Logs for CloudwatchLogs {
    fn name(&self) -> String {
        let filter = self.filter.as_ref().map(|f| format!(":{f}")).unwrap_or_default();
        format!("cloudwatch:{}:{}{filter}", self.region, self.group)
    }

    fn identity(&self) -> String {
        let text = |t: &Option<String>| t.clone().unwrap_or_default();
        let place = if self.endpoint.as_str() == address(&self.region) { "" } else { self.endpoint.as_str() };
        let (prefix, filter) = (text(&self.stream_prefix), text(&self.filter));
        format!("cloudwatch:{place}:{}:{}:{prefix}:{filter}", self.region, self.group)
    }

    fn format(&self) -> Format {
        Format::Cloudwatch
    }

    fn region(&self) -> Option<&str> {
        Some(&self.region)
    }

    fn key(&self) -> Key {
        Key::EventId
    }

    fn page(&self, api: &mut Api, stretch: Stretch, next: Option<&str>) -> Result<Page, Trouble> {
        page(&api.ask(&self.ask(stretch, next), &self.credentials)?)
    }

    fn id(&self, json: &str) -> Option<u128> {
        let mut tape = Tape::default();
        let event = tape.parse(json).ok()?;
        Some(id_of(event).unwrap_or_else(|| identity(&["", json])))
    }

    /// As a subscription would deliver them: that envelope says which group they are from.
    fn document(&self, events: &[Event]) -> Vec<u8> {
        let group = serde_json::Value::from(self.group.as_str());
        let mut text = format!("{{\"logGroup\":{group},\"logEvents\":[");
        push_all(&mut text, events);
        text.push_str("]}");
        text.into_bytes()
    }
}

/// Events, separated by commas.
pub(super) fn push_all(text: &mut String, events: &[Event]) {
    for (at, event) in events.iter().enumerate() {
        if at > 0 {
            text.push(',');
        }
        text.push_str(&event.json);
    }
}
