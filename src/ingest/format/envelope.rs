//! What streams wrap around CloudWatch's subscription messages: Lambda (`{"awslogs":{"data":…}}`), Firehose
//! (`{"records":[{"data":…}]}`) and Kinesis (`{"Records":[{"kinesis":{"data":…}}]}`), each base64, mostly of gzip.
//!
//! Inside may stand several JSON documents without anything between them. A document that is no subscription
//! message is read as an `ndjson` record, and text that is no JSON as a plain line of the time it arrived.

use std::io::Read;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::read::MultiGzDecoder;

use super::aliases::{FIRST_RANK, Form, Target};
use super::cloudwatch::message;
use super::convert::Scalar;
use super::decoder::Decoder;
use super::fill::put;
use super::json::{Kind, Tape, Value};
use super::names::ROOT;
use super::units::Unit;
use super::{lift, ndjson, region};
use crate::ingest::options::Format;
use crate::ingest::output::{Origin, Place};
use crate::ingest::quarantine::{Code, Fault};
use crate::ingest::source::Documents;
use crate::ingest::table::TableId;

const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Packed data and when it arrived.
struct Packed<'v> {
    data: &'v str,
    arrived: Option<(Value<'v>, Unit)>,
    arn: Option<&'v str>,
}

/// Reads an object if it is such an envelope; whether it was.
pub(crate) fn record(decoder: &mut Decoder, origin: &Origin, place: Place<'_>, value: Value<'_>) -> bool {
    let mut budget = decoder.limits.unpacked;
    if let Some(awslogs) = value.get("awslogs") {
        let data = awslogs.get_str("data").unwrap_or_default();
        unpack(decoder, origin, place, Packed { data, arrived: None, arn: None }, &mut budget);
        return true;
    }
    let list = |key: &str| value.get(key).filter(|v| v.items().next().is_some());
    let Some(records) = list("records").or_else(|| list("Records")) else { return false };
    for record in records.items() {
        let place = place.within(record);
        // Kinesis counts arrival in seconds, Firehose in milliseconds (AWS Lambda event structures).
        let (holder, unit) = match record.get("kinesis") {
            Some(kinesis) => (kinesis, Unit::Seconds),
            None => (record, Unit::Milliseconds),
        };
        match holder.get_str("data") {
            Some(data) => {
                let arrived = holder.get("approximateArrivalTimestamp").map(|t| (t, unit));
                let arn = record
                    .get_str("eventSourceARN")
                    .or(value.get_str("sourceKinesisStreamArn"))
                    .or(value.get_str("deliveryStreamArn"));
                unpack(decoder, origin, place, Packed { data, arrived, arn }, &mut budget);
            }
            None => {
                let reason = "expected `data` in a record of a stream, found none";
                let fault = Fault::new(Code::BadEnvelope, reason);
                decoder.output.reject(origin, place, Some(TableId::Logs), fault);
            }
        }
    }
    true
}

fn unpack(decoder: &mut Decoder, origin: &Origin, place: Place<'_>, packed: Packed<'_>, budget: &mut u64) {
    match text_of(packed.data, budget) {
        // Inside, offsets mean nothing; every record has the place of its envelope.
        Ok(text) if text.trim_start().starts_with(['{', '[']) => {
            for piece in documents(&text) {
                document(decoder, origin, Place { original: piece.as_bytes(), ..place }, piece, &packed);
            }
        }
        Ok(text) => line(decoder, origin, Place { original: text.as_bytes(), ..place }, &text, &packed),
        Err(reason) => {
            let fault = Fault::new(Code::BadEnvelope, format!("`data`: {reason}"));
            decoder.output.reject(origin, place, Some(TableId::Logs), fault);
        }
    }
}

fn text_of(data: &str, budget: &mut u64) -> Result<String, String> {
    let bytes = STANDARD.decode(data.trim()).map_err(|e| format!("expected base64: {e}"))?;
    let bytes = if bytes.starts_with(&GZIP_MAGIC) {
        let mut text = Vec::new();
        MultiGzDecoder::new(&*bytes)
            .take(*budget + 1)
            .read_to_end(&mut text)
            .map_err(|e| format!("expected gzip inside the base64: {e}"))?;
        text
    } else {
        bytes
    };
    *budget = budget
        .checked_sub(bytes.len() as u64)
        .ok_or("expected less in one unpacked record (see `max_unpacked` in the settings), found more")?;
    if bytes.is_empty() {
        return Err("expected something inside, found nothing".to_owned());
    }
    String::from_utf8(bytes).map_err(|_| "expected UTF-8 in the unpacked data, found other bytes".to_owned())
}

/// The JSON documents of a text, in a row or by line.
fn documents(text: &str) -> Vec<&str> {
    // No list counts as a page: a message of a subscription is read as a whole.
    let mut cutter = Documents::new(Format::Ndjson, usize::MAX);
    let mut pieces = Vec::new();
    cutter.scan(text.as_bytes(), &mut pieces);
    let rest = cutter.finish(text.as_bytes());
    pieces.into_iter().map(|p| p.range).chain(rest).filter_map(|r| text.get(r)).collect()
}

fn document(decoder: &mut Decoder, origin: &Origin, place: Place<'_>, text: &str, packed: &Packed<'_>) {
    let mut tape = Tape::default();
    match tape.parse(text.trim()) {
        Ok(value) if value.get("logEvents").is_some() => {
            message(decoder, origin, value, |event| Place { original: event.raw().as_bytes(), ..place });
        }
        Ok(value) if value.kind() == Kind::Object => ndjson::record(decoder, origin, place, value),
        Ok(_) => line(decoder, origin, place, text, packed),
        Err(fault) => {
            decoder.output.reject(origin, place, Some(TableId::Logs), Decoder::fault(text, fault));
        }
    }
}

/// Text that some program put into the stream.
fn line<'v>(decoder: &mut Decoder, origin: &'v Origin, place: Place<'_>, text: &'v str, packed: &Packed<'v>) {
    decoder.row(origin, TableId::Logs, place, |names, row| {
        if let Some((time, unit)) = packed.arrived {
            let key = "approximateArrivalTimestamp";
            put(names, row, key, "timestamp", Form::Time(Some(unit)), Scalar::of(time));
        }
        let name = names.child(ROOT, "data");
        let column = row.facts().column("message").unwrap_or(0) as u8;
        let target = Target { column, rank: FIRST_RANK, form: Form::Message };
        row.offer_to(target, name, Scalar::Text(text.into()), 0);
        if let Some(region) = packed.arn.and_then(region::of_arn) {
            super::fill::default(row, "region", region);
        }
        lift::lambda(names, row);
    });
}
