//! What counts as a change: limits of `tars changes` and `tars compare`.

use serde::Serialize;

use super::load::Entry;
use super::read::{Problems, Section};

/// What counts as a change.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    /// How long before a change of level a recorded change may be its cause, in seconds.
    pub lookback_seconds: i64,
    /// The share of differences called real that may be chance.
    pub false_alarms: f64,
    /// A shift of the median below this many percent of the baseline is none, where no drift check says otherwise.
    pub min_effect_percent: f64,
    /// Values that spread this many times as far, or the inverse, have changed even around an equal median.
    pub spread_ratio: f64,
    /// A population stability index from which a distribution has changed.
    pub psi: f64,
}

pub(super) fn change(entry: Entry, problems: &mut Problems) -> Change {
    let mut section = Section::new(entry.path, entry.table, problems);
    let s = &mut section;
    let lookback = s.integer("lookback_seconds").unwrap_or_default();
    if lookback < 0 {
        s.wrong("lookback_seconds", lookback.to_string(), "a whole number of at least 0", None);
    }
    let change = Change {
        lookback_seconds: lookback,
        false_alarms: s.amount("false_alarms"),
        min_effect_percent: s.amount("min_effect_percent"),
        spread_ratio: s.amount("spread_ratio"),
        psi: s.amount("psi"),
    };
    if change.false_alarms >= 1.0 {
        s.wrong("false_alarms", change.false_alarms.to_string(), "a share below 1, such as 0.05", None);
    }
    if change.spread_ratio < 1.0 {
        s.wrong("spread_ratio", change.spread_ratio.to_string(), "a ratio of at least 1, such as 1.5", None);
    }
    section.finish();
    change
}
