//! The sections of a report, in the order of the specification, one file each.

pub(super) mod about;
pub(super) mod errors;
pub(super) mod executive;
pub(super) mod performance;
mod pictures;
pub(super) mod recommendations;
pub(super) mod regions;
pub(super) mod regressions;
pub(super) mod slo;

/// Rows of a table that people read; the query beside it gives the rest.
const TOP: usize = 10;
/// Findings that are told in sentences.
const TOLD: usize = 5;
