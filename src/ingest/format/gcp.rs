//! Google Cloud Logging: LogEntry as API pages (`{"entries":[…]}`), arrays and sink files.
//!
//! Region: `resource.labels.location`, `region` or `zone`, a zone by its region. A load balancer's `global`
//! stays `global`. Severity DEFAULT, or none, gives way to a severity inside the payload.

use super::aliases::{FIRST_RANK, Form, LIFTED_RANK, Target};
use super::convert::Scalar;
use super::decoder::Decoder;
use super::flatten;
use super::json::{Kind, Value};
use super::lift;
use super::names::{NameId, Names, ROOT};
use crate::domain::Level;
use crate::ingest::output::{Origin, Place};
use crate::ingest::quarantine::{Code, Fault};
use crate::ingest::row::Row;
use crate::ingest::table::TableId;

/// Resource labels that name a service, from best to worst.
const SERVICES: [&str; 9] = [
    "service_name",
    "container_name",
    "backend_service_name",
    "function_name",
    "module_id",
    "job_name",
    "service",
    "url_map_name",
    "database_id",
];
/// Resource labels that name a host, from best to worst.
const HOSTS: [&str; 4] = ["pod_name", "instance_id", "node_name", "revision_name"];

pub(crate) fn record(decoder: &mut Decoder, origin: &Origin, place: Place<'_>, value: Value<'_>) {
    if value.kind() != Kind::Object {
        let fault = Fault::new(Code::NotAnObject, "expected a LogEntry or a page of them");
        return decoder.output.reject(origin, place, Some(TableId::Logs), fault);
    }
    if let Some(entries) = value.get("entries").filter(|v| v.kind() == Kind::Array) {
        for entry in entries.items() {
            self::entry(decoder, origin, place.within(entry), entry);
        }
    } else if value.entries().next().is_none() {
        // The API answers an empty object when nothing matches.
    } else {
        entry(decoder, origin, place, value);
    }
}

fn target(row: &Row<'_>, column: &str, rank: u8, form: Form) -> Option<Target> {
    Some(Target { column: row.facts().column(column)? as u8, rank, form })
}

fn offer<'v>(row: &mut Row<'v>, column: &str, rank: u8, form: Form, name: NameId, value: Value<'v>) {
    match target(row, column, rank, form) {
        Some(target) => row.offer_to(target, name, Scalar::of(value), 0),
        None => row.keep(name, Scalar::of(value)),
    }
}

fn entry<'v>(decoder: &mut Decoder, origin: &'v Origin, place: Place<'_>, entry: Value<'v>) {
    if entry.kind() != Kind::Object {
        let fault = Fault::new(Code::NotAnObject, "expected a LogEntry, found another kind of value");
        return decoder.output.reject(origin, place, Some(TableId::Logs), fault);
    }
    decoder.row(origin, TableId::Logs, place, |names, row| {
        for (key, value) in entry.entries() {
            let name = names.child(ROOT, key);
            match (key, value.kind()) {
                ("timestamp", _) => offer(row, "timestamp", 0, Form::Time(None), name, value),
                ("receiveTimestamp", _) => offer(row, "timestamp", 1, Form::Time(None), name, value),
                ("severity", _) if value.as_str() == Some("DEFAULT") => {}
                ("severity", _) => offer(row, "level", 0, Form::Level, name, value),
                ("textPayload", _) => offer(row, "message", 0, Form::Message, name, value),
                ("jsonPayload", Kind::Object) => lift::object(names, row, value, LIFTED_RANK),
                ("protoPayload", Kind::Object) => proto(names, row, value, name),
                ("httpRequest", Kind::Object) => http(names, row, value, name),
                ("resource", Kind::Object) => resource(names, row, value, name),
                ("trace", _) => offer(row, "trace_id", 0, Form::Id, name, value),
                ("spanId", _) => offer(row, "span_id", 0, Form::Id, name, value),
                (_, Kind::Object) => flatten::object(names, row, value, name, LIFTED_RANK),
                _ => row.keep(name, Scalar::of(value)),
            }
        }
        default_level(row, entry);
    });
}

/// Severity DEFAULT is what an entry without one has.
fn default_level<'v>(row: &mut Row<'v>, entry: Value<'v>) {
    if entry.get_str("severity").unwrap_or("DEFAULT") == "DEFAULT"
        && let Some(column) = row.facts().column("level")
    {
        row.suggest(column, Level::Info.as_str());
    }
}

fn resource<'v>(names: &mut Names, row: &mut Row<'v>, resource: Value<'v>, parent: NameId) {
    for (key, value) in resource.entries() {
        let name = names.child(parent, key);
        if key != "labels" || value.kind() != Kind::Object {
            flatten::field(names, row, parent, key, value, LIFTED_RANK);
            continue;
        }
        for (label, value) in value.entries() {
            let name = names.child(name, label);
            let rank = |list: &[&str]| list.iter().position(|l| *l == label).map(|p| FIRST_RANK + p as u8);
            if let Some(rank) = rank(&["location", "region", "zone"]) {
                offer(row, "region", rank, Form::Zone, name, value);
            } else if let Some(rank) = rank(&SERVICES).filter(|_| value.as_str() != Some("")) {
                offer(row, "service", rank, Form::Plain, name, value);
            } else if let Some(rank) = rank(&HOSTS) {
                offer(row, "host", rank, Form::Plain, name, value);
            } else {
                row.keep(name, Scalar::of(value));
            }
        }
    }
}

fn http<'v>(names: &mut Names, row: &mut Row<'v>, request: Value<'v>, parent: NameId) {
    for (key, value) in request.entries() {
        let name = names.child(parent, key);
        match key {
            "requestMethod" => offer(row, "method", 0, Form::Plain, name, value),
            "requestUrl" => offer(row, "route", 0, Form::Path, name, value),
            "status" => offer(row, "status_code", 0, Form::Status, name, value),
            // A duration in the JSON form of protocol buffers: seconds with an `s` at the end.
            "latency" => offer(row, "duration_ms", 0, Form::Millis(None), name, value),
            "responseSize" => offer(row, "bytes_sent", 0, Form::Plain, name, value),
            _ if value.kind() == Kind::Object => flatten::object(names, row, value, name, LIFTED_RANK),
            _ => row.keep(name, Scalar::of(value)),
        }
    }
}

/// An audit log: the called method is the route, its API the service, a failed status the error.
fn proto<'v>(names: &mut Names, row: &mut Row<'v>, payload: Value<'v>, parent: NameId) {
    for (key, value) in payload.entries() {
        let name = names.child(parent, key);
        match (key, value.kind()) {
            ("methodName", Kind::String) => offer(row, "route", 5, Form::Plain, name, value),
            ("serviceName", Kind::String) => offer(row, "service", 5, Form::Plain, name, value),
            ("status", Kind::Object) => {
                for (key, value) in value.entries() {
                    let name = names.child(name, key);
                    match key {
                        "message" => offer(row, "error", 5, Form::ErrorText, name, value),
                        _ => row.keep(name, Scalar::of(value)),
                    }
                }
            }
            // Requests and responses hold whole resources: kept by path, never taken for fields of the line.
            (_, Kind::Object) => keep(names, row, value, name),
            _ => row.keep(name, Scalar::of(value)),
        }
    }
}

fn keep<'v>(names: &mut Names, row: &mut Row<'v>, value: Value<'v>, parent: NameId) {
    for (key, value) in value.entries() {
        let name = names.child(parent, key);
        match value.kind() {
            Kind::Object if value.entries().next().is_some() => keep(names, row, value, name),
            _ => row.keep(name, Scalar::of(value)),
        }
    }
}
