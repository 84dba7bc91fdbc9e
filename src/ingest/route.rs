//! Buffered rows into partitions: each region and hour becomes one sorted batch.

use std::collections::BTreeMap;

use arrow::array::{Array, RecordBatch, new_null_array};
use arrow::compute::interleave;

use super::columns::Rows;
use super::error::{Error, Result};
use super::table::TableId;
use crate::domain::Hour;

/// For each partition its rows: position in the buffer, row in the batch.
pub(crate) type Partitions = BTreeMap<(String, Hour), Vec<(u32, u32)>>;

/// Assigns every row to its partition, in the order of arrival.
pub(crate) fn partitions(buffer: &[Rows]) -> Partitions {
    let mut partitions: Vec<Vec<(u32, u32)>> = Vec::new();
    let mut numbers: BTreeMap<(String, Hour), usize> = BTreeMap::new();
    for (at, rows) in buffer.iter().enumerate() {
        let numbers_here: Vec<usize> = rows
            .parts
            .iter()
            .map(|part| {
                *numbers.entry(part.clone()).or_insert_with(|| {
                    partitions.push(Vec::new());
                    partitions.len() - 1
                })
            })
            .collect();
        for (row, part) in rows.part_of.iter().enumerate() {
            partitions[numbers_here[*part as usize]].push((at as u32, row as u32));
        }
    }
    numbers.into_iter().map(|(key, number)| (key, std::mem::take(&mut partitions[number]))).collect()
}

/// One partition as a batch in the order of time; rows of the same instant stay in the order of arrival, so
/// that the same input gives the same file.
pub(crate) fn gather(table: TableId, buffer: &[Rows], mut rows: Vec<(u32, u32)>) -> Result<RecordBatch> {
    let time = |(at, row): &(u32, u32)| buffer[*at as usize].times[*row as usize];
    if !rows.is_sorted_by_key(time) {
        rows.sort_by_key(time);
    }
    let indices: Vec<(usize, usize)> = rows.iter().map(|(at, row)| (*at as usize, *row as usize)).collect();
    let wrong = |source| Error::Columns { table: table.name(), source };
    let schema = table.facts().table.file_schema();
    let columns = (0..schema.fields().len())
        .map(|column| {
            let arrays: Vec<&dyn Array> =
                buffer.iter().map(|rows| rows.batch.column(column).as_ref()).collect();
            // Most rows leave most columns empty.
            if arrays.iter().all(|a| a.null_count() == a.len()) {
                return Ok(new_null_array(schema.field(column).data_type(), indices.len()));
            }
            interleave(&arrays, &indices)
        })
        .collect::<std::result::Result<Vec<_>, _>>()
        .map_err(wrong)?;
    RecordBatch::try_new(schema, columns).map_err(wrong)
}
