//! How a batch becomes a Parquet file: the contract's hints as writer properties.

use std::sync::Arc;
use std::time::SystemTime;

use ::parquet::arrow::ArrowWriter;
use ::parquet::basic::{Compression, Encoding as ParquetEncoding, ZstdLevel};
use ::parquet::file::metadata::SortingColumn;
use ::parquet::file::properties::{EnabledStatistics, WriterProperties};
use ::parquet::schema::types::ColumnPath;
use arrow::array::{Array, RecordBatch, TimestampMicrosecondArray};
use arrow::datatypes::SchemaRef;
use bytes::Bytes;

use super::layout::{new_file_path, stored_region};
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

impl Encoder {
    /// An encoder for a table.
    pub fn new(table: &'static Table) -> Self {
        let schema = table.file_schema();
        let time = schema.index_of(&table.time).expect("a contract's time column is in its file schema");
        Encoder { table, schema, time }
    }

    /// Encodes one batch of the table's file schema, sorted by time and all in one hour, as one Parquet file.
    ///
    /// The same batch gives the same bytes. An empty region is stored as `unknown`.
    ///
    /// # Errors
    /// When the batch is empty, has another schema, a NULL where none may be, a row outside the hour or out of order.
    pub fn encode(&self, region: &str, hour: Hour, batch: &RecordBatch) -> Result<EncodedFile> {
        let batch = self.conform(batch)?;
        let stats = self.check_times(hour, &batch)?;
        let fail = |source| Error::Parquet { table: self.table.name.clone(), source };
        let properties = self.properties(|i| batch.column(i).len() - batch.column(i).null_count())?;
        let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties)).map_err(fail)?;
        writer.write(&batch).map_err(fail)?;
        let bytes = writer.into_inner().map_err(fail)?;
        Ok(self.file(region, hour, stats, bytes))
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
        let properties = self.properties(values)?;
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

    /// The batch under the table's own schema object, so that only nullability and metadata may differ.
    fn conform(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        if batch.num_rows() == 0 {
            return Err(self.wrong("the batch", "at least one row", "none"));
        }
        let (wanted, found) = (self.schema.fields(), batch.schema());
        for (i, field) in wanted.iter().enumerate() {
            let expected = || format!("`{}` {} as column {i}", field.name(), field.data_type());
            match found.fields().get(i) {
                Some(f) if f.name() == field.name() && f.data_type() == field.data_type() => {}
                Some(f) => {
                    let got = format!("`{}` {}", f.name(), f.data_type());
                    return Err(self.wrong(format!("column `{}`", field.name()), expected(), got));
                }
                None => return Err(self.wrong(format!("column `{}`", field.name()), expected(), "nothing")),
            }
            let nulls = batch.column(i).null_count();
            if !field.is_nullable() && nulls > 0 {
                return Err(self.wrong(
                    format!("column `{}`", field.name()),
                    "no NULL",
                    format!("{nulls} in {} rows", batch.num_rows()),
                ));
            }
        }
        if let Some(extra) = found.fields().get(wanted.len()) {
            return Err(self.wrong(format!("column `{}`", extra.name()), "no such column", "one"));
        }
        RecordBatch::try_new(self.schema.clone(), batch.columns().to_vec())
            .map_err(|e| self.wrong("the batch", "columns of the contract", e.to_string()))
    }

    fn check_times(&self, hour: Hour, batch: &RecordBatch) -> Result<FileStats> {
        let times = batch
            .column(self.time)
            .as_any()
            .downcast_ref::<TimestampMicrosecondArray>()
            .expect("the schema was compared")
            .values();
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
    fn properties(&self, values: impl Fn(usize) -> usize) -> Result<WriterProperties> {
        let level = ZstdLevel::try_new(ZSTD_LEVEL)
            .map_err(|source| Error::Parquet { table: self.table.name.clone(), source })?;
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
            let values = values(i);
            if values == 0 {
                // A page of nothing but NULLs has nothing to compress, and a compressor costs more than such a page.
                for leaf in leaves {
                    builder = builder.set_column_compression(leaf, Compression::UNCOMPRESSED);
                }
                continue;
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
        Ok(builder.build())
    }

    /// The schema that [`Encoder::encode`] takes.
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }
}

#[cfg(test)]
mod tests {
    use ::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
    use arrow::array::{StringArray, new_null_array};
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
