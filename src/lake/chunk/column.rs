//! What the chunks of all types have in common: which rows have a value, pages of places in a dictionary.

use ::parquet::basic::{Encoding, Type, ZstdLevel};
use ::parquet::errors::Result;
use ::parquet::file::metadata::ColumnIndexBuilder;
use ::parquet::schema::types::ColumnDescPtr;
use zstd::bulk::Compressor;

use super::levels;
use super::pages::Pages;

/// Rows of a data page, at most. The library's default as well.
pub(super) const PAGE_ROWS: usize = 20_000;
/// A dictionary of more values than this has to be shorter than two thirds of what it stands for.
const FEW_WORDS: usize = 1_000;
/// Stands for a row without a value among places in a dictionary.
pub(super) const NULL: u32 = u32::MAX;

/// Whether so many values are worth a list of the distinct ones.
pub(super) fn pays(words: usize, values: usize) -> bool {
    words <= FEW_WORDS || 3 * words <= 2 * values
}

/// Which rows of a page have a value, a bit each.
#[derive(Default)]
pub(super) struct Valid {
    bits: Vec<u8>,
    pub(super) rows: usize,
    pub(super) nulls: usize,
}

impl Valid {
    #[inline]
    pub(super) fn push(&mut self, valid: bool) {
        if self.rows.is_multiple_of(8) {
            self.bits.push(0);
        }
        if let Some(last) = self.bits.last_mut() {
            *last |= u8::from(valid) << (self.rows % 8);
        }
        self.rows += 1;
        self.nulls += usize::from(!valid);
    }

    pub(super) fn clear(&mut self) {
        self.bits.clear();
        (self.rows, self.nulls) = (0, 0);
    }
}

/// Least and greatest of a page as its index holds them; empty for a page without values.
pub(super) type PageBounds = (Vec<u8>, Vec<u8>);

/// A chunk on its way.
pub(super) struct Chunk<'c> {
    pub(super) pages: Pages<'c>,
    pub(super) index: Option<ColumnIndexBuilder>,
    pub(super) nulls: usize,
    /// The page that is being put together.
    pub(super) body: Vec<u8>,
}

impl<'c> Chunk<'c> {
    /// A chunk of a type; with an index of its pages' bounds or without.
    pub(super) fn new(
        column: ColumnDescPtr,
        kind: Type,
        index: bool,
        rows: usize,
        level: ZstdLevel,
        compressor: &'c mut Compressor<'static>,
    ) -> Chunk<'c> {
        let index = index.then(|| ColumnIndexBuilder::new(kind));
        Chunk { pages: Pages::new(column, rows, level, compressor), index, nulls: 0, body: Vec::new() }
    }

    /// Begins a page with which rows have a value.
    pub(super) fn begin(&mut self, valid: &Valid) {
        self.body.clear();
        if self.pages.is_optional() {
            levels::validity(&mut self.body, valid.rows, valid.nulls, &valid.bits);
        }
    }

    /// Writes the page in `body`.
    pub(super) fn page(
        &mut self,
        valid: &Valid,
        encoding: Encoding,
        bounds: impl FnOnce() -> PageBounds,
    ) -> Result<()> {
        self.pages.data(&self.body, valid.rows, encoding)?;
        self.nulls += valid.nulls;
        if let Some(index) = &mut self.index {
            let (least, greatest) = bounds();
            index.append(valid.nulls == valid.rows, least, greatest, valid.nulls as i64);
        }
        Ok(())
    }

    /// Writes the rows as places in a dictionary of `words` values, which is in `body`. `bounds` is told which words
    /// occur in a page.
    pub(super) fn with_dictionary(
        &mut self,
        words: usize,
        places: &[u32],
        mut bounds: impl FnMut(&[u32]) -> PageBounds,
    ) -> Result<()> {
        self.pages.dictionary(&self.body, words)?;
        let width = levels::width(words.saturating_sub(1) as u32).max(1);
        // The page in which each word was met last, counted from one, and those met in this page.
        let (mut last_met, mut met) = (vec![0u32; words], Vec::new());
        let mut valid = Valid::default();
        for (page, places) in places.chunks(PAGE_ROWS).enumerate() {
            valid.clear();
            met.clear();
            for place in places {
                valid.push(*place != NULL);
                if *place != NULL && last_met[*place as usize] != page as u32 + 1 {
                    last_met[*place as usize] = page as u32 + 1;
                    met.push(*place);
                }
            }
            self.begin(&valid);
            self.body.push(width as u8);
            let count = valid.rows - valid.nulls;
            match met.as_slice() {
                [] => {}
                [only] => levels::repeated(&mut self.body, count, *only, width),
                _ => {
                    let present = places.iter().copied().filter(|place| *place != NULL);
                    levels::packed(&mut self.body, count, present, width);
                }
            }
            self.page(&valid, Encoding::RLE_DICTIONARY, || bounds(&met))?;
        }
        Ok(())
    }
}
