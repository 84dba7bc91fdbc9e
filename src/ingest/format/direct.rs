//! The short way from a line to its columns, for records that hold no surprise.
//!
//! Lines of one source repeat the same keys in the same order. So instead of parsing a line first and asking what
//! its keys mean afterwards, the key that followed last time is compared in place, and its value goes straight to the
//! column that it is for. Whatever is not plain (an array, two keys for one column, a value that its column cannot hold, JSON
//! inside a message, any mistake) makes this module give up on the line without a trace, and the general way, which
//! is the one that defines what a record means, takes it. A property test compares the two.

use super::aliases::{Form, Target};
use super::convert::{Cell, Converted, Scalar, convert};
use super::json::{Kind, unescape};
use super::names::{Marks, NameId, Names, ROOT};
use super::scan;
use super::units::Unit;
use crate::contract::ColumnType;
use crate::domain::{Level, parse_timestamp};
use crate::ingest::output::{Origin, Output};
use crate::ingest::table::{Facts, TableId};

/// Objects in objects, as far as they are followed here: less than the least that the settings can ask for.
const MAX_NESTING: usize = 8;
/// Tables have fewer columns; a test compares.
const MAX_COLUMNS: usize = 64;

/// A leaf of the record: its name and where its value stands.
#[derive(Debug, Clone, Copy)]
struct Field {
    name: NameId,
    kind: Kind,
    /// Whether the range lies in the side buffer.
    escaped: bool,
    start: u32,
    end: u32,
}

/// A value on its way into a column.
#[derive(Debug, Clone, Copy)]
enum Value {
    /// The text of a field.
    Text(u32),
    Word(&'static str),
    Int(i64),
    Float(f64),
    Bool(bool),
    Time(i64),
}

/// What became of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It is dealt with.
    Done,
    /// The general way must take it.
    Unusual,
}

/// Memory that is used from line to line.
#[derive(Debug, Default)]
pub(crate) struct Direct {
    fields: Vec<Field>,
    unescaped: String,
    values: Vec<(u8, Value)>,
    extras: Vec<u32>,
}

impl Direct {
    /// Lands a line, if it is a plain one.
    pub(crate) fn line(
        &mut self,
        names: &mut Names,
        output: &mut Output,
        origin: &Origin,
        text: &str,
        end: u64,
    ) -> Outcome {
        match self.try_line(names, output, origin, text, end) {
            Some(()) => Outcome::Done,
            None => Outcome::Unusual,
        }
    }

    fn try_line(
        &mut self,
        names: &mut Names,
        output: &mut Output,
        origin: &Origin,
        text: &str,
        end: u64,
    ) -> Option<()> {
        if text.len() >= u32::MAX as usize || text.as_bytes().first() != Some(&b'{') {
            return None;
        }
        self.fields.clear();
        self.unescaped.clear();
        names.begin();
        let mut reader =
            Reader { bytes: text.as_bytes(), text, at: 1, direct: self, names, marks: Marks::default() };
        reader.object(ROOT, 0)?;
        if reader.at != text.len() {
            return None;
        }
        let table = origin.table.or(reader.marks.table()).or(origin.hint).unwrap_or(TableId::Logs);
        // The others have vocabularies to check.
        if !matches!(table, TableId::Logs | TableId::Spans | TableId::Metrics | TableId::Evaluations) {
            return None;
        }
        let facts = table.facts();
        self.place(names, table, facts, text)?;
        self.land(names, output, origin, table, facts, text, end)
    }

    #[inline]
    fn text<'t>(&'t self, field: &Field, text: &'t str) -> &'t str {
        let from = if field.escaped { &self.unescaped } else { text };
        &from[field.start as usize..field.end as usize]
    }

    /// Finds the column of each value and reads it as that.
    fn place(&mut self, names: &Names, table: TableId, facts: &Facts, text: &str) -> Option<()> {
        let mut values = std::mem::take(&mut self.values);
        let mut extras = std::mem::take(&mut self.extras);
        values.clear();
        extras.clear();
        let mut filled = 0u64;
        let mut plain = true;
        for (at, field) in self.fields.iter().enumerate() {
            let Some(target) = names.target(field.name, table) else {
                extras.push(at as u32);
                continue;
            };
            if field.kind == Kind::Null {
                continue;
            }
            let kind = facts.columns()[target.column as usize].kind;
            let bit = 1u64 << (target.column as usize % MAX_COLUMNS);
            let value = read(target, kind, field, self.text(field, text), at as u32);
            let opens =
                facts.message == Some(target.column as usize) && may_hold_json(self.text(field, text));
            match value {
                Some(value) if filled & bit == 0 && !opens => values.push((target.column, value)),
                _ => {
                    plain = false;
                    break;
                }
            }
            filled |= bit;
        }
        let complete = facts.required & !filled == 0;
        self.values = values;
        self.extras = extras;
        (plain && complete).then_some(())
    }

    #[allow(clippy::too_many_arguments)]
    fn land(
        &self,
        names: &Names,
        output: &mut Output,
        origin: &Origin,
        table: TableId,
        facts: &Facts,
        text: &str,
        end: u64,
    ) -> Option<()> {
        let (mut region, mut time) = (None, None);
        for (column, value) in &self.values {
            match value {
                Value::Time(at) if *column as usize == facts.time => time = Some(*at),
                Value::Text(field) if *column as usize == facts.region => {
                    region = Some(self.text(&self.fields[*field as usize], text));
                }
                _ => {}
            }
        }
        let time = time?;
        let Some((builder, region)) = output.plain_row(origin, table, end, region) else { return Some(()) };
        for (column, value) in &self.values {
            let column = *column as usize;
            match value {
                Value::Text(field) => {
                    builder.put_text(column, self.text(&self.fields[*field as usize], text))
                }
                Value::Word(word) => builder.put_text(column, word),
                Value::Int(value) => builder.put_int(column, *value),
                Value::Float(value) => builder.put_float(column, *value),
                Value::Bool(value) => builder.put_bool(column, *value),
                Value::Time(value) => builder.put_time(column, *value),
            }
        }
        let overflow = &facts.columns()[facts.overflow].name;
        builder.put_fields(self.extras.len(), |at| {
            let field = &self.fields[self.extras[at] as usize];
            let value = match field.kind {
                Kind::Null => None,
                Kind::True => Some("true"),
                Kind::False => Some("false"),
                _ => Some(self.text(field, text)),
            };
            (names.overflow_key(field.name, overflow), value)
        });
        builder.end(region, time);
        Some(())
    }
}

/// Reads a value for its column; `None` for whatever needs a second look.
#[inline]
fn read(target: Target, kind: ColumnType, field: &Field, text: &str, at: u32) -> Option<Value> {
    match (target.form, field.kind) {
        (Form::Plain | Form::Status | Form::Millis(Some(Unit::Milliseconds)), Kind::Number) => match kind {
            ColumnType::Float64 => decimal(text, matches!(target.form, Form::Millis(_))).map(Value::Float),
            ColumnType::Int32 => integer(text).filter(|value| i32::try_from(*value).is_ok()).map(Value::Int),
            ColumnType::Int64 => integer(text).map(Value::Int),
            ColumnType::String => Some(Value::Text(at)),
            _ => None,
        },
        (Form::Plain, Kind::String) if kind == ColumnType::String => Some(Value::Text(at)),
        (Form::Plain, Kind::True | Kind::False) if kind == ColumnType::Bool => {
            Some(Value::Bool(field.kind == Kind::True))
        }
        (Form::Size(1), Kind::Number) if kind == ColumnType::Int64 => integer(text).map(Value::Int),
        (Form::Time(_), Kind::String) => parse_timestamp(text).map(Value::Time),
        (Form::Time(Some(_)), Kind::Number) => {
            match convert(target.form, kind, Scalar::Number(text.into())) {
                Converted::Cell(Cell::Time(time)) => Some(Value::Time(time)),
                _ => None,
            }
        }
        (Form::Level, Kind::String) => {
            Level::ALL.iter().map(|level| level.as_str()).find(|word| *word == text).map(Value::Word)
        }
        (Form::Id, Kind::String) => is_plain_identity(text).then_some(Value::Text(at)),
        (Form::Region, Kind::String) => is_plain_region(text).then_some(Value::Text(at)),
        (Form::Message, Kind::String) => (!text.ends_with('\n')).then_some(Value::Text(at)),
        (Form::Path, Kind::String) => is_plain_path(text).then_some(Value::Text(at)),
        (Form::ErrorText, Kind::String) if kind == ColumnType::String => {
            (!text.trim().is_empty()).then_some(Value::Text(at))
        }
        (Form::SpanKind, Kind::String) => {
            word(text, &["internal", "server", "client", "producer", "consumer"])
        }
        (Form::SpanStatus, Kind::String) => word(text, &["ok", "error"]),
        _ => None,
    }
}

#[inline]
fn word(text: &str, words: &[&'static str]) -> Option<Value> {
    words.iter().find(|word| **word == text).map(|word| Value::Word(word))
}

/// An integer of few enough digits to need no check for overflow.
#[inline]
fn integer(text: &str) -> Option<i64> {
    const SAFE_DIGITS: usize = 18;
    let (negative, digits) = match text.as_bytes() {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    if digits.is_empty() || digits.len() > SAFE_DIGITS {
        return None;
    }
    let mut value = 0i64;
    for digit in digits {
        let digit = digit.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + i64::from(digit);
    }
    Some(if negative { -value } else { value })
}

/// Powers of ten that are doubles without rounding.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
    1e19, 1e20, 1e21, 1e22,
];

/// The double next to a decimal number. Digits and power of ten are exact as doubles where they are small enough, so
/// their quotient is rounded once and thereby correctly (Clinger, "How to Read Floating Point Numbers Accurately",
/// 1990); the others go to the standard library.
#[inline]
fn decimal(text: &str, positive: bool) -> Option<f64> {
    const EXACT_DIGITS: usize = 15;
    let bytes = text.as_bytes();
    let (negative, digits) = match bytes {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    if negative && positive {
        return None;
    }
    let (mut mantissa, mut count, mut point) = (0u64, 0, None);
    for (at, byte) in digits.iter().enumerate() {
        let digit = byte.wrapping_sub(b'0');
        if digit <= 9 {
            mantissa = mantissa.wrapping_mul(10).wrapping_add(u64::from(digit));
            count += 1;
        } else if *byte == b'.' && point.is_none() {
            point = Some(at);
        } else {
            return text.parse::<f64>().ok().filter(|v| v.is_finite());
        }
    }
    if count > EXACT_DIGITS {
        return text.parse::<f64>().ok().filter(|v| v.is_finite());
    }
    let fraction = point.map_or(0, |at| digits.len() - at - 1);
    let value = mantissa as f64 / POWERS[fraction];
    Some(if negative { -value } else { value })
}

/// Lower-case hex or any other text that `identity` leaves as it is.
#[inline]
fn is_plain_identity(text: &str) -> bool {
    let (mut zeros, mut plain) = (true, true);
    for byte in text.bytes() {
        zeros &= byte == b'0';
        plain &= byte.is_ascii_digit() || byte.is_ascii_lowercase() || byte == b'-';
    }
    plain && !zeros
}

/// A name in the usual letters of a region.
#[inline]
fn is_plain_region(text: &str) -> bool {
    const SHORT: usize = 64;
    !text.is_empty()
        && text.len() <= SHORT
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// Whether a message may be a JSON object, which is opened.
#[inline]
fn may_hold_json(text: &str) -> bool {
    text.bytes().find(|b| !b.is_ascii_whitespace()) == Some(b'{')
}

#[inline]
fn is_plain_path(text: &str) -> bool {
    text.starts_with('/') && !text.bytes().any(|b| matches!(b, b'?' | b'#' | b':'))
}

/// Reads one line into fields.
struct Reader<'r> {
    bytes: &'r [u8],
    text: &'r str,
    at: usize,
    direct: &'r mut Direct,
    names: &'r mut Names,
    marks: Marks,
}

impl Reader<'_> {
    #[inline]
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    #[inline]
    fn skip_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    #[inline]
    fn push(&mut self, name: NameId, kind: Kind, start: usize, end: usize) {
        self.direct.fields.push(Field { name, kind, escaped: false, start: start as u32, end: end as u32 });
    }

    /// The rest of an object, behind its bracket; not an empty one.
    fn object(&mut self, parent: NameId, depth: usize) -> Option<()> {
        if depth > MAX_NESTING {
            return None;
        }
        self.skip_space();
        loop {
            let name = self.key(parent)?;
            if parent == ROOT {
                self.marks.add(self.names.marks(name));
            }
            self.skip_space();
            self.value(name, depth)?;
            self.skip_space();
            match self.peek()? {
                b',' => {
                    self.at += 1;
                    self.skip_space();
                }
                b'}' => {
                    self.at += 1;
                    return Some(());
                }
                _ => return None,
            }
        }
    }

    #[inline]
    fn key(&mut self, parent: NameId) -> Option<NameId> {
        if let Some((name, length)) = self.names.follow(parent, &self.bytes[self.at..]) {
            self.at += length;
            return Some(name);
        }
        self.other_key(parent)
    }

    #[inline(never)]
    fn other_key(&mut self, parent: NameId) -> Option<NameId> {
        if self.peek()? != b'"' {
            return None;
        }
        let start = self.at + 1;
        let end = start + scan::string_end(&self.bytes[start..]);
        if self.bytes.get(end) != Some(&b'"') {
            return None;
        }
        self.at = end + 1;
        self.skip_space();
        if self.peek()? != b':' {
            return None;
        }
        self.at += 1;
        Some(self.names.child(parent, &self.text[start..end]))
    }

    #[inline]
    fn value(&mut self, name: NameId, depth: usize) -> Option<()> {
        match self.peek()? {
            b'"' => self.string(name),
            b'-' | b'0'..=b'9' => self.number(name),
            b't' => self.word(name, "true", Kind::True),
            b'f' => self.word(name, "false", Kind::False),
            b'n' => self.word(name, "null", Kind::Null),
            b'{' if !self.names.may_be_message(name) => {
                self.at += 1;
                self.object(name, depth + 1)
            }
            _ => None,
        }
    }

    #[inline]
    fn string(&mut self, name: NameId) -> Option<()> {
        let start = self.at + 1;
        let end = start + scan::string_end(&self.bytes[start..]);
        match self.bytes.get(end)? {
            b'"' => {
                self.push(name, Kind::String, start, end);
                self.at = end + 1;
                Some(())
            }
            b'\\' => {
                let from = self.direct.unescaped.len();
                self.at = unescape(self.text, start, &mut self.direct.unescaped).ok()?;
                let to = self.direct.unescaped.len();
                let (start, end) = (u32::try_from(from).ok()?, u32::try_from(to).ok()?);
                self.direct.fields.push(Field { name, kind: Kind::String, escaped: true, start, end });
                Some(())
            }
            _ => None,
        }
    }

    #[inline]
    fn digits(&mut self) -> Option<()> {
        let from = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        (self.at > from).then_some(())
    }

    #[inline]
    fn number(&mut self, name: NameId) -> Option<()> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        let first = self.at;
        self.digits()?;
        if self.bytes[first] == b'0' && self.at > first + 1 {
            return None;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
        }
        self.push(name, Kind::Number, start, self.at);
        Some(())
    }

    #[inline]
    fn word(&mut self, name: NameId, word: &str, kind: Kind) -> Option<()> {
        if !self.bytes[self.at..].starts_with(word.as_bytes()) {
            return None;
        }
        self.push(name, kind, self.at, self.at + word.len());
        self.at += word.len();
        Some(())
    }
}

#[cfg(test)]
#[path = "direct_tests.rs"]
mod tests;
