//! Statistics of change: robust location, spread and slope, tests of two samples, distances between
//! distributions, and change points.
//!
//! Everything here is a pure function of its numbers: exact order statistics instead of sampling, no permutations,
//! no seed. Samples are given sorted and free of NaN and infinities ([`sample`] makes them so), so that the order
//! in which rows came cannot matter. docs/statistics.md says which test is for what.

pub mod change_points;
pub mod distance;
pub mod distribution;
pub mod false_alarms;
pub mod fisher;
pub mod kolmogorov;
pub mod mann_whitney;
mod normal;
pub mod sample;
mod search;
pub mod shift;
pub mod slope;
pub mod spread;
