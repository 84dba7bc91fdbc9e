//! A source as blocks of whole records, with byte offsets in the unpacked stream and the digest of
//! everything before the end of each block.

use std::hash::Hasher;
use std::io::{self, Read};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use memchr::memchr;
use twox_hash::XxHash64;

use super::documents::Documents;
use super::frames::{Frames, Heads, Mark};
use super::unpack::Unpacked;
use crate::ingest::csv_layout::CsvLayout;
use crate::ingest::format::detect;
use crate::ingest::format::json::{Kind, Tape};
use crate::ingest::options::Format;
use crate::ingest::quarantine::MAX_ORIGINAL;

/// Bytes of a block, about: enough that handing it on does not count, little enough to keep many in flight.
pub(crate) const BLOCK: usize = 1 << 20;

/// How records stand in a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Records {
    /// One per line.
    Lines,
    /// At these ranges; the mark says whether all of it is there.
    At(Vec<(Range<usize>, Mark)>),
    /// The block is one document, and every record in it ends where the block ends.
    Whole,
}

/// A piece of a source.
#[derive(Debug)]
pub(crate) struct Block {
    /// Where its first byte stands in the source.
    pub(crate) offset: u64,
    pub(crate) bytes: Vec<u8>,
    pub(crate) records: Records,
    /// What header lines say, each from its place on.
    pub(crate) heads: Heads,
    /// First byte after it, oversized records included.
    pub(crate) end: u64,
    /// Digest of the source up to there.
    pub(crate) digest: u64,
    /// Whether the source ends in the middle of it, without the end of a line or document.
    pub(crate) open_ended: bool,
}

/// A first line of a source that goes on tells the format by this much of it.
pub(crate) const FIRST_LINE: usize = 64 << 10;

/// Bits of a digest that are kept: what fits into an application transaction beside its ordinal.
const DIGEST_BITS: u32 = 40;

/// The first 40 bits of XXH64: enough to tell a rewritten file from a grown one. It has to keep up with every byte
/// that is read, and nobody gains from forging a source of his own, so no cryptographic hash.
pub(crate) fn digest_of(hasher: &XxHash64) -> u64 {
    hasher.finish() >> (u64::BITS - DIGEST_BITS)
}

/// Whether records are lines; else they are documents in any layout.
fn is_lines(sample: &[u8], whole: bool) -> bool {
    let trimmed = sample.trim_ascii_start();
    let trimmed = trimmed.strip_prefix(b"\xef\xbb\xbf").unwrap_or(trimmed);
    match trimmed.first() {
        Some(b'[') => return false,
        Some(b'{') => {}
        _ => return true,
    }
    let Some(first_end) = memchr(b'\n', trimmed) else { return whole && !is_row(trimmed) };
    let is_object = |line: &[u8]| {
        let mut tape = Tape::default();
        std::str::from_utf8(line).is_ok_and(|t| tape.parse(t).is_ok_and(|v| v.kind() == Kind::Object))
    };
    if is_object(&trimmed[..first_end]) {
        return true;
    }
    // The first line may be damaged, or the first of many of one document; whole objects at the start of
    // later lines tell.
    const LATER_LINES: usize = 64;
    trimmed[first_end + 1..]
        .split(|b| *b == b'\n')
        .take(LATER_LINES)
        .any(|line| line.first() == Some(&b'{') && is_object(line))
}

/// Whether a text without line breaks is several documents in a row.
fn is_row(text: &[u8]) -> bool {
    let mut pieces = Vec::new();
    Documents::new(Format::Ndjson, usize::MAX).scan(text, &mut pieces);
    pieces.len() > 1
}

/// What is known about a source before it is read.
#[derive(Debug, Clone, Default)]
pub(crate) struct About<'a> {
    /// Its path or name.
    pub(crate) name: &'a str,
    /// The format that the caller says it has.
    pub(crate) format: Option<Format>,
    /// How far it is in the lake: no record of text reaches across that place.
    pub(crate) landed: u64,
    /// The CSV layout that is for it.
    pub(crate) layout: Option<Arc<CsvLayout>>,
}

/// Reads a source block by block.
pub(crate) struct Blocks {
    reader: Unpacked,
    buffer: Vec<u8>,
    /// Where the buffer starts in the source.
    offset: u64,
    hasher: XxHash64,
    ended: bool,
    /// The reader has nothing for now.
    paused: bool,
    /// A line that is too long to hold: where it starts, and its beginning.
    passing: Option<(u64, Vec<u8>)>,
    /// Why it ended, if not by its end; what was read before is good.
    failure: Option<io::Error>,
    documents: Option<Documents>,
    frames: Option<Frames>,
    format: Format,
    limit: usize,
    pieces: Vec<super::documents::Piece>,
    spare: Arc<Spare>,
}

/// Memory of blocks that were decoded, for the next ones: fresh pages cost more than reading into them.
#[derive(Debug, Default)]
pub(crate) struct Spare(Mutex<Vec<Vec<u8>>>);

impl Spare {
    /// More than this many wait for nothing.
    const MOST: usize = 16;

    fn take(&self) -> Vec<u8> {
        let found = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        found.unwrap_or_else(|| Vec::with_capacity(2 * BLOCK))
    }

    /// Gives a block's memory back; what an unusually large one took is set free.
    pub(crate) fn put(&self, mut bytes: Vec<u8>) {
        let mut spare = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if bytes.capacity() <= 4 * BLOCK && spare.len() < Self::MOST {
            bytes.clear();
            spare.push(bytes);
        }
    }
}

impl Blocks {
    /// Looks at the beginning of a source and tells its format and layout.
    pub(crate) fn new(reader: Unpacked, about: &About<'_>, limit: usize, spare: Arc<Spare>) -> Blocks {
        let mut blocks = Blocks::begin(reader, limit, spare);
        blocks.fill();
        blocks.tell_format(about);
        if blocks.frames.is_none() && !is_lines(&blocks.buffer, blocks.ended) {
            blocks.documents = Some(Documents::new(blocks.format, limit));
        }
        blocks
    }

    /// Of a source that goes on: records are lines, or what the format makes of lines. Waits for the first one, which tells
    /// the format.
    pub(crate) fn live(reader: Unpacked, about: &About<'_>, limit: usize, spare: Arc<Spare>) -> Blocks {
        let mut blocks = Blocks::begin(reader, limit, spare);
        while !blocks.ended && blocks.buffer.len() < FIRST_LINE && memchr(b'\n', &blocks.buffer).is_none() {
            blocks.fill();
        }
        blocks.tell_format(about);
        blocks
    }

    fn tell_format(&mut self, about: &About<'_>) {
        self.format = about.format.unwrap_or_else(|| detect::format(&self.buffer, about.name));
        let layout = (self.format == Format::Csv).then(|| about.layout.clone()).flatten();
        self.frames = Frames::new(self.format, self.limit, about.landed, layout);
    }

    fn begin(reader: Unpacked, limit: usize, spare: Arc<Spare>) -> Blocks {
        Blocks {
            reader,
            buffer: Vec::new(),
            offset: 0,
            hasher: XxHash64::default(),
            ended: false,
            paused: false,
            passing: None,
            failure: None,
            documents: None,
            frames: None,
            format: Format::Ndjson,
            limit,
            pieces: Vec::new(),
            spare,
        }
    }

    /// What the records are.
    pub(crate) fn format(&self) -> Format {
        self.format
    }

    /// Reads on until the buffer has grown by a block, or to the end.
    fn fill(&mut self) {
        let wanted = BLOCK as u64;
        match self.reader.by_ref().take(wanted).read_to_end(&mut self.buffer) {
            Ok(read) => self.ended = (read as u64) < wanted,
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => self.paused = true,
            Err(failure) => {
                self.ended = true;
                self.failure = Some(failure);
            }
        }
    }

    /// The next block; `None` at the end.
    ///
    /// # Errors
    /// When the source cannot be read on, or what it is packed in is damaged. All blocks before are good.
    /// [`io::ErrorKind::WouldBlock`] says that nothing more has come so far; ask again later.
    pub(crate) fn next(&mut self) -> io::Result<Option<Block>> {
        loop {
            let block = match (&self.frames, &self.documents) {
                (Some(_), _) => self.framed(),
                (None, Some(_)) => self.pieces(),
                (None, None) => self.lines(),
            };
            match block {
                Some(block) => return Ok(Some(block)),
                None if self.ended => return self.failure.take().map_or(Ok(None), Err),
                None if std::mem::take(&mut self.paused) => return Err(io::ErrorKind::WouldBlock.into()),
                None => self.fill(),
            }
        }
    }

    /// Takes bytes off the front as a block.
    fn take(&mut self, length: usize, records: Records, open_ended: bool) -> Block {
        let mut rest = self.spare.take();
        rest.extend_from_slice(&self.buffer[length..]);
        let mut bytes = std::mem::replace(&mut self.buffer, rest);
        bytes.truncate(length);
        self.hasher.write(&bytes);
        let offset = self.offset;
        self.offset += length as u64;
        let digest = digest_of(&self.hasher);
        Block { offset, bytes, records, heads: Vec::new(), end: self.offset, digest, open_ended }
    }

    fn framed(&mut self) -> Option<Block> {
        if self.passing.is_none()
            && let Some(frames) = &mut self.frames
            // What is whole need not wait while nothing more comes.
            && let least = if self.paused { 1 } else { BLOCK }
            // The stump before a failure is not the end of the source.
            && let Some(cut) = frames.cut(&self.buffer, least, self.ended && self.failure.is_none())
        {
            let block = self.take(cut.length, Records::At(cut.records), cut.open_ended);
            return Some(Block { heads: cut.heads, ..block });
        }
        let stuck = self.frames.as_ref().is_some_and(|frames| frames.is_stuck(&self.buffer));
        if self.passing.is_none() && (self.buffer.len() <= self.limit || self.ended || !stuck) {
            return None;
        }
        let block = self.oversized();
        if let (Some(frames), Some(block)) = (&mut self.frames, &block) {
            frames.passed_over((block.end - block.offset) as usize);
        }
        block
    }

    fn lines(&mut self) -> Option<Block> {
        if self.passing.is_some() {
            return self.oversized();
        }
        if self.buffer.is_empty() || (self.buffer.len() < BLOCK && !self.ended && !self.paused) {
            return None;
        }
        if let Some(last) = self.buffer.iter().rposition(|b| *b == b'\n') {
            return Some(self.take(last + 1, Records::Lines, false));
        }
        if self.ended {
            // The stump before a failure is not the end of the source.
            if self.failure.is_some() {
                return None;
            }
            let length = self.buffer.len();
            return Some(self.take(length, Records::Lines, true));
        }
        (self.buffer.len() > self.limit).then(|| self.oversized()).flatten()
    }

    /// Passes over a line that is too long to hold, but for its beginning.
    fn oversized(&mut self) -> Option<Block> {
        let begun = (self.offset, &self.buffer[..self.buffer.len().min(MAX_ORIGINAL)]);
        let passing = self.passing.take().unwrap_or_else(|| (begun.0, begun.1.to_vec()));
        let end = memchr(b'\n', &self.buffer);
        let length = end.map_or(self.buffer.len(), |e| e + 1);
        self.hasher.write(&self.buffer[..length]);
        self.offset += length as u64;
        self.buffer.drain(..length);
        if end.is_none() && !self.ended {
            self.passing = Some(passing);
            return None;
        }
        let (offset, kept) = passing;
        let records = Records::At(vec![(0..kept.len(), Mark::TooLarge)]);
        let digest = digest_of(&self.hasher);
        let (end, heads) = (self.offset, Vec::new());
        Some(Block { offset, bytes: kept, records, heads, end, digest, open_ended: false })
    }

    fn pieces(&mut self) -> Option<Block> {
        let documents = self.documents.as_mut()?;
        documents.scan(&self.buffer, &mut self.pieces);
        let consumed = documents.consumed();
        let full = consumed >= BLOCK;
        if full || (self.ended && consumed > 0) {
            documents.drained(consumed);
            let found = std::mem::take(&mut self.pieces);
            let clip = |r: Range<usize>| r.start..r.end.min(consumed);
            let mark = |too_large| if too_large { Mark::TooLarge } else { Mark::Whole };
            let at = found.into_iter().map(|p| (clip(p.range), mark(p.too_large))).collect();
            return Some(self.take(consumed, Records::At(at), false));
        }
        if !self.ended || self.failure.is_some() || self.buffer.is_empty() {
            return None;
        }
        let rest = documents.finish(&self.buffer);
        documents.drained(self.buffer.len());
        self.documents = Some(Documents::new(self.format, self.limit));
        let records = Records::At(rest.map(|r| (r, Mark::Whole)).into_iter().collect());
        let length = self.buffer.len();
        Some(self.take(length, records, true))
    }
}

/// The digests of a source at some offsets, ascending; `None` from the first one beyond its end.
pub(crate) fn digests_at(reader: &mut dyn Read, offsets: &[u64]) -> io::Result<Vec<Option<u64>>> {
    let mut hasher = XxHash64::default();
    let mut found = Vec::with_capacity(offsets.len());
    let mut buffer = vec![0; BLOCK];
    let mut at = 0;
    for offset in offsets {
        while at < *offset {
            let wanted = usize::try_from(offset - at).unwrap_or(usize::MAX).min(BLOCK);
            let read = match reader.read(&mut buffer[..wanted]) {
                Ok(read) => read,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(e) => return Err(e),
            };
            if read == 0 {
                found.resize(offsets.len(), None);
                return Ok(found);
            }
            hasher.write(&buffer[..read]);
            at += read as u64;
        }
        found.push(Some(digest_of(&hasher)));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocks(text: &[u8], limit: usize) -> Vec<Block> {
        let mut blocks =
            Blocks::new(Box::new(io::Cursor::new(text.to_vec())), &About::default(), limit, Arc::default());
        std::iter::from_fn(|| blocks.next().unwrap()).collect()
    }

    #[test]
    fn blocks_cover_the_source_and_their_digests_can_be_found_again() {
        let line = format!("{{\"message\":\"{}\"}}\n", "x".repeat(500));
        let text = format!("{}{{\"half\"", line.repeat(5_000));
        let found = blocks(text.as_bytes(), 1 << 24);
        assert!(found.len() > 2);
        let mut at = 0;
        for block in &found {
            assert_eq!(block.offset, at);
            at = block.end;
        }
        assert_eq!(at, text.len() as u64);
        assert_eq!(found.iter().map(|b| b.open_ended).collect::<Vec<_>>().iter().filter(|o| **o).count(), 1);
        assert!(found.last().unwrap().open_ended);
        let ends: Vec<u64> = found.iter().map(|b| b.end).collect();
        let digests = digests_at(&mut text.as_bytes(), &ends).unwrap();
        assert_eq!(digests, found.iter().map(|b| Some(b.digest)).collect::<Vec<_>>());
        assert_eq!(digests_at(&mut text.as_bytes(), &[1, at + 1]).unwrap()[1], None);
    }

    #[test]
    fn a_line_beyond_the_limit_is_passed_over_but_for_its_beginning() {
        let long = format!("{{\"message\":\"{}\"}}", "x".repeat(6 << 20));
        let text = format!("{{\"a\":1}}\n{long}\n{{\"b\":2}}\n");
        let found = blocks(text.as_bytes(), 2 << 20);
        let large: Vec<_> = found
            .iter()
            .filter(|b| matches!(&b.records, Records::At(r) if r[0].1 == Mark::TooLarge))
            .collect();
        assert_eq!(large.len(), 1);
        assert_eq!((large[0].offset, large[0].bytes.len()), (8, MAX_ORIGINAL));
        let last = found.last().unwrap();
        assert_eq!((last.bytes.as_slice(), last.end), (&b"{\"b\":2}\n"[..], text.len() as u64));
    }

    #[test]
    fn what_comes_before_damage_is_good_and_the_damage_is_told() {
        use std::io::Write;
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        (0..50_000).for_each(|i| writeln!(packed, "{{\"n\":{i}}}").unwrap());
        let mut bytes = packed.finish().unwrap();
        bytes.truncate(bytes.len() / 2);
        let reader = flate2::bufread::MultiGzDecoder::new(io::Cursor::new(bytes));
        let mut blocks = Blocks::new(Box::new(reader), &About::default(), 1 << 20, Arc::default());
        let block = blocks.next().unwrap().unwrap();
        assert!(
            block.bytes.starts_with(b"{\"n\":0}\n") && block.bytes.ends_with(b"}\n") && !block.open_ended
        );
        assert!(blocks.next().is_err());
    }

    #[test]
    fn the_layout_is_told_from_the_first_lines() {
        for (text, lines) in [
            ("{\"a\":1}\n{\"b\":2}\n", true),
            ("{\"a\":1,\n{\"b\":2}\n", true),
            ("garbage\n{\"b\":2}\n", true),
            ("{\n  \"a\": [\n    {\"b\": 1}\n  ]\n}\n", false),
            ("[\n{\"a\":1},\n{\"b\":2}\n]\n", false),
            ("{\"a\":1}", true),
            ("{\"a\":1}{\"b\":2}", false),
            ("{\"a\":1", true),
            ("", true),
        ] {
            assert_eq!(is_lines(text.as_bytes(), true), lines, "{text}");
        }
    }
}
