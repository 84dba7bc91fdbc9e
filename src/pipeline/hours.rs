//! What an incremental model of the scope `hours` has to compute: whole hours, because its rows join rows of its source
//! with each other, or sum up numbers that must be rounded once.
//!
//! A row of the source may meet rows of its own hour and of the hour before, of any region. So each hour that gained
//! or lost rows, and the hour after it, is computed anew from all files of it and of the hour before, and takes the
//! place of what the model held of it.

use std::collections::BTreeSet;

use crate::domain::Hour;
use crate::lake::{Changes, DataFile};

/// Rows of the source that are joined at a time, about: what a join builds is held in memory.
const ROWS_AT_A_TIME: u64 = 1_000_000;

/// Files that are read together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chunk {
    pub(super) files: Vec<DataFile>,
    /// Only rows of these hours are kept; nothing where all are.
    pub(super) hours: Option<BTreeSet<Hour>>,
}

/// The chunks, in the order of time, and the regions and hours of the model that they replace.
pub(super) fn chunks(
    source: &[DataFile],
    changes: &Changes,
    held: &[DataFile],
) -> (Vec<Chunk>, BTreeSet<(String, Hour)>) {
    let changed = changes.added.iter().map(|f| f.hour).chain(changes.rewritten.iter().map(|(_, hour)| *hour));
    let due: BTreeSet<Hour> = changed.flat_map(|hour| [hour, next(hour)]).collect();
    let replaced = held.iter().filter(|f| due.contains(&f.hour)).map(|f| (f.region.clone(), f.hour));
    let replaced = replaced.chain(changes.rewritten.iter().cloned()).collect();

    let rows = |hour: Hour| source.iter().filter(|f| f.hour == hour).map(|f| f.rows).sum::<u64>();
    let (mut chunks, mut open, mut held_rows) = (Vec::new(), BTreeSet::new(), 0);
    for hour in due {
        let more = rows(hour);
        if !open.is_empty() && held_rows + more > ROWS_AT_A_TIME {
            chunks.push(chunk(source, std::mem::take(&mut open)));
            held_rows = 0;
        }
        open.insert(hour);
        held_rows += more;
    }
    chunks.push(chunk(source, open));
    chunks.retain(|chunk| !chunk.files.is_empty());
    (chunks, replaced)
}

fn chunk(source: &[DataFile], hours: BTreeSet<Hour>) -> Chunk {
    let is_read = |f: &&DataFile| hours.contains(&f.hour) || hours.contains(&next(f.hour));
    let files = source.iter().filter(is_read).cloned().collect();
    Chunk { files, hours: Some(hours) }
}

fn next(hour: Hour) -> Hour {
    Hour::of_micros(hour.end())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(region: &str, hour: &str, rows: u64) -> DataFile {
        let hour: Hour = hour.parse().unwrap();
        DataFile {
            path: format!("{region}/{hour}"),
            size: rows,
            region: region.to_owned(),
            hour,
            rows,
            min_time: hour.start(),
            max_time: hour.end() - 1,
            exact: true,
            modified: 0,
        }
    }

    fn hours(chunk: &Chunk) -> Vec<String> {
        chunk.hours.iter().flatten().map(Hour::to_string).collect()
    }

    fn paths(chunk: &Chunk) -> Vec<&str> {
        chunk.files.iter().map(|f| f.path.as_str()).collect()
    }

    #[test]
    fn an_hour_that_gained_rows_is_computed_with_the_next_from_all_regions_and_the_hour_before() {
        let source = ["2025-01-15T09", "2025-01-15T10", "2025-01-15T11", "2025-01-15T12", "2025-01-15T13"]
            .map(|hour| [file("eu", hour, 10), file("us", hour, 10)])
            .concat();
        let changes = Changes { added: vec![file("eu", "2025-01-15T11", 10)], ..Changes::default() };
        let held =
            [file("us", "2025-01-15T11", 1), file("us", "2025-01-15T12", 1), file("us", "2025-01-15T13", 1)];
        let (chunks, replaced) = chunks(&source, &changes, &held);
        assert_eq!(chunks.len(), 1);
        assert_eq!(hours(&chunks[0]), ["2025-01-15T11", "2025-01-15T12"]);
        assert_eq!(
            paths(&chunks[0]),
            ["10", "11", "12"].map(|h| [format!("eu/2025-01-15T{h}"), format!("us/2025-01-15T{h}")]).concat()
        );
        let replaced: Vec<_> =
            replaced.into_iter().map(|(region, hour)| format!("{region}/{hour}")).collect();
        assert_eq!(replaced, ["us/2025-01-15T11", "us/2025-01-15T12"]);
    }

    #[test]
    fn an_hour_that_lost_its_rows_is_replaced_by_what_is_left() {
        let changes = Changes {
            rewritten: [("eu".to_owned(), "2025-01-15T11".parse().unwrap())].into(),
            ..Changes::default()
        };
        let (chunks, replaced) = chunks(&[], &changes, &[file("us", "2025-01-15T12", 1)]);
        assert!(chunks.is_empty());
        assert_eq!(replaced.len(), 2);
    }

    #[test]
    fn long_stretches_are_cut_into_pieces_that_fit_into_memory() {
        let source = ["2025-01-15T09", "2025-01-15T10", "2025-01-15T11"]
            .map(|hour| file("eu", hour, ROWS_AT_A_TIME / 2));
        let changes = Changes { added: source.to_vec(), ..Changes::default() };
        let (chunks, replaced) = chunks(&source, &changes, &[]);
        let all: Vec<_> = chunks.iter().map(hours).collect();
        assert_eq!(all, [vec!["2025-01-15T09", "2025-01-15T10"], vec!["2025-01-15T11", "2025-01-15T12"]]);
        assert_eq!(paths(&chunks[1]), ["eu/2025-01-15T10", "eu/2025-01-15T11"]);
        assert!(replaced.is_empty());
    }
}
