//! CloudWatch Logs Insights results: `[[{"field":"@timestamp","value":"…"},…],…]`, also under `results` as the API
//! gives them. `@timestamp` is UTC without saying so.

use super::aliases::{FIRST_RANK, Form, Target};
use super::convert::Scalar;
use super::decoder::Decoder;
use super::fill;
use super::json::{Kind, Value};
use super::lift;
use super::names::{Names, ROOT};
use super::region;
use super::units::Unit;
use crate::ingest::output::{Origin, Output, Place};
use crate::ingest::quarantine::{Code, Fault};
use crate::ingest::row::Row;
use crate::ingest::table::TableId;

pub(crate) fn record(decoder: &mut Decoder, origin: &Origin, place: Place<'_>, value: Value<'_>) {
    let is_field = |v: &Value<'_>| v.kind() == Kind::Object && v.get("field").is_some();
    match value.kind() {
        Kind::Array if value.items().all(|v| is_field(&v)) => row(decoder, origin, place, value),
        Kind::Array => {
            for item in value.items() {
                record(decoder, origin, place.within(item), item);
            }
        }
        Kind::Object if value.get("results").is_some_and(|r| r.kind() == Kind::Array) => {
            for item in value.get("results").into_iter().flat_map(|r| r.items()) {
                record(decoder, origin, place.within(item), item);
            }
        }
        _ => {
            let reason = "expected a list of `{\"field\":…,\"value\":…}`, found something else";
            let fault = Fault::new(Code::UnknownShape, reason);
            decoder.output.reject(origin, place, Some(TableId::Logs), fault);
        }
    }
}

fn row<'v>(decoder: &mut Decoder, origin: &'v Origin, place: Place<'_>, fields: Value<'v>) {
    // A query without results.
    if fields.items().next().is_none() {
        return;
    }
    if Output::is_done(origin, TableId::Logs, place.end) {
        return decoder.output.already();
    }
    decoder.row(origin, TableId::Logs, place, |names, row| {
        for item in fields.items() {
            if let (Some(key), Some(value)) = (item.get_str("field"), item.get("value")) {
                field(names, row, key, Scalar::of(value));
            }
        }
        let log = fields.items().find(|f| f.get_str("field") == Some("@log"));
        if let Some(log) = log.and_then(|f| f.get_str("value")) {
            group(row, log);
        }
        lift::lambda(names, row);
    });
}

/// One column of a result, by the name that Insights gives it.
pub(crate) fn field<'v>(names: &mut Names, row: &mut Row<'v>, key: &str, scalar: Scalar<'v>) {
    match key {
        "@timestamp" => fill::put(names, row, key, "timestamp", Form::Time(Some(Unit::Milliseconds)), scalar),
        "@message" => {
            let name = names.child(ROOT, key);
            let column = row.facts().column("message").unwrap_or(0) as u8;
            row.offer_to(Target { column, rank: FIRST_RANK, form: Form::Message }, name, scalar, 0);
        }
        "@requestId" => fill::put(names, row, key, "request_id", Form::Plain, scalar),
        // What Insights finds in REPORT lines (CloudWatch Logs user guide, "discovered fields").
        "@duration" => {
            fill::put(names, row, key, "duration_ms", Form::Millis(Some(Unit::Milliseconds)), scalar);
        }
        "@ptr" | "@ingestionTime" | "@log" | "@logStream" => {
            let name = names.child(ROOT, key);
            row.keep(name, scalar);
        }
        _ => {
            let name = names.child(ROOT, key);
            row.offer(names, name, scalar, 0);
        }
    }
}

/// The service of a log group: its last part (`/aws/lambda/checkout` → `checkout`), and its region if it is an ARN.
pub(crate) fn group<'v>(row: &mut Row<'v>, group: &'v str) {
    if let Some(region) = region::of_arn(group) {
        fill::default(row, "region", region);
    }
    let last = group.trim_end_matches(":*").rsplit(['/', ':']).next().unwrap_or(group);
    fill::default(row, "service", last);
}
