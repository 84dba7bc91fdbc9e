//! Least and greatest text of pages and chunks, cut to a length where they are long.

use ::parquet::data_type::ByteArray;
use ::parquet::file::statistics::{Statistics, ValueStatistics};

/// Bytes of a bound, at most: the library's default as well.
const MOST: usize = 64;

/// Least and greatest of some texts.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Bounds<'a>(Option<(&'a [u8], &'a [u8])>);

impl<'a> Bounds<'a> {
    #[inline]
    pub(super) fn add(&mut self, text: &'a [u8]) {
        self.0 = Some(match self.0 {
            None => (text, text),
            Some((least, greatest)) => (least.min(text), greatest.max(text)),
        });
    }

    pub(super) fn join(&mut self, other: Bounds<'a>) {
        if let Some((least, greatest)) = other.0 {
            self.add(least);
            self.add(greatest);
        }
    }

    /// The bounds of a page, empty where it has no values.
    pub(super) fn page(self) -> (Vec<u8>, Vec<u8>) {
        self.0.map_or_else(Default::default, |(least, greatest)| (below(least).to_vec(), above(greatest)))
    }

    /// The statistics of a chunk.
    pub(super) fn statistics(self, nulls: usize) -> Statistics {
        let byte_array = |bytes: &[u8]| ByteArray::from(bytes.to_vec());
        let (least, greatest) = self.0.unzip();
        let statistics = ValueStatistics::new(
            least.map(|least| byte_array(below(least))),
            greatest.map(|greatest| byte_array(&above(greatest))),
            None,
            Some(nulls as u64),
            false,
        );
        let exact = |text: Option<&[u8]>| text.is_some_and(|text| text.len() <= MOST);
        Statistics::ByteArray(statistics.with_min_is_exact(exact(least)).with_max_is_exact(exact(greatest)))
    }
}

/// The longest beginning of whole characters within the limit.
fn below(text: &[u8]) -> &[u8] {
    let mut end = text.len().min(MOST);
    // 10xxxxxx: in the middle of a character.
    while end < text.len() && end > 0 && text[end] & 0xC0 == 0x80 {
        end -= 1;
    }
    &text[..end]
}

/// A short text above a long one: its beginning with the last character that has a successor of the same length raised.
fn above(text: &[u8]) -> Vec<u8> {
    if text.len() <= MOST {
        return text.to_vec();
    }
    let Ok(start) = std::str::from_utf8(below(text)) else { return text.to_vec() };
    for (at, last) in start.char_indices().rev() {
        let next = char::from_u32(u32::from(last) + 1).filter(|next| next.len_utf8() == last.len_utf8());
        if let Some(next) = next {
            return format!("{}{next}", &start[..at]).into_bytes();
        }
    }
    text.to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_encloses_the_text_and_stays_text() {
        let long = ["a".repeat(100), "é".repeat(50), format!("{}é{}", "x".repeat(63), "y".repeat(9))];
        let odd = [
            "\u{10FFFF}".repeat(30),
            format!("a{}", "\u{10FFFF}".repeat(30)),
            "\u{7F}".repeat(70),
            "\u{D7FF}".repeat(30),
            "short".into(),
            String::new(),
        ];
        for text in long.iter().chain(&odd) {
            let (least, greatest) = (below(text.as_bytes()), above(text.as_bytes()));
            assert!(least <= text.as_bytes() && greatest.as_slice() >= text.as_bytes(), "{text}");
            assert!(std::str::from_utf8(least).is_ok() && std::str::from_utf8(&greatest).is_ok(), "{text}");
            assert!(least.len() <= MOST, "{text}");
        }
        assert_eq!(above("a".repeat(100).as_bytes()), format!("{}b", "a".repeat(63)).into_bytes());
        assert_eq!(above(odd[1].as_bytes()), b"b");
    }
}
