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
/// The place of a slot that nothing has taken.
const FREE: u32 = u32::MAX;

/// The column while it grows.
pub(super) struct Vocabulary {
    places: Vec<i32>,
    valid: NullBufferBuilder,
    words: Words,
    /// Words before the last text came.
    before: usize,
}

impl Default for Vocabulary {
    fn default() -> Self {
        let valid = NullBufferBuilder::new(0);
        Vocabulary { places: Vec::new(), valid, words: Words::default(), before: 0 }
    }
}

impl Vocabulary {
    pub(super) fn rows(&self) -> usize {
        self.places.len()
    }

    fn fill(&mut self, row: usize) {
        let missing = row - self.rows();
        if missing > 0 {
            self.places.resize(row, 0);
            self.valid.append_n_nulls(missing);
        }
    }

    #[inline]
    pub(super) fn put(&mut self, row: usize, text: &[u8]) {
        if self.rows() < row {
            self.fill(row);
        }
        self.before = self.words.len();
        let place = self.words.place(text);
        self.places.push(place as i32);
        self.valid.append_non_null();
    }

    /// Forgets the text that came last, if it is that of this row.
    pub(super) fn take_back(&mut self, row: usize) {
        if self.rows() > row {
            self.places.truncate(row);
            self.valid.truncate(row);
            if self.words.len() > self.before {
                self.words.remove_last();
            }
        }
    }

    /// The column; starts over.
    pub(super) fn finish(&mut self, rows: usize) -> Result<DictionaryArray<Int32Type>, ArrowError> {
        self.fill(rows);
        let places = ScalarBuffer::from(std::mem::take(&mut self.places));
        let places = Int32Array::try_new(places, self.valid.finish())?;
        let words = self.words.finish()?;
        self.places.reserve(rows + rows / 16);
        // A row without a value points at the first word, also where there is none.
        let words = if words.is_empty() { StringArray::from(vec![""]) } else { words };
        DictionaryArray::try_new(places, Arc::new(words))
    }
}

/// Distinct texts, each with its place.
pub(super) struct Words {
    bytes: Vec<u8>,
    offsets: Vec<i32>,
    slots: Vec<Slot>,
}

/// Where a text is found by its hash. Both ends of the text stand here, which most are not longer than.
#[derive(Debug, Clone, Copy)]
struct Slot {
    ends: Ends,
    place: u32,
}

impl Default for Words {
    fn default() -> Self {
        Words { bytes: Vec::new(), offsets: vec![0], slots: vec![Slot::FREE; SLOTS] }
    }
}

impl Slot {
    const FREE: Slot = Slot { ends: Ends { first: 0, last: 0, length: 0 }, place: FREE };
}

impl Words {
    fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    pub(super) fn word(&self, place: u32) -> &[u8] {
        let place = place as usize;
        &self.bytes[self.offsets[place] as usize..self.offsets[place + 1] as usize]
    }

    /// The place of a text, which is listed if it is new.
    #[inline]
    pub(super) fn place(&mut self, text: &[u8]) -> u32 {
        let ends = Ends::of(text);
        let hash = ends.hash(text) as usize;
        let mask = self.slots.len() - 1;
        for at in hash..hash + TRIES {
            let slot = self.slots[at & mask];
            if slot.place == FREE {
                return self.add(text, Some(at & mask));
            }
            if slot.ends == ends && (text.len() <= Ends::WHOLE || self.word(slot.place) == text) {
                return slot.place;
            }
        }
        self.add(text, None)
    }

    #[inline(never)]
    fn add(&mut self, text: &[u8], slot: Option<usize>) -> u32 {
        let place = self.len() as u32;
        self.bytes.extend_from_slice(text);
        // A block holds little more than one record, see `run::MAX_RECORD`.
        self.offsets.push(self.bytes.len() as i32);
        match slot {
            Some(slot) => self.slots[slot] = Slot { ends: Ends::of(text), place },
            None => self.grow(),
        }
        if self.len() * 2 > self.slots.len() {
            self.grow();
        }
        place
    }

    /// Doubles the slots, unless there are many more than words already.
    fn grow(&mut self) {
        const MANY: usize = 16;
        if self.slots.len() > SLOTS.max(self.len() * MANY) {
            return;
        }
        let size = self.slots.len() * 2;
        self.slots.clear();
        self.slots.resize(size, Slot::FREE);
        for place in 0..self.len() as u32 {
            let text = self.word(place);
            let ends = Ends::of(text);
            let hash = ends.hash(text) as usize;
            if let Some(at) = (hash..hash + TRIES).find(|at| self.slots[at & (size - 1)].place == FREE) {
                self.slots[at & (size - 1)] = Slot { ends, place };
            }
        }
    }

    /// Forgets the word that was added last.
    fn remove_last(&mut self) {
        let place = self.len() as u32 - 1;
        let text = self.word(place);
        let hash = Ends::of(text).hash(text) as usize;
        let mask = self.slots.len() - 1;
        if let Some(at) = (hash..hash + TRIES).find(|at| self.slots[at & mask].place == place) {
            self.slots[at & mask] = Slot::FREE;
        }
        self.bytes.truncate(self.offsets[place as usize] as usize);
        self.offsets.truncate(place as usize + 1);
    }

    /// All words; starts over.
    fn finish(&mut self) -> Result<StringArray, ArrowError> {
        let offsets = std::mem::replace(&mut self.offsets, vec![0]);
        let bytes = Buffer::from_vec(std::mem::take(&mut self.bytes));
        self.slots.clear();
        self.slots.resize(SLOTS, Slot::FREE);
        StringArray::try_new(OffsetBuffer::new(ScalarBuffer::from(offsets)), bytes, None)
    }
}

const WORD: usize = size_of::<u64>();

/// The first and the last bytes of a text, some of them twice if it is short, and its length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Ends {
    first: u64,
    last: u64,
    length: u32,
}

impl Ends {
    /// Texts up to this length are all in their ends.
    const WHOLE: usize = 2 * WORD;

    #[inline]
    fn of(text: &[u8]) -> Ends {
        const HALF: usize = WORD / 2;
        let (first, last) = match (text.first_chunk::<WORD>(), text.last_chunk::<WORD>()) {
            (Some(first), Some(last)) => (u64::from_le_bytes(*first), u64::from_le_bytes(*last)),
            _ => match (text.first_chunk::<HALF>(), text.last_chunk::<HALF>()) {
                (Some(first), Some(last)) => {
                    (u64::from(u32::from_le_bytes(*first)), u64::from(u32::from_le_bytes(*last)))
                }
                _ => (text.iter().fold(0, |bytes, byte| bytes << u8::BITS | u64::from(*byte)), 0),
            },
        };
        Ends { first, last, length: text.len() as u32 }
    }

    /// Mixes sixteen bytes of the text at a time by one multiplication, both halves of its product.
    #[inline]
    fn hash(self, text: &[u8]) -> u64 {
        const ODD: [u64; 2] = [0x9E37_79B9_7F4A_7C15, 0xC2B2_AE3D_27D4_EB4F];
        let mix = |a: u64, b: u64| {
            let product = u128::from(a ^ ODD[0]) * u128::from(b ^ ODD[1]);
            product as u64 ^ (product >> u64::BITS) as u64
        };
        let mut hash = mix(self.first ^ u64::from(self.length), self.last);
        if text.len() > Ends::WHOLE {
            let (words, _) = text[WORD..text.len() - WORD].as_chunks::<WORD>();
            hash = words.iter().fold(hash, |hash, word| mix(hash, u64::from_le_bytes(*word)));
            // Up to seven bytes before the last eight are in no whole word.
            let tail = text[text.len() - Ends::WHOLE..].first_chunk::<WORD>();
            hash = mix(hash, tail.map_or(0, |tail| u64::from_le_bytes(*tail)));
        }
        hash
    }
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
                vocabulary.put(row, text.as_bytes());
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
    fn rows_that_are_taken_back_leave_no_word() {
        let mut vocabulary = Vocabulary::default();
        for (row, text) in ["a", "b", "a"].iter().enumerate() {
            vocabulary.put(row, text.as_bytes());
        }
        for text in ["c", "b", "a much longer word than the others"] {
            vocabulary.put(3, text.as_bytes());
            vocabulary.take_back(3);
            vocabulary.take_back(3);
        }
        vocabulary.put(3, b"d");
        let array = vocabulary.finish(5).unwrap();
        let words: Vec<_> = array.values().as_string::<i32>().iter().flatten().map(str::to_owned).collect();
        assert_eq!(words, ["a", "b", "d"]);
        let rows = ["a", "b", "a", "d"].map(|word| Some(word.to_owned()));
        assert_eq!(read(&array), [&rows[..], &[None]].concat());
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
                assert_ne!(Ends::of(&text).hash(&text), Ends::of(&other).hash(&other), "{length} {at}");
                let same = Ends::of(&text) == Ends::of(&other);
                assert!(!same || length > Ends::WHOLE, "{length} {at}");
            }
        }
    }
}
