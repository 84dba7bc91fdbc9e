//! OTLP log records.

use super::super::aliases::{Form, LIFTED_RANK};
use super::super::convert::{Cell, Scalar};
use super::super::decoder::Decoder;
use super::super::json::{Kind, Value};
use super::super::names::{Names, ROOT};
use super::super::units::Unit;
use super::spans::{id, put};
use super::{Group, any, attributes, context, keep, nanos};
use crate::ingest::output::{Origin, Output, Place};
use crate::ingest::row::Row;
use crate::ingest::table::TableId;

pub(super) fn log<'v>(
    decoder: &mut Decoder,
    origin: &'v Origin,
    place: Place<'_>,
    group: Group<'v>,
    record: Value<'v>,
) {
    if Output::is_done(origin, TableId::Logs, place.end) {
        return decoder.output.already();
    }
    decoder.row(origin, TableId::Logs, place, |names, row| {
        let (mut time, mut observed, mut body) = (None, None, None);
        for (key, value) in record.entries() {
            match key {
                "timeUnixNano" => time = nanos(value),
                "observedTimeUnixNano" => observed = nanos(value),
                "severityNumber" if value.raw() == "0" => {}
                "severityNumber" => {
                    let name = names.child(ROOT, key);
                    row.offer(names, name, Scalar::of(value), 0);
                }
                // The number is on the one scale already; the text says it when the number does not.
                "severityText" if value.raw().is_empty() => {}
                "severityText" => {
                    let name = names.child(ROOT, key);
                    row.offer(names, name, Scalar::of(value), SEVERITY_TEXT_HANDICAP);
                }
                "body" => body = Some(value),
                "attributes" => attributes(names, row, value, 0),
                "traceId" => put(row, ROOT, "trace_id", Form::Id, id(value)),
                "spanId" => put(row, ROOT, "span_id", Form::Id, id(value)),
                "eventName" if value.raw().is_empty() => {}
                "eventName" => put(row, ROOT, "event", Form::Plain, Scalar::of(value)),
                _ => keep(names, row, key, value),
            }
        }
        context(names, row, group);
        // The time is taken from the first of the two that is set (OpenTelemetry log data model).
        let unit = Form::Time(Some(Unit::Nanoseconds));
        if let Some(nanos) = time.or(observed) {
            let key = if time.is_some() { "timeUnixNano" } else { "observedTimeUnixNano" };
            let name = names.child(ROOT, key);
            put(row, name, "timestamp", unit, Scalar::Number(nanos.into()));
        }
        if let Some(observed) = observed.filter(|o| time.is_some_and(|t| t != *o)) {
            let name = names.child(ROOT, "observedTimeUnixNano");
            row.keep(name, Scalar::Number(observed.into()));
        }
        if let Some(body) = body {
            self::body(names, row, body);
        }
    });
}

/// Puts the severity number, which ranks right behind the words, before the text.
const SEVERITY_TEXT_HANDICAP: u8 = 15;

/// A text is the message (and opened later if it is JSON); fields are lifted as if they were.
fn body<'v>(names: &mut Names, row: &mut Row<'v>, body: Value<'v>) {
    let Some((kind, value)) = body.entries().next() else { return };
    if kind != "kvlistValue" {
        return put(row, ROOT, "message", Form::Message, any::scalar(kind, value));
    }
    for item in value.get("values").into_iter().flat_map(|v| v.items()) {
        if let (Some(key), Some(value)) = (item.get_str("key"), item.get("value")) {
            any::offer(names, row, ROOT, key, value, LIFTED_RANK);
        }
    }
    let Some(column) = row.facts().column("message") else { return };
    if *row.cell(column) == Cell::Null && value.kind() == Kind::Object {
        let mut text = String::new();
        any::write(&mut text, kind, value);
        row.set(column, Cell::Text(text.into()));
    }
}
