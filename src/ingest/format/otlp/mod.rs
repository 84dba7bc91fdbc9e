//! OTLP/JSON: `resourceLogs`, `resourceSpans`, `resourceMetrics`, one document per line or in any layout.
//!
//! Facts from the OTLP specification and its protocol buffers: 64-bit integers are numbers or strings, enums
//! numbers (names are accepted), trace and span ids hex in any case (base64, which some producers write, is
//! accepted by its length), unknown fields are ignored. Attributes without a column, those of the resource
//! and the scope included, stay in the attributes.

mod any;
mod logs;
mod metrics;
mod spans;

pub(crate) use spans::id;

use super::convert::Scalar;
use super::decoder::Decoder;
use super::json::{Kind, Value};
use super::names::{Names, ROOT};
use crate::ingest::output::{Origin, Place};
use crate::ingest::quarantine::{Code, Fault};
use crate::ingest::row::Row;

/// A record's own attributes win over those of its resource, and these over those of its scope.
const RESOURCE_HANDICAP: u8 = 20;
const SCOPE_HANDICAP: u8 = 40;

/// What the records of a group share.
#[derive(Clone, Copy)]
struct Group<'v> {
    resource: Option<Value<'v>>,
    scope: Option<Value<'v>>,
}

const DOCUMENTS: [&str; 3] = ["resourceSpans", "resourceLogs", "resourceMetrics"];

pub(crate) fn record(decoder: &mut Decoder, origin: &Origin, place: Place<'_>, value: Value<'_>) {
    let mut known = false;
    for (key, list) in value.entries() {
        if DOCUMENTS.contains(&key) {
            known = true;
            for group in list.items() {
                resource(decoder, origin, place, group);
            }
        }
    }
    // One element of such a list, when a long document is read piece by piece. An empty export is valid.
    if !known && !resource(decoder, origin, place, value) && value.entries().next().is_some()
        || value.kind() != Kind::Object
    {
        let reason = "expected `resourceLogs`, `resourceSpans` or `resourceMetrics`";
        decoder.output.reject(origin, place, None, Fault::new(Code::UnknownShape, reason));
    }
}

/// Reads one resource with its scopes; whether it was one. The older `instrumentationLibrary…` names count.
fn resource<'v>(decoder: &mut Decoder, origin: &'v Origin, place: Place<'v>, group: Value<'v>) -> bool {
    let attributes = group.get("resource").and_then(|r| r.get("attributes"));
    let mut known = false;
    for (key, scopes) in group.entries() {
        let records = match key {
            "scopeSpans" | "instrumentationLibrarySpans" => "spans",
            "scopeLogs" | "instrumentationLibraryLogs" => "logRecords",
            "scopeMetrics" | "instrumentationLibraryMetrics" => "metrics",
            _ => continue,
        };
        known = true;
        for scoped in scopes.items() {
            let scope = scoped.get("scope").or_else(|| scoped.get("instrumentationLibrary"));
            let group = Group { resource: attributes, scope };
            for record in scoped.get(records).into_iter().flat_map(|v| v.items()) {
                let place = place.within(record);
                match records {
                    "spans" => spans::span(decoder, origin, place, group, record),
                    "logRecords" => logs::log(decoder, origin, place, group, record),
                    _ => metrics::metric(decoder, origin, place, group, record),
                }
            }
        }
    }
    known
}

/// Offers a list of `{"key":…,"value":…}`.
fn attributes<'v>(names: &mut Names, row: &mut Row<'v>, list: Value<'v>, handicap: u8) {
    for item in list.items() {
        let (mut key, mut value) = (None, None);
        for (k, v) in item.entries() {
            match k {
                "key" => key = v.as_str(),
                "value" => value = Some(v),
                _ => {}
            }
        }
        if let (Some(key), Some(value)) = (key, value) {
            any::offer(names, row, ROOT, key, value, handicap);
        }
    }
}

/// Offers what the group says about each of its records.
fn context<'v>(names: &mut Names, row: &mut Row<'v>, group: Group<'v>) {
    if let Some(resource) = group.resource {
        attributes(names, row, resource, RESOURCE_HANDICAP);
    }
    let Some(scope) = group.scope else { return };
    for (key, value) in scope.entries() {
        let name = match key {
            "name" => "otel.scope.name",
            "version" => "otel.scope.version",
            "attributes" => {
                attributes(names, row, value, SCOPE_HANDICAP);
                continue;
            }
            _ => continue,
        };
        if value.as_str().is_some_and(|v| !v.is_empty()) {
            let name = names.child(ROOT, name);
            row.keep(name, Scalar::of(value));
        }
    }
}

/// Keeps a field under its own name, unless it says nothing (null, 0, empty).
fn keep<'v>(names: &mut Names, row: &mut Row<'v>, key: &str, value: Value<'v>) {
    let empty = match value.kind() {
        Kind::Null => true,
        Kind::Number => value.raw() == "0",
        Kind::String => matches!(value.raw(), "" | "0"),
        Kind::Array => value.items().next().is_none(),
        Kind::Object => value.entries().next().is_none(),
        Kind::True | Kind::False => false,
    };
    if !empty {
        let name = names.child(ROOT, key);
        row.keep(name, Scalar::of(value));
    }
}

/// The nanoseconds of a number or of a string of digits; 0 and what is neither mean unset.
fn nanos<'v>(value: Value<'v>) -> Option<&'v str> {
    match value.kind() {
        Kind::Number | Kind::String => Some(value.raw()).filter(|t| !matches!(*t, "" | "0")),
        _ => None,
    }
}
