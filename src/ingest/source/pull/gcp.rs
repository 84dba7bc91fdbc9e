//! Google Cloud Logging: `entries.list`, in the order of time.
//!
//! <https://cloud.google.com/logging/docs/reference/v2/rest/v2/entries/list>: the stretch of time goes into the
//! filter, beside the user's own.

use serde_json::json;

use super::answer::Trouble;
use super::api::{Api, Ask};
use super::cloudwatch::push_all;
use super::credentials::{Credentials, Endpoint};
use super::events::{Event, Logs, Page};
use super::position::Stretch;
use super::seen::{Key, identity};
use crate::domain::{format_timestamp, parse_timestamp};
use crate::ingest::format::json::{Kind, Tape, Value};
use crate::ingest::options::Format;

/// Entries of a page; 1000 is the most that the API gives.
const PAGE: u32 = 1000;
/// Where the API is.
pub(crate) const ADDRESS: &str = "https://logging.googleapis.com";

/// One project, folder, organization, billing account or log view.
#[derive(Debug, Clone)]
pub(crate) struct CloudLogging {
    pub(crate) endpoint: Endpoint,
    pub(crate) credentials: Credentials,
    /// Such as `projects/my-project`.
    pub(crate) resource: String,
    pub(crate) filter: Option<String>,
}

impl CloudLogging {
    fn ask(&self, stretch: Stretch, next: Option<&str>) -> Ask {
        let time = |ms: u64| format_timestamp(i64::try_from(ms * 1000).unwrap_or(i64::MAX));
        let mut filter =
            format!("timestamp >= \"{}\" AND timestamp < \"{}\"", time(stretch.from), time(stretch.to));
        if let Some(own) = &self.filter {
            filter.push_str(&format!(" AND ({own})"));
        }
        let mut body = json!({
            "resourceNames": [self.resource],
            "filter": filter,
            "orderBy": "timestamp asc",
            "pageSize": PAGE,
        });
        if let Some(next) = next {
            body["pageToken"] = next.into();
        }
        Ask {
            url: format!("{}/v2/entries:list", self.endpoint.as_str()),
            headers: vec![("content-type", "application/json".to_owned())],
            body: body.to_string().into_bytes(),
        }
    }
}

fn micros_of(entry: Value<'_>) -> Option<i64> {
    let time = entry.get_str("timestamp").or_else(|| entry.get_str("receiveTimestamp"))?;
    parse_timestamp(time)
}

fn id_of(entry: Value<'_>, micros: i64) -> Option<u128> {
    let log = entry.get_str("logName").unwrap_or_default();
    entry.get_str("insertId").map(|id| Key::InsertId.of(id, micros, log))
}

/// A page by its text; it may be an empty object.
pub(super) fn page(text: &[u8]) -> Result<Page, Trouble> {
    let wrong = |what: &str| Trouble::Refused {
        status: 200,
        code: String::new(),
        what: format!("expected a page of log entries as JSON, got {what}"),
        remedy: "check that the endpoint is Cloud Logging",
    };
    let text = std::str::from_utf8(text).map_err(|_| wrong("bytes that are no UTF-8"))?;
    let mut tape = Tape::default();
    let value = tape.parse(text).map_err(|f| wrong(&format!("text that is none at byte {}", f.at)))?;
    if value.kind() != Kind::Object {
        return Err(wrong("another kind of value"));
    }
    let entries = value.get("entries").into_iter().flat_map(|v| v.items()).map(|entry| {
        let json = entry.raw().to_owned();
        let micros = micros_of(entry).unwrap_or(0).max(0);
        let id = id_of(entry, micros).unwrap_or_else(|| identity(&["", &json]));
        Event { ms: micros as u64 / 1000, id, json }
    });
    let next = value.get_str("nextPageToken").filter(|t| !t.is_empty()).map(str::to_owned);
    Ok(Page { events: entries.collect(), next, bytes: text.len() })
}

impl Logs for CloudLogging {
    fn name(&self) -> String {
        let filter = self.filter.as_ref().map(|f| format!(":{f}")).unwrap_or_default();
        format!("gcp:{}{filter}", self.resource)
    }

    fn identity(&self) -> String {
        let place = if self.endpoint.as_str() == ADDRESS { "" } else { self.endpoint.as_str() };
        format!("gcp:{place}:{}:{}", self.resource, self.filter.as_deref().unwrap_or_default())
    }

    fn format(&self) -> Format {
        Format::Gcp
    }

    fn region(&self) -> Option<&str> {
        None
    }

    fn key(&self) -> Key {
        Key::InsertId
    }

    fn page(&self, api: &mut Api, stretch: Stretch, next: Option<&str>) -> Result<Page, Trouble> {
        page(&api.ask(&self.ask(stretch, next), &self.credentials)?)
    }

    fn id(&self, json: &str) -> Option<u128> {
        let mut tape = Tape::default();
        let entry = tape.parse(json).ok()?;
        let micros = micros_of(entry).unwrap_or(0).max(0);
        Some(id_of(entry, micros).unwrap_or_else(|| identity(&["", json])))
    }

    fn document(&self, events: &[Event]) -> Vec<u8> {
        let mut text = "{\"entries\":[".to_owned();
        push_all(&mut text, events);
        text.push_str("]}");
        text.into_bytes()
    }
}
