//! CloudTrail (AWS: "CloudTrail record contents"): `{"Records":[…]}` per file. Times have whole seconds.

use super::aliases::Form;
use super::convert::Scalar;
use super::decoder::Decoder;
use super::fill::{default, keep_all, put};
use super::json::{Kind, Value};
use super::names::ROOT;
use crate::ingest::output::{Origin, Output, Place};
use crate::ingest::quarantine::{Code, Fault};
use crate::ingest::table::TableId;

pub(crate) fn record(decoder: &mut Decoder, origin: &Origin, place: Place<'_>, value: Value<'_>) {
    if let Some(records) = value.get("Records").filter(|v| v.kind() == Kind::Array) {
        for record in records.items() {
            event(decoder, origin, place.within(record), record);
        }
    } else {
        event(decoder, origin, place, value);
    }
}

fn event<'v>(decoder: &mut Decoder, origin: &'v Origin, place: Place<'_>, event: Value<'v>) {
    if event.kind() != Kind::Object || event.get("eventTime").is_none() {
        let reason = "expected a CloudTrail record with `eventTime`, found something else";
        let fault = Fault::new(Code::UnknownShape, reason);
        return decoder.output.reject(origin, place, Some(TableId::Logs), fault);
    }
    if Output::is_done(origin, TableId::Logs, place.end) {
        return decoder.output.already();
    }
    decoder.row(origin, TableId::Logs, place, |names, row| {
        for (key, value) in event.entries() {
            let own = match key {
                "eventTime" => ("timestamp", Form::Time(None)),
                "awsRegion" => ("region", Form::Region),
                "eventSource" => ("service", Form::Plain),
                "eventName" => ("event", Form::Plain),
                "errorCode" => ("error_type", Form::Plain),
                "errorMessage" => ("error", Form::ErrorText),
                "requestID" => ("request_id", Form::Plain),
                // Requests and responses hold anything: kept by path, never taken for fields of the record.
                _ => {
                    keep_all(names, row, ROOT, key, value);
                    continue;
                }
            };
            put(names, row, key, own.0, own.1, Scalar::of(value));
        }
        let user = event.get("userIdentity");
        let id = ["arn", "principalId", "invokedBy"]
            .into_iter()
            .find_map(|key| user.and_then(|u| u.get_str(key)).filter(|id| !id.is_empty()));
        if let Some(id) = id {
            default(row, "user_id", id);
        }
        // An error code without words is an error all the same.
        if let Some(code) = event.get_str("errorCode") {
            default(row, "error", code);
        }
    });
}
