//! Several sorted files of one region and hour into few, in the order of time, a batch at a time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use ::parquet::arrow::ArrowWriter;
use ::parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use ::parquet::file::metadata::ParquetMetaData;
use arrow::array::{Array, RecordBatch, TimestampMicrosecondArray, new_null_array};
use arrow::compute::{cast, interleave_record_batch};
use bytes::Bytes;

use super::parquet::{EncodedFile, Encoder};
use super::stats::FileStats;
use super::{Error, Result};
use crate::domain::{Hour, format_timestamp};

/// Rows read, and written, at a time.
const BATCH_ROWS: usize = 8_192;

/// One file while it is read: the batch that its next row is in.
struct Cursor {
    reader: ParquetRecordBatchReader,
    batch: RecordBatch,
    times: TimestampMicrosecondArray,
    row: usize,
    /// Where the batch stands among those that rows to write refer to.
    slot: usize,
}

impl Cursor {
    fn time(&self) -> i64 {
        self.times.value(self.row)
    }
}

/// Merges whole files into `outputs` files of about as many rows each.
///
/// Rows of the same instant keep the order of the inputs, and of their file, so that the same inputs give the same
/// bytes.
pub(super) fn merge(
    encoder: &Encoder,
    region: &str,
    hour: Hour,
    inputs: &[Bytes],
    outputs: usize,
) -> Result<Vec<EncodedFile>> {
    let (table, time) = encoder.table();
    let fail = |source| Error::Parquet { table: table.name.clone(), source };
    let columns = encoder.schema().fields().len();
    let (mut rows, mut values) = (0, vec![0; columns]);
    let mut readers = Vec::with_capacity(inputs.len());
    for bytes in inputs {
        let builder = ParquetRecordBatchReaderBuilder::try_new(bytes.clone()).map_err(fail)?;
        rows += count(builder.metadata());
        for (column, field) in encoder.schema().fields().iter().enumerate() {
            values[column] += present(builder.metadata(), field.name());
        }
        readers.push(builder.with_batch_size(BATCH_ROWS).build().map_err(fail)?);
    }
    let mut merge = Merge {
        encoder,
        region,
        hour,
        time,
        cursors: Vec::with_capacity(readers.len()),
        slots: Vec::new(),
        pending: Vec::new(),
        output: None,
        room: rows.div_ceil(outputs.max(1)).max(1),
        values,
        done: Vec::new(),
    };
    let mut heap = BinaryHeap::new();
    for reader in readers {
        let at = merge.cursors.len();
        if let Some(cursor) = merge.open(reader)? {
            heap.push(Reverse((cursor.time(), at)));
            merge.cursors.push(Some(cursor));
        } else {
            merge.cursors.push(None);
        }
    }
    while let Some(Reverse((_, at))) = heap.pop() {
        let next = heap.peek().map(|Reverse(next)| *next);
        if let Some(time) = merge.run(at, next)? {
            heap.push(Reverse((time, at)));
        }
    }
    merge.finish()
}

/// Rows of a file.
fn count(metadata: &ParquetMetaData) -> usize {
    usize::try_from(metadata.file_metadata().num_rows()).unwrap_or(0)
}

/// Values of a column that are not NULL, at most.
fn present(metadata: &ParquetMetaData, name: &str) -> usize {
    let rows = count(metadata);
    let nulls = metadata.row_groups().iter().map(|group| {
        let column = group.columns().iter().find(|c| c.column_path().string() == name);
        column.and_then(|c| c.statistics()?.null_count_opt()).unwrap_or(0)
    });
    rows.saturating_sub(usize::try_from(nulls.sum::<u64>()).unwrap_or(0))
}

struct Output {
    writer: ArrowWriter<Vec<u8>>,
    stats: FileStats,
}

struct Merge<'a> {
    encoder: &'a Encoder,
    region: &'a str,
    hour: Hour,
    time: usize,
    cursors: Vec<Option<Cursor>>,
    /// The batches that `pending` refers to.
    slots: Vec<RecordBatch>,
    pending: Vec<(usize, usize)>,
    output: Option<Output>,
    /// Rows of an output, at most.
    room: usize,
    values: Vec<usize>,
    done: Vec<EncodedFile>,
}

impl Merge<'_> {
    fn fail(&self, source: ::parquet::errors::ParquetError) -> Error {
        Error::Parquet { table: self.encoder.table().0.name.clone(), source }
    }

    fn open(&mut self, mut reader: ParquetRecordBatchReader) -> Result<Option<Cursor>> {
        let Some((batch, times)) = self.read(&mut reader)? else { return Ok(None) };
        self.slots.push(batch.clone());
        Ok(Some(Cursor { reader, batch, times, row: 0, slot: self.slots.len() - 1 }))
    }

    /// The next batch of a file, as the table's contract has it, and its times.
    fn read(
        &self,
        reader: &mut ParquetRecordBatchReader,
    ) -> Result<Option<(RecordBatch, TimestampMicrosecondArray)>> {
        for batch in reader.by_ref() {
            let batch = batch.map_err(|e| self.fail(e.into()))?;
            if batch.num_rows() == 0 {
                continue;
            }
            let schema = self.encoder.schema();
            let columns = schema.fields().iter().map(|field| match batch.column_by_name(field.name()) {
                Some(column) if column.data_type() == field.data_type() => Ok(column.clone()),
                Some(column) => cast(column, field.data_type()),
                // The file was written before the contract had the column.
                None => Ok(new_null_array(field.data_type(), batch.num_rows())),
            });
            let batch = columns
                .collect::<Result<Vec<_>, _>>()
                .and_then(|columns| RecordBatch::try_new(schema.clone(), columns))
                .map_err(|e| self.fail(e.into()))?;
            let times = batch.column(self.time).as_any().downcast_ref::<TimestampMicrosecondArray>();
            let times =
                times.cloned().ok_or_else(|| self.wrong("its time column", "times", "other values"))?;
            return Ok(Some((batch, times)));
        }
        Ok(None)
    }

    fn wrong(&self, place: &str, expected: &str, got: &str) -> Error {
        Error::Batch {
            table: self.encoder.table().0.name.clone(),
            place: place.to_owned(),
            expected: expected.to_owned(),
            got: got.to_owned(),
        }
    }

    /// Takes rows of one file up to where another one comes first; gives the time of its next row.
    fn run(&mut self, at: usize, next: Option<(i64, usize)>) -> Result<Option<i64>> {
        let Some(mut cursor) = self.cursors[at].take() else { return Ok(None) };
        let mut last = i64::MIN;
        loop {
            if cursor.row == cursor.times.len() {
                let Some((batch, times)) = self.read(&mut cursor.reader)? else { return Ok(None) };
                self.slots.push(batch.clone());
                cursor.slot = self.slots.len() - 1;
                (cursor.batch, cursor.times, cursor.row) = (batch, times, 0);
            }
            let time = cursor.time();
            if time < last {
                let expected = format!("nothing before {}", format_timestamp(last));
                return Err(self.wrong("a stored file", &expected, &format_timestamp(time)));
            }
            if next.is_some_and(|next| (time, at) > next) {
                self.cursors[at] = Some(cursor);
                return Ok(Some(time));
            }
            last = time;
            self.take(cursor.slot, cursor.row, time)?;
            cursor.row += 1;
            if self.pending.len() >= BATCH_ROWS || self.is_full() {
                self.write()?;
                // Batches that nobody reads any more go.
                self.slots.clear();
                self.slots.push(cursor.batch.clone());
                cursor.slot = 0;
                for other in self.cursors.iter_mut().flatten() {
                    self.slots.push(other.batch.clone());
                    other.slot = self.slots.len() - 1;
                }
            }
        }
    }

    fn take(&mut self, slot: usize, row: usize, time: i64) -> Result<()> {
        let output = match &mut self.output {
            Some(output) => output,
            None => {
                let room = self.room;
                let writer = self.encoder.writer(|column| self.values[column].min(room))?;
                let stats = FileStats { rows: 0, min: time, max: time };
                self.output.insert(Output { writer, stats })
            }
        };
        output.stats.rows += 1;
        output.stats.max = time;
        self.pending.push((slot, row));
        Ok(())
    }

    fn is_full(&self) -> bool {
        self.output.as_ref().is_some_and(|o| o.stats.rows >= self.room as u64)
    }

    /// Writes the pending rows, and ends the file when it is full.
    fn write(&mut self) -> Result<()> {
        if !self.pending.is_empty() {
            let batches: Vec<&RecordBatch> = self.slots.iter().collect();
            let batch = interleave_record_batch(&batches, &self.pending).map_err(|e| self.fail(e.into()))?;
            self.pending.clear();
            if let Some(output) = &mut self.output {
                let written = output.writer.write(&batch);
                written.map_err(|e| self.fail(e))?;
            }
        }
        if self.is_full() { self.close() } else { Ok(()) }
    }

    fn close(&mut self) -> Result<()> {
        let Some(Output { writer, stats }) = self.output.take() else { return Ok(()) };
        let bytes = writer.into_inner().map_err(|e| self.fail(e))?;
        self.done.push(self.encoder.file(self.region, self.hour, stats, bytes));
        Ok(())
    }

    fn finish(mut self) -> Result<Vec<EncodedFile>> {
        self.write()?;
        self.close()?;
        Ok(self.done)
    }
}
