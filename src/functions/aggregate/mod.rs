//! Aggregate functions: many rows in, one value out, whatever the order of the rows.
//!
//! The machinery is in `accumulate`: each function says what it summarises into ([`crate::functions::QuantileSketch`] or
//! [`crate::functions::ExactSum`]), what it takes (doubles or summaries in bytes) and how it finishes.

mod accumulate;
pub mod exact_avg;
pub mod exact_sum;
pub mod quantile_sketch;
pub mod sketch_merge;
