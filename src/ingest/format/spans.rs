//! What the trace formats beside OTLP have in common.

use std::borrow::Cow;

use super::aliases::{FIRST_RANK, Form};
use super::convert::{Cell, Scalar};
use super::fill::put;
use super::json::{Kind, Value};
use super::names::{NameId, Names, ROOT};
use super::otlp;
use crate::ingest::row::Row;

/// The width of a span id in hex digits; a trace id has one or two of them.
const ID: usize = 16;

/// An id of either width: base64 is unpacked, hex gets back the zeros in front that some writers leave out.
pub(crate) fn id(value: Value<'_>) -> Scalar<'_> {
    let unpacked = otlp::id(value);
    match unpacked {
        Scalar::Text(text) if is_short_hex(&text) => {
            let width = if text.len() < ID { ID } else { 2 * ID };
            Scalar::Text(Cow::Owned(format!("{text:0>width$}")))
        }
        other => other,
    }
}

fn is_short_hex(text: &str) -> bool {
    !text.is_empty() && text.len() < 2 * ID && text.len() != ID && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// Offers a tag: OpenTracing's `error` is the status of the span, the rest is found by name.
pub(crate) fn tag<'v>(names: &mut Names, row: &mut Row<'v>, key: &str, scalar: Scalar<'v>, handicap: u8) {
    let status = |row: &mut Row<'v>, names: &mut Names, word: &'static str| {
        put(names, row, "status", "status", Form::SpanStatus, Scalar::Text(word.into()));
    };
    match (key, &scalar) {
        ("error", Scalar::Bool(true)) => status(row, names, "error"),
        ("error", Scalar::Text(t)) if t.eq_ignore_ascii_case("true") => status(row, names, "error"),
        ("error", Scalar::Bool(false)) => {}
        ("error", Scalar::Text(t)) if t.eq_ignore_ascii_case("false") => {}
        // Zipkin: the tag's presence is the error, its text says which.
        ("error", Scalar::Text(_)) => {
            status(row, names, "error");
            put(names, row, key, "status_message", Form::Plain, scalar);
        }
        // How OpenTelemetry exports its status to both (specification, "Jaeger" and "Zipkin" exporters).
        ("otel.status_code", _) => put(names, row, key, "status", Form::SpanStatus, scalar),
        ("otel.status_description", _) => put(names, row, key, "status_message", Form::Plain, scalar),
        ("span.kind", _) => put(names, row, key, "kind", Form::SpanKind, scalar),
        _ => {
            let name = names.child(ROOT, key);
            row.offer(names, name, scalar, handicap);
        }
    }
}

/// Only the calling side names its peer by an address.
pub(crate) fn settle_peer(row: &mut Row<'_>) {
    let Some(peer) = row.facts().column("peer_service") else { return };
    let kind = row.facts().column("kind").map(|c| row.cell(c));
    match kind {
        Some(Cell::Text(kind)) if matches!(&**kind, "client" | "producer") => {}
        // What a server calls its peer is its caller.
        Some(Cell::Text(kind)) if matches!(&**kind, "server" | "consumer") => row.demote(peer, 0),
        // `peer.service` alone says that somebody is called.
        _ => row.demote(peer, FIRST_RANK + 1),
    }
}

/// Keeps a list as JSON text, unless it is empty.
pub(crate) fn keep_list<'v>(
    names: &mut Names,
    row: &mut Row<'v>,
    parent: NameId,
    key: &str,
    list: Value<'v>,
) {
    if list.kind() != Kind::Null && list.items().next().is_some() {
        let name = names.child(parent, key);
        row.keep(name, Scalar::of(list));
    }
}
