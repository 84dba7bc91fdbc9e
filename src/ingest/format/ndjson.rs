//! One JSON object per record, with the columns' own names, their aliases, or mapped ones.

use super::decoder::Decoder;
use super::flatten;
use super::json::{Kind, Value};
use super::names::{Marks, NameId, Names, ROOT};
use crate::ingest::output::{Origin, Output, Place};
use crate::ingest::quarantine::{Code, Fault};
use crate::ingest::table::TableId;

/// The table of a record: as asked for, else as its keys tell, else as the file name suggests, else logs.
fn table(origin: &Origin, names: &Names, ids: &[NameId]) -> TableId {
    if let Some(table) = origin.table {
        return table;
    }
    let mut marks = Marks::default();
    for id in ids {
        marks.add(names.marks(*id));
    }
    marks.table().or(origin.hint).unwrap_or(TableId::Logs)
}

pub(crate) fn record(decoder: &mut Decoder, origin: &Origin, place: Place<'_>, record: Value<'_>) {
    if record.kind() != Kind::Object {
        let fault = Fault::new(Code::NotAnObject, "expected a JSON object, found another kind of value");
        return decoder.output.reject(origin, place, origin.table, fault);
    }
    decoder.names.begin();
    let mut ids = std::mem::take(&mut decoder.ids);
    ids.clear();
    ids.extend(record.entries().map(|(key, _)| decoder.names.child(ROOT, key)));
    let table = table(origin, &decoder.names, &ids);
    if Output::is_done(origin, table, place.end) {
        decoder.output.already();
    } else {
        decoder.named_row(origin, table, place, |names, row| {
            for ((key, value), id) in record.entries().zip(&ids) {
                flatten::named(names, row, *id, key, value, 0);
            }
        });
    }
    decoder.ids = ids;
}
