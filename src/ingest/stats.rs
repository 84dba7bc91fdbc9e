//! What an ingest came to, and how it tells about itself on the way.

use std::collections::BTreeMap;

use super::output::Decoded;
use super::quarantine::Reject;

/// What happened to the records of all sources. `read` is always `landed + rejected + already_landed`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// Records read: log events, spans, metric points, rows; something that is no record counts one.
    pub read: u64,
    /// Records that are now in their table.
    pub landed: u64,
    /// Records that are now in `rejects`.
    pub rejected: u64,
    /// Records that were in the lake before, in their table or in `rejects`.
    pub already_landed: u64,
    /// What each table got, `rejects` included.
    pub tables: BTreeMap<&'static str, TableSummary>,
    /// Rejected records by reason code.
    pub reasons: BTreeMap<&'static str, u64>,
    /// Sources, in the order they were read.
    pub sources: Vec<SourceSummary>,
    /// Rows whose region is named by the path of their source.
    pub regions_from_path: u64,
    /// Rows whose region is the one given to ingest. Of the other rows the record (or an ARN in it) says it.
    pub regions_from_option: u64,
    /// Rows whose region nothing says.
    pub unknown_region: u64,
    /// Typed values that their column could not hold; they are in the attributes.
    pub unfit_values: u64,
    /// Times and durations without a unit; they are in the attributes.
    pub unitless_values: u64,
    /// What carries no record: CloudWatch control messages, audit events of a request that goes on.
    pub control_messages: u64,
    /// Unpacked bytes.
    pub bytes: u64,
    /// Whether it was stopped before the end.
    pub cancelled: bool,
    /// Whether more records were rejected than the feed may have.
    pub bad_feed: bool,
    /// Whether nothing of it landed, for that reason or because it was a dry run; the counts say what would have.
    pub discarded: bool,
    /// Of a dry run the first records that would be rejected for each reason.
    pub examples: Vec<Example>,
}

/// A record that would be rejected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// The reason code.
    pub code: &'static str,
    /// Where it is: the source, and the first byte in it, unpacked.
    pub place: (String, u64),
    /// What is wrong: expected and found.
    pub reason: String,
    /// Its bytes.
    pub original: Vec<u8>,
}

/// Records of each reason that a dry run shows.
const EXAMPLES: u64 = 2;

/// What one table got.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TableSummary {
    /// Rows.
    pub rows: u64,
    /// Data files.
    pub files: u64,
    /// Bytes of them.
    pub bytes: u64,
}

/// What one source came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SourceSummary {
    /// Path, or `-`.
    pub name: String,
    /// Its format.
    pub format: &'static str,
    /// Records read.
    pub read: u64,
    /// Records that are now in their table.
    pub landed: u64,
    /// Records that are now in `rejects`.
    pub rejected: u64,
    /// Records that were in the lake before.
    pub already_landed: u64,
    /// All of this very version landed before (as its store names versions), so it was not read again.
    pub skipped: bool,
    /// Its beginning is not what landed earlier: it was rewritten, and landed anew.
    pub changed: bool,
    /// It has no identity (standard input without a source id): read again, it lands again.
    pub unidentified: bool,
    /// Why it could not be read to its end; what came before has landed.
    pub damage: Option<String>,
}

impl Summary {
    /// Rows whose region their record names, itself or by an ARN.
    pub fn regions_from_record(&self) -> u64 {
        self.landed - self.regions_from_path - self.regions_from_option - self.unknown_region
    }

    /// Counts what a block of a source would land, and keeps the first rejects as examples.
    pub(crate) fn foresee(&mut self, source: &str, decoded: Decoded) {
        for rows in &decoded.rows {
            self.tables.entry(rows.table.name()).or_default().rows += rows.batch.num_rows() as u64;
        }
        for reject in decoded.rejects {
            let code = reject.fault.code.as_str();
            let count = self.reasons.entry(code).or_default();
            *count += 1;
            if *count <= EXAMPLES {
                let place = (source.to_owned(), reject.offset);
                let Reject { fault, original, .. } = reject;
                self.examples.push(Example { code, place, reason: fault.reason, original });
            }
        }
    }

    /// Whether more of the new records are rejected than that share.
    pub(crate) fn exceeds(&self, ratio: Option<f64>, least: u64) -> bool {
        let new = self.landed + self.rejected;
        new >= least && ratio.is_some_and(|ratio| self.rejected as f64 > ratio * new as f64)
    }

    /// Sources that could not be read to their end.
    pub fn damaged(&self) -> impl Iterator<Item = &SourceSummary> {
        self.sources.iter().filter(|s| s.damage.is_some())
    }
}

/// How far an ingest is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step<'a> {
    /// Bytes taken from all sources, as they are stored (packed).
    pub bytes: u64,
    /// Bytes of all sources, if all of them say.
    pub total: Option<u64>,
    /// Records read.
    pub records: u64,
    /// The source of the latest records.
    pub source: &'a str,
}

/// Somebody who wants to know how far an ingest is.
pub trait Progress: Sync {
    /// Called after every block.
    fn step(&self, step: Step<'_>);
}

/// Nobody does.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn step(&self, _: Step<'_>) {}
}
