//! CloudWatch Logs: pages of FilterLogEvents and GetLogEvents, single events, and the envelope of a
//! subscription, also as Lambda receives it (`{"awslogs":{"data": base64 of gzip}}`).
//!
//! Event times are milliseconds by definition of the API. The service of a line that names none is the last
//! part of its log group (`/aws/lambda/checkout` → `checkout`).

use super::aliases::{FIRST_RANK, Form, LIFTED_RANK, Target};
use super::convert::Scalar;
use super::decoder::Decoder;
use super::envelope;
use super::flatten;
use super::json::{Kind, Value};
use super::lift;
use super::names::{Names, ROOT};
use super::region::of_arn;
use super::units::Unit;
use crate::ingest::output::{Origin, Place};
use crate::ingest::quarantine::{Code, Fault};
use crate::ingest::row::Row;
use crate::ingest::table::TableId;

pub(crate) fn record(decoder: &mut Decoder, origin: &Origin, place: Place<'_>, value: Value<'_>) {
    if value.kind() != Kind::Object {
        let fault = Fault::new(Code::NotAnObject, "expected a CloudWatch event, page or envelope");
        return decoder.output.reject(origin, place, Some(TableId::Logs), fault);
    }
    if value.get("logEvents").is_some_and(|v| v.kind() == Kind::Array) {
        message(decoder, origin, value, |event| place.within(event));
    } else if envelope::record(decoder, origin, place, value) {
        // Its records are where they belong.
    } else if let Some(events) = value.get("events").filter(|v| v.kind() == Kind::Array) {
        for event in events.items() {
            self::event(decoder, origin, place.within(event), event, None);
        }
    } else if value.get("message").is_some() || value.get("timestamp").is_some() {
        event(decoder, origin, place, value, None);
    } else {
        let reason = "expected `events`, `logEvents`, `awslogs`, `records`, or an event with `timestamp` and `message`";
        decoder.output.reject(origin, place, Some(TableId::Logs), Fault::new(Code::UnknownShape, reason));
    }
}

/// A message of a subscription; control messages only say that the way is open.
pub(crate) fn message<'p>(
    decoder: &mut Decoder,
    origin: &Origin,
    message: Value<'p>,
    place: impl Fn(Value<'p>) -> Place<'p>,
) {
    if message.get_str("messageType") == Some("CONTROL_MESSAGE") {
        decoder.output.counts.controls += 1;
        return;
    }
    for event in message.get("logEvents").into_iter().flat_map(|v| v.items()) {
        self::event(decoder, origin, place(event), event, Some(message));
    }
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
    if let Some(region) = of_arn(group) {
        let target = Target { column: facts.region as u8, rank: FIRST_RANK + 40, form: Form::Region };
        row.offer_to(target, name, Scalar::Text(region.into()), LIFTED_RANK);
    }
    let last = group.trim_end_matches(":*").rsplit(['/', ':']).next().unwrap_or(group);
    if let Some(column) = facts.column("service").filter(|_| !last.is_empty()) {
        // The worst rank of all: whatever names a service wins, and then the group stays in the attributes.
        row.suggest(column, last);
    }
}
