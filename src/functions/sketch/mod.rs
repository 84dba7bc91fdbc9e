//! Quantile sketches: a mergeable summary that answers quantiles within 1 % of the exact ones.
//!
//! What is promised, for a sketch of `n` values:
//! - [`QuantileSketch::quantile`] is within [`RELATIVE_ERROR`] (0.99 %) of the value of rank `⌈q·n⌉` in ascending
//!   order, wherever that value lies and however the values are distributed: buckets are never collapsed.
//!   Quantiles 0 and 1 are the exact smallest and largest value.
//! - The same multiset of values gives the same bytes, whatever the order of inserts and merges.
//! - Memory is 48 bytes and about 8 for each bucket in use: 35 buckets for a factor of two, so 350 for values
//!   that spread over three orders of magnitude, and never more than 143,000.
//!
//! | values | count | quantile | share below |
//! |---|---|---|---|
//! | none, or only NaN | 0 | none | none |
//! | one value, or a constant | n | the constant, exact | 0 up to the constant, 1 above it |
//! | NaN among others | not counted | ignored | ignored |
//! | ±∞ | counted | ±∞ where the rank falls on one | below or above everything finite |
//! | 0, −0, \|x\| < 2.2e-308 | counted as zero | 0 | at zero |
//! | negative | counted | same relative error | as for positive |

mod buckets;
mod codec;
mod quantile_sketch;
mod store;

pub use buckets::RELATIVE_ERROR;
pub use codec::SketchError;
pub use quantile_sketch::QuantileSketch;
