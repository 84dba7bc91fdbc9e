//! What a caller may ask of ingest, unchecked and checked.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::error::{Error, Result};
use super::format::aliases::{Form, canonical_form};
use super::format::json::MAX_DEPTH;
use super::format::units::{Unit, bytes_of_unit};
use super::table::{TABLE_COUNT, TableId};
use crate::contract::{self, ColumnType};

pub use super::csv_layout::{CsvLayout, HeaderRow};
pub use super::kinds::Format;

/// Says what a field without a known name means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldMapping {
    /// The table that it is for; every table that has the column when `None` or empty.
    pub table: Option<String>,
    /// Dotted path of the field in the record.
    pub from: String,
    /// Column that it fills.
    pub to: String,
    /// What its numbers are counted in: ns, us, ms, s, m, h for times and durations; bytes, kB, MB, GB, KiB, MiB,
    /// GiB for sizes.
    pub unit: Option<String>,
}

/// What becomes of the good records of a feed with too many rejects.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum BadFeed {
    /// They land as they come, and so do the rejects.
    Keep,
    /// Nothing lands before the whole feed is known to be good.
    #[default]
    Discard,
}

/// What a single record may ask for; more of it is rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a record. A thirty-second of the memory limit and 1 GiB are limits as well.
    pub record: usize,
    /// Arrays and objects in each other.
    pub nesting: usize,
    /// Bytes that the envelopes of one record may unpack to in all; the services pack at most 6 MB into one request.
    pub unpacked: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { record: 64 << 20, nesting: MAX_DEPTH, unpacked: 64 << 20 }
    }
}

/// What to ingest and how.
#[derive(Debug, Clone)]
pub struct Options {
    /// Target table of `ndjson` records; told from each record, then from the file name, when `None`.
    pub table: Option<String>,
    /// Format of every source; told from the first bytes of each when `None`.
    pub format: Option<Format>,
    /// Region of records that name none; `unknown` when `None`.
    pub region: Option<String>,
    /// Identity of standard input, without which it lands as it comes, however often.
    pub source_id: Option<String>,
    /// Bytes that ingest may use in all.
    pub memory_limit: usize,
    /// What a record may ask for.
    pub limits: Limits,
    /// Decoding threads.
    pub threads: usize,
    /// Meanings of fields without a known name.
    pub mappings: Vec<FieldMapping>,
    /// How CSV files of certain names are laid out; the first that is for a file counts.
    pub csv: Vec<CsvLayout>,
    /// Largest share of rejected records, from 0 to 1, that a feed may have; any when `None`.
    pub max_reject_ratio: Option<f64>,
    /// What becomes of the good records of a feed that has more.
    pub on_bad_feed: BadFeed,
    /// Set it to stop after the current block; what is complete by then is committed.
    pub cancel: Option<Arc<AtomicBool>>,
    /// How long rows of standard input, or of a file that is followed, may wait for their commit. With it, records
    /// of standard input are lines.
    pub flush_interval: Option<Duration>,
    /// Read and decode everything, but write nothing: the summary says what would land. Of [`ingest`](super::ingest) alone.
    pub dry_run: bool,
}

/// The memory that ingest may use unless told otherwise.
pub const DEFAULT_MEMORY_LIMIT: usize = 1 << 30;
/// Less than this leaves no room for one block per stage.
const LEAST_MEMORY: usize = 32 << 20;

impl Default for Options {
    fn default() -> Self {
        Options {
            table: None,
            format: None,
            region: None,
            source_id: None,
            memory_limit: DEFAULT_MEMORY_LIMIT,
            limits: Limits::default(),
            threads: std::thread::available_parallelism().map_or(2, usize::from),
            mappings: Vec::new(),
            csv: Vec::new(),
            max_reject_ratio: None,
            on_bad_feed: BadFeed::default(),
            cancel: None,
            flush_interval: None,
            dry_run: false,
        }
    }
}

/// A mapping whose names exist.
#[derive(Debug, Clone)]
pub(crate) struct CheckedMapping {
    pub(crate) from: String,
    pub(crate) columns: [Option<(u8, Form)>; TABLE_COUNT],
}

/// Options that make sense.
#[derive(Debug, Clone)]
pub(crate) struct Checked {
    pub(crate) table: Option<TableId>,
    pub(crate) format: Option<Format>,
    pub(crate) region: Option<String>,
    pub(crate) source_id: Option<String>,
    pub(crate) memory_limit: usize,
    pub(crate) limits: Limits,
    pub(crate) threads: usize,
    pub(crate) mappings: Vec<CheckedMapping>,
    pub(crate) csv: Vec<Arc<CsvLayout>>,
    pub(crate) max_reject_ratio: Option<f64>,
    pub(crate) on_bad_feed: BadFeed,
    pub(crate) cancel: Arc<AtomicBool>,
    pub(crate) flush_interval: Option<Duration>,
}

impl Options {
    /// Checks every name and number.
    pub(crate) fn check(&self) -> Result<Checked> {
        let table = match self.table.as_deref() {
            None => None,
            Some(name) => Some(TableId::of_name(name).ok_or_else(|| unknown_table(name))?),
        };
        if let Some(region) = &self.region
            && !super::format::convert::is_region(region)
        {
            return Err(Error::Region { got: region.clone() });
        }
        if self.source_id.as_deref().is_some_and(|id| id.trim().is_empty()) {
            return Err(Error::SourceId);
        }
        if let Some(got) = self.max_reject_ratio.filter(|r| !(0.0..=1.0).contains(r)) {
            return Err(Error::Ratio { got });
        }
        let mappings = self.mappings.iter().enumerate().map(|(i, m)| m.check(i)).collect::<Result<_>>()?;
        for (position, layout) in self.csv.iter().enumerate() {
            layout.check(position)?;
        }
        Ok(Checked {
            table,
            format: self.format,
            region: self.region.clone(),
            source_id: self.source_id.clone(),
            memory_limit: self.memory_limit.max(LEAST_MEMORY),
            limits: self.limits,
            threads: self.threads.clamp(1, 64),
            mappings,
            csv: self.csv.iter().cloned().map(Arc::new).collect(),
            max_reject_ratio: self.max_reject_ratio,
            on_bad_feed: self.on_bad_feed,
            cancel: self.cancel.clone().unwrap_or_default(),
            flush_interval: self.flush_interval,
        })
    }
}

fn unknown_table(name: &str) -> Error {
    let expected = TableId::ALL.map(TableId::name).join(", ");
    let derived = contract::tables().iter().any(|t| t.name == name);
    Error::UnknownTable { got: name.to_owned(), expected, derived }
}

impl FieldMapping {
    fn check(&self, position: usize) -> Result<CheckedMapping> {
        let wrong = |expected: String, got: String| Error::Mapping {
            position,
            from: self.from.clone(),
            expected,
            got,
        };
        if self.from.is_empty() {
            return Err(wrong("a dotted path in `from`".into(), "nothing".into()));
        }
        let text = self.unit.as_deref();
        let unit = text.and_then(|t| t.parse::<Unit>().ok());
        let size = text.and_then(bytes_of_unit);
        if let Some(text) = text.filter(|_| unit.is_none() && size.is_none()) {
            return Err(wrong("a unit such as ns, us, ms, s, m, h, bytes, KiB or MB".into(), text.into()));
        }
        let wanted = match self.table.as_deref().filter(|t| !t.is_empty()) {
            None => None,
            Some(name) => Some(TableId::of_name(name).ok_or_else(|| unknown_table(name))?),
        };
        let columns = TableId::ALL.map(|table| {
            if wanted.is_some_and(|w| w != table) {
                return None;
            }
            let facts = table.facts();
            let position = facts.column(&self.to)?;
            let column = &facts.columns()[position];
            let form = match canonical_form(&column.name, column.kind) {
                Form::Time(_) => Form::Time(unit),
                Form::Millis(own) => Form::Millis(unit.or(own)),
                _ if column.kind == ColumnType::Map => return None,
                Form::Plain if column.unit.as_deref() == Some("bytes") => {
                    size.map_or(Form::Plain, Form::Size)
                }
                other => other,
            };
            Some((position as u8, form))
        });
        if columns.iter().all(Option::is_none) {
            let place = self.table.as_deref().map_or("any table".into(), |t| format!("table `{t}`"));
            return Err(wrong(format!("in `to` a column of {place}"), format!("`{}`", self.to)));
        }
        let takes_unit = |c: &(u8, Form)| match c.1 {
            Form::Time(_) | Form::Millis(_) => unit.is_some(),
            Form::Size(_) => true,
            _ => false,
        };
        if text.is_some() && !columns.iter().flatten().any(takes_unit) {
            let got = format!("column `{}`", self.to);
            return Err(wrong("a column that is counted in such a unit".into(), got));
        }
        Ok(CheckedMapping { from: self.from.clone(), columns })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mapping(table: Option<&str>, to: &str, unit: Option<&str>) -> Options {
        let mapping = FieldMapping {
            table: table.map(Into::into),
            from: "a.b".into(),
            to: to.into(),
            unit: unit.map(Into::into),
        };
        Options { mappings: vec![mapping], ..Options::default() }
    }

    fn check(options: Options, expected: &str) {
        let error = options.check().unwrap_err();
        let text = format!("{error} / {}", error.hint().unwrap_or_default());
        assert!(text.contains(expected), "{text}");
    }

    #[test]
    fn wrong_options_name_place_expected_and_got() {
        check(
            Options { table: Some("log".into()), ..Options::default() },
            "unknown table `log`; expected one of: logs,",
        );
        check(
            Options { table: Some("log_minutes".into()), ..Options::default() },
            "builds it from other tables",
        );
        check(Options { region: Some("a\nb".into()), ..Options::default() }, "region");
        check(Options { source_id: Some(" ".into()), ..Options::default() }, "source id");
        check(
            mapping(None, "colour", None),
            "field mapping 1 (`a.b`): expected in `to` a column of any table",
        );
        check(mapping(Some("spans"), "message", None), "a column of table `spans`, got `message`");
        check(
            mapping(None, "timestamp", Some("parsec")),
            "expected a unit such as ns, us, ms, s, m, h, bytes, KiB or MB, got parsec",
        );
        check(mapping(None, "message", Some("s")), "expected a column that is counted in such a unit");
        check(mapping(None, "timestamp", Some("KiB")), "expected a column that is counted in such a unit");
    }

    #[test]
    fn a_mapping_reaches_every_table_with_the_column_unless_it_names_one() {
        let all = mapping(None, "duration_ms", Some("ns")).check().unwrap();
        assert_eq!(all.mappings[0].columns.iter().flatten().count(), 3);
        let one = mapping(Some("spans"), "duration_ms", None).check().unwrap();
        assert_eq!(one.mappings[0].columns.iter().flatten().count(), 1);
        assert!(matches!(
            one.mappings[0].columns[TableId::Spans as usize],
            Some((_, Form::Millis(Some(Unit::Milliseconds))))
        ));
    }
}
