//! A column of few distinct texts: each text once, and for every row its place among them.
//!
//! The rows of a block name a handful of services, hosts and routes over and over. To find out here which one it is
//! costs about as much as copying the text, and spares everything behind: nothing is copied per row again, and the
//! dictionary of the file is put together from a few words instead of from every row.

use std::sync::Arc;

use arrow::array::{Array, DictionaryArray, Int32Array, NullBufferBuilder, StringArray};
use arrow::buffer::{Buffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::Int32Type;
use arrow::error::ArrowError;

/// Slots of the table of hashes at first; a power of two.
const SLOTS: usize = 64;
/// Slots that are tried. A text that finds all of them taken is listed again: whoever makes texts collide on purpose gets a
/// longer list, not a slow search.
const TRIES: usize = 8;
/// A slot that nothing has taken.
const FREE: u32 = u32::MAX;

/// The column while it grows.
pub(super) struct Vocabulary {
    places: Vec<i32>,
    valid: NullBufferBuilder,
    bytes: Vec<u8>,
    offsets: Vec<i32>,
    /// Places by hash.
    slots: Vec<u32>,
}

impl Default for Vocabulary {
    fn default() -> Self {
        Vocabulary {
            places: Vec::new(),
            valid: NullBufferBuilder::new(0),
            bytes: Vec::new(),
            offsets: vec![0],
            slots: vec![FREE; SLOTS],
        }
    }
}

impl Vocabulary {
    pub(super) fn rows(&self) -> usize {
        self.places.len()
    }

    fn words(&self) -> usize {
        self.offsets.len() - 1
    }

    fn word(&self, place: u32) -> &[u8] {
        let place = place as usize;
        &self.bytes[self.offsets[place] as usize..self.offsets[place + 1] as usize]
    }

    fn fill(&mut self, row: usize) {
        let missing = row - self.rows();
        if missing > 0 {
            self.places.resize(row, 0);
            self.valid.append_n_nulls(missing);
        }
    }

    #[inline]
    pub(super) fn put(&mut self, row: usize, text: &str) {
        if self.rows() < row {
            self.fill(row);
        }
        let place = self.place(text.as_bytes());
        self.places.push(place as i32);
        self.valid.append_non_null();
    }

    #[inline]
    fn place(&mut self, text: &[u8]) -> u32 {
        let hash = hash(text) as usize;
        let mask = self.slots.len() - 1;
        for slot in hash..hash + TRIES {
            let place = self.slots[slot & mask];
            if place == FREE {
                return self.add(text, Some(slot & mask));
            }
            if equal(self.word(place), text) {
                return place;
            }
        }
        self.add(text, None)
    }

    #[inline(never)]
    fn add(&mut self, text: &[u8], slot: Option<usize>) -> u32 {
        let place = self.words() as u32;
        self.bytes.extend_from_slice(text);
        // A block holds little more than one record, see `run::MAX_RECORD`.
        self.offsets.push(self.bytes.len() as i32);
        match slot {
            Some(slot) => self.slots[slot] = place,
            None => self.grow(),
        }
        if self.words() * 2 > self.slots.len() {
            self.grow();
        }
        place
    }

    /// Doubles the slots, unless there are many more than words already.
    fn grow(&mut self) {
        const MANY: usize = 16;
        if self.slots.len() > SLOTS.max(self.words() * MANY) {
            return;
        }
        let size = self.slots.len() * 2;
        self.slots.clear();
        self.slots.resize(size, FREE);
        for place in 0..self.words() as u32 {
            let hash = hash(self.word(place)) as usize;
            if let Some(slot) = (hash..hash + TRIES).find(|slot| self.slots[slot & (size - 1)] == FREE) {
                self.slots[slot & (size - 1)] = place;
            }
        }
    }

    /// The column; starts over.
    pub(super) fn finish(&mut self, rows: usize) -> Result<DictionaryArray<Int32Type>, ArrowError> {
        self.fill(rows);
        let places = ScalarBuffer::from(std::mem::take(&mut self.places));
        let places = Int32Array::try_new(places, self.valid.finish())?;
        let offsets = std::mem::replace(&mut self.offsets, vec![0]);
        let bytes = Buffer::from_vec(std::mem::take(&mut self.bytes));
        let words = StringArray::try_new(OffsetBuffer::new(ScalarBuffer::from(offsets)), bytes, None)?;
        self.slots.clear();
        self.slots.resize(SLOTS, FREE);
        self.places.reserve(rows + rows / 16);
        // A row without a value points at the first word, also where there is none.
        let words = if words.is_empty() { StringArray::from(vec![""]) } else { words };
        DictionaryArray::try_new(places, Arc::new(words))
    }
}

/// Whether two texts are the same. By words of eight bytes: most are short, and a call to compare them costs more than
/// comparing them.
#[inline]
fn equal(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let ((a_words, a_rest), (b_words, b_rest)) = (a.as_chunks::<WORD>(), b.as_chunks::<WORD>());
    a_words.iter().zip(b_words).all(|(a, b)| u64::from_le_bytes(*a) == u64::from_le_bytes(*b))
        && a_rest.iter().zip(b_rest).all(|(a, b)| a == b)
}

const WORD: usize = size_of::<u64>();

/// Mixes up to sixteen bytes of a text at a time by one multiplication, both halves of its product.
#[inline]
fn hash(text: &[u8]) -> u64 {
    const ODD: [u64; 2] = [0x9E37_79B9_7F4A_7C15, 0xC2B2_AE3D_27D4_EB4F];
    let mix = |a: u64, b: u64| {
        let product = u128::from(a ^ ODD[0]) * u128::from(b ^ ODD[1]);
        product as u64 ^ (product >> u64::BITS) as u64
    };
    let word = |at: usize| match text.get(at..).and_then(|rest| rest.first_chunk::<WORD>()) {
        Some(word) => u64::from_le_bytes(*word),
        None => 0,
    };
    let length = text.len();
    if length < WORD {
        let short = text.iter().fold(0, |short, byte| short << 8 | u64::from(*byte));
        return mix(short, length as u64);
    }
    let mut hash = length as u64;
    let mut at = 0;
    while at + 2 * WORD < length {
        hash = mix(word(at) ^ hash, word(at + WORD));
        at += 2 * WORD;
    }
    // The last sixteen bytes, or the first and the last eight: some for the second time.
    mix(word(length.saturating_sub(2 * WORD)) ^ hash, word(length - WORD))
}

#[cfg(test)]
mod tests {
    use arrow::array::AsArray;
    use proptest::prelude::*;

    use super::*;

    fn read(array: &DictionaryArray<Int32Type>) -> Vec<Option<String>> {
        let words = array.values().as_string::<i32>();
        array.keys().iter().map(|place| place.map(|place| words.value(place as usize).to_owned())).collect()
    }

    fn build(vocabulary: &mut Vocabulary, texts: &[Option<String>]) -> DictionaryArray<Int32Type> {
        for (row, text) in texts.iter().enumerate() {
            if let Some(text) = text {
                vocabulary.put(row, text);
            }
        }
        vocabulary.finish(texts.len()).unwrap()
    }

    proptest! {
        #[test]
        fn every_row_reads_back_as_what_was_put(
            texts in prop::collection::vec(prop::option::of("[ab]{0,4}|[a-z]{0,40}|é{0,9}"), 1..300),
        ) {
            let mut vocabulary = Vocabulary::default();
            prop_assert_eq!(read(&build(&mut vocabulary, &texts)), texts.clone());
            // And again, with what is left of the first time.
            prop_assert_eq!(read(&build(&mut vocabulary, &texts)), texts);
        }
    }

    #[test]
    fn a_text_is_listed_once_however_often_it_comes() {
        let texts: Vec<_> = (0..10_000).map(|i| Some(format!("service-{}", i % 300))).collect();
        let array = build(&mut Vocabulary::default(), &texts);
        assert_eq!(read(&array), texts);
        assert!(array.values().len() <= 310, "{}", array.values().len());
    }

    #[test]
    fn texts_that_all_differ_are_all_kept() {
        let texts: Vec<_> = (0..20_000).map(|i| Some(format!("{i:032x}"))).collect();
        assert_eq!(read(&build(&mut Vocabulary::default(), &texts)), texts);
    }

    #[test]
    fn texts_that_differ_in_one_byte_have_other_hashes() {
        for length in 1..70 {
            let text = vec![b'a'; length];
            for at in 0..length {
                let mut other = text.clone();
                other[at] = b'b';
                assert_ne!(hash(&text), hash(&other), "{length} {at}");
                assert!(!equal(&text, &other) && equal(&other, &other.clone()), "{length} {at}");
            }
        }
    }
}
