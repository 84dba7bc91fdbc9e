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

/// Takes apart what AWS Lambda puts around a line, see [`super::lambda`].
pub(crate) fn lambda<'a>(names: &mut Names, row: &mut Row<'a>) {
    let Some(column) = message_column(row) else { return };
    let Cell::Text(Cow::Borrowed(text)) = *row.cell(column) else { return };
    if let Some(rest) = super::lambda::line(names, row, text) {
        row.take_text(column);
        let name = names.child(ROOT, "message");
        row.offer(names, name, Scalar::Text(rest.into()), LIFTED_RANK);
    }
}
