//! What a window has to bring to be certified at all; what it has to show are criteria.

use std::sync::Arc;

use arrow::array::Int64Array;
use serde::Serialize;

use super::load::Entry;
use super::read::{Problems, Section};
use super::tables::{Columns, doubles};

/// What a window has to bring to be certified at all.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Certification {
    /// Share of the window's minutes that have to hold requests.
    pub min_coverage: f64,
    /// How long after its deployment a new version is a canary.
    pub canary_seconds: i64,
}

impl Certification {
    /// As columns of a table of one row.
    pub(super) fn columns(&self) -> Columns {
        vec![
            ("min_coverage", doubles(std::iter::once(self.min_coverage))),
            ("canary_seconds", Arc::new(Int64Array::from_iter_values([self.canary_seconds]))),
        ]
    }
}

/// Reads the section.
pub(super) fn certification(entry: Entry, problems: &mut Problems) -> Certification {
    let mut section = Section::new(entry.path, entry.table, problems);
    let min_coverage = section.amount("min_coverage");
    if min_coverage > 1.0 {
        section.wrong("min_coverage", min_coverage.to_string(), "a share between 0 and 1", None);
    }
    let canary_seconds = section.integer("canary_seconds").unwrap_or_default();
    if canary_seconds < 1 {
        section.wrong(
            "canary_seconds",
            canary_seconds.to_string(),
            "a whole number of seconds, at least 1",
            None,
        );
    }
    section.finish();
    Certification { min_coverage, canary_seconds }
}
