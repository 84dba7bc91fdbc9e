//! What a table holds: sizes, files, rows, and which hours of which regions.

use std::collections::{BTreeMap, BTreeSet};

use super::snapshot::{DataFile, Snapshot};
use crate::domain::{Hour, MICROS_PER_HOUR};

/// One region of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegionStatus {
    /// The region.
    pub region: String,
    /// Files.
    pub files: usize,
    /// Files below the size that was asked about.
    pub small_files: usize,
    /// Rows.
    pub rows: u64,
    /// Bytes.
    pub bytes: u64,
    /// The first time that a row can have (UTC microseconds).
    pub first: i64,
    /// The last time that a row can have (UTC microseconds).
    pub last: i64,
    /// Hours that hold rows.
    pub hours: usize,
    /// Hours between the first and the last that hold none, as runs of first and last hour.
    pub gaps: Vec<(Hour, Hour)>,
}

impl RegionStatus {
    /// Hours in the gaps.
    pub fn missing_hours(&self) -> usize {
        let hours = |(first, last): &(Hour, Hour)| (last.end() - first.start()) / MICROS_PER_HOUR;
        usize::try_from(self.gaps.iter().map(hours).sum::<i64>()).unwrap_or(0)
    }

    fn of(region: &str, files: &[&DataFile], small: u64) -> Self {
        let hours: BTreeSet<Hour> = files.iter().map(|f| f.hour).collect();
        let listed: Vec<Hour> = hours.iter().copied().collect();
        let gaps = listed.windows(2).filter(|pair| pair[0].end() < pair[1].start());
        RegionStatus {
            region: region.to_owned(),
            files: files.len(),
            small_files: files.iter().filter(|f| f.size < small).count(),
            rows: files.iter().map(|f| f.rows).sum(),
            bytes: files.iter().map(|f| f.size).sum(),
            first: files.iter().map(|f| f.min_time).min().unwrap_or_default(),
            last: files.iter().map(|f| f.max_time).max().unwrap_or_default(),
            hours: hours.len(),
            gaps: gaps
                .map(|pair| (Hour::of_micros(pair[0].end()), Hour::of_micros(pair[1].start() - 1)))
                .collect(),
        }
    }
}

impl Snapshot {
    /// Its regions, by name; a file below `small` bytes counts as small.
    pub fn regions(&self, small: u64) -> Vec<RegionStatus> {
        let mut regions: BTreeMap<&str, Vec<&DataFile>> = BTreeMap::new();
        for file in self.files() {
            regions.entry(&file.region).or_default().push(file);
        }
        regions.into_iter().map(|(region, files)| RegionStatus::of(region, &files, small)).collect()
    }
}
