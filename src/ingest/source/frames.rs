//! Cutting text that is not JSON documents into records: single lines, messages over several lines, CSV
//! records with line breaks in quotes, and lines that a container runtime wrote in parts.
//!
//! It decides where a record ends and nothing else; whether a record makes sense shows when it is decoded.
//! Header lines are taken out here, because blocks are decoded side by side: each block carries the header
//! that holds for all of its records.

use std::ops::Range;
use std::sync::Arc;

use memchr::memchr;

use super::head::{self, Head};
use crate::ingest::csv_layout::CsvLayout;
use crate::ingest::format::json::Tape;
use crate::ingest::format::lines::{cri, export};
use crate::ingest::options::Format;
use crate::ingest::quarantine::MAX_ORIGINAL;

/// How records stand in the text.
enum Rule {
    /// One per line.
    Line,
    /// One per line behind `#Fields:` lines; other lines that begin with `#` are comments.
    Fields,
    /// One per line; a line of field names is a header.
    Vpc,
    /// A line that begins with a time, and the lines up to the next such line.
    Export,
    /// Lines of JSON whose text may go on in the next line of the same stream.
    Docker,
    /// Lines with a flag that says whether the text goes on in the next line of the same stream.
    Cri,
    /// CSV: the reader stands in the middle of a record when `inside`.
    Csv { reader: Box<csv_core::Reader>, inside: bool, rows_left: usize },
}

/// What a record is, but for its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mark {
    /// All of it.
    Whole,
    /// It grew beyond the limit, and this is its beginning.
    TooLarge,
    /// The source ends in the middle of it.
    Open,
}

/// Headers, each with the place from which it holds.
pub(crate) type Heads = Vec<(usize, Arc<Head>)>;

/// Records found, ready to become a block.
#[derive(Debug, Default)]
pub(crate) struct Cut {
    /// Bytes from the front of the buffer.
    pub(crate) length: usize,
    pub(crate) records: Vec<(Range<usize>, Mark)>,
    pub(crate) heads: Heads,
    /// The last record has no end of line.
    pub(crate) open_ended: bool,
}

/// The cutter; positions count from the start of the caller's buffer.
pub(crate) struct Frames {
    rule: Rule,
    limit: usize,
    /// Where the first line begins that was not looked at yet.
    at: usize,
    /// Where the unfinished record begins.
    start: Option<usize>,
    /// Streams whose text goes on: one bit each.
    pending: u8,
    found: Vec<(Range<usize>, Mark)>,
    heads: Heads,
    layout: Option<Arc<CsvLayout>>,
    /// A record may not reach across this place: up to there the source has landed.
    landed: Option<usize>,
}

fn rule(format: Format, layout: Option<&CsvLayout>) -> Option<Rule> {
    Some(match format {
        Format::CloudwatchExport => Rule::Export,
        Format::Docker => Rule::Docker,
        Format::Cri => Rule::Cri,
        Format::Logfmt | Format::Nginx | Format::Alb => Rule::Line,
        Format::Cloudfront => Rule::Fields,
        Format::VpcFlow => Rule::Vpc,
        Format::CloudwatchCsv | Format::Csv => Rule::Csv {
            reader: Box::new(csv_core::Reader::new()),
            inside: false,
            rows_left: layout.map_or(1, |l| l.header.len().max(1)),
        },
        _ => return None,
    })
}

impl Frames {
    /// `landed` is the offset up to which the source is in the lake.
    pub(crate) fn new(
        format: Format,
        limit: usize,
        landed: u64,
        layout: Option<Arc<CsvLayout>>,
    ) -> Option<Frames> {
        let rule = rule(format, layout.as_deref())?;
        let heads = match rule {
            Rule::Vpc => {
                vec![(0, Arc::new(Head { rows: vec![head::vpc_default()], ..Head::default() }))]
            }
            _ => Vec::new(),
        };
        let landed = usize::try_from(landed).ok().filter(|l| *l > 0);
        let found = Vec::new();
        Some(Frames { rule, limit, at: 0, start: None, pending: 0, found, heads, layout, landed })
    }

    /// The caller passed over a record at the front of its buffer: what follows begins anew.
    pub(crate) fn passed_over(&mut self, bytes: usize) {
        self.landed = self.landed.and_then(|l| l.checked_sub(bytes)).filter(|l| *l > 0);
        self.start = None;
        self.restart(0);
    }

    /// Forgets what is unfinished and goes on at a place.
    fn restart(&mut self, at: usize) {
        self.at = at;
        self.pending = 0;
        if let Rule::Csv { inside, .. } = &mut self.rule {
            *inside = false;
        }
    }

    /// Hands out what was found up to a place; positions count from there on.
    fn give(&mut self, length: usize, open_ended: bool) -> Option<Cut> {
        let records = std::mem::take(&mut self.found);
        let heads = self.heads.clone();
        let holds = self.heads.iter().rposition(|(at, _)| *at <= length).unwrap_or(0);
        self.heads.drain(..holds);
        for (at, _) in &mut self.heads {
            *at = at.saturating_sub(length);
        }
        self.at -= length.min(self.at);
        self.start = self.start.map(|s| s.saturating_sub(length));
        self.landed = self.landed.and_then(|l| l.checked_sub(length)).filter(|l| *l > 0);
        Some(Cut { length, records, heads, open_ended })
    }

    /// Closes the unfinished record before a place.
    fn close(&mut self, buffer: &[u8], end: usize, mark: Mark) {
        if let Some(start) = self.start.take() {
            let length = buffer[start..end].trim_ascii_end().len();
            if length > 0 {
                self.found.push((start..start + length, mark));
            }
        }
    }

    /// Bytes at the front of the buffer that no unfinished record needs.
    fn complete(&self) -> usize {
        self.start.unwrap_or(self.at)
    }

    /// The next block of the buffer, if it is due: `full` bytes of records, or the end (`ended`), where the last
    /// record comes as a block of its own if it has no end.
    pub(crate) fn cut(&mut self, buffer: &[u8], full: usize, ended: bool) -> Option<Cut> {
        loop {
            while let Some(end) = self.line_end(buffer) {
                self.step(buffer, end);
                if self.start.is_some_and(|s| self.at - s > self.limit) {
                    // It goes on and on: what is there stands for itself.
                    self.end_here(buffer);
                }
                if self.complete() >= full {
                    return self.give(self.complete(), false);
                }
            }
            // At the end a record in quotes may be as large as a reject can keep.
            let most = if ended { self.limit.min(MAX_ORIGINAL) } else { self.limit };
            let csv = matches!(self.rule, Rule::Csv { .. });
            if (ended && !csv) || buffer.len() - self.complete() <= most || !self.unstick(buffer) {
                break;
            }
        }
        if ended {
            return self.last(buffer);
        }
        let complete = self.complete();
        let stuck = buffer.len() - complete > self.limit;
        (complete >= full || complete > 0 && stuck).then(|| self.give(complete, false)).flatten()
    }

    fn end_here(&mut self, buffer: &[u8]) {
        self.close(buffer, self.at, Mark::Whole);
        self.restart(self.at);
    }

    /// An unfinished record is larger than the limit. Lines that wait for their rest go as they are; a CSV
    /// record with a quote that nobody closes costs its first line only, and reading goes on behind that.
    ///
    /// Whether it found something to go on with.
    fn unstick(&mut self, buffer: &[u8]) -> bool {
        let Some(start) = self.start else { return false };
        if !matches!(self.rule, Rule::Csv { .. }) {
            let moved = self.at > start;
            self.end_here(buffer);
            return moved;
        }
        let Some(length) = memchr(b'\n', &buffer[start..]) else { return false };
        self.close(buffer, start + length, Mark::TooLarge);
        self.restart(start + length + 1);
        true
    }

    /// Whether the buffer is nothing but the beginning of a line.
    pub(crate) fn is_stuck(&self, buffer: &[u8]) -> bool {
        self.complete() == 0 && memchr(b'\n', buffer).is_none()
    }

    /// Goes past one line or CSV record.
    fn step(&mut self, buffer: &[u8], end: usize) {
        if self.header(&buffer[self.at..end]) {
            self.close(buffer, self.at, Mark::Whole);
            self.take_header(buffer, end);
        } else {
            self.line(buffer, end);
        }
    }

    /// What is left at the end of the source.
    fn last(&mut self, buffer: &[u8]) -> Option<Cut> {
        if let Rule::Csv { inside: inside @ true, .. } = &mut self.rule {
            *inside = false;
            self.at = self.start.take().unwrap_or(self.at);
        }
        let stump = self.at < buffer.len();
        if stump && matches!(self.rule, Rule::Export) && export::begins(&buffer[self.at..]) {
            self.close(buffer, self.at, Mark::Whole);
        }
        let complete = self.complete();
        if complete > 0 && (stump || self.pending > 0) {
            return self.give(complete, false);
        }
        if buffer.is_empty() {
            return None;
        }
        let mut mark = Mark::Whole;
        if stump {
            // A last line without its end.
            let quotes = buffer.iter().filter(|b| **b == b'"').count();
            self.step(buffer, buffer.len());
            if matches!(self.rule, Rule::Csv { .. }) && quotes % 2 == 1 {
                mark = Mark::Open;
                if let Some((_, found)) = self.found.last_mut() {
                    *found = mark;
                }
            }
        }
        if self.pending > 0 {
            mark = Mark::Open;
        }
        self.close(buffer, buffer.len(), mark);
        self.restart(buffer.len());
        self.give(buffer.len(), stump || mark == Mark::Open)
    }

    /// The end of the next line or CSV record, its line break included, if it is in the buffer.
    fn line_end(&mut self, buffer: &[u8]) -> Option<usize> {
        let landed = self.landed.filter(|l| (self.at + 1..=buffer.len()).contains(l));
        if matches!(self.rule, Rule::Csv { .. }) {
            return self.csv_end(buffer, landed);
        }
        let end = self.at + memchr(b'\n', buffer.get(self.at..)?)? + 1;
        Some(landed.filter(|l| *l < end).unwrap_or(end))
    }

    fn csv_end(&mut self, buffer: &[u8], landed: Option<usize>) -> Option<usize> {
        let delimiter = self.delimiter(buffer);
        let Rule::Csv { reader, inside, .. } = &mut self.rule else { return None };
        if !*inside {
            // Line breaks between records belong to none.
            while matches!(buffer.get(self.at), Some(b'\r' | b'\n')) {
                self.at += 1;
            }
            **reader = csv_core::ReaderBuilder::new().delimiter(delimiter).build();
            self.start = Some(self.at);
            *inside = true;
        }
        let (mut out, mut ends) = ([0; 1024], [0; 64]);
        let end = landed.filter(|l| *l > self.at).unwrap_or(buffer.len());
        while self.at < end {
            let (result, read, _, _) = reader.read_record(&buffer[self.at..end], &mut out, &mut ends);
            self.at += read;
            if matches!(result, csv_core::ReadRecordResult::Record | csv_core::ReadRecordResult::End) {
                *inside = false;
                break;
            }
        }
        // What has landed ends there, whatever comes.
        *inside &= landed != Some(self.at);
        if *inside {
            return None;
        }
        let end = std::mem::replace(&mut self.at, self.start.unwrap_or(0));
        Some(end)
    }

    fn head(&self) -> Option<&Arc<Head>> {
        self.heads.last().map(|(_, head)| head)
    }

    fn delimiter(&self, buffer: &[u8]) -> u8 {
        if let Some(delimiter) = self.layout.as_ref().and_then(|l| l.delimiter) {
            return delimiter;
        }
        if let Some(head) = self.head() {
            return head.delimiter;
        }
        let first = &buffer[self.at.min(buffer.len())..];
        let end = memchr(b'\n', first).unwrap_or(first.len());
        head::delimiter_of(&first[..end])
    }

    /// Whether a line is a header or a comment, not a record.
    fn header(&self, line: &[u8]) -> bool {
        match &self.rule {
            Rule::Fields => line.starts_with(b"#"),
            Rule::Vpc => {
                line.first().is_some_and(u8::is_ascii_lowercase)
                    && std::str::from_utf8(line).is_ok_and(|l| head::vpc_line(l).is_some())
            }
            Rule::Csv { rows_left, .. } => *rows_left > 0 && !line.trim_ascii().is_empty(),
            _ => false,
        }
    }

    /// Takes in a header.
    fn take_header(&mut self, buffer: &[u8], end: usize) {
        let text = String::from_utf8_lossy(&buffer[self.at..end]);
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text).trim_end_matches(['\r', '\n']);
        let delimiter = self.delimiter(buffer);
        let rows = match &mut self.rule {
            Rule::Csv { rows_left, .. } => {
                *rows_left -= 1;
                let fields = head::csv_fields(text.as_bytes(), delimiter);
                let mut rows = self.heads.last().map_or_else(Vec::new, |(_, head)| head.rows.clone());
                rows.push(fields.iter().map(|f| String::from_utf8_lossy(f).trim().to_owned()).collect());
                Some(rows)
            }
            Rule::Vpc => head::vpc_line(text).map(|fields| vec![fields]),
            _ => head::fields_line(text).map(|fields| vec![fields]),
        };
        if let Some(rows) = rows.filter(|rows| self.head().is_none_or(|head| head.rows != *rows)) {
            let layout = self.layout.clone();
            self.heads.push((self.at, Arc::new(Head { rows, delimiter, layout })));
        }
        self.start = None;
        self.restart(end);
    }

    /// Goes past one line, which begins or continues a record.
    fn line(&mut self, buffer: &[u8], end: usize) {
        let line = &buffer[self.at..end];
        let at = self.at;
        // Streams that go on are told before the line is part of the record.
        match &self.rule {
            Rule::Line | Rule::Fields | Rule::Vpc | Rule::Csv { .. } => {
                self.start = Some(at);
                self.close(buffer, end, Mark::Whole);
            }
            Rule::Export => {
                if export::begins(line) {
                    self.close(buffer, at, Mark::Whole);
                }
                self.start.get_or_insert(at);
                if self.landed == Some(end) {
                    self.close(buffer, end, Mark::Whole);
                }
            }
            Rule::Docker | Rule::Cri => {
                let (stream, goes_on) = match self.rule {
                    Rule::Cri => cri::part(line),
                    _ => docker_part(line),
                };
                self.start.get_or_insert(at);
                match goes_on {
                    true => self.pending |= stream,
                    false => self.pending &= !stream,
                }
                if self.pending == 0 || self.landed == Some(end) {
                    self.pending = 0;
                    self.close(buffer, end, Mark::Whole);
                }
            }
        }
        self.at = end;
        if let Rule::Csv { inside, .. } = &mut self.rule {
            *inside = false;
        }
    }
}

/// The stream of a line of Docker's as a bit, and whether its text goes on: it does if it has no line break.
fn docker_part(line: &[u8]) -> (u8, bool) {
    let line = line.trim_ascii_end();
    let bit = |stream: &[u8]| match stream {
        b"stdout" => 1,
        b"stderr" => 1 << 1,
        _ => 1 << 2,
    };
    // As Docker itself writes it: `{"log":"…\n","stream":"stdout","time":"…"}`, close to the end.
    const STREAM: &[u8] = b"\\n\",\"stream\":\"";
    let near = line.len().saturating_sub(96);
    if let Some(at) = line[near..].windows(STREAM.len()).position(|w| w == STREAM) {
        let at = near + at;
        let escapes = line[..at].iter().rev().take_while(|b| **b == b'\\').count();
        let stream = &line[at + STREAM.len()..];
        if escapes % 2 == 0 {
            return (bit(stream.get(..6).unwrap_or(stream)), false);
        }
    }
    let mut tape = Tape::default();
    let Some(value) = std::str::from_utf8(line).ok().and_then(|t| tape.parse(t).ok()) else {
        return (0, false);
    };
    let stream = value.get_str("stream").unwrap_or("stdout");
    (bit(stream.as_bytes()), value.get_str("log").is_some_and(|l| !l.ends_with('\n')))
}
