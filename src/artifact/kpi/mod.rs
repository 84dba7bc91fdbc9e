//! `snapshot_NNNN.json`, `baseline_metrics.json`, `ga_kpi_summary.json` and its `.sha256`: the key figures of a window,
//! interval by interval.
//!
//! A figure without data is `null`, and `missing` beside it says why.

mod collect;
mod snapshot;
mod summary;

pub use collect::collect;
