//! Zipkin v2 spans: a list of spans, or of traces. timestamp and duration are microseconds, and may be absent.

use super::aliases::Form;
use super::convert::Scalar;
use super::decoder::Decoder;
use super::fill::{put, put_named};
use super::json::{Kind, Value};
use super::names::ROOT;
use super::spans::{id, keep_list, settle_peer, tag};
use super::units::Unit;
use crate::ingest::output::{Origin, Output, Place};
use crate::ingest::quarantine::{Code, Fault};
use crate::ingest::table::TableId;

pub(crate) fn record(decoder: &mut Decoder, origin: &Origin, place: Place<'_>, value: Value<'_>) {
    if value.kind() == Kind::Array {
        for span in value.items() {
            record(decoder, origin, place.within(span), span);
        }
    } else if value.get("traceId").is_some() && value.get("id").is_some() {
        span(decoder, origin, place, value);
    } else {
        let reason = "expected a span with `traceId` and `id`, found something else";
        decoder.output.reject(origin, place, Some(TableId::Spans), Fault::new(Code::UnknownShape, reason));
    }
}

fn span<'v>(decoder: &mut Decoder, origin: &'v Origin, place: Place<'_>, span: Value<'v>) {
    if Output::is_done(origin, TableId::Spans, place.end) {
        return decoder.output.already();
    }
    decoder.row(origin, TableId::Spans, place, |names, row| {
        let micros = Unit::Microseconds;
        for (key, value) in span.entries() {
            match key {
                "traceId" => put_named(row, ROOT, "trace_id", Form::Id, id(value)),
                "id" => put_named(row, ROOT, "span_id", Form::Id, id(value)),
                "parentId" => put_named(row, ROOT, "parent_span_id", Form::Id, id(value)),
                "name" => put(names, row, key, "name", Form::Plain, Scalar::of(value)),
                "kind" => put(names, row, key, "kind", Form::SpanKind, Scalar::of(value)),
                "timestamp" => put(names, row, key, "timestamp", Form::Time(Some(micros)), Scalar::of(value)),
                "duration" => {
                    put(names, row, key, "duration_ms", Form::Millis(Some(micros)), Scalar::of(value));
                }
                "localEndpoint" | "remoteEndpoint" if value.kind() == Kind::Object => {
                    let column = if key == "localEndpoint" { "service" } else { "peer_service" };
                    for (inner, value) in value.entries() {
                        let path = format!("{key}.{inner}");
                        match inner {
                            "serviceName" if value.raw().is_empty() => {}
                            "serviceName" => put(names, row, &path, column, Form::Plain, Scalar::of(value)),
                            _ => {
                                let name = names.child(ROOT, &path);
                                row.keep(name, Scalar::of(value));
                            }
                        }
                    }
                }
                "annotations" => keep_list(names, row, ROOT, "events", value),
                "tags" => {
                    for (key, value) in value.entries() {
                        tag(names, row, key, Scalar::of(value), 0);
                    }
                }
                _ => {
                    let name = names.child(ROOT, key);
                    row.keep(name, Scalar::of(value));
                }
            }
        }
        settle_peer(row);
    });
}
