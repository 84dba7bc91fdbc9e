//! How a CSV file is laid out, where its header row alone does not say.

use std::fmt;

use arrow::array::timezone::Tz;
use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeZone};

use super::error::{Error, Result};
use super::format::units::{Unit, instant};
use super::table::TableId;
use crate::domain::{MAX_MICROS, MIN_MICROS, parse_timestamp};

/// What the cells of a header row are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeaderRow {
    /// Names of columns.
    Name,
    /// Nothing of use.
    Skip,
    /// Values of a column of the table (`service`, `metric`, `region` …) for the samples below.
    Column(String),
    /// Values of a label of the samples below.
    Label(String),
}

impl HeaderRow {
    /// A row by its word in the settings.
    pub fn of(text: &str) -> HeaderRow {
        match text.trim() {
            "name" => HeaderRow::Name,
            "skip" | "" => HeaderRow::Skip,
            other => match other.strip_prefix("label:") {
                Some(label) => HeaderRow::Label(label.to_owned()),
                None => HeaderRow::Column(other.to_owned()),
            },
        }
    }
}

impl fmt::Display for HeaderRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HeaderRow::Name => f.write_str("name"),
            HeaderRow::Skip => f.write_str("skip"),
            HeaderRow::Column(column) => f.write_str(column),
            HeaderRow::Label(label) => write!(f, "label:{label}"),
        }
    }
}

/// How CSV files of certain names are laid out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CsvLayout {
    /// Glob over the path; one without a slash is over the file name alone.
    pub files: String,
    /// The table that its records are for; told from the columns when `None`.
    pub table: Option<String>,
    /// What separates the fields; told from the header when `None`.
    pub delimiter: Option<u8>,
    /// What the header rows are, from the top; one row of names when empty.
    pub header: Vec<HeaderRow>,
    /// The column of times, by its name; in a wide layout the first column when `None`.
    pub time: Option<String>,
    /// How times are spelled: a unit (`s`, `ms` …) of numbers since 1970, or a pattern such as
    /// `%d.%m.%Y %H:%M:%S`; ISO 8601 when `None`.
    pub time_format: Option<String>,
    /// The zone of times that name none: `Europe/Berlin`, `+03:30`; UTC when `None`.
    pub time_zone: Option<String>,
    /// Every column but the time is a series of its own: a row of `metrics` per cell.
    pub wide: bool,
    /// How the names of wide columns are composed, such as `{service}.{metric}` or `{metric} [{unit}]`.
    pub pattern: Option<String>,
    /// Values for columns of the table that the file does not hold, by column.
    pub set: Vec<(String, String)>,
}

impl CsvLayout {
    /// Whether it is for a file.
    pub(crate) fn is_for(&self, path: &str) -> bool {
        let Ok(pattern) = glob::Pattern::new(&self.files) else { return false };
        let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
        pattern.matches(path) || !self.files.contains('/') && pattern.matches(name)
    }

    /// Whether every cell is a row of its own.
    pub(crate) fn is_wide(&self) -> bool {
        let from_header = |row: &HeaderRow| matches!(row, HeaderRow::Column(_) | HeaderRow::Label(_));
        self.wide || self.pattern.is_some() || self.header.iter().any(from_header)
    }

    /// Checks every name and pattern.
    pub(crate) fn check(&self, position: usize) -> Result<()> {
        let wrong = |expected: &str, got: &str| {
            let (expected, got) = (expected.to_owned(), format!("`{got}`"));
            Err(Error::CsvLayout { position, files: self.files.clone(), expected, got })
        };
        if self.files.is_empty() || glob::Pattern::new(&self.files).is_err() {
            return wrong("in `files` a glob such as `*.metrics.csv`", &self.files);
        }
        if let Some(table) = self.table.as_deref().filter(|t| TableId::of_name(t).is_none()) {
            return wrong("in `table` a table that takes input", table);
        }
        if self.is_wide() && self.table.as_deref().is_some_and(|t| t != TableId::Metrics.name()) {
            return wrong("in `table` nothing or `metrics` beside a wide layout", "another table");
        }
        if self.delimiter.is_some_and(|d| matches!(d, b'"' | b'\n' | b'\r') || !d.is_ascii()) {
            return wrong("in `delimiter` one ASCII character that is no quote or line break", "another");
        }
        if let Some(zone) = self.time_zone.as_deref().filter(|z| z.parse::<Tz>().is_err()) {
            return wrong("in `time_zone` a zone such as `UTC`, `+03:30` or `Europe/Berlin`", zone);
        }
        let named = |f: &str| f.contains('%') || f.parse::<Unit>().is_ok();
        if let Some(format) = self.time_format.as_deref().filter(|f| !named(f)) {
            return wrong("in `time_format` a unit (s, ms, us, ns) or a pattern with `%`", format);
        }
        let facts = match (&self.table, self.is_wide()) {
            (_, true) => Some(TableId::Metrics.facts()),
            (Some(table), _) => TableId::of_name(table).map(TableId::facts),
            (None, false) => None,
        };
        let known = |column: &str| match facts {
            Some(facts) => facts.column(column).is_some(),
            None => TableId::ALL.iter().any(|t| t.facts().column(column).is_some()),
        };
        let in_header = self.header.iter().filter_map(|row| match row {
            HeaderRow::Column(column) => Some(column.as_str()),
            _ => None,
        });
        let in_set = self.set.iter().map(|(column, _)| column.as_str());
        let parts = self.pattern.as_deref().map(placeholders).unwrap_or_default();
        let in_pattern = parts.iter().copied().filter(|p| !p.starts_with("label:"));
        if let Some(column) = in_header.chain(in_set).chain(in_pattern).find(|c| !known(c)) {
            return wrong("a column of the table, `name`, `skip` or `label:NAME`", column);
        }
        if self.pattern.as_deref().is_some_and(|p| placeholders(p).is_empty() || p.contains("}{")) {
            let pattern = self.pattern.as_deref().unwrap_or_default();
            return wrong("in `pattern` names in braces with text between them", pattern);
        }
        Ok(())
    }

    /// The instant of a text, in microseconds.
    pub(crate) fn instant(&self, text: &str) -> Option<i64> {
        let text = text.trim();
        let micros = match &self.time_format {
            Some(format) => match format.parse::<Unit>() {
                Ok(unit) => instant(text, unit)?,
                Err(_) => match DateTime::parse_from_str(text, format) {
                    Ok(time) => time.timestamp_micros(),
                    Err(_) => self.local(naive(text, format)?)?,
                },
            },
            None => match (parse_timestamp(text)?, &self.time_zone) {
                // Read as UTC; the stated zone holds unless the text has one of its own.
                (micros, Some(_)) if !has_zone(text) => {
                    self.local(DateTime::from_timestamp_micros(micros)?.naive_utc())?
                }
                (micros, _) => micros,
            },
        };
        (MIN_MICROS..=MAX_MICROS).contains(&micros).then_some(micros)
    }

    /// A local time in the stated zone; of two instants (clocks put back) the earlier one.
    fn local(&self, time: NaiveDateTime) -> Option<i64> {
        match &self.time_zone {
            Some(zone) => {
                let zone: Tz = zone.parse().ok()?;
                Some(zone.from_local_datetime(&time).earliest()?.timestamp_micros())
            }
            None => Some(time.and_utc().timestamp_micros()),
        }
    }

    /// What a pattern finds in a column's name: pairs of column (or `label:NAME`) and text.
    pub(crate) fn parts_of<'n>(&self, name: &'n str) -> Option<Vec<(String, &'n str)>> {
        let pattern = self.pattern.as_deref()?;
        let (mut rest, mut found) = (name, Vec::new());
        let mut pieces = pattern.split('{');
        rest = rest.strip_prefix(pieces.next().unwrap_or_default())?;
        let mut pieces = pieces.peekable();
        while let Some(piece) = pieces.next() {
            let (column, literal) = piece.split_once('}')?;
            let end = match (literal.is_empty(), pieces.peek()) {
                (true, None) => rest.len(),
                (true, Some(_)) => return None,
                // The last literal stands at the very end.
                (false, None) => {
                    rest.len().checked_sub(literal.len()).filter(|e| rest.get(*e..) == Some(literal))?
                }
                (false, Some(_)) => rest.find(literal)?,
            };
            found.push((column.to_owned(), &rest[..end]));
            rest = &rest[end + literal.len()..];
        }
        rest.is_empty().then_some(found)
    }
}

fn naive(text: &str, format: &str) -> Option<NaiveDateTime> {
    NaiveDateTime::parse_from_str(text, format)
        .ok()
        .or_else(|| NaiveDate::parse_from_str(text, format).ok()?.and_hms_opt(0, 0, 0))
}

/// Whether an ISO 8601 text names its zone.
fn has_zone(text: &str) -> bool {
    let time = text.get(10..).unwrap_or("");
    time.contains(['Z', 'z', '+', '-']) || time.ends_with("UTC") || time.ends_with("GMT")
}

fn placeholders(pattern: &str) -> Vec<&str> {
    pattern.split('{').skip(1).filter_map(|p| p.split_once('}').map(|(name, _)| name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(time_format: Option<&str>, time_zone: Option<&str>) -> CsvLayout {
        CsvLayout {
            files: "*.csv".into(),
            time_format: time_format.map(Into::into),
            time_zone: time_zone.map(Into::into),
            ..CsvLayout::default()
        }
    }

    #[test]
    fn times_are_read_in_the_stated_format_and_zone() {
        // date -u -d '2011-07-01 00:00:01' +%s; the others likewise, with TZ set.
        for (format, zone, text, seconds) in [
            (None, None, "2011-07-01 00:00:01", 1_309_478_401),
            (None, Some("+03:30"), "2011-07-01 00:00:01", 1_309_478_401 - 12_600),
            (None, Some("+03:30"), "2011-07-01T00:00:01Z", 1_309_478_401),
            (None, Some("Europe/Berlin"), "2011-07-01 00:00:01", 1_309_478_401 - 7_200),
            (Some("s"), None, "1692608400.0", 1_692_608_400),
            (Some("%d.%m.%Y %H:%M"), None, "01.07.2011 00:00", 1_309_478_400),
            (Some("%d.%m.%Y"), None, "01.07.2011", 1_309_478_400),
            (Some("%d/%b/%Y:%H:%M:%S %z"), None, "26/Jan/2019:19:45:25 +0330", 1_548_519_325),
        ] {
            let found = layout(format, zone).instant(text);
            assert_eq!(found, Some(seconds * 1_000_000), "{text} {format:?} {zone:?}");
        }
        assert_eq!(layout(None, None).instant("yesterday"), None);
        assert_eq!(layout(Some("s"), None).instant("1e300"), None);
        // Clocks were put forward at 02:00: this time never was.
        assert_eq!(layout(None, Some("Europe/Berlin")).instant("2011-03-27 02:30:00"), None);
    }

    #[test]
    fn patterns_take_names_apart() {
        let parts = |pattern: &str, name: &str| {
            let layout = CsvLayout { pattern: Some(pattern.into()), ..layout(None, None) };
            layout.parts_of(name).map(|p| p.into_iter().map(|(c, v)| format!("{c}={v}")).collect::<Vec<_>>())
        };
        assert_eq!(parts("{service}.{metric}", "a.b.c").unwrap(), ["service=a", "metric=b.c"]);
        assert_eq!(parts("{metric} [{unit}]", "cpu [s]").unwrap(), ["metric=cpu", "unit=s"]);
        assert_eq!(parts("x_{metric}", "x_").unwrap(), ["metric="]);
        assert_eq!(parts("{metric} [{unit}]", "cpu"), None);
    }

    #[test]
    fn wrong_layouts_name_place_expected_and_got() {
        let check = |change: fn(&mut CsvLayout), expected: &str| {
            let mut wrong = layout(None, None);
            change(&mut wrong);
            let error = wrong.check(1).unwrap_err().to_string();
            assert!(error.starts_with("csv layout 2") && error.contains(expected), "{error}");
        };
        check(|l| l.files = String::new(), "in `files` a glob");
        check(|l| l.table = Some("log".into()), "`log`");
        check(|l| l.time_zone = Some("Mars".into()), "got `Mars`");
        check(|l| l.time_format = Some("parsec".into()), "got `parsec`");
        check(|l| l.pattern = Some("{colour}".into()), "got `colour`");
        check(|l| l.pattern = Some("{service}{metric}".into()), "text between them");
        check(|l| l.set = vec![("colour".into(), "x".into())], "got `colour`");
        check(|l| l.delimiter = Some(b'"'), "in `delimiter`");
        assert!(layout(Some("ms"), Some("UTC")).check(0).is_ok());
        assert!(layout(None, None).is_for("/data/a.csv") && !layout(None, None).is_for("a.tsv"));
    }
}
