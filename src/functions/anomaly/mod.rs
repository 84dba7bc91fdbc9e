//! How unusual each value of a series is, given nothing but the values before it.
//!
//! A [`Detector`] looks at a series in several ways at once: the value itself and its mean over the last few
//! values (levels), its distance from a fast and a slow moving average (jumps and shifts), how restless it is
//! (changes from row to row), and its distance from what this time of the day or of the week usually brings
//! (season). Each way is a statistic whose tail is learned online ([`tail`]), so that no scale, unit or
//! distribution has to be known; the rarest of them decides.
//!
//! What is rare enough is not tuned per series either: a value is reported when it is about as rare as once in
//! the whole history seen so far. After a report the same evidence counts less for a while, so that one
//! incident is reported when it starts and not at each of its rows.
//!
//! State is bounded: the last [`HISTORY`] values of each statistic, and one profile of a day and of a week.

mod channels;
mod detector;
mod profile;
mod tail;

pub use detector::{Detector, WARM_UP, anomaly_scores};
pub use tail::HISTORY;
