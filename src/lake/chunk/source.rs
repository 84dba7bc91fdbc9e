//! Where the rows of a text column stand: in an array of text, or in one of places in a vocabulary.

use arrow::array::{Array, AsArray, DictionaryArray, StringArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Int32Type};

/// Whether a column of this type can stand where the contract has text.
pub(crate) fn is_text(kind: &DataType) -> bool {
    match kind {
        DataType::Utf8 => true,
        DataType::Dictionary(keys, values) => **keys == DataType::Int32 && **values == DataType::Utf8,
        _ => false,
    }
}

/// One array of a column.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Source<'a> {
    /// Text by text.
    Texts(Texts<'a>),
    /// Each row a place in a list of texts.
    Words(Words<'a>),
}

/// The texts of an array.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Texts<'a> {
    offsets: &'a [i32],
    bytes: &'a [u8],
    nulls: Option<&'a NullBuffer>,
}

impl<'a> Texts<'a> {
    fn new(array: &'a StringArray) -> Texts<'a> {
        Texts { offsets: array.value_offsets(), bytes: array.value_data(), nulls: some_nulls(array.nulls()) }
    }

    #[inline]
    pub(super) fn get(&self, row: usize) -> Option<&'a [u8]> {
        match self.nulls {
            Some(nulls) if nulls.is_null(row) => None,
            _ => Some(&self.bytes[self.offsets[row] as usize..self.offsets[row + 1] as usize]),
        }
    }
}

/// An array of places in a vocabulary.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Words<'a> {
    places: &'a [i32],
    nulls: Option<&'a NullBuffer>,
    texts: Texts<'a>,
}

impl<'a> Words<'a> {
    fn new(array: &'a DictionaryArray<Int32Type>) -> Option<Words<'a>> {
        let texts = Texts::new(array.values().as_string_opt::<i32>()?);
        Some(Words { places: array.keys().values(), nulls: some_nulls(array.keys().nulls()), texts })
    }

    /// How many texts there are to point at.
    pub(super) fn size(&self) -> usize {
        self.texts.offsets.len() - 1
    }

    /// The place of a row's text.
    #[inline]
    pub(super) fn place(&self, row: usize) -> Option<usize> {
        match self.nulls {
            Some(nulls) if nulls.is_null(row) => None,
            _ => Some(self.places[row] as usize),
        }
    }

    #[inline]
    pub(super) fn text(&self, place: usize) -> Option<&'a [u8]> {
        self.texts.get(place)
    }
}

/// Nulls that there are.
fn some_nulls(nulls: Option<&NullBuffer>) -> Option<&NullBuffer> {
    nulls.filter(|nulls| nulls.null_count() > 0)
}

impl<'a> Source<'a> {
    /// The rows of an array; `None` for one that holds no text.
    pub(crate) fn new(array: &'a dyn Array) -> Option<Source<'a>> {
        if let Some(texts) = array.as_string_opt::<i32>() {
            return Some(Source::Texts(Texts::new(texts)));
        }
        Words::new(array.as_dictionary_opt::<Int32Type>()?).map(Source::Words)
    }

    /// The text of a row.
    #[inline]
    pub(super) fn get(&self, row: usize) -> Option<&'a [u8]> {
        match self {
            Source::Texts(texts) => texts.get(row),
            Source::Words(words) => words.place(row).and_then(|place| words.text(place)),
        }
    }

    /// The source itself, if it is an array of text.
    pub(super) fn texts(&self) -> Option<Texts<'a>> {
        match self {
            Source::Texts(texts) => Some(*texts),
            Source::Words(_) => None,
        }
    }

    /// Whether every row has a text.
    pub(super) fn is_full(&self) -> bool {
        match self {
            Source::Texts(texts) => texts.nulls.is_none(),
            Source::Words(words) => words.nulls.is_none() && words.texts.nulls.is_none(),
        }
    }
}
