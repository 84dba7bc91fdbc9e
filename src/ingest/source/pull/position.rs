//! How far a pull is, as the lake remembers it.
//!
//! A position takes the place of a file's offset: milliseconds since the Unix epoch up to which everything has
//! landed. In place of the digest stands the second from which on that holds.

use crate::ingest::land::Recorded;

/// Bits that a commit keeps of the beginning.
const BEGIN_MASK: u64 = (1 << 40) - 1;

/// A stretch of time to pull, in milliseconds; the end is not part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stretch {
    pub(crate) from: u64,
    pub(crate) to: u64,
}

/// What is to be done for a stretch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Work {
    /// Where to begin to ask.
    pub(crate) start: u64,
    pub(crate) end: u64,
    /// Everything before it has landed; the next position is behind it.
    pub(crate) position: u64,
    /// What the lake may hold already ends here.
    pub(crate) known_until: u64,
    /// Recorded with every commit.
    pub(crate) begin: u64,
    /// The stretch does not join what was pulled before: a new count of positions.
    pub(crate) anew: bool,
}

/// What to do for a wish (without a start: from where it ended, or the last `first` milliseconds), or `None` when all
/// of it has landed.
pub(crate) fn work(recorded: Recorded, from: Option<u64>, to: u64, first: u64, overlap: u64) -> Option<Work> {
    if recorded.ordinal == 0 {
        let start = from.unwrap_or_else(|| to.saturating_sub(first));
        let begin = (start / 1000) & BEGIN_MASK;
        let work = Work { start, end: to, position: start, known_until: start, begin, anew: false };
        return (start < to).then_some(work);
    }
    let (begin, position) = (recorded.digest, recorded.offset);
    let from = from.unwrap_or(begin * 1000);
    if from / 1000 >= begin && from <= position {
        if to <= position {
            return None;
        }
        let start = from.max(position.saturating_sub(overlap)).min(position);
        return Some(Work { start, end: to, position, known_until: position, begin, anew: false });
    }
    let begin = (from / 1000) & BEGIN_MASK;
    let work = Work { start: from, end: to, position: from, known_until: to, begin, anew: true };
    (from < to).then_some(work)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u64 = 3_600_000;

    #[test]
    fn a_pull_goes_on_where_it_ended_and_looks_back_for_what_was_late() {
        let never = Recorded::default();
        let fresh = work(never, None, 10 * HOUR, HOUR, 60_000).unwrap();
        assert_eq!((fresh.start, fresh.end, fresh.anew), (9 * HOUR, 10 * HOUR, false));
        let recorded = Recorded { generation: 0, ordinal: 3, offset: 5 * HOUR, digest: 3600, tables: 0 };
        let on = work(recorded, None, 6 * HOUR, HOUR, 60_000).unwrap();
        assert_eq!(on.start, 5 * HOUR - 60_000);
        assert_eq!((on.position, on.known_until, on.begin), (5 * HOUR, 5 * HOUR, 3600));
        // Asked for from the start again: only the overlap is looked at once more.
        let again = work(recorded, Some(HOUR), 6 * HOUR, HOUR, 60_000).unwrap();
        assert_eq!((again.start, again.position), (5 * HOUR - 60_000, 5 * HOUR));
        assert_eq!(work(recorded, Some(HOUR), 5 * HOUR, HOUR, 60_000), None);
    }

    #[test]
    fn a_stretch_that_does_not_join_begins_a_new_count_and_compares_all_of_it() {
        let recorded = Recorded { generation: 0, ordinal: 3, offset: 5 * HOUR, digest: 3600, tables: 0 };
        for (from, to) in [(0, 2 * HOUR), (7 * HOUR, 8 * HOUR)] {
            let anew = work(recorded, Some(from), to, HOUR, 0).unwrap();
            assert_eq!((anew.start, anew.known_until, anew.anew), (from, to, true));
        }
        assert_eq!(work(Recorded::default(), Some(5), 5, HOUR, 0), None);
    }
}
