//! Objects into rows: nested keys become dotted paths, arrays stay JSON text.

use super::aliases::Form;
use super::convert::Scalar;
use super::json::{Kind, Value};
use super::names::{NameId, Names};
use crate::ingest::row::Row;

/// Offers every leaf of an object under its dotted path.
pub(crate) fn object<'a>(
    names: &mut Names,
    row: &mut Row<'a>,
    value: Value<'a>,
    parent: NameId,
    handicap: u8,
) {
    for (key, value) in value.entries() {
        field(names, row, parent, key, value, handicap);
    }
}

/// Offers one field; an object by its leaves.
///
/// An object in the place of a message stays whole here, so that lifting can treat it as the JSON text that
/// it is elsewhere. (`log` is a message with Docker, and a group of fields with ECS.)
#[inline]
pub(crate) fn field<'a>(
    names: &mut Names,
    row: &mut Row<'a>,
    parent: NameId,
    key: &str,
    value: Value<'a>,
    handicap: u8,
) {
    let name = names.child(parent, key);
    named(names, row, name, key, value, handicap);
}

/// As [`field`], for a name that is known.
#[inline]
pub(crate) fn named<'a>(
    names: &mut Names,
    row: &mut Row<'a>,
    name: NameId,
    key: &str,
    value: Value<'a>,
    handicap: u8,
) {
    if value.kind() == Kind::Object && value.entries().next().is_some() {
        let message =
            names.target(name, row.table()).is_some_and(|t| t.form == Form::Message) && key != "log";
        if !message {
            return object(names, row, value, name, handicap);
        }
    }
    row.offer(names, name, Scalar::of(value), handicap);
}
