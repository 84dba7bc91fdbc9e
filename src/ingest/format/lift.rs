//! JSON inside the message of a log line, for every format.
//!
//! Container runtimes wrap a line (`{"log":"…\n","stream":…,"time":…}`), loggers write JSON (logrus, zap,
//! python-json-logger, pino …), and collectors put either into their own message. Each layer is opened, up to
//! three of them: its fields fill columns that the record itself left empty, the rest goes to the
//! attributes, and the innermost text is the message. JSON without a message of its own stays the message.

use std::borrow::Cow;

use super::aliases::LIFTED_RANK;
use super::convert::{Cell, Scalar};
use super::flatten;
use super::json::{Tape, Value};
use super::names::{Names, ROOT};
use crate::domain::parse_timestamp;
use crate::ingest::row::Row;
use crate::ingest::table::TableId;

/// Layers that are opened.
pub(crate) const MAX_LAYERS: usize = 3;

fn message_column(row: &Row<'_>) -> Option<usize> {
    (row.table() == TableId::Logs).then(|| row.facts().column("message")).flatten()
}

/// Opens the message of a log row, layer by layer; other rows and other messages stay as they are.
pub(crate) fn message<'a>(names: &mut Names, row: &mut Row<'a>, tapes: &'a mut [Tape]) {
    let Some(column) = message_column(row) else { return };
    layers(names, row, tapes, column, LIFTED_RANK);
}

fn layers<'a>(names: &mut Names, row: &mut Row<'a>, tapes: &'a mut [Tape], column: usize, handicap: u8) {
    let Some((tape, rest)) = tapes.split_first_mut() else { return };
    // Only borrowed text can lend to the row; what ingest composed itself holds no JSON to open.
    let Cell::Text(Cow::Borrowed(text)) = *row.cell(column) else { return };
    let trimmed = text.trim_ascii();
    if !(trimmed.starts_with('{') && trimmed.ends_with('}')) {
        return;
    }
    let Ok(inner) = tape.parse(trimmed) else { return };
    row.take_text(column);
    object(names, row, inner, handicap);
    if *row.cell(column) == Cell::Null {
        row.set(column, Cell::Text(text.into()));
    } else {
        layers(names, row, rest, column, handicap.saturating_add(LIFTED_RANK));
    }
}

/// Offers the fields of an object that came in place of a text.
pub(crate) fn object<'a>(names: &mut Names, row: &mut Row<'a>, value: Value<'a>, handicap: u8) {
    flatten::object(names, row, value, ROOT, handicap);
}

/// What AWS Lambda puts around a line: `time⇥request⇥LEVEL⇥text` by its runtimes, and
/// `REPORT RequestId: …⇥Duration: 89.34 ms⇥…` by itself.
pub(crate) fn lambda<'a>(names: &mut Names, row: &mut Row<'a>) {
    let Some(column) = message_column(row) else { return };
    let Cell::Text(Cow::Borrowed(text)) = *row.cell(column) else { return };
    let mut offer = |row: &mut Row<'a>, key: &str, value: &'a str| {
        let name = names.child(ROOT, key);
        row.offer(names, name, Scalar::Text(value.into()), LIFTED_RANK);
    };
    if let Some(report) = text.strip_prefix("REPORT RequestId: ") {
        let mut fields = report.split('\t');
        if let Some(request) = fields.next() {
            offer(row, "request_id", request.trim());
        }
        if let Some(duration) = fields.find_map(|f| f.trim().strip_prefix("Duration: ")) {
            offer(row, "duration", duration);
        }
        return;
    }
    let mut parts = text.splitn(4, '\t');
    if let (Some(time), Some(request), Some(level), Some(rest)) =
        (parts.next(), parts.next(), parts.next(), parts.next())
        && parse_timestamp(time).is_some()
        && crate::domain::Level::from_text(level.trim()).is_some()
    {
        row.take_text(column);
        offer(row, "message", rest);
        offer(row, "timestamp", time);
        offer(row, "request_id", request);
        offer(row, "level", level.trim());
    }
}
