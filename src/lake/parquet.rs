//! How rows become a Parquet file: the contract's hints as writer properties. Most columns are written by `chunk`.

use std::sync::Arc;
use std::time::SystemTime;

use ::parquet::arrow::ArrowWriter;
use ::parquet::arrow::arrow_writer::{ArrowColumnWriter, compute_leaves};
use ::parquet::basic::{Compression, Encoding as ParquetEncoding, ZstdLevel};
use ::parquet::file::metadata::SortingColumn;
use ::parquet::file::properties::{EnabledStatistics, WriterProperties};
use ::parquet::schema::types::ColumnPath;
use arrow::array::{ArrayRef, AsArray, RecordBatch, new_null_array};
use arrow::datatypes::{DataType, SchemaRef, TimestampMicrosecondType};
use arrow::error::ArrowError;
use bytes::Bytes;
use zstd::bulk::Compressor;

use super::chunk::{Hints, Source, fixed, is_small, is_text, text};
use super::layout::{new_file_path, stored_region};
use super::selection::Selection;
use super::snapshot::DataFile;
use super::stats::FileStats;
use super::{Error, Result};
use crate::contract::{ColumnType, Encoding, Table};
use crate::domain::{Hour, format_timestamp};

/// zstd level. On telemetry, level 3 writes a good deal slower for a few percent of size.
const ZSTD_LEVEL: i32 = 1;
/// Rows of a row group, at most. An hour of one region is nearly always one row group.
const ROW_GROUP_ROWS: usize = 1_000_000;
/// Bytes of a row group, at most: wide rows (stack traces) must not need unbounded memory to read.
const ROW_GROUP_BYTES: usize = 128 << 20;
/// Share of look-ups that a bloom filter lets through wrongly.
const BLOOM_FPP: f64 = 0.01;

/// Turns sorted batches of one table into Parquet files. Pure computation, cheap to clone: meant for worker threads.
#[derive(Debug, Clone)]
pub struct Encoder {
    table: &'static Table,
    schema: SchemaRef,
    time: usize,
}

/// A data file in memory, not yet stored.
#[derive(Debug, Clone)]
pub struct EncodedFile {
    pub(super) path: String,
    pub(super) bytes: Bytes,
    pub(super) region: String,
    pub(super) hour: Hour,
    pub(super) stats: FileStats,
    pub(super) modified: i64,
}

impl EncodedFile {
    /// Rows in it.
    pub fn rows(&self) -> u64 {
        self.stats.rows
    }

    /// Its size in bytes.
    pub fn size(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// The file as the log will list it.
    pub(super) fn described(&self) -> DataFile {
        DataFile {
            path: self.path.clone(),
            size: self.size(),
            region: self.region.clone(),
            hour: self.hour,
            rows: self.stats.rows,
            min_time: self.stats.min,
            max_time: self.stats.max,
            exact: true,
            modified: self.modified,
        }
    }
}

/// What there is to write of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Values {
    /// Nothing but NULLs.
    None,
    /// A chunk that is written elsewhere.
    Chunk,
    /// So many values, at most.
    Some(usize),
}

impl Values {
    fn of(count: usize) -> Values {
        if count == 0 { Values::None } else { Values::Some(count) }
    }
}

impl Encoder {
    /// An encoder for a table.
    pub fn new(table: &'static Table) -> Self {
        let schema = table.file_schema();
        let time = schema.index_of(&table.time).expect("a contract's time column is in its file schema");
        Encoder { table, schema, time }
    }

    /// Encodes one batch of the table's file schema, sorted by time and all in one hour, as one Parquet file.
    ///
    /// The same batch gives the same bytes. An empty region is stored as `unknown`. A column of text may be a
    /// dictionary.
    ///
    /// # Errors
    /// When the batch is empty, has another schema, a NULL where none may be, a row outside the hour or out of order.
    pub fn encode(&self, region: &str, hour: Hour, batch: &RecordBatch) -> Result<EncodedFile> {
        self.encode_rows(region, hour, &Selection::whole(batch))
    }

    /// As [`Encoder::encode`], for rows picked from several batches.
    pub(crate) fn encode_rows(
        &self,
        region: &str,
        hour: Hour,
        selection: &Selection<'_>,
    ) -> Result<EncodedFile> {
        if selection.rows().is_empty() {
            return Err(self.wrong("the batch", "at least one row", "none"));
        }
        let mut checked: Option<&SchemaRef> = None;
        for batch in selection.batches() {
            if !checked.is_some_and(|schema| Arc::ptr_eq(schema, batch.schema_ref())) {
                self.check_schema(batch.schema_ref())?;
                checked = Some(batch.schema_ref());
            }
            self.check_nulls(batch)?;
        }
        let arrow =
            |source: ArrowError| Error::Parquet { table: self.table.name.clone(), source: source.into() };
        let times = selection.gather(self.time, selection.rows()).map_err(arrow)?;
        let stats = self.check_times(hour, &times)?;
        let group_rows = self.group_rows(selection).map_err(arrow)?;
        let bytes = self.write_groups(selection, &times, group_rows);
        let bytes = bytes.map_err(|source| Error::Parquet { table: self.table.name.clone(), source })?;
        Ok(self.file(region, hour, stats, bytes))
    }

    /// Rows of a row group: as many as may be, unless they are wide.
    fn group_rows(&self, selection: &Selection<'_>) -> std::result::Result<usize, ArrowError> {
        let rows = selection.rows().len();
        // What the batches take in memory is at least what is in them, and quickly told.
        let (held, all) = selection.batches().iter().fold((0u128, 0u128), |(held, all), batch| {
            (held + batch.get_array_memory_size() as u128, all + batch.num_rows() as u128)
        });
        if held * rows as u128 <= ROW_GROUP_BYTES as u128 * all {
            return Ok(ROW_GROUP_ROWS);
        }
        let width = selection.bytes()?.div_ceil(rows);
        Ok((ROW_GROUP_BYTES / width.max(1)).clamp(1, ROW_GROUP_ROWS))
    }

    fn write_groups(
        &self,
        selection: &Selection<'_>,
        times: &ArrayRef,
        group_rows: usize,
    ) -> ::parquet::errors::Result<Vec<u8>> {
        let level = ZstdLevel::try_new(ZSTD_LEVEL)?;
        // One for all columns: to set one up costs more than to compress a page of a small column.
        let mut compressor = Compressor::new(ZSTD_LEVEL)?;
        let fields = self.schema.fields();
        let values: Vec<Values> = (fields.iter().enumerate())
            .map(|(i, field)| match field.data_type() {
                _ if selection.is_empty(i) => Values::None,
                DataType::Utf8 | DataType::Boolean => Values::Chunk,
                DataType::Int32 | DataType::Int64 | DataType::Float64 if !self.is_delta(field.name()) => {
                    Values::Chunk
                }
                _ => Values::Some(selection.rows().len()),
            })
            .collect();
        let properties = self.properties(|i| values[i], level);
        let writer = ArrowWriter::try_new(Vec::new(), self.schema(), Some(properties))?;
        let (mut file, factory) = writer.into_serialized_writer()?;
        let mut start = 0;
        for (number, rows) in selection.rows().chunks(group_rows).enumerate() {
            let leaves = file.schema_descr().columns().to_vec();
            let (mut writers, mut leaf) = (factory.create_column_writers(number)?.into_iter(), 0);
            let mut group = file.next_row_group()?;
            for (i, field) in fields.iter().enumerate() {
                if values[i] == Values::Chunk {
                    let (column, compressor) = (leaves[leaf].clone(), &mut compressor);
                    let arrays: Vec<_> = selection.arrays(i).collect();
                    let written = fixed(column.clone(), field.data_type(), &arrays, rows, level, compressor);
                    let (bytes, close) = match written {
                        Some(written) => written?,
                        None => {
                            // The columns were checked.
                            let sources: Option<Vec<_>> = arrays.into_iter().map(Source::new).collect();
                            let sources = sources.unwrap_or_default();
                            text(column, self.hints(field.name()), &sources, rows, level, compressor)?
                        }
                    };
                    group.append_column(&bytes, close)?;
                    writers.next();
                    leaf += 1;
                    continue;
                }
                let array = match i == self.time {
                    true => times.slice(start, rows.len()),
                    false if values[i] == Values::None => new_null_array(field.data_type(), rows.len()),
                    false => selection.gather(i, rows)?,
                };
                for (column, writer) in compute_leaves(field, &array)?.iter().zip(writers.by_ref()) {
                    let mut writer: ArrowColumnWriter = writer;
                    writer.write(column)?;
                    writer.close()?.append_to_row_group(&mut group)?;
                    leaf += 1;
                }
            }
            group.close()?;
            start += rows.len();
        }
        file.into_inner()
    }

    /// Whether the contract wants a column as differences.
    fn is_delta(&self, name: &str) -> bool {
        self.table.column(name).is_some_and(|column| column.encoding == Some(Encoding::Delta))
    }

    /// What the contract wants of a column of text.
    fn hints(&self, name: &str) -> Hints {
        let column = self.table.column(name);
        let dictionary = column.is_some_and(|column| column.encoding == Some(Encoding::Dictionary));
        // Identities and prose: least and greatest of a page say nothing, and to compare them all costs.
        let bloom = column.is_some_and(|column| column.bloom).then_some(BLOOM_FPP);
        Hints { dictionary, bounds: dictionary, bloom }
    }

    /// A file of those bytes, under a new name.
    pub(super) fn file(&self, region: &str, hour: Hour, stats: FileStats, bytes: Vec<u8>) -> EncodedFile {
        let region = stored_region(region);
        let modified = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX));
        EncodedFile {
            path: new_file_path(region, hour),
            bytes: bytes.into(),
            region: region.to_owned(),
            hour,
            stats,
            modified,
        }
    }

    /// A writer of one file in pieces; `values` tells how many values that are not NULL a column has, at most.
    pub(super) fn writer(&self, values: impl Fn(usize) -> usize) -> Result<ArrowWriter<Vec<u8>>> {
        let fail = |source| Error::Parquet { table: self.table.name.clone(), source };
        let level = ZstdLevel::try_new(ZSTD_LEVEL).map_err(fail)?;
        let properties = self.properties(|i| Values::of(values(i)), level);
        ArrowWriter::try_new(Vec::new(), self.schema(), Some(properties)).map_err(fail)
    }

    /// The table, and the position of its time column.
    pub(super) fn table(&self) -> (&'static Table, usize) {
        (self.table, self.time)
    }

    fn wrong(&self, place: impl Into<String>, expected: impl Into<String>, got: impl Into<String>) -> Error {
        Error::Batch {
            table: self.table.name.clone(),
            place: place.into(),
            expected: expected.into(),
            got: got.into(),
        }
    }

    /// Whether a schema has the columns of the table's file schema; only nullability and metadata may differ, and
    /// text may be a dictionary.
    fn check_schema(&self, found: &SchemaRef) -> Result<()> {
        let wanted = self.schema.fields();
        for (i, field) in wanted.iter().enumerate() {
            let expected = || format!("`{}` {} as column {i}", field.name(), field.data_type());
            let fits = |kind: &DataType| {
                kind == field.data_type() || (*field.data_type() == DataType::Utf8 && is_text(kind))
            };
            match found.fields().get(i) {
                Some(f) if f.name() == field.name() && fits(f.data_type()) => {}
                Some(f) => {
                    let got = format!("`{}` {}", f.name(), f.data_type());
                    return Err(self.wrong(format!("column `{}`", field.name()), expected(), got));
                }
                None => return Err(self.wrong(format!("column `{}`", field.name()), expected(), "nothing")),
            }
        }
        if let Some(extra) = found.fields().get(wanted.len()) {
            return Err(self.wrong(format!("column `{}`", extra.name()), "no such column", "one"));
        }
        Ok(())
    }

    /// Whether a batch of that schema has a value wherever one has to be.
    fn check_nulls(&self, batch: &RecordBatch) -> Result<()> {
        for (field, column) in self.schema.fields().iter().zip(batch.columns()) {
            let nulls = if field.is_nullable() { 0 } else { column.logical_null_count() };
            if nulls > 0 {
                let got = format!("{nulls} in {} rows", batch.num_rows());
                return Err(self.wrong(format!("column `{}`", field.name()), "no NULL", got));
            }
        }
        Ok(())
    }

    fn check_times(&self, hour: Hour, times: &ArrayRef) -> Result<FileStats> {
        let times = times.as_primitive::<TimestampMicrosecondType>().values();
        let place = |row: usize| format!("row {row}, column `{}`", self.table.time);
        if let Some(row) = (1..times.len()).find(|&i| times[i] < times[i - 1]) {
            return Err(self.wrong(
                place(row),
                format!("nothing before {}, the row above", format_timestamp(times[row - 1])),
                format_timestamp(times[row]),
            ));
        }
        let (min, max) = (times[0], times[times.len() - 1]);
        for (row, time) in [(0, min), (times.len() - 1, max)] {
            if Hour::of_micros(time) != hour {
                return Err(self.wrong(
                    place(row),
                    format!("a time in the hour {hour}"),
                    format_timestamp(time),
                ));
            }
        }
        Ok(FileStats { rows: times.len() as u64, min, max })
    }

    /// The writer properties: from the contract, and for bloom filters from how many values there are.
    fn properties(&self, values: impl Fn(usize) -> Values, level: ZstdLevel) -> WriterProperties {
        let mut builder = WriterProperties::builder()
            .set_compression(Compression::ZSTD(level))
            .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
            .set_max_row_group_bytes(Some(ROW_GROUP_BYTES))
            .set_statistics_enabled(EnabledStatistics::Page)
            .set_dictionary_enabled(false)
            .set_sorting_columns(Some(vec![SortingColumn {
                column_idx: self.time as i32,
                descending: false,
                nulls_first: false,
            }]));
        for (i, field) in self.schema.fields().iter().enumerate() {
            let Some(column) = self.table.column(field.name()) else { continue };
            let path = ColumnPath::from(column.name.as_str());
            let leaves = match column.kind {
                ColumnType::Map => ["key", "value"]
                    .map(|leaf| ColumnPath::new(vec![column.name.clone(), "key_value".into(), leaf.into()]))
                    .to_vec(),
                _ => vec![path.clone()],
            };
            let Values::Some(values) = values(i) else {
                // A page of nothing but NULLs has nothing to compress, and a compressor costs more than such a page; a
                // column that is written elsewhere needs none here.
                for leaf in leaves {
                    builder = builder.set_column_compression(leaf, Compression::UNCOMPRESSED);
                }
                continue;
            };
            // Of what the library writes, only numbers have a known width.
            let is_number = matches!(column.kind, ColumnType::Timestamp | ColumnType::Int64);
            if is_number && is_small(values.saturating_mul(size_of::<i64>())) {
                builder = builder.set_column_compression(path.clone(), Compression::UNCOMPRESSED);
            }
            for leaf in leaves {
                match (column.encoding, column.kind) {
                    (Some(Encoding::Delta), _) => {
                        builder = builder.set_column_encoding(leaf, ParquetEncoding::DELTA_BINARY_PACKED);
                    }
                    // Int32: status codes, counters: few values, and the writer gives up on the dictionary by itself
                    // if not.
                    (Some(Encoding::Dictionary), _) | (None, ColumnType::Int32) => {
                        builder = builder.set_column_dictionary_enabled(leaf, true);
                    }
                    // Keys repeat in every row, and values nearly as often. Nobody looks for a range of them.
                    (None, ColumnType::Map) => {
                        builder = builder
                            .set_column_dictionary_enabled(leaf.clone(), true)
                            .set_column_statistics_enabled(leaf, EnabledStatistics::None);
                    }
                    // Identities and prose: least and greatest of a page say nothing, and to compare them all costs.
                    (None, ColumnType::String | ColumnType::Binary) => {
                        builder = builder.set_column_statistics_enabled(leaf, EnabledStatistics::None);
                    }
                    (None, _) => {}
                }
            }
            if column.bloom {
                builder = builder
                    .set_column_bloom_filter_enabled(path.clone(), true)
                    .set_column_bloom_filter_fpp(path.clone(), BLOOM_FPP)
                    .set_column_bloom_filter_max_ndv(path, values.min(ROW_GROUP_ROWS) as u64);
            }
        }
        builder.build()
    }

    /// The schema that [`Encoder::encode`] takes.
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }
}

#[cfg(test)]
mod tests {
    use ::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
    use arrow::array::{Array, StringArray, TimestampMicrosecondArray};
    use arrow::compute::concat_batches;

    use super::*;
    use crate::contract;

    // date -u -d @1736946000 => 2025-01-15 13:00:00
    const START: i64 = 1_736_946_000_000_000;

    fn logs(times: &[i64]) -> RecordBatch {
        let schema = contract::table("logs").unwrap().file_schema();
        let columns = schema
            .fields()
            .iter()
            .map(|f| match f.name().as_str() {
                "timestamp" => Arc::new(TimestampMicrosecondArray::from(times.to_vec()).with_timezone("UTC"))
                    as Arc<dyn Array>,
                "trace_id" => {
                    Arc::new(StringArray::from_iter_values((0..times.len()).map(|i| format!("{i:032x}"))))
                }
                "service" => Arc::new(StringArray::from_iter_values(times.iter().map(|_| "api"))),
                _ => new_null_array(f.data_type(), times.len()),
            })
            .collect();
        RecordBatch::try_new(schema, columns).unwrap()
    }

    fn encode(times: &[i64]) -> Result<EncodedFile> {
        let encoder = Encoder::new(contract::table("logs").unwrap());
        encoder.encode("eu", Hour::of_micros(START), &logs(times))
    }

    #[test]
    fn the_file_carries_order_page_index_dictionaries_and_bloom_filters() {
        let file = encode(&(0..5000).map(|i| START + i).collect::<Vec<_>>()).unwrap();
        let reader = ParquetRecordBatchReaderBuilder::try_new(file.bytes.clone()).unwrap();
        let group = reader.metadata().row_group(0);
        assert_eq!(group.sorting_columns().unwrap()[0].column_idx, 0);
        let column = |name: &str| {
            group
                .columns()
                .iter()
                .find(|c| c.column_path().string() == name)
                .unwrap_or_else(|| panic!("{name}"))
        };
        assert!(column("timestamp").column_index_offset().is_some());
        assert!(column("timestamp").encodings().any(|e| e == ParquetEncoding::DELTA_BINARY_PACKED));
        assert!(column("service").dictionary_page_offset().is_some());
        assert!(column("message").dictionary_page_offset().is_none());
        assert!(column("attributes.key_value.key").compressed_size() > 0);
        // 5000 values at 1 % need about 6 kB; a filter sized for a full row group would be over 1 MB.
        assert!((4_000..20_000).contains(&column("trace_id").bloom_filter_length().unwrap()));
        assert!(
            column("request_id").bloom_filter_length().is_none(),
            "nothing to look up in a column of NULLs"
        );
        let read: Vec<_> = reader.build().unwrap().map(|b| b.unwrap()).collect();
        let read = concat_batches(&read[0].schema(), &read).unwrap();
        assert_eq!(read.schema(), contract::table("logs").unwrap().file_schema());
        assert_eq!(file.stats, FileStats { rows: 5000, min: START, max: START + 4999 });
    }

    #[test]
    fn the_same_batch_gives_the_same_bytes() {
        let times: Vec<_> = (0..1000).map(|i| START + i).collect();
        assert_eq!(encode(&times).unwrap().bytes, encode(&times).unwrap().bytes);
    }

    #[test]
    fn a_batch_that_breaks_the_promise_is_refused_with_the_place() {
        let check = |times: &[i64], expected: &str| {
            let error = encode(times).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        };
        check(&[], "expected at least one row, got none");
        check(
            &[START + 2, START + 1],
            "row 1, column `timestamp`: expected nothing before 2025-01-15T13:00:00.000002Z",
        );
        check(
            &[START, START + 3_600_000_000],
            "expected a time in the hour 2025-01-15T13, got 2025-01-15T14:00:00Z",
        );
        check(&[START - 1, START], "got 2025-01-15T12:59:59.999999Z");
        let batch = logs(&[START]);
        let fewer = batch.project(&(0..batch.num_columns() - 1).collect::<Vec<_>>()).unwrap();
        let encoder = Encoder::new(contract::table("logs").unwrap());
        let error = encoder.encode("eu", Hour::of_micros(START), &fewer).unwrap_err().to_string();
        assert!(error.contains("column `attributes`") && error.contains("got nothing"), "{error}");
    }
}
