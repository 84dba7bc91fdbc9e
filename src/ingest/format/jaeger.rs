//! Traces as Jaeger's query API and UI give them (`{"data":[{"traceID","spans","processes"}]}`), single traces and
//! single spans with their process inside, as its Elasticsearch storage has them.
//!
//! startTime and duration are microseconds. The service is the process's; tags of the process come after the
//! span's own. The first CHILD_OF reference within the trace is the parent, others stay in the attributes.

use std::borrow::Cow;

use super::aliases::Form;
use super::convert::Scalar;
use super::decoder::Decoder;
use super::fill::{put, put_named};
use super::json::{Kind, Value};
use super::names::{Names, ROOT};
use super::spans::{id, keep_list, settle_peer, tag};
use super::units::Unit;
use crate::ingest::output::{Origin, Output, Place};
use crate::ingest::quarantine::{Code, Fault};
use crate::ingest::row::Row;
use crate::ingest::table::TableId;

/// Tags of the process give way to those of the span.
const PROCESS_HANDICAP: u8 = 20;

pub(crate) fn record(decoder: &mut Decoder, origin: &Origin, place: Place<'_>, value: Value<'_>) {
    let array = |key: &str| value.get(key).filter(|v| v.kind() == Kind::Array);
    if let Some(traces) = array("data") {
        for trace in traces.items() {
            record(decoder, origin, place.within(trace), trace);
        }
    } else if let Some(spans) = array("spans") {
        let processes = value.get("processes").filter(|p| p.kind() == Kind::Object);
        for span in spans.items() {
            self::span(decoder, origin, place.within(span), processes.or(value.get("process")), span);
        }
    } else if value.get("spanID").is_some() || value.get("spanId").is_some() {
        span(decoder, origin, place, None, value);
    } else {
        let reason = "expected `data`, a trace with `spans`, or a span with `spanID`";
        decoder.output.reject(origin, place, Some(TableId::Spans), Fault::new(Code::UnknownShape, reason));
    }
}

fn span<'v>(
    decoder: &mut Decoder,
    origin: &'v Origin,
    place: Place<'_>,
    processes: Option<Value<'v>>,
    span: Value<'v>,
) {
    if span.kind() != Kind::Object {
        let fault = Fault::new(Code::NotAnObject, "expected a span, found another kind of value");
        return decoder.output.reject(origin, place, Some(TableId::Spans), fault);
    }
    if Output::is_done(origin, TableId::Spans, place.end) {
        return decoder.output.already();
    }
    let own = span.get("process").filter(|p| p.kind() == Kind::Object);
    let listed = span.get_str("processID").zip(processes).and_then(|(id, list)| list.get(id));
    // A batch has one process for all of its spans.
    let batch = processes.filter(|p| p.get("serviceName").is_some_and(|s| s.kind() == Kind::String));
    let process = own.or(listed).or(batch);
    decoder.row(origin, TableId::Spans, place, |names, row| {
        let micros = Unit::Microseconds;
        for (key, value) in span.entries() {
            match key {
                "traceID" | "traceId" => put_named(row, ROOT, "trace_id", Form::Id, id(value)),
                "spanID" | "spanId" => put_named(row, ROOT, "span_id", Form::Id, id(value)),
                "parentSpanID" => put_named(row, ROOT, "parent_span_id", Form::Id, id(value)),
                "operationName" => put(names, row, key, "name", Form::Plain, Scalar::of(value)),
                "startTime" => put(names, row, key, "timestamp", Form::Time(Some(micros)), Scalar::of(value)),
                "duration" => {
                    put(names, row, key, "duration_ms", Form::Millis(Some(micros)), Scalar::of(value));
                }
                "references" => references(names, row, span, value),
                "tags" => tags(names, row, value, 0),
                "logs" => keep_list(names, row, ROOT, "events", value),
                "process" | "processID" | "startTimeMillis" => {}
                _ if value.kind() == Kind::Null => {}
                "warnings" => keep_list(names, row, ROOT, key, value),
                _ => {
                    let name = names.child(ROOT, key);
                    row.keep(name, Scalar::of(value));
                }
            }
        }
        if let Some(process) = process {
            if let Some(service) = process.get("serviceName") {
                put(names, row, "service.name", "service", Form::Plain, Scalar::of(service));
            }
            if let Some(list) = process.get("tags") {
                tags(names, row, list, PROCESS_HANDICAP);
            }
        }
        settle_peer(row);
    });
}

/// The parent, and what else the span refers to as JSON text without the spans that Jaeger nests in it.
fn references<'v>(names: &mut Names, row: &mut Row<'v>, span: Value<'v>, list: Value<'v>) {
    let trace = |v: Value<'v>| v.get_str("traceID").or(v.get_str("traceId"));
    let is_parent = |r: &Value<'v>| {
        r.get_str("refType") == Some("CHILD_OF") && (trace(*r).is_none() || trace(*r) == trace(span))
    };
    let mut others = String::new();
    let mut parent = None;
    for reference in list.items() {
        if parent.is_none() && is_parent(&reference) {
            parent = reference.get("spanID").or(reference.get("spanId"));
            continue;
        }
        let text =
            |key: &str| serde_json::to_string(reference.get_str(key).unwrap_or_default()).unwrap_or_default();
        let (kind, span) = (text("refType"), text("spanID"));
        let trace = serde_json::to_string(trace(reference).unwrap_or_default()).unwrap_or_default();
        others.push(if others.is_empty() { '[' } else { ',' });
        others.push_str(&format!("{{\"refType\":{kind},\"traceID\":{trace},\"spanID\":{span}}}"));
    }
    if let Some(parent) = parent {
        put_named(row, ROOT, "parent_span_id", Form::Id, id(parent));
    }
    if !others.is_empty() {
        others.push(']');
        let name = names.child(ROOT, "references");
        row.keep(name, Scalar::Json(Cow::Owned(others)));
    }
}

fn tags<'v>(names: &mut Names, row: &mut Row<'v>, list: Value<'v>, handicap: u8) {
    for item in list.items() {
        let Some(key) = item.get_str("key") else { continue };
        // The storage model spells the value by its type.
        let value = ["value", "vStr", "vInt64", "vBool", "vFloat64", "vBinary"]
            .into_iter()
            .find_map(|name| item.get(name));
        // 64-bit integers may be texts.
        let number = item.get_str("type").is_some_and(|t| t == "int64" || t == "float64");
        let scalar = match value.map(Scalar::of) {
            Some(Scalar::Text(text)) if number => Scalar::Number(text),
            Some(scalar) => scalar,
            None => continue,
        };
        tag(names, row, key, scalar, handicap);
    }
}
