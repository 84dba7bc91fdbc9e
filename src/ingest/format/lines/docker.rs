//! Docker's json-file driver: `{"log":"text\n","stream":"stdout","time":"…"}`. A text without a line break goes
//! on in the next line of the same stream (Docker cuts lines at 16 KiB).

use crate::ingest::format::aliases::{FIRST_RANK, Form, Target};
use crate::ingest::format::convert::Scalar;
use crate::ingest::format::decoder::Decoder;
use crate::ingest::format::json::{Kind, Tape, Value};
use crate::ingest::format::names::ROOT;
use crate::ingest::format::{fill, flatten, lift};
use crate::ingest::output::{Origin, Output, Place};
use crate::ingest::quarantine::{Code, Fault};
use crate::ingest::table::TableId;

/// Lines of one stream whose text goes on.
struct Open<'t> {
    stream: String,
    first: &'t str,
    start: usize,
    end: usize,
    text: String,
}

/// A frame: lines up to where no stream goes on any more.
pub(super) fn frame(decoder: &mut Decoder, origin: &Origin, place: Place<'_>, text: &str) {
    let mut tape = Tape::default();
    let mut open: Vec<Open<'_>> = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let (start, content) = (at, line.trim_ascii_end());
        at += line.len();
        let end = start + content.len();
        if content.is_empty() {
            continue;
        }
        let here = place.part(text, start, end);
        let value = match tape.parse(content) {
            Ok(value) => value,
            Err(fault) => {
                decoder.output.reject(origin, here, Some(TableId::Logs), Decoder::fault(content, fault));
                continue;
            }
        };
        if value.kind() != Kind::Object {
            let fault = Fault::new(Code::NotAnObject, "expected an object with `log` and `time`");
            decoder.output.reject(origin, here, Some(TableId::Logs), fault);
            continue;
        }
        let stream = value.get_str("stream").unwrap_or("stdout");
        let part = value.get_str("log");
        let goes_on = part.is_some_and(|p| !p.ends_with('\n'));
        let before = open.iter().position(|o| o.stream == stream);
        match (before, goes_on) {
            (None, false) => row(decoder, origin, here, value, None),
            (None, true) => open.push(Open {
                stream: stream.to_owned(),
                first: content,
                start,
                end,
                text: part.unwrap_or_default().to_owned(),
            }),
            (Some(slot), _) => {
                open[slot].text.push_str(part.unwrap_or_default());
                open[slot].end = end;
                if !goes_on {
                    let joined = open.remove(slot);
                    let place = place.part(text, joined.start, end);
                    // It parsed before, as the first part.
                    if let Ok(first) = tape.parse(joined.first) {
                        row(decoder, origin, place, first, Some(&joined.text));
                    }
                }
            }
        }
    }
    for open in open {
        let place = place.part(text, open.start, open.end);
        let reason = "expected the last part of the line, found none within the largest record";
        decoder.output.reject(origin, place, Some(TableId::Logs), Fault::new(Code::Truncated, reason));
    }
}

fn row<'v>(
    decoder: &mut Decoder,
    origin: &'v Origin,
    place: Place<'_>,
    first: Value<'v>,
    joined: Option<&'v str>,
) {
    if Output::is_done(origin, TableId::Logs, place.end) {
        return decoder.output.already();
    }
    decoder.row(origin, TableId::Logs, place, |names, row| {
        for (key, value) in first.entries() {
            match (key, value.kind()) {
                ("log", Kind::String) => {
                    let name = names.child(ROOT, key);
                    let column = row.facts().column("message").unwrap_or(0) as u8;
                    let target = Target { column, rank: FIRST_RANK, form: Form::Message };
                    let text = joined.unwrap_or(value.raw());
                    row.offer_to(target, name, Scalar::Text(text.into()), 0);
                }
                ("time", _) => fill::put(names, row, key, "timestamp", Form::Time(None), Scalar::of(value)),
                ("stream", Kind::String) => fill::keep(names, row, key, value.raw()),
                _ => flatten::field(names, row, ROOT, key, value, 0),
            }
        }
        lift::lambda(names, row);
    });
}
