//! One JSON object per record, with the columns' own names, their aliases, or mapped ones.

use super::decoder::Decoder;
use super::flatten;
use super::json::{Kind, Value};
use super::names::{Marks, Names, ROOT};
use crate::ingest::output::{Origin, Output, Place};
use crate::ingest::quarantine::{Code, Fault};
use crate::ingest::table::TableId;

/// The table of a record: as asked for, else as its keys tell, else as the file name suggests, else logs.
fn table(origin: &Origin, names: &mut Names, record: Value<'_>) -> TableId {
    if let Some(table) = origin.table {
        return table;
    }
    let mut marks = Marks::default();
    for (key, _) in record.entries() {
        let name = names.child(ROOT, key);
        marks.add(names.marks(name));
    }
    marks.table().or(origin.hint).unwrap_or(TableId::Logs)
}

pub(crate) fn record(decoder: &mut Decoder, origin: &Origin, place: Place<'_>, record: Value<'_>) {
    if record.kind() != Kind::Object {
        let fault = Fault::new(Code::NotAnObject, "expected a JSON object, found another kind of value");
        return decoder.output.reject(origin, place, origin.table, fault);
    }
    decoder.names.begin();
    let table = table(origin, &mut decoder.names, record);
    if Output::is_done(origin, table, place.end) {
        return decoder.output.already();
    }
    decoder.row(origin, table, place, |names, row| flatten::object(names, row, record, ROOT, 0));
}
