//! Prometheus: `query_range` for a list of named queries.
//!
//! <https://prometheus.io/docs/prometheus/latest/querying/api/#range-queries>: start and end are both inclusive, and
//! a reply has at most 11,000 points per series. Points lie on whole multiples of the step, so that two pulls ask for
//! the same points. A sample lands under the name of its query, because an expression has no name of its own.

use std::time::Duration;

use url::form_urlencoded::Serializer;

use super::answer::Trouble;
use super::api::{Api, Ask};
use super::credentials::{Credentials, Endpoint};
use super::position::{self, Work as Todo};
use crate::domain::format_timestamp;
use crate::ingest::format::json::{Kind, Tape, Value};
use crate::ingest::land::Recorded;
use crate::ingest::options::Format;
use crate::ingest::output::REJECTS;
use crate::ingest::run::{Found, Order, Reader, TABLES, Work};
use crate::ingest::source::{Block, Records};
use crate::ingest::table::TableId;

/// Points per series of one request: a day by the minute, well below the 11,000 that a server refuses to exceed
/// (Prometheus, web/api/v1: `exceeded maximum resolution of 11,000 points per timeseries`). Fewer when a reply is
/// too large.
const POINTS: u64 = 1_440;

/// A server.
#[derive(Debug, Clone)]
pub(crate) struct PrometheusServer {
    pub(crate) endpoint: Endpoint,
    pub(crate) credentials: Credentials,
}

/// A pull of one query.
#[derive(Debug, Clone)]
pub(crate) struct QueryPull {
    pub(crate) server: PrometheusServer,
    pub(crate) name: String,
    pub(crate) query: String,
    pub(crate) from: Option<u64>,
    pub(crate) to: u64,
    pub(crate) first: u64,
    /// Milliseconds between two points.
    pub(crate) step: u64,
    pub(crate) flush_interval: Duration,
    pub(crate) identity: String,
}

/// What tells a query's pull from others: its text too, because another text gives other samples.
pub(crate) fn identity(server: &PrometheusServer, name: &str, query: &str, step: u64) -> String {
    format!("prometheus:{}:{name}:{step}:{query}", server.endpoint.as_str())
}

impl QueryPull {
    /// Pulls all there is; `false` when nobody lands any more.
    pub(crate) fn run(self, reader: &mut Reader, api: &mut Api) -> bool {
        let found = Found {
            name: format!("prometheus:{}", self.name),
            identity: Some(self.identity.clone()),
            others: Vec::new(),
            anchor: Some(TableId::Metrics),
        };
        let Some((source, recorded)) = reader.find(found) else { return false };
        let recorded = recorded[0];
        let metrics = recorded[TableId::Metrics as usize];
        let up = |ms: u64| ms.div_ceil(self.step) * self.step;
        let todo = position::work(metrics, self.from.map(up), up(self.to), self.first, 0);
        let todo = todo.map(|todo| Todo { start: up(todo.start), position: up(todo.position), ..todo });
        let changed =
            std::array::from_fn(|table| todo.is_some_and(|t| t.anew) && recorded[table].ordinal > 0);
        if !reader.send(source, Work::Opened { format: Format::Prometheus, changed }) {
            return false;
        }
        let mut bytes = 0;
        let outcome = match todo {
            None => Ok(()),
            // Samples have no identity by which those that landed could be told.
            Some(todo) if todo.anew && todo.begin < metrics.digest => Err(Trouble::Refused {
                status: 0,
                code: String::new(),
                what: format!(
                    "expected a start at or after {}, from when on it has landed, got an earlier one",
                    format_timestamp(i64::try_from(metrics.digest).unwrap_or(0) * 1_000_000)
                ),
                remedy: "leave --from out, or name the pull with --source-id to land that time under another count",
            }),
            Some(todo) => self.all(source, &recorded, todo, reader, api, &mut bytes),
        };
        let damage = match outcome {
            Ok(()) | Err(Trouble::Cancelled) => None,
            Err(Trouble::Closed) => return false,
            Err(trouble) => Some(trouble.to_string()),
        };
        reader.send(source, Work::Ended { damage, bytes })
    }

    fn all(
        &self,
        source: usize,
        recorded: &[Recorded; TABLES],
        todo: Todo,
        reader: &mut Reader,
        api: &mut Api,
        bytes: &mut u64,
    ) -> Result<(), Trouble> {
        // Where `rejects` was committed and the samples were not, its part ends a request.
        let rejected = if todo.anew { 0 } else { recorded[REJECTS].offset };
        let mut done = [0; TABLES];
        done[REJECTS] = rejected;
        let origin = reader.origin("", Format::Prometheus, done);
        let mut at = todo.start;
        let mut points = POINTS;
        let mut flushed = api.now();
        while at < todo.end {
            let mut end = todo.end.min(at + points * self.step);
            if at < rejected {
                end = end.min(rejected);
            }
            let reply = api.ask(&self.ask(at, end - self.step), &self.server.credentials);
            let reply = match reply {
                Err(trouble) if points > 1 && is_too_much(&trouble) => {
                    points = ((end - at) / self.step / 2).max(1);
                    continue;
                }
                reply => reply?,
            };
            *bytes += reply.len() as u64;
            reader.count.fetch_add(reply.len() as u64, std::sync::atomic::Ordering::Relaxed);
            let (document, samples) = document(&reply, &self.name)?;
            let block = Block {
                offset: at,
                bytes: document,
                records: Records::Whole,
                heads: Vec::new(),
                end,
                digest: todo.begin,
                open_ended: false,
            };
            if !reader.block(source, &origin, block) {
                return Err(Trouble::Closed);
            }
            api.took(samples)?;
            at = end;
            if api.now().saturating_sub(flushed) >= self.flush_interval {
                flushed = api.now();
                if !reader.send(source, Work::Order(Order::Flush)) {
                    return Err(Trouble::Closed);
                }
            }
        }
        Ok(())
    }

    /// Asks for the points from one to another, both included. As a form, because a query may be longer than an
    /// address may be.
    fn ask(&self, first: u64, last: u64) -> Ask {
        let seconds = |ms: u64| format!("{}.{:03}", ms / 1000, ms % 1000);
        let body = Serializer::new(String::new())
            .append_pair("query", &self.query)
            .append_pair("start", &seconds(first))
            .append_pair("end", &seconds(last))
            .append_pair("step", &seconds(self.step))
            .finish();
        Ask {
            url: format!("{}/api/v1/query_range", self.server.endpoint.as_str()),
            headers: vec![("content-type", "application/x-www-form-urlencoded".to_owned())],
            body: body.into_bytes(),
        }
    }
}

/// Whether fewer points may help.
fn is_too_much(trouble: &Trouble) -> bool {
    match trouble {
        Trouble::TooLarge { .. } => true,
        Trouble::Refused { what, .. } => {
            what.contains("too many samples") || what.contains("exceeded maximum resolution")
        }
        _ => false,
    }
}

/// The series of a reply under the name of their query, and how many samples they have.
fn document(reply: &[u8], name: &str) -> Result<(Vec<u8>, usize), Trouble> {
    let wrong = |what: &str| Trouble::Refused {
        status: 200,
        code: String::new(),
        what: format!("expected a matrix as JSON, got {what}"),
        remedy: "check that --url is a Prometheus server, and that the query is no string or scalar",
    };
    let text = std::str::from_utf8(reply).map_err(|_| wrong("bytes that are no UTF-8"))?;
    let mut tape = Tape::default();
    let value = tape.parse(text).map_err(|f| wrong(&format!("text that is none at byte {}", f.at)))?;
    let data = value.get("data").filter(|_| value.get_str("status") == Some("success"));
    let data = data.filter(|d| d.get_str("resultType") == Some("matrix"));
    let result = data.and_then(|d| d.get("result")).filter(|r| r.kind() == Kind::Array);
    let result = result.ok_or_else(|| wrong("something else"))?;
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let mut document = String::with_capacity(text.len() + 256);
    let mut samples = 0;
    document.push_str("{\"resultType\":\"matrix\",\"result\":[");
    for (at, series) in result.items().enumerate() {
        let separator = if at > 0 { "," } else { "" };
        document.push_str(&format!("{separator}{{\"metric\":{{\"__name__\":{}", quoted(name)));
        let labels = series.get("metric").into_iter().flat_map(|m| m.entries());
        for (key, label) in labels.filter(|(key, _)| *key != "__name__") {
            document.push_str(&format!(",{}:{}", quoted(key), quoted(label.raw())));
        }
        let values = series.get("values").map_or("[]", |v: Value<'_>| v.raw());
        samples += series.get("values").map_or(0, |v| v.items().count());
        document.push_str(&format!("}},\"values\":{values}}}"));
    }
    document.push_str("]}");
    Ok((if samples > 0 { document.into_bytes() } else { Vec::new() }, samples))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_take_the_name_of_their_query_and_keep_their_labels() {
        let reply = br#"{"status":"success","data":{"resultType":"matrix","result":[
            {"metric":{"__name__":"up","job":"a\"b"},"values":[[1.5,"1"],[2.5,"NaN"]]},{"metric":{},"values":[]}]}}"#;
        let (found, samples) = document(reply, "q").unwrap();
        let expected = r#"{"resultType":"matrix","result":[{"metric":{"__name__":"q","job":"a\"b"},"values":[[1.5,"1"],[2.5,"NaN"]]},{"metric":{"__name__":"q"},"values":[]}]}"#;
        assert_eq!((String::from_utf8(found).unwrap().as_str(), samples), (expected, 2));
        assert!(document(b"{\"status\":\"success\",\"data\":{\"resultType\":\"scalar\"}}", "q").is_err());
        assert!(document(b"<html>", "q").unwrap_err().to_string().contains("check that --url"));
    }
}
