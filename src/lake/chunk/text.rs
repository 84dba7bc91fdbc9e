//! The rows of a text column as a column chunk.

use std::collections::HashMap;

use ::parquet::basic::{Encoding, Type, ZstdLevel};
use ::parquet::column::writer::ColumnCloseResult;
use ::parquet::errors::Result;
use ::parquet::schema::types::ColumnDescPtr;
use bytes::Bytes;
use zstd::bulk::Compressor;

use super::bloom::Bloom;
use super::bounds::Bounds;
use super::column::{Chunk, NULL, PAGE_ROWS, Valid, pays};
use super::source::{Source, Texts};

/// Bytes of a data page, at most; a longer text has a page of its own. The library's default as well.
const PAGE_BYTES: usize = 1 << 20;
/// Bytes of a dictionary, at most. The library's default as well.
const DICTIONARY_BYTES: usize = 1 << 20;

/// What the contract wants of a text column.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hints {
    /// List the distinct values once.
    pub(crate) dictionary: bool,
    /// Keep the least and the greatest of each page.
    pub(crate) bounds: bool,
    /// Keep a bloom filter that lets this share of other values through.
    pub(crate) bloom: Option<f64>,
}

/// Writes a column: the row `row` of the source `at` for each `(at, row)`, in that order.
pub(crate) fn text(
    column: ColumnDescPtr,
    hints: Hints,
    sources: &[Source<'_>],
    rows: &[(u32, u32)],
    level: ZstdLevel,
    compressor: &mut Compressor<'static>,
) -> Result<(Bytes, ColumnCloseResult)> {
    let mut chunk = Chunk::new(column, Type::BYTE_ARRAY, hints.bounds, rows.len(), level, compressor);
    let vocabulary = if hints.dictionary { Vocabulary::of(sources, rows) } else { None };
    let (bounds, bloom) = match &vocabulary {
        Some(vocabulary) => vocabulary.write(&mut chunk, hints)?,
        None => {
            let bloom = hints.bloom.map(|share| Bloom::new(values(sources, rows), share)).transpose()?;
            // Without asking each source anew what it is, where all are of the usual kind.
            let texts: Option<Vec<Texts<'_>>> = sources.iter().map(Source::texts).collect();
            match &texts {
                Some(texts) => {
                    let text = |(at, row): &(u32, u32)| texts[*at as usize].get(*row as usize);
                    plain(&mut chunk, rows, text, hints, bloom)?
                }
                None => {
                    let text = |(at, row): &(u32, u32)| sources[*at as usize].get(*row as usize);
                    plain(&mut chunk, rows, text, hints, bloom)?
                }
            }
        }
    };
    let Chunk { pages, index, nulls, .. } = chunk;
    pages.close(bounds.statistics(nulls), bloom.map(Bloom::finish), index)
}

/// How many rows have a text.
fn values(sources: &[Source<'_>], rows: &[(u32, u32)]) -> usize {
    if sources.iter().all(Source::is_full) {
        return rows.len();
    }
    rows.iter().filter(|(at, row)| sources[*at as usize].get(*row as usize).is_some()).count()
}

/// A text as plain values hold it: behind its length.
#[inline]
fn put_plain(out: &mut Vec<u8>, text: &[u8]) {
    // No record is longer than 1 GiB.
    out.extend_from_slice(&(text.len() as u32).to_le_bytes());
    out.extend_from_slice(text);
}

/// Writes the rows one behind the other.
fn plain<'a>(
    chunk: &mut Chunk<'_>,
    rows: &[(u32, u32)],
    text: impl Fn(&(u32, u32)) -> Option<&'a [u8]>,
    hints: Hints,
    mut bloom: Option<Bloom>,
) -> Result<(Bounds<'a>, Option<Bloom>)> {
    let mut all = Bounds::default();
    let mut valid = Valid::default();
    let mut page: Vec<&'a [u8]> = Vec::new();
    let mut rows = rows.iter().peekable();
    while rows.peek().is_some() {
        let mut bytes = 0;
        valid.clear();
        page.clear();
        while valid.rows < PAGE_ROWS && bytes < PAGE_BYTES {
            let Some(row) = rows.next() else { break };
            let text = text(row);
            valid.push(text.is_some());
            if let Some(text) = text {
                bytes += text.len() + size_of::<u32>();
                page.push(text);
            }
        }
        chunk.begin(&valid);
        chunk.body.reserve(bytes);
        page.iter().for_each(|text| put_plain(&mut chunk.body, text));
        if let Some(bloom) = &mut bloom {
            page.iter().for_each(|text| bloom.insert(text));
        }
        let mut bounds = Bounds::default();
        if hints.bounds {
            page.iter().for_each(|text| bounds.add(text));
            all.join(bounds);
        }
        chunk.page(&valid, Encoding::PLAIN, || bounds.page())?;
    }
    Ok((all, bloom))
}

/// The distinct texts of some rows in the order in which they turn up, and the place of each row's among them.
struct Vocabulary<'a> {
    words: Vec<&'a [u8]>,
    places: Vec<u32>,
}

impl<'a> Vocabulary<'a> {
    /// `None` when the texts are too many or too long for a dictionary to pay.
    fn of(sources: &[Source<'a>], rows: &[(u32, u32)]) -> Option<Vocabulary<'a>> {
        let mut words = Vec::new();
        let mut known: HashMap<&'a [u8], u32> = HashMap::new();
        let mut bytes = 0;
        let mut place_of = |text: &'a [u8]| {
            *known.entry(text).or_insert_with(|| {
                bytes += size_of::<u32>() + text.len();
                words.push(text);
                words.len() as u32 - 1
            })
        };
        // For each source with a vocabulary of its own the places of its words here; `NULL`: not met yet.
        let own = |source: &Source<'_>| match source {
            Source::Words(words) => vec![NULL; words.size()],
            Source::Texts(_) => Vec::new(),
        };
        let mut translated: Vec<Vec<u32>> = sources.iter().map(own).collect();
        let mut last: Option<(&[u8], u32)> = None;
        let mut places = Vec::with_capacity(rows.len());
        let mut values = 0;
        for (at, row) in rows {
            let (at, row) = (*at as usize, *row as usize);
            let place = match &sources[at] {
                Source::Words(source) => source.place(row).and_then(|word| {
                    let place = &mut translated[at][word];
                    if *place == NULL {
                        *place = place_of(source.text(word)?);
                    }
                    Some(*place)
                }),
                Source::Texts(source) => source.get(row).map(|text| match last {
                    Some((known, place)) if known == text => place,
                    _ => {
                        let place = place_of(text);
                        last = Some((text, place));
                        place
                    }
                }),
            };
            values += usize::from(place.is_some());
            places.push(place.unwrap_or(NULL));
        }
        let worth = bytes <= DICTIONARY_BYTES && pays(words.len(), values);
        worth.then_some(Vocabulary { words, places })
    }

    fn write(&self, chunk: &mut Chunk<'_>, hints: Hints) -> Result<(Bounds<'a>, Option<Bloom>)> {
        chunk.body.clear();
        self.words.iter().for_each(|word| put_plain(&mut chunk.body, word));
        let mut all = Bounds::default();
        chunk.with_dictionary(self.words.len(), &self.places, |met| {
            let mut bounds = Bounds::default();
            met.iter().for_each(|place| bounds.add(self.words[*place as usize]));
            all.join(bounds);
            bounds.page()
        })?;
        let mut bloom = hints.bloom.map(|share| Bloom::new(self.words.len(), share)).transpose()?;
        if let Some(bloom) = &mut bloom {
            self.words.iter().for_each(|word| bloom.insert(word));
        }
        Ok((all, bloom))
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
