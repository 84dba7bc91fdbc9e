//! CloudWatch Logs: pages of FilterLogEvents and GetLogEvents, single events, and the envelope of a
//! subscription, also as Lambda receives it (`{"awslogs":{"data": base64 of gzip}}`).
//!
//! Event times are milliseconds by definition of the API. The service of a line that names none is the last
//! part of its log group (`/aws/lambda/checkout` → `checkout`).

use std::io::Read;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::read::MultiGzDecoder;

use super::aliases::{FIRST_RANK, Form, LIFTED_RANK, Target};
use super::convert::Scalar;
use super::decoder::Decoder;
use super::flatten;
use super::json::{Kind, Tape, Value};
use super::lift;
use super::names::{Names, ROOT};
use super::units::Unit;
use crate::ingest::output::{Origin, Place};
use crate::ingest::quarantine::{Code, Fault};
use crate::ingest::row::Row;
use crate::ingest::table::TableId;

/// Most that a packed envelope may unpack to; the service packs at most 6 MB (Lambda's payload limit).
const MAX_UNPACKED: u64 = 64 << 20;

pub(crate) fn record(decoder: &mut Decoder, origin: &Origin, place: Place<'_>, value: Value<'_>) {
    if value.kind() != Kind::Object {
        let fault = Fault::new(Code::NotAnObject, "expected a CloudWatch event, page or envelope");
        return decoder.output.reject(origin, place, Some(TableId::Logs), fault);
    }
    if let Some(events) = value.get("logEvents").filter(|v| v.kind() == Kind::Array) {
        if value.get_str("messageType") == Some("CONTROL_MESSAGE") {
            decoder.output.counts.controls += 1;
            return;
        }
        for event in events.items() {
            self::event(decoder, origin, place.within(event), event, Some(value));
        }
    } else if let Some(data) = value.get("awslogs").and_then(|v| v.get_str("data")) {
        packed(decoder, origin, place, data);
    } else if let Some(events) = value.get("events").filter(|v| v.kind() == Kind::Array) {
        for event in events.items() {
            self::event(decoder, origin, place.within(event), event, None);
        }
    } else if value.get("message").is_some() || value.get("timestamp").is_some() {
        event(decoder, origin, place, value, None);
    } else {
        let reason = "expected `events`, `logEvents`, `awslogs`, or an event with `timestamp` and `message`";
        decoder.output.reject(origin, place, Some(TableId::Logs), Fault::new(Code::UnknownShape, reason));
    }
}

fn packed(decoder: &mut Decoder, origin: &Origin, place: Place<'_>, data: &str) {
    let mut tape = Tape::default();
    let unpacked = unpack(data);
    let envelope = unpacked.as_deref().map_err(|reason| reason.clone()).and_then(|text| {
        tape.parse(text)
            .map_err(|f| format!("unpacked data is not JSON: expected {} at byte {}", f.expected, f.at))
    });
    match envelope {
        Ok(value) if value.get("logEvents").is_some() => {
            // Inside, offsets mean nothing; every event has the place of its envelope.
            if value.get_str("messageType") == Some("CONTROL_MESSAGE") {
                decoder.output.counts.controls += 1;
                return;
            }
            for event in value.get("logEvents").into_iter().flat_map(|v| v.items()) {
                let place = Place { original: event.raw().as_bytes(), ..place };
                self::event(decoder, origin, place, event, Some(value));
            }
        }
        Ok(_) => {
            let fault = Fault::new(Code::BadEnvelope, "expected `logEvents` in the unpacked `awslogs.data`");
            decoder.output.reject(origin, place, Some(TableId::Logs), fault);
        }
        Err(reason) => {
            let fault = Fault::new(Code::BadEnvelope, format!("`awslogs.data`: {reason}"));
            decoder.output.reject(origin, place, Some(TableId::Logs), fault);
        }
    }
}

fn unpack(data: &str) -> Result<String, String> {
    let bytes = STANDARD.decode(data.trim()).map_err(|e| format!("expected base64: {e}"))?;
    let mut text = Vec::new();
    MultiGzDecoder::new(&*bytes)
        .take(MAX_UNPACKED + 1)
        .read_to_end(&mut text)
        .map_err(|e| format!("expected gzip inside the base64: {e}"))?;
    if text.len() as u64 > MAX_UNPACKED {
        return Err(format!("expected at most {MAX_UNPACKED} bytes unpacked, found more"));
    }
    String::from_utf8(text).map_err(|_| "expected UTF-8 in the unpacked data".to_owned())
}

/// The region in an ARN (`arn:aws:logs:REGION:…`).
fn region_of_arn(arn: &str) -> Option<&str> {
    arn.strip_prefix("arn:")?.split(':').nth(2).filter(|r| !r.is_empty())
}

fn event<'v>(
    decoder: &mut Decoder,
    origin: &'v Origin,
    place: Place<'_>,
    event: Value<'v>,
    envelope: Option<Value<'v>>,
) {
    if event.kind() != Kind::Object {
        let fault = Fault::new(Code::NotAnObject, "expected a log event, found another kind of value");
        return decoder.output.reject(origin, place, Some(TableId::Logs), fault);
    }
    decoder.row(origin, TableId::Logs, place, |names, row| {
        let facts = row.facts();
        let time = Target { column: facts.time as u8, rank: 0, form: Form::Time(Some(Unit::Milliseconds)) };
        for (key, value) in event.entries() {
            match key {
                "timestamp" => {
                    let name = names.child(ROOT, key);
                    row.offer_to(time, name, Scalar::of(value), 0);
                }
                "message" => flatten::field(names, row, ROOT, key, value, 0),
                "id" => {
                    let name = names.child(ROOT, "eventId");
                    row.keep(name, Scalar::of(value));
                }
                // Only what the service extracted itself: `@aws.region` and the like.
                "extractedFields" => flatten::object(names, row, value, ROOT, LIFTED_RANK),
                "ingestionTime" | "eventId" | "logStreamName" => {
                    let name = names.child(ROOT, key);
                    row.keep(name, Scalar::of(value));
                }
                _ => flatten::field(names, row, ROOT, key, value, LIFTED_RANK),
            }
        }
        if let Some(envelope) = envelope {
            context(names, row, envelope);
        }
        lift::lambda(names, row);
    });
}

/// What the envelope says about all of its events.
fn context<'v>(names: &mut Names, row: &mut Row<'v>, envelope: Value<'v>) {
    for (key, value) in envelope.entries() {
        if matches!(key, "logGroup" | "logStream" | "owner") {
            let name = names.child(ROOT, key);
            row.keep(name, Scalar::of(value));
        }
    }
    let Some(group) = envelope.get_str("logGroup") else { return };
    let facts = row.facts();
    let name = names.child(ROOT, "logGroup");
    if let Some(region) = region_of_arn(group) {
        let target = Target { column: facts.region as u8, rank: FIRST_RANK + 40, form: Form::Region };
        row.offer_to(target, name, Scalar::Text(region.into()), LIFTED_RANK);
    }
    let last = group.trim_end_matches(":*").rsplit(['/', ':']).next().unwrap_or(group);
    if let Some(column) = facts.column("service").filter(|_| !last.is_empty()) {
        // The worst rank of all: whatever names a service wins, and then the group stays in the attributes.
        row.suggest(column, last);
    }
}
