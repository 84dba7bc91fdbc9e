//! OTLP spans.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::super::aliases::{FIRST_RANK, Form, Target};
use super::super::convert::{Cell, Scalar, span_kind};
use super::super::decoder::Decoder;
use super::super::json::{Kind, Value};
use super::super::names::{NameId, Names, ROOT};
use super::super::units::Unit;
use super::{Group, attributes, context, keep, nanos};
use crate::ingest::output::{Origin, Output, Place};
use crate::ingest::row::Row;
use crate::ingest::table::TableId;

/// The spelling `peer.service` of the aliases; worse ones name the peer only on the calling side.
const PEER_SERVICE_RANK: u8 = FIRST_RANK + 1;

/// Rank of the fields that OTLP itself defines.
pub(super) const OWN_RANK: u8 = 1;

pub(super) fn put<'v>(row: &mut Row<'v>, name: NameId, column: &str, form: Form, scalar: Scalar<'v>) {
    match row.facts().column(column) {
        Some(column) => row.offer_to(Target { column: column as u8, rank: OWN_RANK, form }, name, scalar, 0),
        None => row.keep(name, scalar),
    }
}

/// An id as hex; of 16 or 8 bytes also from base64, told by its length and padding.
pub(crate) fn id(value: Value<'_>) -> Scalar<'_> {
    if let Some(text) = value.as_str() {
        let packed = (text.len() == 24 && text.ends_with("==")) || (text.len() == 12 && text.ends_with('='));
        if let Some(bytes) = packed.then(|| STANDARD.decode(text).ok()).flatten() {
            let hex: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
            return Scalar::Text(Cow::Owned(hex));
        }
    }
    Scalar::of(value)
}

pub(super) fn span<'v>(
    decoder: &mut Decoder,
    origin: &'v Origin,
    place: Place<'_>,
    group: Group<'v>,
    span: Value<'v>,
) {
    if Output::is_done(origin, TableId::Spans, place.end) {
        return decoder.output.already();
    }
    decoder.row(origin, TableId::Spans, place, |names, row| {
        let (mut start, mut end, mut events) = (None, None, None);
        for (key, value) in span.entries() {
            match key {
                "traceId" => put(row, ROOT, "trace_id", Form::Id, id(value)),
                "spanId" => put(row, ROOT, "span_id", Form::Id, id(value)),
                "parentSpanId" => put(row, ROOT, "parent_span_id", Form::Id, id(value)),
                "name" => put(row, ROOT, "name", Form::Plain, Scalar::of(value)),
                "kind" => kind(names, row, value),
                "startTimeUnixNano" => start = Some(value),
                "endTimeUnixNano" => end = Some(value),
                "attributes" => attributes(names, row, value, 0),
                "status" => status(names, row, value),
                "events" => {
                    events = Some(value);
                    keep(names, row, key, value);
                }
                _ => keep(names, row, key, value),
            }
        }
        context(names, row, group);
        times(names, row, start, end);
        if let Some(events) = events {
            exception(row, events);
        }
        let calls = row.facts().column("kind").is_some_and(
            |c| matches!(row.cell(c), Cell::Text(kind) if matches!(&**kind, "client" | "producer")),
        );
        if let Some(peer) = row.facts().column("peer_service").filter(|_| !calls) {
            row.demote(peer, PEER_SERVICE_RANK);
        }
    });
}

fn times<'v>(names: &mut Names, row: &mut Row<'v>, start: Option<Value<'v>>, end: Option<Value<'v>>) {
    let (start, end) = (start.and_then(nanos), end.and_then(nanos));
    let name = names.child(ROOT, "startTimeUnixNano");
    if let Some(start) = start {
        put(row, name, "timestamp", Form::Time(Some(Unit::Nanoseconds)), Scalar::Number(start.into()));
    }
    let Some(end) = end else { return };
    let length = start.and_then(|s| s.parse::<i128>().ok()).zip(end.parse::<i128>().ok()).map(|(s, e)| e - s);
    match (length, row.facts().column("duration_ms")) {
        (Some(nanos), Some(column)) if nanos >= 0 => row.set(column, Cell::Float(nanos as f64 / 1e6)),
        // It ends before it starts, or not at a time: no duration, but what it said.
        _ => {
            let name = names.child(ROOT, "endTimeUnixNano");
            row.keep(name, Scalar::Number(end.into()));
        }
    }
}

fn kind<'v>(names: &mut Names, row: &mut Row<'v>, value: Value<'v>) {
    match value.raw() {
        "0" | "SPAN_KIND_UNSPECIFIED" => {}
        "1" | "2" | "3" | "4" | "5" => {
            let kind = span_kind(value.raw().parse().unwrap_or(0)).unwrap_or("internal");
            put(row, ROOT, "kind", Form::Plain, Scalar::Text(kind.into()));
        }
        _ if value.kind() == Kind::String => put(row, ROOT, "kind", Form::SpanKind, Scalar::of(value)),
        _ => keep(names, row, "kind", value),
    }
}

fn status<'v>(names: &mut Names, row: &mut Row<'v>, status: Value<'v>) {
    for (key, value) in status.entries() {
        match (key, value.raw()) {
            ("code", "1" | "STATUS_CODE_OK") => {
                put(row, ROOT, "status", Form::Plain, Scalar::Text("ok".into()));
            }
            ("code", "2" | "STATUS_CODE_ERROR") => {
                put(row, ROOT, "status", Form::Plain, Scalar::Text("error".into()));
            }
            ("code", "0" | "STATUS_CODE_UNSET") => {}
            ("code", _) => keep(names, row, "status.code", value),
            ("message", "") => {}
            ("message", _) => put(row, ROOT, "status_message", Form::Plain, Scalar::of(value)),
            _ => keep(names, row, key, value),
        }
    }
}

/// The class of a recorded exception (semantic conventions: event `exception`), unless an attribute said it.
fn exception<'v>(row: &mut Row<'v>, events: Value<'v>) {
    let Some(column) = row.facts().column("error_type") else { return };
    let exception = events.items().find(|e| e.get_str("name") == Some("exception"));
    let Some(list) = exception.and_then(|e| e.get("attributes")) else { return };
    let class = list.items().find(|a| a.get_str("key") == Some("exception.type"));
    if let Some(class) = class.and_then(|a| a.get("value")).and_then(|v| v.get_str("stringValue")) {
        row.suggest(column, class);
    }
}
