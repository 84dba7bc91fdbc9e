//! Where decoded records end up within one block: rows by table, rejects, and the counts that must add up.

use std::sync::Arc;

use super::columns::{Rows, TableBuilder};
use super::error::Result;
use super::format::names::Names;
use super::options::Format;
use super::quarantine::{Code, Fault, Reject};
use super::row::{Notes, Row};
use super::source::Head;
use super::table::{TABLE_COUNT, TableId};
use crate::domain::UNKNOWN_REGION;

/// Position of `rejects` after the tables that records land in.
pub(crate) const REJECTS: usize = TABLE_COUNT;

/// What decoding needs to know about a source.
#[derive(Debug, Clone)]
pub(crate) struct Origin {
    pub(crate) format: Format,
    /// The table that the caller asked for.
    pub(crate) table: Option<TableId>,
    /// The table that the file name suggests.
    pub(crate) hint: Option<TableId>,
    /// Region of records that name none, when the path does not say it.
    pub(crate) region: Option<String>,
    /// The region that the path names.
    pub(crate) path_region: Option<String>,
    /// The file's name without its ends: what a series is called that has no name of its own.
    pub(crate) stem: Option<String>,
    /// For each table (then `rejects`) the offset up to which this source has landed.
    pub(crate) done: [u64; TABLE_COUNT + 1],
}

/// A record's place in its source.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    /// Byte where its frame starts.
    pub(crate) base: u64,
    /// Byte where the record starts.
    pub(crate) offset: u64,
    /// First byte after the frame that it is part of: what commits count by.
    pub(crate) end: u64,
    /// Its bytes.
    pub(crate) original: &'a [u8],
}

/// The sums of one block; `read` is always landed + rejected + already.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) read: u64,
    pub(crate) landed: u64,
    pub(crate) rejected: u64,
    pub(crate) already: u64,
    /// Envelopes that carry no records (CloudWatch control messages); not records themselves.
    pub(crate) controls: u64,
    /// Rows whose region is the path's, and the caller's; of the others the record says it or nothing does.
    pub(crate) regions_from_path: u64,
    pub(crate) regions_from_option: u64,
    pub(crate) notes: Notes,
}

/// Rows and rejects of one block.
#[derive(Default)]
pub(crate) struct Output {
    builders: [Option<TableBuilder>; TABLE_COUNT],
    rejects: Vec<Reject>,
    pub(crate) counts: Counts,
    /// The header that holds for the records that come; their rejects keep it.
    pub(crate) head: Option<Arc<Head>>,
    /// The table of the last row; the next one is often of the same.
    pub(crate) last_table: Option<TableId>,
    /// Whether the last record ended in the middle, as that of a file that is being written does.
    cut_short: bool,
}

/// What a block came to.
#[derive(Debug, Default)]
pub(crate) struct Decoded {
    pub(crate) rows: Vec<Rows>,
    pub(crate) rejects: Vec<Reject>,
    pub(crate) counts: Counts,
    pub(crate) cut_short: bool,
}

impl Output {
    /// Lands a row in its builder, or quarantines its record.
    pub(crate) fn settle<'a>(
        &mut self,
        origin: &'a Origin,
        place: Place<'_>,
        names: &Names,
        row: &mut Row<'a>,
    ) {
        let table = row.table();
        self.last_table = Some(table);
        let named = row.names_region();
        let region = origin.path_region.as_deref().or(origin.region.as_deref());
        match row.finish(names, region) {
            Ok(ready) => {
                self.counts.read += 1;
                self.cut_short = false;
                if place.end <= origin.done[table as usize] {
                    self.counts.already += 1;
                    return;
                }
                self.counts.landed += 1;
                if !named && origin.path_region.is_some() {
                    self.counts.regions_from_path += 1;
                } else if !named && origin.region.is_some() {
                    self.counts.regions_from_option += 1;
                }
                self.counts.notes.add(ready.notes);
                self.builder(table).append(&ready, names);
            }
            Err(fault) => self.reject(origin, place, Some(table), fault),
        }
    }

    /// The rows of a table so far.
    #[inline]
    pub(crate) fn builder(&mut self, table: TableId) -> &mut TableBuilder {
        self.builders[table as usize].get_or_insert_with(|| TableBuilder::new(table))
    }

    /// Counts a row that is known to be good and whose values are in the builder: the builder, to end it, and its region.
    /// `None` if it has landed already, and then its values are taken back.
    #[inline]
    pub(crate) fn plain_row(
        &mut self,
        origin: &Origin,
        table: TableId,
        end: u64,
        region: Option<u32>,
    ) -> Option<(&mut TableBuilder, u32)> {
        self.last_table = Some(table);
        self.counts.read += 1;
        self.cut_short = false;
        if end <= origin.done[table as usize] {
            self.counts.already += 1;
            self.builder(table).take_back();
            return None;
        }
        self.counts.landed += 1;
        let named = match (region, &origin.path_region, &origin.region) {
            (Some(_), ..) => "",
            (None, Some(region), _) => {
                self.counts.regions_from_path += 1;
                region
            }
            (None, None, Some(region)) => {
                self.counts.regions_from_option += 1;
                region
            }
            (None, None, None) => {
                self.counts.notes.unknown_region += 1;
                UNKNOWN_REGION
            }
        };
        let builder = self.builder(table);
        let region = region.unwrap_or_else(|| builder.region(named.as_bytes()));
        Some((builder, region))
    }

    /// Quarantines a record.
    #[cold]
    pub(crate) fn reject(&mut self, origin: &Origin, place: Place<'_>, table: Option<TableId>, fault: Fault) {
        self.counts.read += 1;
        self.cut_short =
            matches!(fault.code, Code::Truncated | Code::BadJson | Code::BadLine | Code::BadUtf8);
        if place.end <= origin.done[REJECTS] {
            self.counts.already += 1;
            return;
        }
        self.counts.rejected += 1;
        let reject = Reject::new(place.offset, table.map(TableId::name), fault, place.original);
        self.rejects.push(Reject { head: self.head.clone(), ..reject });
    }

    /// Gives up the rejects so far: a replay decides by itself what becomes of them.
    pub(crate) fn take_rejects(&mut self) -> Vec<Reject> {
        std::mem::take(&mut self.rejects)
    }

    /// Whether a record of this frame has landed for sure, whatever it turns out to be.
    pub(crate) fn is_done(origin: &Origin, table: TableId, end: u64) -> bool {
        end <= origin.done[table as usize] && end <= origin.done[REJECTS]
    }

    /// Counts a record that has landed already.
    pub(crate) fn already(&mut self) {
        self.cut_short = false;
        self.counts.read += 1;
        self.counts.already += 1;
    }

    /// Everything so far; starts over.
    pub(crate) fn take(&mut self) -> Result<Decoded> {
        let builders = self.builders.iter_mut().flatten().filter(|b| !b.is_empty());
        let rows = builders.map(TableBuilder::finish).collect::<Result<Vec<_>>>()?;
        Ok(Decoded {
            rows,
            rejects: std::mem::take(&mut self.rejects),
            counts: std::mem::take(&mut self.counts),
            cut_short: std::mem::take(&mut self.cut_short),
        })
    }
}
