//! A figure over equal intervals of time, packed: what checks of months of intervals are made on.
//!
//! A series holds, for every interval in which anything was sampled, its number (the *slot*), how many samples it had and
//! their exact total, rounded once: about ten bytes. As rows of a table the same interval would take ten times that, and every
//! step over it a hash table of millions of keys.
//!
//! Requests counted by slots, with the sketches of their latencies, are packed in a similar way (`counts`).

mod codec;
mod counts;
mod profile;
mod sums;

pub use codec::{Interval, Intervals, NotASeries, intervals, pack, select, unpack};
pub use counts::{CountLog, Counts, each as each_count};
pub use profile::{Line, Season, SeasonProfile, profile};
pub use sums::IntervalSums;
