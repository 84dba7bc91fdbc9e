//! Rows into Arrow columns, as the contract says; each row remembers the partition that it belongs to.
//!
//! Most rows leave most columns empty, so a column is touched by its values only: what stands between them, and
//! after the last one, becomes NULL when the next value or the end comes.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, BooleanBufferBuilder, Float64Array, Int32Array, Int64Array, MapArray,
    NullBufferBuilder, RecordBatch, StringArray, StructArray, TimestampMicrosecondArray, new_null_array,
};
use arrow::buffer::{Buffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;

use super::error::{Error, Result};
use super::format::convert::Cell;
use super::format::names::Names;
use super::row::Ready;
use super::table::TableId;
use super::vocabulary::{Vocabulary, Words};
use crate::contract::{ColumnType, Encoding};
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
    Text(Text),
    Words(Vocabulary),
    Time(Fixed<i64>),
    Int32(Fixed<i32>),
    Int64(Fixed<i64>),
    Float(Fixed<f64>),
    Bool(Bool),
    Map(MapColumn),
    /// The partition key is not stored in the files.
    Region,
}

/// Texts, one behind the other.
struct Text {
    values: Vec<u8>,
    offsets: Vec<i32>,
    valid: NullBufferBuilder,
}

impl Default for Text {
    fn default() -> Self {
        Text { values: Vec::new(), offsets: vec![0], valid: NullBufferBuilder::new(0) }
    }
}

/// How much more room the next block gets than this one took: blocks are alike, and growing by doubling would copy
/// everything about once more and keep up to half of the memory empty.
fn room(length: usize) -> usize {
    length + length / 16
}

impl Text {
    fn rows(&self) -> usize {
        self.offsets.len() - 1
    }

    fn fill(&mut self, row: usize) {
        let missing = row - self.rows();
        if missing > 0 {
            self.offsets.resize(row + 1, self.values.len() as i32);
            self.valid.append_n_nulls(missing);
        }
    }

    /// Forgets the value of this row, the last one, if it has any.
    fn take_back(&mut self, row: usize) {
        if self.rows() > row {
            self.offsets.truncate(row + 1);
            self.values.truncate(self.offsets[row] as usize);
            self.valid.truncate(row);
        }
    }

    #[inline]
    fn put(&mut self, row: usize, text: &[u8]) {
        if self.rows() < row {
            self.fill(row);
        }
        self.values.extend_from_slice(text);
        // A block holds little more than one record, see `run::MAX_RECORD`.
        self.offsets.push(self.values.len() as i32);
        self.valid.append_non_null();
    }

    fn finish(&mut self, rows: usize) -> std::result::Result<StringArray, ArrowError> {
        self.fill(rows);
        let mut offsets = Vec::with_capacity(room(self.offsets.len()));
        offsets.push(0);
        let values = Vec::with_capacity(room(self.values.len()));
        let offsets = OffsetBuffer::new(ScalarBuffer::from(std::mem::replace(&mut self.offsets, offsets)));
        let values = Buffer::from_vec(std::mem::replace(&mut self.values, values));
        StringArray::try_new(offsets, values, self.valid.finish())
    }
}

/// Values of one size.
struct Fixed<T> {
    values: Vec<T>,
    valid: NullBufferBuilder,
}

impl<T> Default for Fixed<T> {
    fn default() -> Self {
        Fixed { values: Vec::new(), valid: NullBufferBuilder::new(0) }
    }
}

impl<T: Copy + Default> Fixed<T> {
    fn fill(&mut self, row: usize) {
        let missing = row - self.values.len();
        if missing > 0 {
            self.values.resize(row, T::default());
            self.valid.append_n_nulls(missing);
        }
    }

    fn take_back(&mut self, row: usize) {
        if self.values.len() > row {
            self.values.truncate(row);
            self.valid.truncate(row);
        }
    }

    #[inline]
    fn put(&mut self, row: usize, value: T) {
        if self.values.len() < row {
            self.fill(row);
        }
        self.values.push(value);
        self.valid.append_non_null();
    }

    fn finish(&mut self, rows: usize) -> (ScalarBuffer<T>, Option<arrow::buffer::NullBuffer>)
    where
        T: arrow::datatypes::ArrowNativeType,
    {
        self.fill(rows);
        let next = Vec::with_capacity(room(rows));
        (ScalarBuffer::from(std::mem::replace(&mut self.values, next)), self.valid.finish())
    }
}

struct Bool {
    values: BooleanBufferBuilder,
    valid: NullBufferBuilder,
}

impl Default for Bool {
    fn default() -> Self {
        Bool { values: BooleanBufferBuilder::new(0), valid: NullBufferBuilder::new(0) }
    }
}

impl Bool {
    fn fill(&mut self, row: usize) {
        let missing = row - self.values.len();
        if missing > 0 {
            self.values.append_n(missing, false);
            self.valid.append_n_nulls(missing);
        }
    }

    fn take_back(&mut self, row: usize) {
        if self.values.len() > row {
            self.values.truncate(row);
            self.valid.truncate(row);
        }
    }

    #[inline]
    fn put(&mut self, row: usize, value: bool) {
        if self.values.len() < row {
            self.fill(row);
        }
        self.values.append(value);
        self.valid.append_non_null();
    }
}

/// Keys and values of the fields that have no column, by row.
struct MapColumn {
    keys: Text,
    values: Text,
    offsets: Vec<i32>,
    valid: NullBufferBuilder,
}

impl Default for MapColumn {
    fn default() -> Self {
        MapColumn {
            keys: Text::default(),
            values: Text::default(),
            offsets: vec![0],
            valid: NullBufferBuilder::new(0),
        }
    }
}

impl MapColumn {
    fn rows(&self) -> usize {
        self.offsets.len() - 1
    }

    fn fill(&mut self, row: usize) {
        let missing = row - self.rows();
        if missing > 0 {
            self.offsets.resize(row + 1, self.keys.rows() as i32);
            self.valid.append_n_nulls(missing);
        }
    }

    /// Adds the fields of a row, at least one; a key that is there already gets a number.
    fn put<'f, F>(&mut self, row: usize, count: usize, field: F)
    where
        F: Fn(usize) -> (&'f str, Option<&'f str>),
    {
        self.fill(row);
        let mut put = |key: &str, value: Option<&str>| {
            let entry = self.keys.rows();
            self.keys.put(entry, key.as_bytes());
            match value {
                Some(value) => self.values.put(entry, value.as_bytes()),
                None => self.values.fill(entry + 1),
            }
        };
        let repeats = |at: usize| (0..at).any(|before| field(before).0 == field(at).0);
        // Few keys are compared pair by pair, many by hash.
        const FEW: usize = 24;
        if count <= FEW && !(1..count).any(repeats) {
            for at in 0..count {
                let (key, value) = field(at);
                put(key, value);
            }
        } else {
            let mut seen = HashSet::with_capacity(count);
            for at in 0..count {
                let (key, value) = field(at);
                let mut name = Cow::Borrowed(key);
                let mut number = 2;
                while !seen.insert(name.clone()) {
                    name = format!("{key}#{number}").into();
                    number += 1;
                }
                put(&name, value);
            }
        }
        self.offsets.push(self.keys.rows() as i32);
        self.valid.append_non_null();
    }

    fn finish(&mut self, rows: usize, kind: &DataType) -> std::result::Result<ArrayRef, ArrowError> {
        let wrong = |expected: &str, got: &dyn std::fmt::Display| {
            Err(ArrowError::SchemaError(format!("expected {expected}, got {got}")))
        };
        let DataType::Map(field, sorted) = kind else { return wrong("a map", kind) };
        let DataType::Struct(fields) = field.data_type() else { return wrong("a struct", field) };
        self.fill(rows);
        let offsets = std::mem::replace(&mut self.offsets, vec![0]);
        let entries = self.keys.rows();
        let keys: ArrayRef = Arc::new(self.keys.finish(entries)?);
        let values: ArrayRef = Arc::new(self.values.finish(entries)?);
        let entries = StructArray::try_new(fields.clone(), vec![keys, values], None)?;
        let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
        Ok(Arc::new(MapArray::try_new(field.clone(), offsets, entries, self.valid.finish(), *sorted)?))
    }
}

/// Collects rows of one table.
pub(crate) struct TableBuilder {
    table: TableId,
    schema: SchemaRef,
    columns: Vec<Column>,
    regions: Vec<RegionParts>,
    region_names: Words,
    parts: Vec<(String, Hour)>,
    part_of: Vec<u32>,
    times: Vec<i64>,
}

/// The partitions of one region.
struct RegionParts {
    /// Whether its name needs no second look, see [`is_plain_region`].
    plain: bool,
    /// The partition met last.
    last: Option<(Hour, u32)>,
    hours: HashMap<Hour, u32>,
}

impl TableBuilder {
    pub(crate) fn new(table: TableId) -> TableBuilder {
        TableBuilder {
            table,
            schema: schema(table),
            columns: columns(table),
            regions: Vec::new(),
            region_names: Words::default(),
            parts: Vec::new(),
            part_of: Vec::new(),
            times: Vec::new(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.times.is_empty()
    }

    /// Adds a row.
    pub(crate) fn append(&mut self, ready: &Ready<'_, '_>, names: &Names) {
        for (column, cell) in ready.cells.iter().enumerate() {
            self.put(column, cell);
        }
        let facts = self.table.facts();
        let overflow = &facts.columns()[facts.overflow].name;
        self.put_fields(ready.extras.len(), |at| {
            let (name, value) = &ready.extras[at];
            (names.overflow_key(*name, overflow), value.as_deref())
        });
        let region = self.region(ready.region.as_bytes());
        self.end(region, ready.time);
    }

    /// Puts a value into a column of the row that is being added; what is not of the column's type stays NULL.
    #[inline]
    fn put(&mut self, column: usize, cell: &Cell<'_>) {
        match cell {
            Cell::Null => {}
            Cell::Text(text) => self.put_text(column, text.as_bytes()),
            Cell::Int(value) => self.put_int(column, *value),
            Cell::Float(value) => self.put_float(column, *value),
            Cell::Bool(value) => self.put_bool(column, *value),
            Cell::Time(value) => self.put_time(column, *value),
        }
    }

    /// The text is UTF-8, as the array checks in the end.
    #[inline]
    pub(super) fn put_text(&mut self, column: usize, text: &[u8]) {
        let row = self.times.len();
        match &mut self.columns[column] {
            Column::Text(c) => c.put(row, text),
            Column::Words(c) => c.put(row, text),
            _ => {}
        }
    }

    #[inline]
    pub(super) fn put_int(&mut self, column: usize, value: i64) {
        let row = self.times.len();
        match &mut self.columns[column] {
            Column::Int64(c) => c.put(row, value),
            Column::Int32(c) => {
                if let Ok(value) = i32::try_from(value) {
                    c.put(row, value);
                }
            }
            _ => {}
        }
    }

    #[inline]
    pub(super) fn put_float(&mut self, column: usize, value: f64) {
        if let Column::Float(c) = &mut self.columns[column] {
            c.put(self.times.len(), value);
        }
    }

    #[inline]
    pub(super) fn put_bool(&mut self, column: usize, value: bool) {
        if let Column::Bool(c) = &mut self.columns[column] {
            c.put(self.times.len(), value);
        }
    }

    #[inline]
    pub(super) fn put_time(&mut self, column: usize, value: i64) {
        if let Column::Time(c) = &mut self.columns[column] {
            c.put(self.times.len(), value);
        }
    }

    /// Keeps fields without a column.
    #[inline]
    pub(super) fn put_fields<'f, F>(&mut self, count: usize, field: F)
    where
        F: Fn(usize) -> (&'f str, Option<&'f str>),
    {
        if count > 0
            && let Column::Map(map) = &mut self.columns[self.table.facts().overflow]
        {
            map.put(self.times.len(), count, field);
        }
    }

    /// Forgets the values of the row that is being added, which has no fields beside the columns yet.
    pub(super) fn take_back(&mut self) {
        let row = self.times.len();
        for column in &mut self.columns {
            match column {
                Column::Text(c) => c.take_back(row),
                Column::Words(c) => c.take_back(row),
                Column::Time(c) | Column::Int64(c) => c.take_back(row),
                Column::Int32(c) => c.take_back(row),
                Column::Float(c) => c.take_back(row),
                Column::Bool(c) => c.take_back(row),
                Column::Map(_) | Column::Region => {}
            }
        }
    }

    /// Finds a region by its name.
    #[inline]
    pub(super) fn region(&mut self, name: &[u8]) -> u32 {
        let place = self.region_names.place(name);
        if place as usize >= self.regions.len() {
            let plain = is_plain_region(name);
            self.regions.push(RegionParts { plain, last: None, hours: HashMap::new() });
        }
        place
    }

    /// Whether the name of a region is one as it stands.
    #[inline]
    pub(super) fn is_plain(&self, region: u32) -> bool {
        self.regions[region as usize].plain
    }

    /// Ends the row, which is of a region that was found before.
    #[inline]
    pub(super) fn end(&mut self, region: u32, time: i64) {
        let hour = Hour::of_micros(time);
        let part = match self.regions[region as usize].last {
            Some((last, part)) if last == hour => part,
            _ => self.other_part(region, hour),
        };
        self.part_of.push(part);
        self.times.push(time);
    }

    #[inline(never)]
    fn other_part(&mut self, region: u32, hour: Hour) -> u32 {
        let known = &mut self.regions[region as usize];
        let part = *known.hours.entry(hour).or_insert_with(|| {
            let name = String::from_utf8_lossy(self.region_names.word(region)).into_owned();
            self.parts.push((name, hour));
            self.parts.len() as u32 - 1
        });
        known.last = Some((hour, part));
        part
    }

    /// The rows so far; the builder starts over.
    pub(crate) fn finish(&mut self) -> Result<Rows> {
        let rows = self.times.len();
        let columns = self.columns.iter_mut().filter(|column| !matches!(column, Column::Region));
        let arrays = columns.zip(self.schema.fields());
        let arrays = arrays.map(|(column, field)| finish(column, field.data_type(), rows));
        let name = self.table.name();
        let wrong = |source| Error::Columns { table: name, source };
        let arrays = arrays.collect::<std::result::Result<Vec<_>, _>>().map_err(wrong)?;
        let batch = RecordBatch::try_new(self.schema.clone(), arrays).map_err(wrong)?;
        self.regions.clear();
        self.region_names = Words::default();
        // Beside the columns the time and the partition of each row.
        let bytes = batch.get_array_memory_size() + rows * (size_of::<i64>() + size_of::<u32>());
        let next = Vec::with_capacity(room(rows));
        Ok(Rows {
            table: self.table,
            batch,
            parts: std::mem::take(&mut self.parts),
            part_of: std::mem::take(&mut self.part_of),
            times: std::mem::replace(&mut self.times, next),
            bytes,
        })
    }
}

/// A name in the usual letters of a region.
fn is_plain_region(name: &[u8]) -> bool {
    const SHORT: usize = 64;
    (1..=SHORT).contains(&name.len())
        && name.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

/// The table's file schema, with texts of few distinct values as dictionaries.
fn schema(table: TableId) -> SchemaRef {
    let contract = table.facts().table;
    let field = |field: &Arc<Field>| match contract.column(field.name()) {
        Some(column) if has_words(column) => {
            let kind = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
            Arc::new(field.as_ref().clone().with_data_type(kind))
        }
        _ => field.clone(),
    };
    Arc::new(Schema::new(contract.file_schema().fields().iter().map(field).collect::<Vec<_>>()))
}

fn has_words(column: &crate::contract::Column) -> bool {
    column.kind == ColumnType::String && column.encoding == Some(Encoding::Dictionary)
}

fn columns(table: TableId) -> Vec<Column> {
    let facts = table.facts();
    let column = |(position, column): (usize, &crate::contract::Column)| match column.kind {
        _ if position == facts.region => Column::Region,
        ColumnType::Timestamp => Column::Time(Fixed::default()),
        ColumnType::Int32 => Column::Int32(Fixed::default()),
        ColumnType::Int64 => Column::Int64(Fixed::default()),
        ColumnType::Float64 => Column::Float(Fixed::default()),
        ColumnType::Bool => Column::Bool(Bool::default()),
        ColumnType::Map => Column::Map(MapColumn::default()),
        ColumnType::String if has_words(column) => Column::Words(Vocabulary::default()),
        // No table that ingest fills has a binary column; a test checks that.
        ColumnType::String | ColumnType::Binary => Column::Text(Text::default()),
    };
    facts.columns().iter().enumerate().map(column).collect()
}

fn finish(column: &mut Column, kind: &DataType, rows: usize) -> std::result::Result<ArrayRef, ArrowError> {
    let untouched = match column {
        Column::Text(c) => c.rows() == 0,
        Column::Words(c) => c.rows() == 0,
        Column::Time(c) | Column::Int64(c) => c.values.is_empty(),
        Column::Int32(c) => c.values.is_empty(),
        Column::Float(c) => c.values.is_empty(),
        Column::Bool(c) => c.values.is_empty(),
        Column::Map(c) => c.rows() == 0,
        Column::Region => true,
    };
    if untouched {
        return Ok(new_null_array(kind, rows));
    }
    Ok(match column {
        Column::Region => new_null_array(kind, rows),
        Column::Text(c) => Arc::new(c.finish(rows)?),
        Column::Words(c) => Arc::new(c.finish(rows)?),
        Column::Time(c) => {
            let (values, nulls) = c.finish(rows);
            Arc::new(TimestampMicrosecondArray::new(values, nulls).with_timezone("UTC"))
        }
        Column::Int32(c) => {
            let (values, nulls) = c.finish(rows);
            Arc::new(Int32Array::new(values, nulls))
        }
        Column::Int64(c) => {
            let (values, nulls) = c.finish(rows);
            Arc::new(Int64Array::new(values, nulls))
        }
        Column::Float(c) => {
            let (values, nulls) = c.finish(rows);
            Arc::new(Float64Array::new(values, nulls))
        }
        Column::Bool(c) => {
            c.fill(rows);
            Arc::new(BooleanArray::new(c.values.finish(), c.valid.finish()))
        }
        Column::Map(c) => c.finish(rows, kind)?,
    })
}
