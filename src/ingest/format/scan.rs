//! Finding the end of a string, eight bytes at a time: most are too short for wider steps to pay.

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// The high bit of every byte that is zero; bytes above the first one found may be wrong.
#[inline]
fn zeros(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word & HIGHS
}

/// The position of the first quote, backslash or control character, or the length.
#[inline]
pub(crate) fn string_end(bytes: &[u8]) -> usize {
    let (words, rest) = bytes.as_chunks();
    for (at, word) in words.iter().enumerate() {
        let w = u64::from_le_bytes(*word);
        let control = w.wrapping_sub(ONES * 0x20) & !w & HIGHS;
        let found = zeros(w ^ (ONES * u64::from(b'"'))) | zeros(w ^ (ONES * u64::from(b'\\'))) | control;
        if found != 0 {
            return at * size_of::<u64>() + found.trailing_zeros() as usize / 8;
        }
    }
    let tail = rest.iter().position(|b| *b == b'"' || *b == b'\\' || *b < 0x20);
    bytes.len() - rest.len() + tail.unwrap_or(rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn finds_what_a_plain_loop_finds(bytes in prop::collection::vec(any::<u8>(), 0..40), quiet in any::<bool>()) {
            let bytes: Vec<u8> = bytes.iter().map(|b| if quiet { b | 0x60 } else { *b }).collect();
            let plain = bytes.iter().position(|b| *b == b'"' || *b == b'\\' || *b < 0x20);
            prop_assert_eq!(string_end(&bytes), plain.unwrap_or(bytes.len()));
        }
    }
}
