//! Frames of bytes into rows: one decoder per worker, its memory reused from frame to frame.

use memchr::memchr;

use super::direct::Direct;
use super::json::{self, FaultKind, Kind, Tape, Value};
use super::names::{NameId, Names};
use super::{
    audit, cloudtrail, cloudwatch, csv, dialect, gcp, insights, jaeger, lift, lines, ndjson, otlp,
    prometheus, zipkin,
};

use crate::ingest::options::{CheckedMapping, Format, Limits};
use crate::ingest::output::{Origin, Output, Place};
use crate::ingest::quarantine::{Code, Fault};
use crate::ingest::row::Row;
use crate::ingest::table::TableId;

/// UTF-8 byte order mark, which some Windows tools put first.
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// Decodes frames.
pub(crate) struct Decoder {
    pub(crate) names: Names,
    pub(crate) output: Output,
    /// The names of a record's own keys, in the order of the record.
    pub(crate) ids: Vec<NameId>,
    outer: Tape,
    layers: [Tape; lift::MAX_LAYERS],
    spare: Row<'static>,
    pub(crate) limits: Limits,
    /// The short way; tests do without it to compare.
    pub(super) direct: Option<Direct>,
}

impl Decoder {
    pub(crate) fn new(mappings: &[CheckedMapping], limits: Limits) -> Decoder {
        let tape = || Tape::with_depth(limits.nesting);
        Decoder {
            names: Names::new(mappings),
            output: Output::default(),
            ids: Vec::new(),
            outer: tape(),
            layers: std::array::from_fn(|_| tape()),
            limits,
            spare: Row::new(),
            direct: Some(Direct::default()),
        }
    }

    /// Decodes lines, each of them a frame. A record ends with its last visible byte, so that a line break added later does
    /// not make it another one.
    pub(crate) fn lines(&mut self, origin: &Origin, offset: u64, bytes: &[u8]) {
        let whole = std::str::from_utf8(bytes).ok();
        let mut at = 0;
        while at < bytes.len() {
            let from = offset + at as u64;
            // Valid as a whole, so valid between two line breaks.
            if let Some(text) = whole.map(|text| &text[at..])
                && origin.format == Format::Ndjson
                && let Some(direct) = &mut self.direct
                && let Some(next) = direct.line(&mut self.names, &mut self.output, origin, text, from)
            {
                at += next;
                continue;
            }
            let stop = memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |length| at + length);
            let length = bytes[at..stop].trim_ascii_end().len();
            let end = from + length as u64;
            match whole {
                Some(text) => self.text(origin, from, &text[at..at + length], end),
                None => self.frame(origin, from, &bytes[at..at + length], end),
            }
            at = stop + 1;
        }
    }

    /// Decodes one frame; white space alone is no record.
    pub(crate) fn frame(&mut self, origin: &Origin, offset: u64, bytes: &[u8], end: u64) {
        let bytes = bytes.trim_ascii_end();
        if bytes.is_empty() {
            return;
        }
        match std::str::from_utf8(bytes) {
            Ok(text) => self.text(origin, offset, text, end),
            Err(e) => {
                let hint = if bytes.starts_with(&[0xff, 0xfe]) { " (it looks like UTF-16)" } else { "" };
                let reason = format!("expected UTF-8, found other bytes at {}{hint}", e.valid_up_to());
                let place = Place { base: offset, offset, end, original: bytes };
                self.output.reject(origin, place, origin.table, Fault::new(Code::BadUtf8, reason));
            }
        }
    }

    /// Decodes one frame that is known to be UTF-8.
    pub(crate) fn text(&mut self, origin: &Origin, offset: u64, text: &str, end: u64) {
        let (mut text, mut offset) = (text.trim_ascii_end(), offset);
        if let Some(rest) = text.strip_prefix(BYTE_ORDER_MARK).filter(|_| offset == 0) {
            text = rest;
            offset += BYTE_ORDER_MARK.len() as u64;
        }
        if text.is_empty() {
            return;
        }
        let place = Place { base: offset, offset, end, original: text.as_bytes() };
        if lines::is_text(origin.format) {
            return lines::record(self, origin, place, text);
        }
        if matches!(origin.format, Format::Csv | Format::CloudwatchCsv) {
            return csv::record(self, origin, place, text);
        }
        // The tape leaves the decoder while its values are in use, so that the decoder stays usable.
        let mut tape = std::mem::take(&mut self.outer);
        match tape.parse(text) {
            // A result of Insights is a list of fields.
            Ok(value) if value.kind() == Kind::Array && origin.format != Format::CloudwatchInsights => {
                for item in value.items() {
                    self.record(origin, place.within(item), item);
                }
            }
            Ok(value) => self.record(origin, place, value),
            Err(fault) => self.output.reject(origin, place, origin.table, Decoder::fault(text, fault)),
        }
        self.outer = tape;
    }

    /// What is wrong with a text that is not JSON.
    pub(crate) fn fault(text: &str, fault: json::Fault) -> Fault {
        let code = match fault.kind {
            FaultKind::Truncated => Code::Truncated,
            FaultKind::Syntax => Code::BadJson,
            FaultKind::Depth => Code::TooDeep,
        };
        let found = match text.get(fault.at.min(text.len())..).and_then(|rest| rest.chars().next()) {
            Some(c) => format!("{c:?}"),
            None => "the end".to_owned(),
        };
        Fault::new(code, format!("expected {} at byte {}, found {found}", fault.expected, fault.at))
    }

    fn record(&mut self, origin: &Origin, place: Place<'_>, value: Value<'_>) {
        match origin.format {
            Format::Cloudwatch => cloudwatch::record(self, origin, place, value),
            Format::CloudwatchInsights => insights::record(self, origin, place, value),
            Format::K8sAudit => audit::record(self, origin, place, value),
            Format::Cloudtrail => cloudtrail::record(self, origin, place, value),
            Format::Jaeger => jaeger::record(self, origin, place, value),
            Format::Zipkin => zipkin::record(self, origin, place, value),
            Format::Prometheus => prometheus::record(self, origin, place, value),
            Format::Gcp => gcp::record(self, origin, place, value),
            Format::Otlp => otlp::record(self, origin, place, value),
            // `text` has sent the formats that are no JSON elsewhere.
            _ => ndjson::record(self, origin, place, value),
        }
    }

    /// Builds one row: `fill` offers the record's own fields, then the message is opened, then it settles.
    pub(crate) fn row<'v>(
        &mut self,
        origin: &'v Origin,
        table: TableId,
        place: Place<'_>,
        fill: impl FnOnce(&mut Names, &mut Row<'v>),
    ) {
        self.names.begin();
        self.named_row(origin, table, place, fill);
    }

    /// As [`Decoder::row`], for a caller who has begun with the names already and still holds some.
    pub(crate) fn named_row<'v>(
        &mut self,
        origin: &'v Origin,
        table: TableId,
        place: Place<'_>,
        fill: impl FnOnce(&mut Names, &mut Row<'v>),
    ) {
        let mut row: Row<'v> = std::mem::replace(&mut self.spare, Row::new()).recycle();
        row.begin(table);
        fill(&mut self.names, &mut row);
        let mut row: Row<'_> = row;
        lift::message(&mut self.names, &mut row, &mut self.layers);
        row.settle_units(&self.names, dialect::unit);
        self.output.settle(origin, place, &self.names, &mut row);
        self.spare = row.recycle();
    }
}

impl<'a> Place<'a> {
    /// The place of a value inside the record.
    pub(crate) fn within(self, value: Value<'a>) -> Place<'a> {
        Place { offset: self.base + value.start() as u64, original: value.raw().as_bytes(), ..self }
    }

    /// The place of a piece of the record's text.
    pub(crate) fn part(self, text: &'a str, start: usize, end: usize) -> Place<'a> {
        Place { offset: self.base + start as u64, original: &text.as_bytes()[start..end], ..self }
    }
}
