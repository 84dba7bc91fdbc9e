//! CSV: a header row names the columns, which mean what the same keys mean in `ndjson`; a layout says more.
//!
//! A layout may say that every cell is a sample of its own (a wide table of metrics): then its header rows, or a
//! pattern over the columns' names, give each sample its metric, service, region and labels.

use std::borrow::Cow;
use std::sync::Arc;

use super::aliases::Form;
use super::convert::{Cell, Scalar};
use super::decoder::Decoder;
use super::fill::{default, put};
use super::lines::xray_trace;
use super::names::{Marks, Names, ROOT};
use super::{insights, lift};
use crate::ingest::csv_layout::{CsvLayout, HeaderRow};
use crate::ingest::options::Format;
use crate::ingest::output::{Origin, Output, Place};
use crate::ingest::quarantine::{Code, Fault};
use crate::ingest::row::Row;
use crate::ingest::source::{Head, csv_fields};
use crate::ingest::table::TableId;

/// Decodes one record.
pub(crate) fn record(decoder: &mut Decoder, origin: &Origin, place: Place<'_>, text: &str) {
    let Some(head) = decoder.output.head.clone() else {
        let fault = Fault::new(Code::BadLine, "expected a header row before the first record, found none");
        return decoder.output.reject(origin, place, origin.table, fault);
    };
    let fields: Vec<String> = csv_fields(text.as_bytes(), head.delimiter)
        .into_iter()
        // The record is UTF-8, and quotes are ASCII: so are its fields.
        .map(|f| String::from_utf8(f).unwrap_or_default())
        .collect();
    let columns = columns(&head);
    // Files put one behind the other repeat their header.
    if head.rows.iter().any(|row| row.iter().map(String::as_str).eq(fields.iter().map(|f| f.trim()))) {
        return;
    }
    if fields.len() != columns.len() {
        let reason = format!("expected {} fields as in the header, found {}", columns.len(), fields.len());
        return decoder.output.reject(origin, place, origin.table, Fault::new(Code::BadLine, reason));
    }
    match (origin.format, &head.layout) {
        (Format::CloudwatchCsv, _) => console(decoder, origin, place, columns, &fields),
        (_, Some(layout)) if layout.is_wide() => wide(decoder, origin, place, &head, layout, &fields),
        (_, layout) => narrow(decoder, origin, place, columns, layout.as_ref(), &fields),
    }
}

/// The names of the columns: of the row that the layout says, else of the first.
fn columns(head: &Head) -> &[String] {
    let named = head.layout.as_ref().and_then(|l| l.header.iter().position(|r| *r == HeaderRow::Name));
    head.rows.get(named.unwrap_or(0)).map_or(&[], Vec::as_slice)
}

/// What the CloudWatch console saves: log events, Live Tail, Insights.
fn console(decoder: &mut Decoder, origin: &Origin, place: Place<'_>, columns: &[String], fields: &[String]) {
    if Output::is_done(origin, TableId::Logs, place.end) {
        return decoder.output.already();
    }
    decoder.row(origin, TableId::Logs, place, |names, row| {
        for (column, text) in columns.iter().zip(fields).filter(|(_, text)| !text.is_empty()) {
            let scalar = Scalar::Text(text.as_str().into());
            match column.as_str() {
                // Log events: milliseconds. Live Tail: ISO 8601 in the zone of whoever watched.
                "timestamp" | "Event Time" => insights::field(names, row, "@timestamp", scalar),
                "message" | "Message" => insights::field(names, row, "@message", scalar),
                "@xrayTraceId" => {
                    let trace = xray_trace(text).map_or(Cow::Borrowed(text.as_str()), Cow::Owned);
                    put(names, row, column, "trace_id", Form::Id, Scalar::Text(trace));
                }
                key => {
                    if matches!(key, "Log group" | "@log") {
                        insights::group(row, text);
                    }
                    insights::field(names, row, key, scalar);
                }
            }
        }
        lift::lambda(names, row);
    });
}

/// The table of a record: as asked for, as the layout says, as its columns tell, as the file name suggests.
fn table(origin: &Origin, layout: Option<&Arc<CsvLayout>>, names: &mut Names, columns: &[String]) -> TableId {
    let mut marks = Marks::default();
    for column in columns {
        let id = names.child(ROOT, column);
        marks.add(names.marks(id));
    }
    // A series has a name of its own, the file's if nothing else.
    let series = || {
        let has = |name: &str| columns.iter().any(|c| c.eq_ignore_ascii_case(name));
        (has("value") && !has("message")).then_some(TableId::Metrics)
    };
    origin
        .table
        .or_else(|| layout.and_then(|l| TableId::of_name(l.table.as_deref()?)))
        .or_else(|| marks.table())
        .or(origin.hint)
        .or_else(series)
        .unwrap_or(TableId::Logs)
}

/// One row per record.
fn narrow(
    decoder: &mut Decoder,
    origin: &Origin,
    place: Place<'_>,
    columns: &[String],
    layout: Option<&Arc<CsvLayout>>,
    fields: &[String],
) {
    let table = table(origin, layout, &mut decoder.names, columns);
    if Output::is_done(origin, table, place.end) {
        return decoder.output.already();
    }
    let time = layout.and_then(|l| l.time.as_deref());
    let timed = layout.filter(|l| l.time.is_some() || l.time_format.is_some() || l.time_zone.is_some());
    decoder.row(origin, table, place, |names, row| {
        let time_column = row.facts().time as u8;
        for (column, text) in columns.iter().zip(fields).filter(|(_, text)| !text.is_empty()) {
            let name = names.child(ROOT, column);
            let target = names.target(name, table);
            let is_time = time.map_or(target.is_some_and(|t| t.column == time_column), |t| t == column);
            match timed.filter(|_| is_time) {
                Some(layout) => {
                    let scalar = Scalar::Text(text.as_str().into());
                    instant(row, layout, text, |row| {
                        row.refuse_time(name);
                        row.keep(name, scalar);
                    });
                }
                None => row.offer(names, name, Scalar::Text(text.as_str().into()), 0),
            }
        }
        if let Some(layout) = layout {
            constants(names, row, layout);
        }
        if let Some(stem) = origin.stem.as_deref().filter(|_| table == TableId::Metrics) {
            default(row, "metric", stem);
        }
    });
}

/// One row per cell; an empty cell is no sample.
fn wide(
    decoder: &mut Decoder,
    origin: &Origin,
    place: Place<'_>,
    head: &Head,
    layout: &Arc<CsvLayout>,
    fields: &[String],
) {
    let names = columns(head);
    let time = layout.time.as_deref().map_or(Some(0), |t| names.iter().position(|n| n == t));
    let Some(time) = time else {
        let reason = format!(
            "expected the column `{}` of the layout, found none",
            layout.time.as_deref().unwrap_or("")
        );
        return decoder.output.reject(
            origin,
            place,
            Some(TableId::Metrics),
            Fault::new(Code::MissingTime, reason),
        );
    };
    let names_of_time = Some(names[time].as_str()).filter(|n| !n.is_empty()).unwrap_or("time");
    for (at, text) in fields.iter().enumerate().filter(|(at, text)| *at != time && !text.trim().is_empty()) {
        if Output::is_done(origin, TableId::Metrics, place.end) {
            decoder.output.already();
            continue;
        }
        decoder.row(origin, TableId::Metrics, place, |names, row| {
            let name = names.child(ROOT, names_of_time);
            instant(row, layout, &fields[time], |row| row.refuse_time(name));
            let value = Scalar::Text(text.as_str().into());
            put(names, row, "value", "value", Form::Plain, value);
            for (role, cells) in layout.header.iter().zip(&head.rows) {
                let Some(cell) = cells.get(at).filter(|c| !c.is_empty()) else { continue };
                match role {
                    HeaderRow::Column(column) => said(names, row, column, cell.clone()),
                    HeaderRow::Label(label) => said(names, row, &format!("label:{label}"), cell.clone()),
                    HeaderRow::Name | HeaderRow::Skip => {}
                }
            }
            let name = columns(head).get(at).map_or("", String::as_str);
            match layout.parts_of(name) {
                Some(parts) => {
                    parts.into_iter().for_each(|(column, text)| said(names, row, &column, text.to_owned()));
                }
                // The name of a column is the metric's, unless a header row of metrics says otherwise.
                None if !name.is_empty() && super::fill::text_in(row, "metric").is_none() => {
                    said(names, row, "metric", name.to_owned());
                }
                None => {}
            }
            constants(names, row, layout);
        });
    }
}

/// The time of a record as its layout spells it.
fn instant<'v>(row: &mut Row<'v>, layout: &CsvLayout, text: &str, unfit: impl FnOnce(&mut Row<'v>)) {
    let time = row.facts().time;
    match layout.instant(text) {
        Some(micros) => row.set(time, Cell::Time(micros)),
        None => unfit(row),
    }
}

/// What a header or a pattern says about a sample.
fn said<'v>(names: &mut Names, row: &mut Row<'v>, what: &str, text: String) {
    let scalar = Scalar::Text(text.into());
    match what.strip_prefix("label:") {
        Some(label) => {
            let name = names.child(ROOT, label);
            row.keep(name, scalar);
        }
        None => {
            let form = if what == "region" { Form::Region } else { Form::Plain };
            put(names, row, what, what, form, scalar);
        }
    }
}

/// What the layout says about every record, where the record itself does not.
fn constants<'v>(names: &mut Names, row: &mut Row<'v>, layout: &CsvLayout) {
    for (column, text) in &layout.set {
        let empty = row.facts().column(column).is_some_and(|c| *row.cell(c) == Cell::Null);
        if empty {
            said(names, row, column, text.clone());
        }
    }
}
