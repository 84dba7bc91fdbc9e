//! Kubernetes audit events (`audit.k8s.io`), alone or in an EventList.
//!
//! One request is several events; the one of stage ResponseComplete has everything, the others are counted as
//! control messages. The latency is the API server's own annotation, else stageTimestamp − requestReceivedTimestamp.

use super::aliases::Form;
use super::convert::{Cell, Scalar};
use super::decoder::Decoder;
use super::fill::{default, keep_all, put};
use super::json::{Kind, Value};
use super::names::ROOT;
use super::units::millis_of_text;
use crate::domain::parse_timestamp;
use crate::ingest::output::{Origin, Output, Place};
use crate::ingest::quarantine::{Code, Fault};
use crate::ingest::table::TableId;

/// The annotation of the API server: a Go duration.
const TOTAL: &str = "apiserver.latency.k8s.io/total";

pub(crate) fn record(decoder: &mut Decoder, origin: &Origin, place: Place<'_>, value: Value<'_>) {
    if let Some(items) = value.get("items").filter(|v| v.kind() == Kind::Array) {
        for item in items.items() {
            event(decoder, origin, place.within(item), item);
        }
    } else {
        event(decoder, origin, place, value);
    }
}

fn event<'v>(decoder: &mut Decoder, origin: &'v Origin, place: Place<'_>, event: Value<'v>) {
    let stage = match (event.kind(), event.get_str("stage")) {
        (Kind::Object, Some(stage)) => stage,
        _ => {
            let fault = Fault::new(Code::UnknownShape, "expected an audit event with `stage`, found none");
            return decoder.output.reject(origin, place, Some(TableId::Logs), fault);
        }
    };
    if stage != "ResponseComplete" {
        decoder.output.counts.controls += 1;
        return;
    }
    if Output::is_done(origin, TableId::Logs, place.end) {
        return decoder.output.already();
    }
    let time = |key: &str| event.get_str(key).and_then(parse_timestamp);
    let (received, staged) = (time("requestReceivedTimestamp"), time("stageTimestamp"));
    let annotated = event.get("annotations").and_then(|a| a.get_str(TOTAL)).and_then(millis_of_text);
    let between = received.zip(staged).map(|(from, to)| (to - from) as f64 / 1e3).filter(|ms| *ms >= 0.0);
    decoder.row(origin, TableId::Logs, place, |names, row| {
        for (key, value) in event.entries() {
            let own = match key {
                "stageTimestamp" => Some(("timestamp", Form::Time(None))),
                "requestReceivedTimestamp" if staged.is_none() => Some(("timestamp", Form::Time(None))),
                "verb" => Some(("method", Form::Plain)),
                "requestURI" => Some(("route", Form::Path)),
                "auditID" => Some(("request_id", Form::Plain)),
                _ => None,
            };
            match (own, key) {
                (Some((column, form)), _) => put(names, row, key, column, form, Scalar::of(value)),
                (None, "user" | "responseStatus") if value.kind() == Kind::Object => {
                    for (inner, value) in value.entries() {
                        let own = match (key, inner) {
                            ("user", "username") => Some(("user_id", Form::Plain)),
                            ("responseStatus", "code") => Some(("status_code", Form::Status)),
                            ("responseStatus", "reason") => Some(("error_type", Form::Plain)),
                            ("responseStatus", "message") => Some(("error", Form::ErrorText)),
                            _ => None,
                        };
                        match own {
                            Some((column, form)) => {
                                put(names, row, &format!("{key}.{inner}"), column, form, Scalar::of(value));
                            }
                            None => {
                                let name = names.child(ROOT, key);
                                keep_all(names, row, name, inner, value);
                            }
                        }
                    }
                }
                (None, _) => keep_all(names, row, ROOT, key, value),
            }
        }
        if let (Some(ms), Some(column)) = (annotated.or(between), row.facts().column("duration_ms")) {
            row.set(column, Cell::Float(ms));
        }
        default(row, "service", "kube-apiserver");
    });
}
