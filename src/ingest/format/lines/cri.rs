//! Container logs as Kubernetes keeps them (CRI): `time stream tags text`, where the tag `P` says that the text
//! goes on in the next line of the same stream and `F` that it ends here.

use crate::domain::parse_timestamp;
use crate::ingest::format::aliases::{FIRST_RANK, Form, Target};
use crate::ingest::format::convert::Scalar;
use crate::ingest::format::decoder::Decoder;
use crate::ingest::format::names::ROOT;
use crate::ingest::format::{fill, lift};
use crate::ingest::output::{Origin, Output, Place};
use crate::ingest::quarantine::{Code, Fault};
use crate::ingest::table::TableId;

/// Time, stream, whether it goes on, text.
pub(crate) fn split(line: &str) -> Option<(&str, &str, bool, &str)> {
    let (time, rest) = line.split_once(' ')?;
    let (stream, rest) = rest.split_once(' ')?;
    let (tags, text) = rest.split_once(' ').unwrap_or((rest, ""));
    let goes_on = match tags.split(':').next()? {
        "P" => true,
        "F" => false,
        _ => return None,
    };
    let known = matches!(stream, "stdout" | "stderr") && parse_timestamp(time).is_some();
    known.then_some((time, stream, goes_on, text))
}

/// The stream of a line as a bit, and whether its text goes on.
pub(crate) fn part(line: &[u8]) -> (u8, bool) {
    match std::str::from_utf8(line).ok().and_then(split) {
        Some((_, stream, goes_on, _)) => (if stream == "stderr" { 2 } else { 1 }, goes_on),
        None => (0, false),
    }
}

/// Lines of one stream whose text goes on.
struct Open<'t> {
    time: &'t str,
    stream: &'t str,
    start: usize,
    end: usize,
    text: String,
}

/// A frame: lines up to where no stream goes on any more.
pub(super) fn frame(decoder: &mut Decoder, origin: &Origin, place: Place<'_>, text: &str) {
    let mut open: [Option<Open<'_>>; 2] = [None, None];
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let (start, content) = (at, line.trim_end_matches(['\r', '\n']));
        at += line.len();
        let here = place.part(text, start, start + content.len());
        if content.trim().is_empty() {
            continue;
        }
        let Some((time, stream, goes_on, part)) = split(content) else {
            let reason = "expected `time stdout|stderr P|F text`, found something else";
            decoder.output.reject(origin, here, Some(TableId::Logs), Fault::new(Code::BadLine, reason));
            continue;
        };
        let slot = &mut open[usize::from(stream == "stderr")];
        let end = start + content.len();
        match (slot.take(), goes_on) {
            (None, false) => row(decoder, origin, here, time, stream, part),
            (None, true) => *slot = Some(Open { time, stream, start, end, text: part.to_owned() }),
            (Some(mut before), _) => {
                before.text.push_str(part);
                before.end = end;
                if goes_on {
                    *slot = Some(before);
                } else {
                    let place = place.part(text, before.start, end);
                    row(decoder, origin, place, before.time, before.stream, &before.text);
                }
            }
        }
    }
    for open in open.into_iter().flatten() {
        let place = place.part(text, open.start, open.end);
        let reason = "expected the last part of the line (`F`), found none within the largest record";
        decoder.output.reject(origin, place, Some(TableId::Logs), Fault::new(Code::Truncated, reason));
    }
}

fn row<'v>(
    decoder: &mut Decoder,
    origin: &'v Origin,
    place: Place<'_>,
    time: &'v str,
    stream: &'v str,
    text: &'v str,
) {
    if Output::is_done(origin, TableId::Logs, place.end) {
        return decoder.output.already();
    }
    decoder.row(origin, TableId::Logs, place, |names, row| {
        fill::put(names, row, "time", "timestamp", Form::Time(None), Scalar::Text(time.into()));
        fill::keep(names, row, "stream", stream);
        let column = row.facts().column("message").unwrap_or(0) as u8;
        let name = names.child(ROOT, "message");
        let target = Target { column, rank: FIRST_RANK, form: Form::Message };
        row.offer_to(target, name, Scalar::Text(text.into()), 0);
        lift::lambda(names, row);
    });
}
