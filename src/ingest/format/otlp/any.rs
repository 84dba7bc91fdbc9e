//! AnyValue: OTLP's own way to write a value in JSON.

use super::super::convert::Scalar;
use super::super::json::{Kind, Value};
use super::super::names::{NameId, Names};
use crate::ingest::row::Row;

/// Offers a value under a key; lists of keys become dotted paths, arrays JSON text, bytes stay base64.
pub(super) fn offer<'v>(
    names: &mut Names,
    row: &mut Row<'v>,
    parent: NameId,
    key: &str,
    any: Value<'v>,
    handicap: u8,
) {
    let name = names.child(parent, key);
    let scalar = match any.entries().next() {
        Some(("kvlistValue", list)) => {
            for item in list.get("values").into_iter().flat_map(|v| v.items()) {
                if let (Some(key), Some(value)) = (item.get_str("key"), item.get("value")) {
                    offer(names, row, name, key, value, handicap);
                }
            }
            return;
        }
        Some((kind, value)) => scalar(kind, value),
        None => Scalar::Null,
    };
    row.offer(names, name, scalar, handicap);
}

/// The value of an AnyValue that is no list of keys.
pub(super) fn scalar<'v>(kind: &str, value: Value<'v>) -> Scalar<'v> {
    match (kind, value.kind()) {
        ("intValue", Kind::String) => Scalar::Number(value.raw().into()),
        ("arrayValue" | "kvlistValue", _) => {
            let mut text = String::new();
            write(&mut text, kind, value);
            Scalar::Json(text.into())
        }
        _ => Scalar::of(value),
    }
}

/// Writes an AnyValue as plain JSON.
pub(super) fn write(out: &mut String, kind: &str, value: Value<'_>) {
    let quoted = |out: &mut String, text: &str| {
        // Writing a text to memory cannot fail.
        out.push_str(&serde_json::to_string(text).unwrap_or_default());
    };
    match kind {
        "arrayValue" => {
            out.push('[');
            for (i, item) in value.get("values").into_iter().flat_map(|v| v.items()).enumerate() {
                if i > 0 {
                    out.push(',');
                }
                match item.entries().next() {
                    Some((kind, value)) => write(out, kind, value),
                    None => out.push_str("null"),
                }
            }
            out.push(']');
        }
        "kvlistValue" => {
            out.push('{');
            for (i, item) in value.get("values").into_iter().flat_map(|v| v.items()).enumerate() {
                if i > 0 {
                    out.push(',');
                }
                quoted(out, item.get_str("key").unwrap_or_default());
                out.push(':');
                match item.get("value").and_then(|v| v.entries().next()) {
                    Some((kind, value)) => write(out, kind, value),
                    None => out.push_str("null"),
                }
            }
            out.push('}');
        }
        "intValue" if value.kind() == Kind::String => out.push_str(value.raw()),
        _ => match value.kind() {
            Kind::String => quoted(out, value.raw()),
            _ => out.push_str(value.raw()),
        },
    }
}
