//! How unusual each value of a series is, given nothing but the values before it.
//!
//! A [`Detector`] looks at a series in several ways at once: the value itself, its distance from the median of
//! the few before it (jumps), that of a few from the median of many (bursts and dips that last, which one outlier
//! is not) and of some from a slow moving average (shifts), how restless the series is (changes from row to row),
//! and the distance of one, a few and many values from what this time of the day and of the week usually brings
//! (season). What a value is compared with are medians, because an average is moved by the outlier that it is to
//! show, and then shows the way back as another. Each way is a statistic whose tail is learned online ([`tail`]),
//! so that no scale, unit or distribution has to be known; the rarest of them decides.
//!
//! What is rare enough is not tuned per series either: a value is reported when it is about as rare as once in
//! the whole history seen so far. After a report evidence counts less for a while, so that one incident is
//! reported when it starts and not at each of its rows, nor when it ends.
//!
//! State is bounded: the last [`HISTORY`] values of each statistic, and one profile of a day and of a week.

mod channels;
mod detector;
mod profile;
mod recent;
mod tail;

pub use detector::{Detector, WARM_UP, anomaly_scores};
pub use tail::HISTORY;
