//! Where a source goes on: what the lake remembers of it, compared with what it begins with now.

use super::land::Recorded;
use super::output::REJECTS;
use super::run::TABLES;
use super::table::TABLE_COUNT;

/// The offsets that the lake remembers of a source, ascending.
pub(super) fn offsets(recorded: &[Recorded; TABLES]) -> Vec<u64> {
    let mut offsets: Vec<u64> = recorded.iter().filter(|r| r.ordinal > 0).map(|r| r.offset).collect();
    offsets.sort_unstable();
    offsets.dedup();
    offsets
}

/// Up to where each table has a source with these digests, and which tables had something else.
pub(super) fn compare(
    recorded: &[Recorded; TABLES],
    offsets: &[u64],
    digests: &[Option<u64>],
) -> ([u64; TABLES], [bool; TABLES]) {
    let mut done = [0; TABLES];
    let mut changed = [false; TABLES];
    for (table, recorded) in recorded.iter().enumerate().filter(|(_, r)| r.ordinal > 0) {
        let digest = offsets.binary_search(&recorded.offset).ok().and_then(|at| digests[at]);
        if digest == Some(recorded.digest) {
            done[table] = recorded.offset;
        } else {
            changed[table] = true;
        }
    }
    // A table that took no part in the last round has everything up to where that round came.
    let reached = done.iter().copied().max().unwrap_or(0);
    let holders = recorded.iter().zip(&done).filter(|(r, done)| **done == reached && r.ordinal > 0);
    let round = holders.map(|(r, _)| r.tables).find(|tables| *tables != 0);
    if let Some(round) = round {
        for (_, done) in done.iter_mut().enumerate().filter(|(t, _)| round & (1 << t) == 0) {
            *done = (*done).max(reached);
        }
    }
    // Every flush commits `rejects` first: what a table has, `rejects` has too.
    done[REJECTS] = done.iter().copied().max().unwrap_or(0);
    (done, changed)
}

/// How far the rows of a source are in the lake. A record that was cut short is no reason to cut it there again, so
/// `rejects` does not count.
pub(super) fn landed(recorded: &[Recorded; TABLES], changed: &[bool; TABLES]) -> u64 {
    let of_records = recorded.iter().zip(changed).take(TABLE_COUNT);
    of_records.filter(|(r, changed)| r.ordinal > 0 && !**changed).map(|(r, _)| r.offset).max().unwrap_or(0)
}
