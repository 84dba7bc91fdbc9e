//! Fields that a format itself defines, into the columns that it means by them.

use std::borrow::Cow;

use super::aliases::{Form, Target};
use super::convert::{Cell, Scalar};
use super::json::{Kind, Value};
use super::names::{NameId, Names, ROOT};
use crate::ingest::row::Row;

/// Rank of the fields that a format defines: behind mappings, before aliases.
pub(crate) const OWN_RANK: u8 = 1;

/// Offers a value to a column, under the name that the format gives it; kept by that name if it does not fit.
pub(crate) fn put<'v>(
    names: &mut Names,
    row: &mut Row<'v>,
    key: &str,
    column: &str,
    form: Form,
    scalar: Scalar<'v>,
) {
    let name = names.child(ROOT, key);
    put_named(row, name, column, form, scalar);
}

/// As [`put`], for a name that is known.
pub(crate) fn put_named<'v>(row: &mut Row<'v>, name: NameId, column: &str, form: Form, scalar: Scalar<'v>) {
    match row.facts().column(column) {
        Some(column) => row.offer_to(Target { column: column as u8, rank: OWN_RANK, form }, name, scalar, 0),
        None => row.keep(name, scalar),
    }
}

/// Keeps a text in the attributes.
pub(crate) fn keep<'v>(names: &mut Names, row: &mut Row<'v>, key: &str, text: impl Into<Cow<'v, str>>) {
    let name = names.child(ROOT, key);
    row.keep(name, Scalar::Text(text.into()));
}

/// Keeps an object by the paths of its leaves; none of them is taken for a field of the record.
pub(crate) fn keep_all<'v>(
    names: &mut Names,
    row: &mut Row<'v>,
    parent: NameId,
    key: &str,
    value: Value<'v>,
) {
    let name = names.child(parent, key);
    if value.kind() == Kind::Object && value.entries().next().is_some() {
        for (key, value) in value.entries() {
            keep_all(names, row, name, key, value);
        }
    } else {
        row.keep(name, Scalar::of(value));
    }
}

/// Fills a text column if it is empty; for what a format says in other words elsewhere.
pub(crate) fn default<'v>(row: &mut Row<'v>, column: &str, text: &'v str) {
    if let Some(column) = row.facts().column(column)
        && !text.is_empty()
    {
        row.suggest(column, text);
    }
}

/// The text that a column holds so far.
pub(crate) fn text_in<'r>(row: &'r Row<'_>, column: &str) -> Option<&'r str> {
    match row.cell(row.facts().column(column)?) {
        Cell::Text(text) => Some(text),
        _ => None,
    }
}
