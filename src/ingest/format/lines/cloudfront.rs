//! Standard access logs of CloudFront (AWS: "Standard logging reference"): tab-separated, named by the `#Fields:`
//! line, values URL-encoded, date and time (UTC) in two fields, `time-taken` in seconds.
//!
//! A status `000` means that the viewer closed the connection before an answer: no status then.

use std::borrow::Cow;

use crate::ingest::format::aliases::Form;
use crate::ingest::format::convert::Scalar;
use crate::ingest::format::decoder::Decoder;
use crate::ingest::format::fill::put;
use crate::ingest::format::names::{Names, ROOT};
use crate::ingest::format::units::Unit;
use crate::ingest::output::{Origin, Place};
use crate::ingest::row::Row;
use crate::ingest::table::TableId;

pub(super) fn record<'v>(
    decoder: &mut Decoder,
    origin: &'v Origin,
    place: Place<'_>,
    line: &'v str,
) -> Result<(), String> {
    let Some(head) = decoder.output.head.clone() else {
        return Err("expected a `#Fields:` line before the first record, found none".to_owned());
    };
    let columns = head.names();
    let separator = if line.contains('\t') { '\t' } else { ' ' };
    let values: Vec<&str> = line.split(separator).collect();
    if values.len() != columns.len() {
        return Err(format!(
            "expected the {} fields of the `#Fields:` line, found {}",
            columns.len(),
            values.len()
        ));
    }
    let find = |name: &str| columns.iter().position(|c| c == name).map(|p| values[p]).filter(|v| *v != "-");
    let time = find("date").zip(find("time")).map(|(date, time)| format!("{date}T{time}Z"));
    decoder.row(origin, TableId::Logs, place, |names, row| {
        if let Some(time) = time {
            put(names, row, "time", "timestamp", Form::Time(None), Scalar::Text(time.into()));
        }
        for (column, value) in columns.iter().zip(&values) {
            if !matches!(column.as_str(), "date" | "time") && !matches!(*value, "-" | "") {
                field(names, row, column, decoded(value));
            }
        }
    });
    Ok(())
}

fn field<'v>(names: &mut Names, row: &mut Row<'v>, key: &str, text: Cow<'v, str>) {
    let failed = matches!(&*text, "Error" | "LimitExceeded" | "CapacityExceeded");
    let own = match key {
        "sc-status" if text == "000" => None,
        "sc-status" => Some(("status_code", Form::Status)),
        "sc-bytes" => Some(("bytes_sent", Form::Plain)),
        "cs-method" => Some(("method", Form::Plain)),
        "cs-uri-stem" => Some(("route", Form::Path)),
        "time-taken" => Some(("duration_ms", Form::Millis(Some(Unit::Seconds)))),
        "x-edge-request-id" => Some(("request_id", Form::Plain)),
        "x-host-header" => Some(("service", Form::Plain)),
        "x-edge-location" => Some(("host", Form::Plain)),
        "x-edge-result-type" if failed => Some(("error_type", Form::Plain)),
        _ => None,
    };
    match own {
        Some((column, form)) => put(names, row, key, column, form, Scalar::Text(text)),
        None => {
            let name = names.child(ROOT, key);
            row.keep(name, Scalar::Text(text));
        }
    }
}

/// A URL-encoded value as it was; what does not decode to UTF-8 stays encoded.
fn decoded(value: &str) -> Cow<'_, str> {
    if !value.contains('%') {
        return value.into();
    }
    let bytes = value.as_bytes();
    let (mut out, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while at < bytes.len() {
        let hex = (bytes[at] == b'%').then(|| value.get(at + 1..at + 3)).flatten();
        match hex
            .filter(|h| h.bytes().all(|b| b.is_ascii_hexdigit()))
            .and_then(|h| u8::from_str_radix(h, 16).ok())
        {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8(out).map_or(value.into(), Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_decoded_once() {
        assert_eq!(decoded("a%20b%2520c"), "a b%20c");
        assert_eq!(decoded("100%"), "100%");
        assert_eq!(decoded("%zz%4"), "%zz%4");
        assert_eq!(decoded("%ff"), "%ff");
        assert_eq!(decoded("é%C3%A9"), "éé");
    }
}
