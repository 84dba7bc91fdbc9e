//! Whether the spans of one trace hang together: which name a parent that is there, and which calls to another region
//! were answered.
//!
//! A trace is judged as a whole, once all of its spans are known, so neither their order nor the way they were batched
//! can matter. Identifiers of 16 hexadecimal digits, as the W3C Trace Context has them
//! (<https://www.w3.org/TR/trace-context/#parent-id>), are kept as numbers, others as places in a list of texts.

use std::collections::HashMap;

/// An identifier of a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) enum Id {
    /// None is stated.
    #[default]
    Absent,
    /// 16 hexadecimal digits in lower case.
    Hex(u64),
    /// The place of any other text.
    Text(u32),
}

/// A span, as far as it matters here. Regions are places in a list, 0 for none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Span {
    pub(super) id: Id,
    pub(super) parent: Id,
    pub(super) region: u32,
    pub(super) peer_region: u32,
    pub(super) is_error: bool,
    pub(super) is_judged: bool,
}

/// A span as a row has it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct SpanRow<'a> {
    /// Where it ran.
    pub(super) region: Option<&'a str>,
    /// Its identifier.
    pub(super) id: Option<&'a str>,
    /// That of the span that caused it.
    pub(super) parent: Option<&'a str>,
    /// The region that it called.
    pub(super) peer_region: Option<&'a str>,
    /// Whether it failed.
    pub(super) is_error: bool,
    /// Whether it is counted; others may only be parents and answers.
    pub(super) is_judged: bool,
}

/// Texts that spans share, each once.
#[derive(Debug, Default)]
pub(super) struct Texts {
    list: Vec<Box<str>>,
    places: HashMap<Box<str>, u32>,
    bytes: usize,
    /// The place of the last region and of the last other one that was called: most spans name the same ones.
    recent: [u32; 2],
}

impl Texts {
    /// The place of a text, from 1; 0 for none.
    fn place(&mut self, text: Option<&str>) -> u32 {
        let Some(text) = text else { return 0 };
        if let Some(place) = self.places.get(text) {
            return *place;
        }
        self.list.push(text.into());
        let place = u32::try_from(self.list.len()).unwrap_or(u32::MAX);
        self.places.insert(text.into(), place);
        self.bytes += 2 * text.len() + 64;
        place
    }

    fn text(&self, place: u32) -> Option<&str> {
        let index = usize::try_from(place).ok()?.checked_sub(1)?;
        self.list.get(index).map(AsRef::as_ref)
    }

    /// The same for a text that is often the one that was asked for before, in one of two uses.
    fn place_again(&mut self, usage: usize, text: Option<&str>) -> u32 {
        if text.is_none() || self.text(self.recent[usage]) != text {
            let place = self.place(text);
            if place == 0 {
                return 0;
            }
            self.recent[usage] = place;
        }
        self.recent[usage]
    }

    fn id(&mut self, text: Option<&str>) -> Id {
        match text {
            None => Id::Absent,
            Some(text) => hex(text).map_or_else(|| Id::Text(self.place(Some(text))), Id::Hex),
        }
    }

    /// Memory that they take, about.
    pub(super) fn heap_size(&self) -> usize {
        self.bytes
    }

    pub(super) fn span(&mut self, row: &SpanRow<'_>) -> Span {
        Span {
            id: self.id(row.id),
            parent: self.id(row.parent),
            region: self.place_again(0, row.region),
            peer_region: self.place_again(1, row.peer_region),
            is_error: row.is_error,
            is_judged: row.is_judged,
        }
    }

    /// Adds a span to bytes that [`Texts::read`] understands, whatever its own list of texts.
    pub(super) fn write(&self, span: &Span, bytes: &mut Vec<u8>) {
        let head = bytes.len();
        bytes.push(u8::from(span.is_error) | u8::from(span.is_judged) << 1);
        for (id, shift) in [(span.id, ID), (span.parent, PARENT)] {
            bytes[head] |= match id {
                Id::Absent => ABSENT,
                Id::Hex(number) => {
                    bytes.extend(number.to_le_bytes());
                    HEX
                }
                Id::Text(place) => self.write_text(place, bytes),
            } << shift;
        }
        for (place, shift) in [(span.region, REGION), (span.peer_region, PEER)] {
            bytes[head] |= self.write_text(place, bytes) << shift;
        }
    }

    /// Adds a text, and says whether it is one.
    fn write_text(&self, place: u32, bytes: &mut Vec<u8>) -> u8 {
        let Some(text) = self.text(place) else { return ABSENT };
        // The length in bytes of seven bits, the last one without the eighth.
        let mut length = text.len();
        while length >= 0x80 {
            bytes.push(length as u8 | 0x80);
            length >>= 7;
        }
        bytes.push(length as u8);
        bytes.extend(text.as_bytes());
        TEXT
    }

    /// Takes the first span off the bytes; nothing where they are not what [`Texts::write`] wrote.
    pub(super) fn read(&mut self, bytes: &mut &[u8]) -> Option<Span> {
        let [head] = take(bytes)?;
        let (id, parent) = (self.read_id(head >> ID, bytes)?, self.read_id(head >> PARENT, bytes)?);
        let region = read_text(head >> REGION & TEXT, bytes)?;
        let region = self.place_again(0, region);
        let peer_region = read_text(head >> PEER & TEXT, bytes)?;
        let peer_region = self.place_again(1, peer_region);
        Some(Span { id, parent, region, peer_region, is_error: head & 1 != 0, is_judged: head & 2 != 0 })
    }

    fn read_id(&mut self, kind: u8, bytes: &mut &[u8]) -> Option<Id> {
        match kind & (TEXT | HEX) {
            HEX => Some(Id::Hex(u64::from_le_bytes(take(bytes)?))),
            kind => Some(match self.place(read_text(kind, bytes)?) {
                0 => Id::Absent,
                place => Id::Text(place),
            }),
        }
    }
}

/// Where the first byte of a span says what follows: two bits for an identifier, one for a region.
const ID: u8 = 2;
const PARENT: u8 = 4;
const REGION: u8 = 6;
const PEER: u8 = 7;

/// What follows.
const ABSENT: u8 = 0;
const TEXT: u8 = 1;
const HEX: u8 = 2;

/// Takes a text off the bytes, or none; nothing where they hold no text.
fn read_text<'a>(kind: u8, bytes: &mut &'a [u8]) -> Option<Option<&'a str>> {
    match kind {
        ABSENT => Some(None),
        TEXT => {
            let (mut length, mut shift) = (0_usize, 0);
            loop {
                let [byte] = take(bytes)?;
                length |= usize::from(byte & 0x7f).checked_shl(shift)?;
                if byte < 0x80 {
                    break;
                }
                shift += 7;
            }
            let (text, rest) = bytes.split_at_checked(length)?;
            *bytes = rest;
            Some(Some(std::str::from_utf8(text).ok()?))
        }
        _ => None,
    }
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (head, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*head)
}

/// The number of 16 hexadecimal digits in lower case; the text of any other identifier would not come back from it.
fn hex(text: &str) -> Option<u64> {
    let bytes = text.as_bytes();
    if bytes.len() != 16 {
        return None;
    }
    bytes.iter().try_fold(0, |number, byte| {
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' => byte - b'a' + 10,
            _ => return None,
        };
        Some(number << 4 | u64::from(digit))
    })
}

/// What one region has of a trace, or the whole of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct TracePart<'a> {
    /// The region; nothing for the whole trace.
    pub(super) region: Option<&'a str>,
    /// Different spans.
    pub(super) spans: i64,
    /// Those that name a parent.
    pub(super) child_spans: i64,
    /// Those whose parent is not there.
    pub(super) orphans: i64,
    /// Those whose parent ran in another region.
    pub(super) links_abroad: i64,
    /// Whether no span of the trace is a root.
    pub(super) is_rootless: bool,
    /// Whether the trace touches two regions or more.
    pub(super) is_cross_region: bool,
    /// Whether it does, and has an orphan, or a call to another region that no span there answers to.
    pub(super) is_broken: bool,
}

/// What the judged spans of a trace come to: for each region, in the order of names, then as a whole. Nothing for a trace
/// without a judged span.
pub(super) fn parts<'a>(spans: &[Span], texts: &'a Texts) -> Vec<TracePart<'a>> {
    let mut judged: Vec<Span> = spans.iter().filter(|s| s.is_judged).copied().collect();
    judged.sort_unstable();
    judged.dedup();
    if judged.is_empty() {
        return Vec::new();
    }
    let parents = first_regions(spans, texts);
    let region_of = |id: Id| -> Option<u32> {
        let found = parents.binary_search_by_key(&id, |(id, _)| *id).ok()?;
        parents.get(found).map(|(_, region)| *region)
    };
    let unanswered = unanswered(spans, &judged);

    let mut by_region: Vec<(u32, TracePart<'a>)> = Vec::new();
    for span in &judged {
        let at = by_region.iter().position(|(region, _)| *region == span.region).unwrap_or_else(|| {
            by_region.push((span.region, TracePart::default()));
            by_region.len() - 1
        });
        let part = &mut by_region[at].1;
        let parent = region_of(span.parent);
        let is_child = span.parent != Id::Absent;
        part.spans += 1;
        part.child_spans += i64::from(is_child);
        part.orphans += i64::from(is_child && parent.is_none());
        part.links_abroad += i64::from(parent.is_some_and(|region| region != 0 && region != span.region));
    }
    let mut whole = TracePart::default();
    for (_, part) in &by_region {
        whole.spans += part.spans;
        whole.child_spans += part.child_spans;
        whole.orphans += part.orphans;
        whole.links_abroad += part.links_abroad;
    }
    whole.is_rootless = judged.iter().all(|s| s.parent != Id::Absent);
    whole.is_cross_region = by_region.len() > 1 || whole.links_abroad > 0 || unanswered.is_some();
    whole.is_broken = whole.is_cross_region && (whole.orphans > 0 || unanswered == Some(true));

    let mut parts: Vec<TracePart<'a>> = by_region
        .into_iter()
        .map(|(region, part)| TracePart {
            region: texts.text(region),
            is_rootless: whole.is_rootless,
            is_cross_region: whole.is_cross_region,
            is_broken: whole.is_broken,
            ..part
        })
        .collect();
    parts.sort_unstable_by_key(|part| part.region);
    parts.push(whole);
    parts
}

/// Where each span ran; of several with one identifier the region that comes first by name.
fn first_regions(spans: &[Span], texts: &Texts) -> Vec<(Id, u32)> {
    let mut all: Vec<(Id, u32)> =
        spans.iter().filter(|s| s.id != Id::Absent).map(|s| (s.id, s.region)).collect();
    all.sort_unstable_by(|a, b| a.0.cmp(&b.0).then_with(|| texts.text(a.1).cmp(&texts.text(b.1))));
    all.dedup_by_key(|(id, _)| *id);
    all
}

/// Whether a call to another region that succeeded has no answer; nothing where no span calls one.
fn unanswered(spans: &[Span], judged: &[Span]) -> Option<bool> {
    let calls = |s: &&Span| s.peer_region != 0 && s.peer_region != s.region;
    judged.iter().find(calls)?;
    let mut answers: Vec<Id> =
        spans.iter().filter(|s| s.id != Id::Absent && s.parent != Id::Absent).map(|s| s.parent).collect();
    answers.sort_unstable();
    let is_answered = |id: Id| id != Id::Absent && answers.binary_search(&id).is_ok();
    Some(judged.iter().filter(calls).any(|s| !s.is_error && !is_answered(s.id)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span<'a>(region: &'a str, id: &'a str, parent: Option<&'a str>) -> SpanRow<'a> {
        SpanRow { region: Some(region), id: Some(id), parent, is_judged: true, ..SpanRow::default() }
    }

    fn whole(rows: &[SpanRow<'_>]) -> TracePart<'static> {
        let mut texts = Texts::default();
        let spans: Vec<_> = rows.iter().map(|row| texts.span(row)).collect();
        TracePart { region: None, ..parts(&spans, &texts).pop().unwrap() }
    }

    #[test]
    fn a_span_goes_through_bytes_to_another_list_of_texts() {
        let long = "s".repeat(300);
        let ids = ["00f067aa0ba902b7", "00F067AA0BA902B7", "0", "", "ffffffffffffffff", &long];
        let rows =
            ids.map(|id| SpanRow { peer_region: Some("b"), is_error: true, ..span("a", id, Some(ids[0])) });
        let (mut texts, mut others, mut bytes) = (Texts::default(), Texts::default(), Vec::new());
        let spans = rows.map(|row| texts.span(&row));
        spans.iter().for_each(|span| texts.write(span, &mut bytes));
        others.place(Some("a text more"));
        let mut rest = bytes.as_slice();
        for row in &rows {
            let read = others.read(&mut rest).unwrap();
            assert_eq!(read, others.span(row));
        }
        assert!(rest.is_empty());
        for cut in 1..bytes.len() {
            let mut part = &bytes[..cut];
            while !part.is_empty() && others.read(&mut part).is_some() {}
        }
        assert_eq!(others.read(&mut [3 << ID, 9].as_slice()), None);
        assert_eq!(others.read(&mut [TEXT << ID, 9, b'a'].as_slice()), None);
    }

    #[test]
    fn a_span_whose_parent_is_missing_is_an_orphan() {
        let rows = [span("a", "1", None), span("a", "2", Some("1")), span("a", "3", Some("9"))];
        let found = whole(&rows);
        assert_eq!((found.spans, found.child_spans, found.orphans), (3, 2, 1));
        assert!(!found.is_cross_region && !found.is_broken && !found.is_rootless);
    }

    #[test]
    fn a_span_that_is_not_judged_is_still_a_parent() {
        let rows = [SpanRow { is_judged: false, ..span("a", "1", None) }, span("b", "2", Some("1"))];
        let found = whole(&rows);
        assert_eq!((found.spans, found.orphans, found.links_abroad), (1, 0, 1));
        assert!(found.is_cross_region && found.is_rootless && !found.is_broken);
    }

    #[test]
    fn a_call_abroad_breaks_its_trace_unless_it_failed_or_was_answered() {
        let call = SpanRow { peer_region: Some("b"), ..span("a", "1", None) };
        assert!(whole(&[call]).is_broken);
        assert!(!whole(&[SpanRow { is_error: true, ..call }]).is_broken);
        assert!(!whole(&[call, span("b", "2", Some("1"))]).is_broken);
        // An answer without an identifier is none.
        assert!(whole(&[call, SpanRow { id: None, ..span("b", "", Some("1")) }]).is_broken);
    }

    #[test]
    fn the_same_span_twice_counts_once_and_order_does_not_matter() {
        let rows = [
            span("b", "2", Some("1")),
            span("a", "1", None),
            span("b", "2", Some("1")),
            span("c", "1", None),
        ];
        let mut texts = Texts::default();
        let mut spans: Vec<_> = rows.iter().map(|row| texts.span(row)).collect();
        let found = parts(&spans, &texts);
        spans.reverse();
        assert_eq!(parts(&spans, &texts), found);
        let regions: Vec<_> = found.iter().map(|p| (p.region, p.spans)).collect();
        assert_eq!(regions, [(Some("a"), 1), (Some("b"), 1), (Some("c"), 1), (None, 3)]);
    }

    #[test]
    fn a_trace_without_a_judged_span_says_nothing() {
        let mut texts = Texts::default();
        let kept = texts.span(&SpanRow { is_judged: false, ..span("a", "1", None) });
        assert!(parts(&[kept], &texts).is_empty() && parts(&[], &texts).is_empty());
    }
}
