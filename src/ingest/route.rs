//! Buffered rows into partitions: each region and hour becomes one sorted file.

use std::collections::BTreeMap;

use super::columns::Rows;
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

/// Puts the rows of a partition into the order of time; rows of the same instant stay in the order of arrival, so that
/// the same input gives the same file.
pub(crate) fn sort(buffer: &[Rows], rows: &mut [(u32, u32)]) {
    let time = |(at, row): &(u32, u32)| buffer[*at as usize].times[*row as usize];
    if !rows.is_sorted_by_key(time) {
        rows.sort_by_key(time);
    }
}
