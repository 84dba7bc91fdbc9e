//! Prometheus: what `query_range` and `query` answer, whole (`{"status","data":{"resultType","result"}}`), only its
//! list, or one series per record.
//!
//! One row per sample. Times are seconds with a fraction and values are texts, both by definition of the API.
//! `NaN`, `+Inf` and `-Inf` are no numbers that a column could be summed over: the value is NULL and the spelling
//! stays in the labels.

use super::aliases::{Form, Target};
use super::convert::Scalar;
use super::decoder::Decoder;
use super::flatten;
use super::json::{Kind, Value};
use super::names::{NameId, ROOT};
use super::units::Unit;
use crate::ingest::output::{Origin, Output, Place};
use crate::ingest::quarantine::{Code, Fault};
use crate::ingest::row::Row;
use crate::ingest::table::TableId;

/// The label that names the metric.
const NAME: &str = "__name__";

pub(crate) fn record(decoder: &mut Decoder, origin: &Origin, place: Place<'_>, value: Value<'_>) {
    let reject = |decoder: &mut Decoder, code, reason: &str| {
        decoder.output.reject(origin, place, Some(TableId::Metrics), Fault::new(code, reason));
    };
    if value.kind() != Kind::Object {
        return reject(decoder, Code::NotAnObject, "expected a Prometheus reply or a series of one");
    }
    if value.get("metric").is_some() {
        return series(decoder, origin, place, value);
    }
    let data = value.get("data").unwrap_or(value);
    match data.get("result").filter(|r| r.kind() == Kind::Array) {
        Some(result) if matches!(data.get_str("resultType"), None | Some("matrix" | "vector")) => {
            for item in result.items() {
                series(decoder, origin, place.within(item), item);
            }
        }
        _ => reject(decoder, Code::UnknownShape, "expected `data.result` with series of a matrix or vector"),
    }
}

fn series<'v>(decoder: &mut Decoder, origin: &'v Origin, place: Place<'v>, series: Value<'v>) {
    let labels = series.get("metric").filter(|m| m.kind() == Kind::Object);
    let many = series.get("values").filter(|v| v.kind() == Kind::Array);
    let one = series.get("value").filter(|v| v.kind() == Kind::Array);
    let (Some(labels), true) = (labels, many.is_some() || one.is_some()) else {
        let reason = "expected `metric` with `values` or `value`";
        let fault = Fault::new(Code::UnknownShape, reason);
        return decoder.output.reject(origin, place, Some(TableId::Metrics), fault);
    };
    for pair in many.into_iter().flat_map(|v| v.items()).chain(one) {
        if Output::is_done(origin, TableId::Metrics, place.end) {
            decoder.output.already();
            continue;
        }
        sample(decoder, origin, place.within(pair), labels, pair);
    }
}

fn sample<'v>(
    decoder: &mut Decoder,
    origin: &'v Origin,
    place: Place<'_>,
    labels: Value<'v>,
    pair: Value<'v>,
) {
    let mut parts = pair.items();
    let (Some(time), Some(value), None) = (parts.next(), parts.next(), parts.next()) else {
        let fault = Fault::new(Code::UnknownShape, "expected a sample as [seconds, \"value\"]");
        return decoder.output.reject(origin, place, Some(TableId::Metrics), fault);
    };
    decoder.row(origin, TableId::Metrics, place, |names, row| {
        put(
            row,
            "timestamp",
            Form::Time(Some(Unit::Seconds)),
            names.child(ROOT, "timestamp"),
            Scalar::of(time),
        );
        put(row, "value", Form::Plain, names.child(ROOT, "value"), Scalar::of(value));
        for (key, value) in labels.entries() {
            match key {
                NAME => put(row, "metric", Form::Plain, names.child(ROOT, NAME), Scalar::of(value)),
                _ => flatten::field(names, row, ROOT, key, value, 0),
            }
        }
    });
}

fn put<'v>(row: &mut Row<'v>, column: &str, form: Form, name: NameId, scalar: Scalar<'v>) {
    match row.facts().column(column) {
        Some(column) => row.offer_to(Target { column: column as u8, rank: 0, form }, name, scalar, 0),
        None => row.keep(name, scalar),
    }
}
