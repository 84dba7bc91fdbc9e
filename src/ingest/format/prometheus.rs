//! Replies of the Prometheus HTTP API (Prometheus docs, "HTTP API"): `query_range` and `query`, whole or the bare
//! list of series. Times are seconds since 1970 with decimals, values texts.
//!
//! A value that is no number (`NaN`, `+Inf`, `-Inf`) lands as NULL, its spelling in the label `value`. A series
//! without `__name__` (every function drops it) is called as the file. `job` is the service when no label is.

use super::aliases::Form;
use super::convert::{Cell, Scalar};
use super::decoder::Decoder;
use super::fill::{default, put, put_named};
use super::json::{Kind, Value};
use super::names::ROOT;
use super::units::Unit;
use crate::ingest::output::{Origin, Output, Place};
use crate::ingest::quarantine::{Code, Fault};
use crate::ingest::table::TableId;

pub(crate) fn record(decoder: &mut Decoder, origin: &Origin, place: Place<'_>, value: Value<'_>) {
    let wrong = |decoder: &mut Decoder, reason: String| {
        let fault = Fault::new(Code::UnknownShape, reason);
        decoder.output.reject(origin, place, Some(TableId::Metrics), fault);
    };
    if value.kind() != Kind::Object {
        return wrong(decoder, "expected a reply or a series, found another kind of value".to_owned());
    }
    if value.get_str("status") == Some("error") {
        let said = value.get_str("error").unwrap_or("nothing");
        return wrong(decoder, format!("expected a reply with data, found an error: {said}"));
    }
    let data = value.get("data").unwrap_or(value);
    match data.get("result") {
        Some(result) if matches!(data.get_str("resultType"), Some("scalar" | "string")) => {
            // One sample without a series.
            sample(decoder, origin, place.within(result), None, result);
        }
        Some(result) if result.kind() == Kind::Array => {
            for series in result.items() {
                self::series(decoder, origin, place.within(series), series);
            }
        }
        _ if value.get("metric").is_some() => series(decoder, origin, place, value),
        _ => wrong(decoder, "expected `data.result` or a series with `metric`, found neither".to_owned()),
    }
}

fn series(decoder: &mut Decoder, origin: &Origin, place: Place<'_>, series: Value<'_>) {
    let mut known = false;
    let metric = series.get("metric").filter(|m| m.kind() == Kind::Object);
    for key in ["values", "histograms"] {
        for pair in series.get(key).into_iter().flat_map(|v| v.items()) {
            sample(decoder, origin, place.within(pair), metric, pair);
        }
        known |= series.get(key).is_some_and(|v| v.kind() == Kind::Array);
    }
    for key in ["value", "histogram"] {
        if let Some(pair) = series.get(key) {
            known = true;
            sample(decoder, origin, place.within(pair), metric, pair);
        }
    }
    if !known || metric.is_none() {
        let reason = "expected a series with `metric` and `values` or `value`, found something else";
        let fault = Fault::new(Code::UnknownShape, reason);
        if !known {
            decoder.output.reject(origin, place, Some(TableId::Metrics), fault);
        }
    }
}

fn sample<'v>(
    decoder: &mut Decoder,
    origin: &'v Origin,
    place: Place<'_>,
    metric: Option<Value<'v>>,
    pair: Value<'v>,
) {
    let mut parts = pair.items();
    let (Some(time), Some(value), None) = (parts.next(), parts.next(), parts.next()) else {
        let fault = Fault::new(Code::UnknownShape, "expected a pair of time and value, found something else");
        return decoder.output.reject(origin, place, Some(TableId::Metrics), fault);
    };
    if Output::is_done(origin, TableId::Metrics, place.end) {
        return decoder.output.already();
    }
    decoder.row(origin, TableId::Metrics, place, |names, row| {
        let seconds = Form::Time(Some(Unit::Seconds));
        put(names, row, "timestamp", "timestamp", seconds, Scalar::of(time));
        if value.kind() == Kind::Object {
            // A native histogram: sum, count, buckets.
            for (key, value) in value.entries() {
                match key {
                    "sum" => put(names, row, key, "value", Form::Plain, Scalar::of(value)),
                    "count" => put(names, row, key, "count", Form::Plain, Scalar::of(value)),
                    _ => {
                        let name = names.child(ROOT, key);
                        row.keep(name, Scalar::of(value));
                    }
                }
            }
            default(row, "kind", "histogram");
        } else {
            put(names, row, "value", "value", Form::Plain, Scalar::of(value));
        }
        for (key, value) in metric.into_iter().flat_map(|m| m.entries()) {
            let name = names.child(ROOT, key);
            match key {
                "__name__" => put_named(row, name, "metric", Form::Plain, Scalar::of(value)),
                // Labels of that name mean whatever their exporter means, not the time or the value.
                "timestamp" | "time" | "value" | "count" | "metric" | "name" | "kind" | "type" | "unit" => {
                    row.keep(name, Scalar::of(value));
                }
                _ => row.offer(names, name, Scalar::of(value), 0),
            }
        }
        if let Some(job) = metric.and_then(|m| m.get_str("job")) {
            let service = row.facts().column("service");
            if service.is_some_and(|c| *row.cell(c) == Cell::Null) {
                default(row, "service", job);
            }
        }
        if let Some(stem) = &origin.stem {
            default(row, "metric", stem);
        }
    });
}
