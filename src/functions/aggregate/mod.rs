//! Aggregate functions: many rows in, one value out, whatever the order of the rows.
//!
//! The machinery is in `accumulate`: each function says what it summarises into ([`crate::functions::QuantileSketch`] or
//! [`crate::functions::ExactSum`]), what it takes (doubles or summaries in bytes) and how it finishes. Those that need all
//! values at once stand on `collect`; their computations are in [`crate::functions::statistics`].

mod accumulate;
mod collect;
mod event_log;
mod intervals;
pub mod brown_forsythe_p;
pub mod burn_windows;
pub mod change_points;
pub mod exact_avg;
pub mod exact_sum;
pub mod hodges_lehmann;
pub mod hodges_lehmann_lower;
pub mod hodges_lehmann_upper;
pub mod interval_counts;
pub mod interval_series;
pub mod js_divergence_of;
pub mod ks_p_value_of;
pub mod ks_statistic_of;
pub mod mad;
pub mod mann_whitney_p;
pub mod mann_whitney_u;
pub mod psi_of;
pub mod quantile_sketch;
pub mod request_series;
pub mod series_sum;
pub mod sketch_merge;
pub mod spread_ratio;
pub mod theil_sen_slope;
pub mod trace_parts;
pub mod wasserstein_of;
