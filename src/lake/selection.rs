//! Rows picked from several batches, in an order: what becomes one file, without being copied together first.

use arrow::array::{Array, ArrayRef, RecordBatch, new_null_array};
use arrow::compute::interleave;
use arrow::error::ArrowError;

/// Rows of some batches of one table, in the order in which they are to be written.
#[derive(Debug)]
pub(crate) struct Selection<'a> {
    batches: Vec<&'a RecordBatch>,
    rows: Vec<(u32, u32)>,
}

impl<'a> Selection<'a> {
    /// The row `row` of the batch `at` for each `(at, row)`. Batches without such a row are let go: a partition is in few
    /// of the many that wait.
    pub(crate) fn new(batches: &[&'a RecordBatch], mut rows: Vec<(u32, u32)>) -> Selection<'a> {
        const UNUSED: u32 = u32::MAX;
        let mut places = vec![UNUSED; batches.len()];
        let mut used = Vec::new();
        for (at, _) in &mut rows {
            let place = &mut places[*at as usize];
            if *place == UNUSED {
                *place = used.len() as u32;
                used.push(batches[*at as usize]);
            }
            *at = *place;
        }
        Selection { batches: used, rows }
    }

    /// All rows of a batch.
    pub(super) fn whole(batch: &'a RecordBatch) -> Selection<'a> {
        Selection { batches: vec![batch], rows: (0..batch.num_rows() as u32).map(|row| (0, row)).collect() }
    }

    pub(super) fn batches(&self) -> &[&'a RecordBatch] {
        &self.batches
    }

    pub(super) fn rows(&self) -> &[(u32, u32)] {
        &self.rows
    }

    /// The arrays of a column.
    pub(super) fn arrays(&self, column: usize) -> impl Iterator<Item = &'a dyn Array> {
        self.batches.iter().map(move |batch| batch.column(column).as_ref())
    }

    /// Whether no batch has a value in a column: most rows leave most columns empty.
    pub(super) fn is_empty(&self, column: usize) -> bool {
        self.arrays(column).all(|array| array.null_count() == array.len())
    }

    /// Bytes of the rows, about, counted from what is in the batches rather than from what they reserved, so that the same
    /// rows give the same number.
    pub(super) fn bytes(&self) -> Result<usize, ArrowError> {
        let (mut bytes, mut rows) = (0u128, 0);
        for batch in &self.batches {
            for column in batch.columns() {
                bytes += column.to_data().get_slice_memory_size()? as u128;
            }
            rows += batch.num_rows() as u128;
        }
        Ok((bytes * self.rows.len() as u128 / rows.max(1)) as usize)
    }

    /// One column of some of the rows as an array.
    pub(super) fn gather(&self, column: usize, rows: &[(u32, u32)]) -> Result<ArrayRef, ArrowError> {
        let arrays: Vec<&dyn Array> = self.arrays(column).collect();
        if let [batch] = self.batches.as_slice()
            && rows.len() == batch.num_rows()
            && rows.iter().enumerate().all(|(at, (_, row))| at == *row as usize)
        {
            return Ok(batch.column(column).clone());
        }
        if self.is_empty(column) {
            let kind = self.batches.first().map(|batch| batch.column(column).data_type().clone());
            return Ok(new_null_array(&kind.unwrap_or(arrow::datatypes::DataType::Null), rows.len()));
        }
        let indices: Vec<(usize, usize)> =
            rows.iter().map(|(at, row)| (*at as usize, *row as usize)).collect();
        interleave(&arrays, &indices)
    }
}
