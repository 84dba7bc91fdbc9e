//! Cutting a stream of JSON documents into records without holding it: documents over many lines, several
//! in a row without a separator, lists of any length, and pages whose one list is the content.
//!
//! It follows brackets and strings only; whether a piece is JSON shows when it is decoded. Damage is kept
//! local: a string that reaches the end of its line, brackets that do not match, or an object that starts at
//! the same indent as the one before without a comma between them end the record there, and the next one
//! begins at the next line with `{` at the indent of the damaged one.

use std::ops::Range;

use crate::ingest::format::scan;
use crate::ingest::options::Format;

/// The lists of a page: their elements are records of their own.
pub(crate) fn page_keys(format: Format) -> &'static [&'static str] {
    match format {
        Format::Ndjson => &[],
        Format::Cloudwatch => &["events"],
        Format::Gcp => &["entries"],
        Format::Otlp => &["resourceLogs", "resourceSpans", "resourceMetrics"],
        // The list lies one level deeper than a page's; a series is a record where the list stands alone.
        Format::Prometheus => &[],
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layer {
    /// In a list at the top.
    List,
    /// In a page's list; the rest of the page follows it.
    Page,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before a record.
    Between,
    /// In a record, or (without a start) in the rest of a page.
    Inside { start: Option<usize>, indent: i64 },
    /// In something that is no record, to the end of its line.
    Garbage { start: usize },
    /// In a damaged record, to the next line that looks like the beginning of another.
    Damaged { start: Option<usize>, indent: i64 },
}

/// A record found in the buffer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) range: Range<usize>,
    /// It grew beyond the limit; its range is only its beginning.
    pub(crate) too_large: bool,
}

/// The cutter; positions count from the start of the caller's buffer.
pub(crate) struct Documents {
    page_keys: &'static [&'static str],
    limit: usize,
    layers: Vec<Layer>,
    state: State,
    /// Open brackets of the record.
    open: Vec<u8>,
    /// In a string since.
    string: Option<usize>,
    /// The last byte was a backslash in that string.
    escaped: bool,
    /// The last key candidate: a string at the first level of the record.
    key: Range<usize>,
    /// The last byte that is neither white space nor inside a string.
    before: u8,
    at: usize,
    line: i64,
    /// Only white space in this line so far.
    blank: bool,
}

impl Documents {
    pub(crate) fn new(format: Format, limit: usize) -> Documents {
        Documents {
            page_keys: page_keys(format),
            limit,
            layers: Vec::new(),
            state: State::Between,
            open: Vec::new(),
            string: None,
            escaped: false,
            key: 0..0,
            before: 0,
            at: 0,
            line: 0,
            blank: true,
        }
    }

    /// Bytes of the buffer that no unfinished record needs.
    pub(crate) fn consumed(&self) -> usize {
        match self.state {
            State::Inside { start: Some(start), .. }
            | State::Garbage { start }
            | State::Damaged { start: Some(start), .. } => start,
            // The key before a list must stay readable until the list begins.
            State::Inside { start: None, .. } if !self.key.is_empty() => {
                self.key.start.saturating_sub(1).min(self.at)
            }
            _ => self.string.map_or(self.at, |s| s.min(self.at)),
        }
    }

    /// The caller removed that many bytes from the front of its buffer.
    pub(crate) fn drained(&mut self, bytes: usize) {
        let back = |p: usize| p.saturating_sub(bytes);
        self.at = back(self.at);
        self.line -= bytes as i64;
        self.key = back(self.key.start)..back(self.key.end);
        self.string = self.string.map(back);
        self.state = match self.state {
            State::Between => State::Between,
            State::Inside { start, indent } => State::Inside { start: start.map(back), indent },
            State::Garbage { start } => State::Garbage { start: back(start) },
            State::Damaged { start, indent } => State::Damaged { start: start.map(back), indent },
        };
    }

    /// Goes on through the buffer and reports the records that end in it.
    pub(crate) fn scan(&mut self, buffer: &[u8], pieces: &mut Vec<Piece>) {
        while self.at < buffer.len() {
            match self.state {
                State::Between => self.between(buffer),
                State::Inside { start, indent } => {
                    if let Some(start) = start.filter(|s| self.at - s > self.limit) {
                        pieces.push(Piece { range: start..self.at, too_large: true });
                        self.string = None;
                        self.escaped = false;
                        self.state = State::Damaged { start: None, indent };
                        continue;
                    }
                    self.inside(buffer, start, indent, pieces);
                }
                State::Garbage { start } => match scan::find(&buffer[self.at..], b'\n') {
                    Some(end) => {
                        self.at += end;
                        pieces.push(Piece { range: start..self.at, too_large: false });
                        self.state = State::Between;
                    }
                    None => self.at = buffer.len(),
                },
                State::Damaged { start, indent } => self.damaged(buffer, start, indent, pieces),
            }
        }
    }

    /// The stream has ended: what is left is the last record, cut short.
    pub(crate) fn finish(&mut self, buffer: &[u8]) -> Option<Range<usize>> {
        match self.state {
            State::Inside { start: Some(start), .. }
            | State::Garbage { start }
            | State::Damaged { start: Some(start), .. } => Some(start..buffer.len()),
            _ => None,
        }
    }

    fn newline(&mut self) {
        self.line = self.at as i64 + 1;
        self.blank = true;
    }

    fn between(&mut self, buffer: &[u8]) {
        match buffer[self.at] {
            b'\n' => self.newline(),
            b' ' | b'\t' | b'\r' | b',' => {}
            b'[' if self.layers.is_empty() => self.layers.push(Layer::List),
            b @ (b'{' | b'[') => {
                let indent = self.at as i64 - self.line;
                self.state = State::Inside { start: Some(self.at), indent };
                self.open.clear();
                self.open.push(b);
                self.key = 0..0;
                self.before = b;
                self.blank = false;
            }
            b']' => match self.layers.pop() {
                Some(Layer::Page) => {
                    self.state = State::Inside { start: None, indent: -1 };
                    self.open.clear();
                    self.open.push(b'{');
                    self.key = 0..0;
                    self.before = b']';
                }
                Some(Layer::List) => {}
                None => self.state = State::Garbage { start: self.at },
            },
            0xef | 0xbb | 0xbf if self.line == 0 && self.at < 3 => {}
            _ => {
                self.state = State::Garbage { start: self.at };
                return;
            }
        }
        self.at += 1;
    }

    fn inside(&mut self, buffer: &[u8], start: Option<usize>, indent: i64, pieces: &mut Vec<Piece>) {
        if let Some(from) = self.string {
            return self.string_end(buffer, from, start, indent);
        }
        let byte = buffer[self.at];
        match byte {
            b'\n' => self.newline(),
            b' ' | b'\t' | b'\r' => {}
            b'"' => {
                self.string = Some(self.at + 1);
                self.blank = false;
            }
            b'{' | b'[' => {
                let in_list = self.open.last() == Some(&b'[');
                let allowed = self.before == b':' || in_list && matches!(self.before, b'[' | b',');
                if !allowed && self.blank && self.at as i64 - self.line == indent {
                    if let Some(start) = start {
                        pieces.push(Piece { range: start..self.at, too_large: false });
                    }
                    self.state = State::Between;
                    return;
                }
                if byte == b'[' && self.opens_page(buffer) {
                    self.layers.push(Layer::Page);
                    self.state = State::Between;
                } else {
                    self.open.push(byte);
                }
                self.before = byte;
                self.blank = false;
            }
            b'}' | b']' => {
                let fits = self.open.pop() == Some(if byte == b'}' { b'{' } else { b'[' });
                self.before = byte;
                self.blank = false;
                if !fits {
                    self.state = State::Damaged { start, indent };
                } else if self.open.is_empty() {
                    if let Some(start) = start {
                        pieces.push(Piece { range: start..self.at + 1, too_large: false });
                    }
                    self.state = State::Between;
                }
            }
            other => {
                self.before = other;
                self.blank = false;
            }
        }
        self.at += 1;
    }

    /// Whether the list that begins here is the content of a page.
    fn opens_page(&self, buffer: &[u8]) -> bool {
        let key = buffer.get(self.key.clone()).unwrap_or_default();
        self.open == [b'{']
            && self.before == b':'
            && self.layers.len() < 2
            && self.layers.last() != Some(&Layer::Page)
            && self.page_keys.iter().any(|k| k.as_bytes() == key)
    }

    fn string_end(&mut self, buffer: &[u8], from: usize, start: Option<usize>, indent: i64) {
        // A backslash may be the last byte of the buffer, so the byte after it is skipped in a step of its own.
        if std::mem::take(&mut self.escaped) {
            self.at += 1;
            return;
        }
        self.at += scan::string_end(&buffer[self.at..]);
        match buffer.get(self.at) {
            None => {}
            Some(b'"') => {
                if self.open.len() == 1 && self.before != b':' {
                    self.key = from..self.at;
                }
                self.before = b'"';
                self.string = None;
                self.at += 1;
            }
            Some(b'\\') => {
                self.escaped = true;
                self.at += 1;
            }
            Some(b'\n') => {
                self.string = None;
                self.state = State::Damaged { start, indent };
            }
            Some(_) => self.at += 1,
        }
    }

    fn damaged(&mut self, buffer: &[u8], start: Option<usize>, indent: i64, pieces: &mut Vec<Piece>) {
        match buffer[self.at] {
            b'\n' => self.newline(),
            b' ' | b'\t' | b'\r' => {}
            b'{' if self.blank && self.at as i64 - self.line == indent => {
                if let Some(start) = start {
                    pieces.push(Piece { range: start..self.at, too_large: false });
                }
                self.state = State::Between;
                return;
            }
            _ => self.blank = false,
        }
        self.at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The records of a text that arrives in pieces of that size.
    fn cut(format: Format, text: &str, step: usize) -> Vec<String> {
        let mut documents = Documents::new(format, 1 << 20);
        let (mut buffer, mut found) = (Vec::new(), Vec::new());
        for chunk in text.as_bytes().chunks(step) {
            buffer.extend_from_slice(chunk);
            let mut pieces = Vec::new();
            documents.scan(&buffer, &mut pieces);
            found.extend(
                pieces.iter().map(|p| String::from_utf8_lossy(&buffer[p.range.clone()]).trim().to_owned()),
            );
            let consumed = documents.consumed();
            buffer.drain(..consumed);
            documents.drained(consumed);
        }
        if let Some(rest) = documents.finish(&buffer) {
            found.push(String::from_utf8_lossy(&buffer[rest]).trim().to_owned());
        }
        found
    }

    fn check(format: Format, text: &str, expected: &[&str]) {
        for step in [1, 2, 3, 7, 10_000] {
            assert_eq!(cut(format, text, step), expected, "step {step}");
        }
    }

    #[test]
    fn documents_may_stand_in_a_row_over_many_lines_or_in_lists() {
        check(
            Format::Ndjson,
            "{\"a\":1}{\"b\":\"}\\\"{\"}\n\n{\n \"c\": [\n {}\n ]\n}\n",
            &["{\"a\":1}", "{\"b\":\"}\\\"{\"}", "{\n \"c\": [\n {}\n ]\n}"],
        );
        check(
            Format::Ndjson,
            "[\n {\"a\":1},\n {\"b\":2}\n]\n[{\"c\":3}]",
            &["{\"a\":1}", "{\"b\":2}", "{\"c\":3}"],
        );
    }

    #[test]
    fn a_page_gives_its_elements_and_its_rest_is_passed_over() {
        let page =
            r#"{"events":[{"m":"x"},{"m":["]"]}],"searched":[{"a":"}"}],"nextToken":"t"}{"events":[]}"#;
        check(Format::Cloudwatch, page, &[r#"{"m":"x"}"#, r#"{"m":["]"]}"#]);
        let both = r#"{"resourceSpans":[{"a":1}],"x":{"events":[1]},"resourceLogs":[{"b":2}]}"#;
        check(Format::Otlp, both, &[r#"{"a":1}"#, r#"{"b":2}"#]);
        check(Format::Ndjson, r#"{"events":[{"m":1}]}"#, &[r#"{"events":[{"m":1}]}"#]);
        check(Format::Cloudwatch, r#"{"a":{"events":[{"m":1}]}}"#, &[r#"{"a":{"events":[{"m":1}]}}"#]);
    }

    #[test]
    fn damage_stays_with_its_record() {
        check(
            Format::Ndjson,
            "{\n \"a\": 1,\n \"b\": \"x\n{\n \"c\": 2\n}\n",
            &["{\n \"a\": 1,\n \"b\": \"x", "{\n \"c\": 2\n}"],
        );
        check(Format::Ndjson, "{\n \"a\": [1\n{\n \"c\": 2\n}\n", &["{\n \"a\": [1", "{\n \"c\": 2\n}"]);
        check(Format::Ndjson, "{\n \"a\": 1]\n}\n{\"c\":2}\n", &["{\n \"a\": 1]\n}", "{\"c\":2}"]);
        check(Format::Ndjson, "nonsense\n{\"c\":2}\n{\"d\"", &["nonsense", "{\"c\":2}", "{\"d\""]);
    }

    proptest! {
        #[test]
        fn no_byte_of_a_record_is_lost_or_read_twice(
            bytes in prop::collection::vec(prop::sample::select(b"{}[]\":,\\a \n".to_vec()), 0..80),
            step in 1usize..9,
        ) {
            let text = String::from_utf8(bytes).unwrap();
            let whole = cut(Format::Ndjson, &text, 10_000);
            prop_assert_eq!(&whole, &cut(Format::Ndjson, &text, step));
            let kept: usize = whole.iter().map(|p| p.matches('a').count()).sum();
            prop_assert_eq!(kept, text.matches('a').count());
        }
    }
}
