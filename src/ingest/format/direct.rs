//! The short way from a line to its columns, for records that hold no surprise.
//!
//! Lines of one source repeat the same keys in the same order. So instead of parsing a line first and asking what
//! its keys mean afterwards, the key that followed last time is compared in place, and its value goes straight into the
//! column that it is for. Whatever is not plain (an array, two keys for one column, a value that its column cannot hold, JSON
//! inside a message, any mistake) makes this module take the row back and give up on the line without a trace, and the
//! general way, which is the one that defines what a record means, takes it. A property test compares the two.

use super::convert::{Cell, Converted, Scalar, convert};
use super::json::{Kind, unescape};
use super::minute::Minute;
use super::names::{Marks, NameId, Names, ROOT};
use super::number::Number;
use super::scan;
use super::units::Unit;
use super::way::{How, Way};
use crate::contract::ColumnType;
use crate::domain::Level;
use crate::ingest::columns::TableBuilder;
use crate::ingest::format::aliases::Form;
use crate::ingest::output::{Origin, Output};
use crate::ingest::table::TableId;

/// Objects in objects, as far as they are followed here: less than the least that the settings can ask for.
const MAX_NESTING: usize = 8;

/// A text of the line, which stands in the line or, unescaped, in the side buffer.
#[derive(Debug, Clone, Copy)]
struct Text {
    escaped: bool,
    start: u32,
    end: u32,
}

/// A field that is kept beside the columns.
#[derive(Debug, Clone, Copy)]
struct Extra {
    name: NameId,
    kind: Kind,
    text: Text,
}

/// Memory that is used from line to line.
#[derive(Debug, Default)]
pub(crate) struct Direct {
    unescaped: String,
    extras: Vec<Extra>,
    minute: Minute,
}

/// What a line turned out to be.
enum Outcome {
    /// A row; bytes up to its closing bracket, and to the beginning of the next line.
    Row { end: usize, next: usize, region: Option<u32>, time: i64 },
    /// A row of another table.
    Other(TableId),
    /// The general way must take it.
    Unusual,
}

impl Direct {
    /// Lands the line that a text begins with, if it is a plain one, and says where the next one begins. `offset` is that of
    /// the text in its source.
    pub(crate) fn line(
        &mut self,
        names: &mut Names,
        output: &mut Output,
        origin: &Origin,
        text: &str,
        offset: u64,
    ) -> Option<usize> {
        if text.len() >= u32::MAX as usize || text.as_bytes().first() != Some(&b'{') {
            return None;
        }
        // Which table it is of shows when all of its keys are known; until then it is that of the line before.
        let guess = origin.table.or(output.last_table).or(origin.hint);
        let mut table = guess.unwrap_or(TableId::Logs);
        let mut outcome = self.read(names, output, origin, table, text);
        if let Outcome::Other(other) = outcome {
            table = other;
            outcome = self.read(names, output, origin, table, text);
        }
        let Outcome::Row { end, next, region, time } = outcome else { return None };
        if let Some((builder, region)) = output.plain_row(origin, table, offset + end as u64, region) {
            self.keep(names, builder, table, text);
            builder.end(region, time);
        }
        Some(next)
    }

    /// Puts the values of a line into the columns of a table; takes them back if it is no row of that.
    fn read(
        &mut self,
        names: &mut Names,
        output: &mut Output,
        origin: &Origin,
        table: TableId,
        text: &str,
    ) -> Outcome {
        // The others have vocabularies to check.
        if !matches!(table, TableId::Logs | TableId::Spans | TableId::Metrics | TableId::Evaluations) {
            return Outcome::Unusual;
        }
        self.unescaped.clear();
        self.extras.clear();
        names.begin();
        let mut reader = Reader {
            bytes: text.as_bytes(),
            text,
            direct: self,
            names,
            table,
            builder: output.builder(table),
            marks: Marks::default(),
            filled: 0,
            region: None,
            time: None,
        };
        let outcome = reader.row(origin);
        if !matches!(outcome, Outcome::Row { .. }) {
            reader.builder.take_back();
        }
        outcome
    }

    /// Keeps what has no column.
    #[inline]
    fn keep(&self, names: &Names, builder: &mut TableBuilder, table: TableId, text: &str) {
        let facts = table.facts();
        let overflow = &facts.columns()[facts.overflow].name;
        builder.put_fields(self.extras.len(), |at| {
            let extra = &self.extras[at];
            let value = match extra.kind {
                Kind::Null => None,
                Kind::True => Some("true"),
                Kind::False => Some("false"),
                _ => {
                    let from = if extra.text.escaped { &self.unescaped } else { text };
                    Some(&from[extra.text.start as usize..extra.text.end as usize])
                }
            };
            (names.overflow_key(extra.name, overflow), value)
        });
    }
}

/// Lower-case hex or any other text that `identity` leaves as it is.
#[inline]
fn is_plain_identity(text: &[u8]) -> bool {
    let (mut zeros, mut plain) = (true, true);
    for byte in text {
        zeros &= *byte == b'0';
        plain &= byte.is_ascii_digit() | byte.is_ascii_lowercase() | (*byte == b'-');
    }
    plain && !zeros
}

/// Whether a message may be a JSON object, which is opened.
#[inline]
fn may_hold_json(text: &[u8]) -> bool {
    text.iter().find(|b| !b.is_ascii_whitespace()) == Some(&b'{')
}

#[inline]
fn is_plain_path(text: &[u8]) -> bool {
    text.first() == Some(&b'/') && !text.iter().any(|b| matches!(b, b'?' | b'#' | b':'))
}

/// White space inside a line.
#[inline]
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// Reads one line into the columns of a table. The place in the line goes from call to call by value, not through memory:
/// everything waits for it.
struct Reader<'r> {
    bytes: &'r [u8],
    /// The line and what comes behind it.
    text: &'r str,
    direct: &'r mut Direct,
    names: &'r mut Names,
    table: TableId,
    builder: &'r mut TableBuilder,
    marks: Marks,
    /// The columns that have a value, a bit each.
    filled: u64,
    region: Option<u32>,
    time: Option<i64>,
}

impl Reader<'_> {
    fn row(&mut self, origin: &Origin) -> Outcome {
        let end = self.object(1, ROOT, 0);
        let table = origin.table.or(self.marks.table()).or(origin.hint).unwrap_or(TableId::Logs);
        // A value that did not fit may have been meant for the other table's column.
        if table != self.table {
            return Outcome::Other(table);
        }
        let complete = self.table.facts().required & !self.filled == 0;
        let next = end.filter(|_| complete).and_then(|end| self.line_end(end));
        match (end, next, self.time) {
            (Some(end), Some(next), Some(time)) => Outcome::Row { end, next, region: self.region, time },
            _ => Outcome::Unusual,
        }
    }

    /// Where the next line begins, if this one holds nothing more.
    #[inline]
    fn line_end(&self, mut at: usize) -> Option<usize> {
        while let Some(b' ' | b'\t' | b'\r') = self.bytes.get(at) {
            at += 1;
        }
        match self.bytes.get(at) {
            Some(b'\n') => Some(at + 1),
            Some(_) => None,
            None => Some(at),
        }
    }

    /// The next byte that is not white space, and where it stands.
    #[inline]
    fn next(&self, at: usize) -> Option<(u8, usize)> {
        let byte = *self.bytes.get(at)?;
        if is_space(byte) { self.behind_space(at) } else { Some((byte, at)) }
    }

    #[inline(never)]
    fn behind_space(&self, at: usize) -> Option<(u8, usize)> {
        let length = self.bytes[at..].iter().position(|b| !is_space(*b))?;
        Some((self.bytes[at + length], at + length))
    }

    /// The rest of an object, behind its bracket, which is not empty; where it ends.
    fn object(&mut self, mut at: usize, parent: NameId, depth: usize) -> Option<usize> {
        if depth > MAX_NESTING {
            return None;
        }
        loop {
            let name;
            (name, at) = self.key(at, parent)?;
            if parent == ROOT {
                self.marks.add(self.names.marks(name));
            }
            at = self.value(at, name, depth)?;
            let next;
            (next, at) = self.next(at)?;
            at += 1;
            match next {
                b',' => {}
                b'}' => return Some(at),
                _ => return None,
            }
        }
    }

    /// A key and its colon.
    #[inline]
    fn key(&mut self, at: usize, parent: NameId) -> Option<(NameId, usize)> {
        let (_, at) = self.next(at)?;
        match self.names.follow(parent, &self.bytes[at..]) {
            Some((name, length)) => Some((name, at + length)),
            None => self.other_key(at, parent),
        }
    }

    #[inline(never)]
    fn other_key(&mut self, at: usize, parent: NameId) -> Option<(NameId, usize)> {
        if self.bytes.get(at) != Some(&b'"') {
            return None;
        }
        let start = at + 1;
        let end = start + scan::string_end(&self.bytes[start..]);
        if self.bytes.get(end) != Some(&b'"') {
            return None;
        }
        let (colon, at) = self.next(end + 1)?;
        (colon == b':').then(|| (self.names.child(parent, &self.text[start..end]), at + 1))
    }

    #[inline]
    fn value(&mut self, at: usize, name: NameId, depth: usize) -> Option<usize> {
        let way = self.names.way(name, self.table);
        let (first, at) = self.next(at)?;
        match first {
            b'"' => self.string(at, name, way),
            b'-' | b'0'..=b'9' => self.number(at, name, way),
            b't' => self.word(at, name, way, "true", Kind::True),
            b'f' => self.word(at, name, way, "false", Kind::False),
            b'n' => self.word(at, name, way, "null", Kind::Null),
            b'{' if !self.names.may_be_message(name) => self.object(at + 1, name, depth + 1),
            _ => None,
        }
    }

    /// Takes a column, which no other key may fill.
    #[inline]
    fn take(&mut self, way: Way) -> Option<usize> {
        // Tables have fewer columns than bits; a test compares.
        let bit = 1u64 << (way.column % u64::BITS as u8);
        if self.filled & bit != 0 {
            return None;
        }
        self.filled |= bit;
        Some(way.column as usize)
    }

    #[inline]
    fn string(&mut self, at: usize, name: NameId, way: Way) -> Option<usize> {
        let start = at + 1;
        let end = start + scan::string_end(&self.bytes[start..]);
        let (place, at) = match self.bytes.get(end)? {
            b'"' => (Text { escaped: false, start: start as u32, end: end as u32 }, end + 1),
            b'\\' => self.escaped(start)?,
            _ => return None,
        };
        if way.how == How::Aside {
            self.direct.extras.push(Extra { name, kind: Kind::String, text: place });
            return Some(at);
        }
        let column = self.take(way)?;
        let text = match place.escaped {
            true => &self.direct.unescaped.as_bytes()[place.start as usize..place.end as usize],
            false => &self.bytes[start..end],
        };
        let fits = match way.how {
            How::Text => true,
            How::Identity => is_plain_identity(text),
            How::Message => text.last() != Some(&b'\n') && !may_hold_json(text),
            How::Path => is_plain_path(text),
            // Beyond ASCII there is more white space.
            How::ErrorText => text.trim_ascii().first().is_some_and(u8::is_ascii),
            How::Level => Level::ALL.iter().any(|level| level.as_str().as_bytes() == text),
            How::SpanKind => {
                matches!(text, b"internal" | b"server" | b"client" | b"producer" | b"consumer")
            }
            How::SpanStatus => matches!(text, b"ok" | b"error"),
            How::Region => {
                let region = self.builder.region(text);
                self.region = Some(region);
                return self.builder.is_plain(region).then_some(at);
            }
            How::Time(_) => {
                let time = self.direct.minute.timestamp(text)?;
                self.put_time(column, time);
                return Some(at);
            }
            How::Aside | How::General | How::Int32 | How::Int64 | How::Float | How::Duration | How::Bool => {
                false
            }
        };
        if !fits {
            return None;
        }
        self.builder.put_text(column, text);
        Some(at)
    }

    #[inline(never)]
    fn escaped(&mut self, start: usize) -> Option<(Text, usize)> {
        let from = u32::try_from(self.direct.unescaped.len()).ok()?;
        let at = unescape(self.text, start, &mut self.direct.unescaped).ok()?;
        let to = u32::try_from(self.direct.unescaped.len()).ok()?;
        Some((Text { escaped: true, start: from, end: to }, at))
    }

    #[inline]
    fn put_time(&mut self, column: usize, time: i64) {
        if column == self.table.facts().time {
            self.time = Some(time);
        }
        self.builder.put_time(column, time);
    }

    #[inline]
    fn number(&mut self, start: usize, name: NameId, way: Way) -> Option<usize> {
        let number = Number::read(&self.bytes[start..])?;
        let end = start + number.text.len();
        if way.how == How::Aside {
            let text = Text { escaped: false, start: start as u32, end: end as u32 };
            self.direct.extras.push(Extra { name, kind: Kind::Number, text });
            return Some(end);
        }
        let column = self.take(way)?;
        match way.how {
            How::Float => self.builder.put_float(column, number.decimal()?),
            How::Duration if !number.is_negative() => self.builder.put_float(column, number.decimal()?),
            How::Int64 => self.builder.put_int(column, number.integer()?),
            How::Int32 => {
                let value = number.integer().filter(|value| i32::try_from(*value).is_ok())?;
                self.builder.put_int(column, value);
            }
            How::Text => self.builder.put_text(column, number.text),
            How::Time(Some(unit)) => {
                let time = instant(unit, &self.text[start..end])?;
                self.put_time(column, time);
            }
            _ => return None,
        }
        Some(end)
    }

    #[inline]
    fn word(&mut self, at: usize, name: NameId, way: Way, word: &str, kind: Kind) -> Option<usize> {
        if !self.bytes[at..].starts_with(word.as_bytes()) {
            return None;
        }
        let end = at + word.len();
        match way.how {
            How::Aside => {
                let text = Text { escaped: false, start: at as u32, end: end as u32 };
                self.direct.extras.push(Extra { name, kind, text });
            }
            // As if it were not there.
            _ if kind == Kind::Null => {}
            How::Bool => {
                let column = self.take(way)?;
                self.builder.put_bool(column, kind == Kind::True);
            }
            _ => return None,
        }
        Some(end)
    }
}

#[inline(never)]
fn instant(unit: Unit, number: &str) -> Option<i64> {
    match convert(Form::Time(Some(unit)), ColumnType::Timestamp, Scalar::Number(number.into())) {
        Converted::Cell(Cell::Time(time)) => Some(time),
        _ => None,
    }
}

#[cfg(test)]
#[path = "direct_tests.rs"]
mod tests;
