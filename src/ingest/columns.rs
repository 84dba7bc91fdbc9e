//! Rows into Arrow columns, as the contract says; each row remembers the partition that it belongs to.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use arrow::array::{
    ArrayBuilder, ArrayRef, BooleanBuilder, Float64Builder, Int32Builder, Int64Builder, MapArray,
    NullBufferBuilder, RecordBatch, StringArray, StringBuilder, StructArray, TimestampMicrosecondArray,
};
use arrow::buffer::{OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, SchemaRef};

use super::error::{Error, Result};
use super::format::convert::Cell;
use super::format::names::{NameId, Names};
use super::row::Ready;
use super::table::TableId;
use crate::contract::ColumnType;
use crate::domain::Hour;

/// The rows of one block and table: file columns, and for each row its partition.
#[derive(Debug)]
pub(crate) struct Rows {
    pub(crate) table: TableId,
    pub(crate) batch: RecordBatch,
    /// The partitions that occur.
    pub(crate) parts: Vec<(String, Hour)>,
    /// For each row the position in `parts`.
    pub(crate) part_of: Vec<u32>,
    /// For each row its time.
    pub(crate) times: Vec<i64>,
    /// What the rows take in memory, about.
    pub(crate) bytes: usize,
}

enum Column {
    Time(Vec<i64>),
    Text(StringBuilder),
    Int32(Int32Builder),
    Int64(Int64Builder),
    Float(Float64Builder),
    Bool(BooleanBuilder),
    Map(MapColumn),
    /// The partition key is not stored in the files.
    Region,
}

#[derive(Default)]
struct MapColumn {
    keys: StringBuilder,
    values: StringBuilder,
    offsets: Vec<i32>,
    valid: Option<NullBufferBuilder>,
    entries: i32,
}

/// Collects rows of one table.
pub(crate) struct TableBuilder {
    table: TableId,
    schema: SchemaRef,
    columns: Vec<Column>,
    parts: Vec<(String, Hour)>,
    part_index: HashMap<String, HashMap<Hour, u32>>,
    last_part: u32,
    part_of: Vec<u32>,
    times: Vec<i64>,
    bytes: usize,
}

impl TableBuilder {
    pub(crate) fn new(table: TableId) -> TableBuilder {
        TableBuilder {
            table,
            schema: table.facts().table.file_schema(),
            columns: columns(table),
            parts: Vec::new(),
            part_index: HashMap::new(),
            last_part: 0,
            part_of: Vec::new(),
            times: Vec::new(),
            bytes: 0,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.times.is_empty()
    }

    /// Adds a row.
    pub(crate) fn append(&mut self, row: &Ready<'_, '_>, names: &Names) {
        let facts = self.table.facts();
        for (column, cell) in self.columns.iter_mut().zip(row.cells) {
            self.bytes += set(column, cell);
        }
        if let Column::Map(map) = &mut self.columns[facts.overflow] {
            let overflow = &facts.columns()[facts.overflow].name;
            self.bytes += map.append(row.extras, names, overflow);
        }
        let part = self.part(row.region, Hour::of_micros(row.time));
        self.part_of.push(part);
        self.times.push(row.time);
        self.bytes += 12;
    }

    fn part(&mut self, region: &str, hour: Hour) -> u32 {
        if let Some((r, h)) = self.parts.get(self.last_part as usize)
            && *h == hour
            && r == region
        {
            return self.last_part;
        }
        let found = self.part_index.get(region).and_then(|hours| hours.get(&hour)).copied();
        self.last_part = found.unwrap_or_else(|| {
            let part = self.parts.len() as u32;
            self.parts.push((region.to_owned(), hour));
            self.part_index.entry(region.to_owned()).or_default().insert(hour, part);
            part
        });
        self.last_part
    }

    /// The rows so far; the builder starts over.
    pub(crate) fn finish(&mut self) -> Result<Rows> {
        let arrays = self.columns.iter_mut().zip(self.table.facts().columns());
        let arrays = arrays.filter_map(|(column, contract)| finish(column, &contract.kind.data_type()));
        let name = self.table.name();
        let wrong = |source| Error::Columns { table: name, source };
        let arrays = arrays.collect::<std::result::Result<Vec<_>, _>>().map_err(wrong)?;
        let batch = RecordBatch::try_new(self.schema.clone(), arrays).map_err(wrong)?;
        self.part_index.clear();
        self.last_part = 0;
        Ok(Rows {
            table: self.table,
            batch,
            parts: std::mem::take(&mut self.parts),
            part_of: std::mem::take(&mut self.part_of),
            times: std::mem::take(&mut self.times),
            bytes: std::mem::take(&mut self.bytes),
        })
    }
}

fn columns(table: TableId) -> Vec<Column> {
    let facts = table.facts();
    let column = |(position, column): (usize, &crate::contract::Column)| match column.kind {
        _ if position == facts.region => Column::Region,
        ColumnType::Timestamp => Column::Time(Vec::new()),
        ColumnType::Int32 => Column::Int32(Int32Builder::new()),
        ColumnType::Int64 => Column::Int64(Int64Builder::new()),
        ColumnType::Float64 => Column::Float(Float64Builder::new()),
        ColumnType::Bool => Column::Bool(BooleanBuilder::new()),
        ColumnType::Map => Column::Map(MapColumn::default()),
        // No table that ingest fills has a binary column; a test checks that.
        ColumnType::String | ColumnType::Binary => Column::Text(StringBuilder::new()),
    };
    facts.columns().iter().enumerate().map(column).collect()
}

/// Appends one value and says how many bytes that took; what is not of the column's type is NULL.
#[inline]
fn set(column: &mut Column, cell: &Cell<'_>) -> usize {
    match (column, cell) {
        (Column::Text(b), Cell::Text(text)) => {
            b.append_value(text);
            text.len() + 4
        }
        (Column::Text(b), _) => {
            b.append_null();
            4
        }
        (Column::Time(v), Cell::Time(t)) => {
            v.push(*t);
            8
        }
        // `Row::finish` lets no row pass without its times.
        (Column::Time(v), _) => {
            v.push(0);
            8
        }
        (Column::Int32(b), Cell::Int(i)) => {
            b.append_option(i32::try_from(*i).ok());
            4
        }
        (Column::Int32(b), _) => {
            b.append_null();
            4
        }
        (Column::Int64(b), Cell::Int(i)) => {
            b.append_value(*i);
            8
        }
        (Column::Int64(b), _) => {
            b.append_null();
            8
        }
        (Column::Float(b), Cell::Float(f)) => {
            b.append_value(*f);
            8
        }
        (Column::Float(b), _) => {
            b.append_null();
            8
        }
        (Column::Bool(b), Cell::Bool(v)) => {
            b.append_value(*v);
            1
        }
        (Column::Bool(b), _) => {
            b.append_null();
            1
        }
        (Column::Map(_) | Column::Region, _) => 0,
    }
}

fn finish(
    column: &mut Column,
    kind: &DataType,
) -> Option<std::result::Result<ArrayRef, arrow::error::ArrowError>> {
    Some(Ok(match column {
        Column::Region => return None,
        Column::Time(values) => {
            Arc::new(TimestampMicrosecondArray::from(std::mem::take(values)).with_timezone("UTC"))
        }
        Column::Text(b) => Arc::new(finish_text(b)),
        Column::Int32(b) => Arc::new(b.finish()),
        Column::Int64(b) => Arc::new(b.finish()),
        Column::Float(b) => Arc::new(b.finish()),
        Column::Bool(b) => Arc::new(b.finish()),
        Column::Map(map) => return Some(map.finish(kind)),
    }))
}

/// Finishes a text column and makes room for as much again: blocks are alike, and growing by doubling would copy
/// every text about once more and keep up to half of the memory empty.
fn finish_text(builder: &mut StringBuilder) -> StringArray {
    let room = |n: usize| n + n / 16;
    let next =
        StringBuilder::with_capacity(room(ArrayBuilder::len(builder)), room(builder.values_slice().len()));
    std::mem::replace(builder, next).finish()
}

impl MapColumn {
    fn append(&mut self, extras: &[(NameId, Option<Cow<'_, str>>)], names: &Names, overflow: &str) -> usize {
        if self.offsets.is_empty() {
            self.offsets.push(0);
            self.valid = Some(NullBufferBuilder::new(1024));
        }
        let mut bytes = 4;
        let mut put = |key: &str, value: Option<&str>| {
            self.keys.append_value(key);
            self.values.append_option(value);
            self.entries += 1;
            bytes += key.len() + value.map_or(0, str::len) + 8;
        };
        let key = |at: usize| names.overflow_key(extras[at].0, overflow);
        let repeats = |at: usize| (0..at).any(|before| key(before) == key(at));
        // Few keys are compared pair by pair, many by hash.
        const FEW: usize = 24;
        if extras.len() <= FEW && !(1..extras.len()).any(repeats) {
            for (at, (_, value)) in extras.iter().enumerate() {
                put(key(at), value.as_deref());
            }
        } else {
            let mut seen = HashSet::with_capacity(extras.len());
            for (at, (_, value)) in extras.iter().enumerate() {
                let mut name = Cow::Borrowed(key(at));
                let mut count = 2;
                while !seen.insert(name.clone()) {
                    name = format!("{}#{count}", key(at)).into();
                    count += 1;
                }
                put(&name, value.as_deref());
            }
        }
        self.offsets.push(self.entries);
        if let Some(valid) = &mut self.valid {
            valid.append(!extras.is_empty());
        }
        bytes
    }

    fn finish(&mut self, kind: &DataType) -> std::result::Result<ArrayRef, arrow::error::ArrowError> {
        let DataType::Map(field, sorted) = kind else {
            return Err(arrow::error::ArrowError::SchemaError(format!("expected a map, got {kind}")));
        };
        let DataType::Struct(fields) = field.data_type() else {
            return Err(arrow::error::ArrowError::SchemaError(format!("expected a struct, got {field}")));
        };
        let mut offsets = std::mem::take(&mut self.offsets);
        if offsets.is_empty() {
            offsets.push(0);
        }
        self.entries = 0;
        let nulls = self.valid.take().and_then(|mut valid| valid.finish());
        let keys: ArrayRef = Arc::new(finish_text(&mut self.keys));
        let values: ArrayRef = Arc::new(finish_text(&mut self.values));
        let entries = StructArray::try_new(fields.clone(), vec![keys, values], None)?;
        let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
        Ok(Arc::new(MapArray::try_new(field.clone(), offsets, entries, nulls, *sorted)?))
    }
}
