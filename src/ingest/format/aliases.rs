//! Which spelling of a key means which column. One list for every format: the first spelling of a row is the
//! best, so that of two keys in one record the canonical one fills the column and the other stays in the
//! attributes.
//!
//! Keys are dotted paths (`http.status_code` is one key or a nested object alike), compared without case, `_`
//! and `-`. Times and durations are matched by base name plus unit suffix, see [`target`].

use std::collections::HashMap;
use std::sync::LazyLock;

use super::units::{Unit, snake, split_unit, squash};
use crate::contract::ColumnType;
use crate::ingest::table::{TABLE_COUNT, TableId};

/// What a key fills, and how its value is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) column: u8,
    /// Of two keys for one column the lower rank wins.
    pub(crate) rank: u8,
    pub(crate) form: Form,
}

/// How a value is read on its way into a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// By the type of the column.
    Plain,
    /// An instant: text, or a number in that unit.
    Time(Option<Unit>),
    /// A duration into a column of milliseconds.
    Millis(Option<Unit>),
    /// A size in units of so many bytes.
    Size(u32),
    /// A severity word, or a bunyan/pino number.
    Level,
    /// An OpenTelemetry severity number.
    SeverityNumber,
    /// A syslog priority, 0 to 7.
    Syslog,
    /// An identity of a trace or a span.
    Id,
    /// A region.
    Region,
    /// A region or a zone in it.
    Zone,
    /// A path or URL that serves as the route.
    Path,
    /// A status that is a column only when it is a number.
    Status,
    /// `error`: a text; `false`, empty and zero mean none.
    ErrorText,
    /// OpenTelemetry span kinds in any spelling.
    SpanKind,
    /// ok or error.
    SpanStatus,
    /// The text of a line: a trailing line break is not part of it.
    Message,
}

/// Rank of a key that a mapping names.
pub(crate) const MAPPED_RANK: u8 = 0;
/// Rank of the first spelling of a row below; the following ones count up from it.
pub(crate) const FIRST_RANK: u8 = 10;
/// What lifting out of a message adds, so that the fields of the record itself win.
pub(crate) const LIFTED_RANK: u8 = 60;

type Row = (&'static str, Form, &'static str);

/// Column, form, spellings from best to worst; for every table that has the column.
const COMMON: &[Row] = &[
    (
        "region",
        Form::Region,
        "region cloud.region cloud_region aws_region @aws.region aws.region cloudregion",
    ),
    ("region", Form::Zone, "cloud.availability_zone availability_zone"),
    (
        "service",
        Form::Plain,
        "service service.name service_name app app_name application application_name kubernetes.labels.app \
         syslog_identifier systemd_unit",
    ),
    (
        "host",
        Form::Plain,
        "host k8s.pod.name kubernetes.pod_name kubernetes.pod.name pod_name pod host.name hostname \
         container.name container_name service.instance.id instance",
    ),
    ("environment", Form::Plain, "environment deployment.environment.name deployment.environment env"),
    ("version", Form::Plain, "version service.version service_version app_version"),
    (
        "trace_id",
        Form::Id,
        "trace_id trace.id trace otel_trace_id otel.trace_id dd.trace_id x_trace_id logging.googleapis.com/trace",
    ),
    (
        "span_id",
        Form::Id,
        "span_id span.id otel_span_id otel.span_id dd.span_id logging.googleapis.com/spanid",
    ),
    ("parent_span_id", Form::Id, "parent_span_id parent_id parent.id parent_span.id"),
    (
        "method",
        Form::Plain,
        "method http.request.method http.method http.req.method request_method http_method verb \
         rpc.method request.method req.method",
    ),
    ("route", Form::Plain, "route http.route endpoint route_key resource_path"),
    (
        "route",
        Form::Path,
        "path url.path http.req.path request_path http.path http.target request_uri request.uri uri \
         req.url",
    ),
    (
        "status_code",
        Form::Status,
        "status_code http.response.status_code http.status_code http.resp.status http_status http.status \
         response_code response_status downstream_status res.status_code \
         status rpc.grpc.status_code",
    ),
    (
        "error_type",
        Form::Plain,
        "error_type error.type exception.type err.type error_class error.kind error_kind",
    ),
];

/// As [`COMMON`], for one table.
const LOGS: &[Row] = &[
    ("level", Form::Level, "level log.level severity severity_text log_level levelname lvl loglevel"),
    ("level", Form::SeverityNumber, "severity_number"),
    ("message", Form::Message, "message msg body log text_payload text"),
    (
        "error",
        Form::ErrorText,
        "error error.message exception.message err.message err error_message error.msg",
    ),
    (
        "stack_trace",
        Form::Plain,
        "stack_trace error.stack_trace exception.stacktrace error.stack err.stack stacktrace stack exc_info",
    ),
    ("request_id", Form::Plain, "request_id req_id x_request_id http.request.id aws_request_id request.id"),
    ("user_id", Form::Plain, "user_id user.id enduser.id"),
    (
        "bytes_sent",
        Form::Plain,
        "bytes_sent response_size response_bytes body_bytes_sent http.response.body.size \
         http.response_content_length response_length downstream_content_size",
    ),
    ("retry_count", Form::Plain, "retry_count retries"),
    ("timeout", Form::Plain, "timeout timed_out is_timeout"),
    ("event", Form::Plain, "event event_name event.name"),
];

const SPANS: &[Row] = &[
    ("name", Form::Plain, "name span_name operation_name operation"),
    ("kind", Form::SpanKind, "kind span_kind span.kind"),
    ("status", Form::SpanStatus, "status status.code"),
    ("status_message", Form::Plain, "status_message status.message"),
    (
        "peer_service",
        Form::Plain,
        "peer_service peer.service server.address net.peer.name rpc.service net.sock.peer.name",
    ),
];

const METRICS: &[Row] = &[
    ("metric", Form::Plain, "metric metric_name __name__ name"),
    ("value", Form::Plain, "value"),
    ("unit", Form::Plain, "unit"),
    ("kind", Form::Plain, "kind metric_type type"),
    ("count", Form::Plain, "count"),
];

const ALERTS: &[Row] = &[
    ("alert", Form::Plain, "alert alert_name alertname"),
    ("severity", Form::Plain, "severity level"),
    ("status", Form::Plain, "status state"),
    ("detail", Form::Plain, "detail description summary message"),
];

const CHANGES: &[Row] = &[
    ("kind", Form::Plain, "kind change_kind change_type type"),
    ("change_id", Form::Plain, "change_id id"),
    ("detail", Form::Plain, "detail description message"),
];

const INCIDENTS: &[Row] =
    &[("verdict", Form::Plain, "verdict label"), ("detail", Form::Plain, "detail description cause")];

/// Base names of the instants that order a table, from best to worst.
const EVENT_TIMES: &[&str] = &[
    "timestamp",
    "@timestamp",
    "time",
    "ts",
    "datetime",
    "date_time",
    "event_time",
    "log_time",
    "time_unix",
    "timestamp_unix",
    "start_time",
    "start_time_unix",
    "epoch",
    "observed_time_unix",
    "observed_timestamp",
    "date",
    // Python's logging, nginx, Traefik, API Gateway.
    "asctime",
    "time_iso8601",
    "time_local",
    "start_utc",
];
const INCIDENT_FROM: &[&str] = &["from", "start", "start_time", "begin"];
const INCIDENT_TO: &[&str] = &["to", "end", "end_time"];

/// Base names of durations.
const DURATIONS: &[&str] = &[
    "duration",
    "latency",
    "elapsed",
    "elapsed_time",
    "took",
    "response_time",
    "request_time",
    "request_duration",
    "processing_time",
    "time_taken",
    "http.resp.took",
    "http.duration",
    "http.latency",
    "event.duration",
    // Lambda's own events.
    "record.metrics.duration",
];
const QUEUE_WAITS: &[&str] = &["queue_wait", "queue_wait_time", "queue_time", "queue_duration", "wait_time"];

static NAMES: LazyLock<Vec<HashMap<String, Target>>> = LazyLock::new(|| {
    let mut maps = vec![HashMap::new(); TABLE_COUNT];
    for table in TableId::ALL {
        let own: &[Row] = match table {
            TableId::Logs => LOGS,
            TableId::Spans => SPANS,
            TableId::Metrics => METRICS,
            TableId::Alerts => ALERTS,
            TableId::Changes => CHANGES,
            TableId::Incidents => INCIDENTS,
            TableId::Evaluations => &[],
        };
        let map: &mut HashMap<String, Target> = &mut maps[table as usize];
        // A table's own rows come first: `status` of a span is its own column before it is an HTTP status.
        let mut next = [FIRST_RANK; 64];
        for (column, form, spellings) in own.iter().chain(COMMON) {
            let Some(position) = table.facts().column(column) else { continue };
            for spelling in spellings.split_whitespace() {
                let target = Target { column: position as u8, rank: next[position], form: *form };
                next[position] += 1;
                map.entry(squash(spelling).into_owned()).or_insert(target);
            }
        }
        for (position, column) in table.facts().columns().iter().enumerate() {
            if column.kind != ColumnType::Map {
                let form = canonical_form(&column.name, column.kind);
                let target = Target { column: position as u8, rank: FIRST_RANK, form };
                map.entry(squash(&column.name).into_owned()).or_insert(target);
            }
        }
    }
    maps
});

/// How a value under the column's own name is read.
pub(crate) fn canonical_form(column: &str, kind: ColumnType) -> Form {
    match (kind, column) {
        (ColumnType::Timestamp, _) => Form::Time(None),
        (_, "region") => Form::Region,
        (_, "trace_id" | "span_id" | "parent_span_id") => Form::Id,
        (_, "level") => Form::Level,
        (_, "status_code") => Form::Status,
        (_, "error") => Form::ErrorText,
        (ColumnType::Float64, name) if name.ends_with("_ms") => Form::Millis(Some(Unit::Milliseconds)),
        _ => Form::Plain,
    }
}

fn position(bases: &[&str], base: &str) -> Option<u8> {
    bases.iter().position(|b| *b == base).map(|p| FIRST_RANK + p as u8)
}

/// What a key fills in a table, if anything.
///
/// `__REALTIME_TIMESTAMP` and `PRIORITY` are journald's (microseconds; syslog numbers), `event.duration` is
/// ECS's (nanoseconds): their units are fixed by their formats.
pub(crate) fn target(table: TableId, path: &str) -> Option<Target> {
    let facts = table.facts();
    let snake = snake(path);
    let (base, unit) = split_unit(&snake);
    let times: &[(&str, &[&str])] = match table {
        TableId::Incidents => &[("from", INCIDENT_FROM), ("to", INCIDENT_TO)],
        _ => &[("timestamp", EVENT_TIMES)],
    };
    for (column, bases) in times {
        let Some(column) = facts.column(column) else { continue };
        // API Gateway's `$context` calls them so in its documentation: common log time and milliseconds.
        if let ("requestTime" | "requestTimeEpoch", TableId::Logs) = (path, table) {
            let unit = (path == "requestTimeEpoch").then_some(Unit::Milliseconds);
            return Some(Target { column: column as u8, rank: FIRST_RANK + 30, form: Form::Time(unit) });
        }
        let found = match position(bases, base) {
            Some(rank) => Some((rank, unit)),
            None => position(bases, &snake).map(|rank| (rank, None)),
        };
        if let Some((rank, unit)) = found {
            return Some(Target { column: column as u8, rank, form: Form::Time(unit) });
        }
        if path == "__REALTIME_TIMESTAMP" {
            let form = Form::Time(Some(Unit::Microseconds));
            return Some(Target { column: column as u8, rank: FIRST_RANK + 20, form });
        }
    }
    for (column, bases) in [("duration_ms", DURATIONS), ("queue_wait_ms", QUEUE_WAITS)] {
        let Some(column) = facts.column(column) else { continue };
        if let Some(rank) = position(bases, base) {
            let unit = if snake == "event.duration" { Some(Unit::Nanoseconds) } else { unit };
            return Some(Target { column: column as u8, rank, form: Form::Millis(unit) });
        }
    }
    if path == "PRIORITY" && table == TableId::Logs {
        let column = facts.column("level")? as u8;
        return Some(Target { column, rank: FIRST_RANK + 30, form: Form::Syslog });
    }
    NAMES[table as usize].get(squash(path).as_ref()).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(table: TableId, key: &str, column: &str, form: Form) {
        let target = target(table, key).unwrap_or_else(|| panic!("{key} fills nothing"));
        let name = &table.facts().columns()[target.column as usize].name;
        assert_eq!((name.as_str(), target.form), (column, form), "{key}");
    }

    #[test]
    fn every_spelling_finds_its_column() {
        use TableId::*;
        check(Logs, "@timestamp", "timestamp", Form::Time(None));
        check(Logs, "timestamp_ms", "timestamp", Form::Time(Some(Unit::Milliseconds)));
        check(Logs, "timeUnixNano", "timestamp", Form::Time(Some(Unit::Nanoseconds)));
        check(Logs, "__REALTIME_TIMESTAMP", "timestamp", Form::Time(Some(Unit::Microseconds)));
        check(Logs, "lvl", "level", Form::Level);
        check(Logs, "http.resp.took_ms", "duration_ms", Form::Millis(Some(Unit::Milliseconds)));
        check(Logs, "latency", "duration_ms", Form::Millis(None));
        check(Logs, "queue_wait_ms", "queue_wait_ms", Form::Millis(Some(Unit::Milliseconds)));
        check(Logs, "traceId", "trace_id", Form::Id);
        check(Logs, "error", "error", Form::ErrorText);
        check(Logs, "url.path", "route", Form::Path);
        check(Spans, "status", "status", Form::SpanStatus);
        check(Spans, "http.status_code", "status_code", Form::Status);
        check(Metrics, "metric", "metric", Form::Plain);
        check(Evaluations, "nash_stability", "nash_stability", Form::Plain);
        check(Evaluations, "duration_s", "duration_ms", Form::Millis(Some(Unit::Seconds)));
        check(Incidents, "from", "from", Form::Time(None));
        check(Incidents, "end_time_ms", "to", Form::Time(Some(Unit::Milliseconds)));
        check(Alerts, "threshold", "threshold", Form::Plain);
    }

    #[test]
    fn every_column_answers_to_its_own_name() {
        for table in TableId::ALL {
            for (position, column) in table.facts().columns().iter().enumerate() {
                if column.kind == ColumnType::Map {
                    assert_eq!(target(table, &column.name), None);
                    continue;
                }
                let found = target(table, &column.name).unwrap();
                assert_eq!((found.column as usize, found.rank), (position, FIRST_RANK), "{}", column.name);
            }
        }
    }

    #[test]
    fn what_means_nothing_fills_nothing() {
        for key in ["colour", "durations", "db.system", "time.zone", "stream", "eta"] {
            assert_eq!(target(TableId::Logs, key), None, "{key}");
        }
    }
}
