//! OTLP metrics: one row per data point.
//!
//! The value of a histogram or summary point is its sum. Monotonic sums are counters, other sums gauges.
//! Buckets, bounds, quantiles and the rest of a point stay in the labels as JSON text.

use super::super::aliases::Form;
use super::super::convert::{Cell, Scalar};
use super::super::decoder::Decoder;
use super::super::json::{Kind, Value};
use super::super::names::ROOT;
use super::super::units::Unit;
use super::spans::put;
use super::{Group, attributes, context, keep, nanos};
use crate::ingest::output::{Origin, Output, Place};
use crate::ingest::quarantine::{Code, Fault};
use crate::ingest::table::TableId;

/// Data point flag `FLAG_NO_RECORDED_VALUE` (opentelemetry-proto, metrics.proto).
const NO_RECORDED_VALUE: u64 = 1;

pub(super) fn metric<'v>(
    decoder: &mut Decoder,
    origin: &'v Origin,
    place: Place<'v>,
    group: Group<'v>,
    metric: Value<'v>,
) {
    let data = metric.entries().find_map(|(key, value)| {
        let kind = match key {
            "gauge" => "gauge",
            "sum" if value.get("isMonotonic").is_some_and(|v| v.kind() == Kind::True) => "counter",
            "sum" => "gauge",
            "histogram" | "exponentialHistogram" => "histogram",
            "summary" => "summary",
            _ => return None,
        };
        Some((kind, value))
    });
    let Some((kind, data)) = data else {
        let reason = "expected `gauge`, `sum`, `histogram`, `exponentialHistogram` or `summary` in a metric";
        let fault = Fault::new(Code::UnknownShape, reason);
        return decoder.output.reject(origin, place, Some(TableId::Metrics), fault);
    };
    for point in data.get("dataPoints").into_iter().flat_map(|v| v.items()) {
        if Output::is_done(origin, TableId::Metrics, place.end) {
            decoder.output.already();
            continue;
        }
        self::point(decoder, origin, place.within(point), group, metric, (kind, data), point);
    }
}

fn point<'v>(
    decoder: &mut Decoder,
    origin: &'v Origin,
    place: Place<'_>,
    group: Group<'v>,
    metric: Value<'v>,
    (kind, data): (&'static str, Value<'v>),
    point: Value<'v>,
) {
    decoder.row(origin, TableId::Metrics, place, |names, row| {
        for (key, value) in metric.entries() {
            match key {
                "name" if !value.raw().is_empty() => put(row, ROOT, "metric", Form::Plain, Scalar::of(value)),
                "unit" if !value.raw().is_empty() => put(row, ROOT, "unit", Form::Plain, Scalar::of(value)),
                "description" => keep(names, row, key, value),
                _ => {}
            }
        }
        put(row, ROOT, "kind", Form::Plain, Scalar::Text(kind.into()));
        let mut recorded = true;
        for (key, value) in point.entries() {
            match key {
                "timeUnixNano" => {
                    if let Some(nanos) = nanos(value) {
                        let name = names.child(ROOT, key);
                        let unit = Form::Time(Some(Unit::Nanoseconds));
                        put(row, name, "timestamp", unit, Scalar::Number(nanos.into()));
                    }
                }
                "asDouble" | "asInt" | "sum" => {
                    let name = names.child(ROOT, key);
                    put(row, name, "value", Form::Plain, Scalar::of(value));
                }
                "count" => {
                    let name = names.child(ROOT, key);
                    put(row, name, "count", Form::Plain, Scalar::of(value));
                }
                "attributes" => attributes(names, row, value, 0),
                "flags" => {
                    recorded = value.raw().parse::<u64>().map_or(true, |f| f & NO_RECORDED_VALUE == 0);
                    keep(names, row, key, value);
                }
                _ => keep(names, row, key, value),
            }
        }
        for key in ["aggregationTemporality", "isMonotonic"] {
            if let Some(value) = data.get(key) {
                keep(names, row, key, value);
            }
        }
        context(names, row, group);
        if let Some(column) = row.facts().column("value").filter(|_| !recorded) {
            row.set(column, Cell::Null);
        }
    });
}
