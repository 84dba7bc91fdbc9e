//! What a caller may ask of ingest, unchecked and checked.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::error::{Error, Result};
use super::format::aliases::{Form, canonical_form};
use super::format::units::{Unit, bytes_of_unit};
use super::table::{TABLE_COUNT, TableId};
use crate::contract::{self, ColumnType};

/// How the bytes of a source are to be understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// One JSON object per row: canonical column names, common aliases, field mappings.
    Ndjson,
    /// CloudWatch Logs: API pages, single events, subscription envelopes.
    Cloudwatch,
    /// Google Cloud Logging: API pages, arrays, sink files.
    Gcp,
    /// OTLP/JSON logs, traces and metrics.
    Otlp,
    /// Prometheus replies to `query_range` and `query`.
    Prometheus,
}

impl Format {
    /// Every format.
    pub const ALL: [Format; 5] =
        [Format::Ndjson, Format::Cloudwatch, Format::Gcp, Format::Otlp, Format::Prometheus];

    /// Its name on the command line and in `rejects`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Format::Ndjson => "ndjson",
            Format::Cloudwatch => "cloudwatch",
            Format::Gcp => "gcp",
            Format::Otlp => "otlp",
            Format::Prometheus => "prometheus",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Format {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Format::ALL
            .into_iter()
            .find(|f| f.as_str().eq_ignore_ascii_case(text.trim()))
            .ok_or_else(|| Error::UnknownFormat { got: text.to_owned() })
    }
}

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
    /// Decoding threads.
    pub threads: usize,
    /// Meanings of fields without a known name.
    pub mappings: Vec<FieldMapping>,
    /// Set it to stop after the current block; what is complete by then is committed.
    pub cancel: Option<Arc<AtomicBool>>,
    /// How long rows of standard input, or of a file that is followed, may wait for their commit. With it, records
    /// of standard input are lines.
    pub flush_interval: Option<Duration>,
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
            threads: std::thread::available_parallelism().map_or(2, usize::from),
            mappings: Vec::new(),
            cancel: None,
            flush_interval: None,
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
    pub(crate) threads: usize,
    pub(crate) mappings: Vec<CheckedMapping>,
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
        let mappings = self.mappings.iter().enumerate().map(|(i, m)| m.check(i)).collect::<Result<_>>()?;
        Ok(Checked {
            table,
            format: self.format,
            region: self.region.clone(),
            source_id: self.source_id.clone(),
            memory_limit: self.memory_limit.max(LEAST_MEMORY),
            threads: self.threads.clamp(1, 64),
            mappings,
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
        assert_eq!("CloudWatch".parse::<Format>().unwrap(), Format::Cloudwatch);
        let error = "csv".parse::<Format>().unwrap_err().to_string();
        assert_eq!(error, "unknown format `csv`; expected one of: ndjson, cloudwatch, gcp, otlp, prometheus");
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
