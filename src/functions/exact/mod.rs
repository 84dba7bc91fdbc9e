//! Sums of doubles without rounding on the way: the order of addition cannot matter.
//!
//! A double is a whole multiple of 2^-1074, so a sum of doubles is a whole number of those, kept here as
//! digits of 32 bits and rounded once, at the end (Kulisch's long accumulator; the small superaccumulator
//! of Neal, "Fast exact summation using small and large superaccumulators", 2015). Only the digits between
//! the smallest and the largest value are held: four or five for telemetry, 69 at most. Shewchuk's
//! expansions (Python's `math.fsum`) were not chosen: their intermediate sums overflow, and that depends on
//! the order.
//!
//! | values | sum | mean |
//! |---|---|---|
//! | none | none | none |
//! | a constant c, n times | n·c, rounded once | c |
//! | a NaN among them | NaN | NaN |
//! | +∞ or −∞ among them | that infinity | that infinity |
//! | +∞ and −∞ among them | NaN | NaN |
//! | finite, true sum beyond 1.8e308 | ±∞ | finite, rounded once |
//! | only −0 | 0 | 0 |

mod exact_sum;
#[cfg(test)]
mod oracle;
mod rounding;

pub use exact_sum::{ExactSum, NotASum};
