//! The bytes of a sketch: compact, and one spelling only.
//!
//! | part | bytes |
//! |---|---|
//! | version, 1 | 1 |
//! | number of buckets | varint; nothing follows a 0 |
//! | significant bytes of the smallest value (low half) and of the largest (high half, 15 = the same value) | 1 |
//! | the smallest, then the largest value: big-endian double without its trailing zero bytes | 0 to 16 |
//! | first bucket: distance of its key from that of 1.0, zigzag, then as below | |
//! | each further bucket: `(gap to the previous key − 1) · 2`, plus 1 when it counts more than one | varint |
//! | and then its count − 2 | varint |
//!
//! A value alone takes 6 to 14 bytes, a hundred latencies of a route in a minute about 120, a million
//! log-normal latencies (of σ 1) about 1,300.

use std::cell::RefCell;

use super::buckets::{KEY_OF_ONE, MAX_KEY, key};
use super::quantile_sketch::QuantileSketch;
use super::store::{Bucket, MAX_COUNT, Store};

/// The only version so far.
const VERSION: u8 = 1;

/// Stands for "the largest value is the smallest one".
const SAME: u8 = 15;

/// Why bytes are not a sketch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SketchError {
    /// Written by something else, or by a later version.
    #[error("byte 0 is {0}, expected the version 1")]
    Version(u8),
    /// The bytes end too early.
    #[error("the bytes end at {0}, inside the sketch")]
    Truncated(usize),
    /// There are more bytes than the sketch needs.
    #[error("the sketch ends at byte {0}, but more bytes follow")]
    Trailing(usize),
    /// What they say contradicts itself.
    #[error("{what} before byte {at}")]
    Invalid {
        /// What is wrong.
        what: &'static str,
        /// Where reading stopped.
        at: usize,
    },
}

impl QuantileSketch {
    /// Writes the sketch. Equal multisets of values give equal bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(64);
        self.write_to(&mut bytes);
        bytes
    }

    /// Appends the bytes of the sketch.
    pub(crate) fn write_to(&self, out: &mut Vec<u8>) {
        out.push(VERSION);
        let buckets = self.buckets.buckets();
        write_varint(out, buckets.len() as u64);
        if buckets.is_empty() {
            return;
        }
        let (min, min_len) = significant(self.min);
        let (max, max_len) = significant(self.max);
        if min == max {
            out.push((SAME << 4) | min_len);
            out.extend_from_slice(&min[..usize::from(min_len)]);
        } else {
            out.push((max_len << 4) | min_len);
            out.extend_from_slice(&min[..usize::from(min_len)]);
            out.extend_from_slice(&max[..usize::from(max_len)]);
        }
        let mut previous = None;
        for bucket in buckets.iter() {
            let gap = match previous {
                None => zigzag(bucket.key() - KEY_OF_ONE),
                Some(previous) => (bucket.key() - previous - 1) as u64,
            };
            previous = Some(bucket.key());
            if bucket.count() == 1 {
                write_varint(out, gap << 1);
            } else {
                write_varint(out, (gap << 1) | 1);
                write_varint(out, bucket.count() - 2);
            }
        }
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote, and nothing else: whatever this accepts is written
    /// back as the same bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<QuantileSketch, SketchError> {
        let mut buckets = Vec::new();
        Ok(match decode(bytes, &mut buckets)? {
            Some((min, max)) => QuantileSketch { min, max, buckets: Store::sorted(buckets) },
            None => QuantileSketch::new(),
        })
    }

    /// Merges a sketch that is given as bytes, without building it first.
    pub(crate) fn merge_bytes(&mut self, bytes: &[u8]) -> Result<(), SketchError> {
        DECODED.with_borrow_mut(|buckets| {
            if let Some((min, max)) = decode(bytes, buckets)? {
                self.min = self.min.min(min);
                self.max = self.max.max(max);
                self.buckets.merge_sorted(buckets);
            }
            Ok(())
        })
    }

    /// Whether bytes are a sketch, and one that holds values.
    pub(crate) fn holds_values(bytes: &[u8]) -> Result<bool, SketchError> {
        DECODED.with_borrow_mut(|buckets| Ok(decode(bytes, buckets)?.is_some()))
    }
}

thread_local! {
    /// The buckets of the sketch that was read last: merging reads many, and would allocate for each.
    static DECODED: RefCell<Vec<Bucket>> = const { RefCell::new(Vec::new()) };
}

/// Reads the buckets of a sketch in place of those that are there; gives the smallest and the largest value, or nothing
/// for a sketch of no values.
fn decode(bytes: &[u8], buckets: &mut Vec<Bucket>) -> Result<Option<(f64, f64)>, SketchError> {
    buckets.clear();
    let mut reader = Reader { bytes, at: 0 };
    match reader.byte()? {
        VERSION => {}
        other => return Err(SketchError::Version(other)),
    }
    let len = reader.varint()?;
    if len == 0 {
        reader.end()?;
        return Ok(None);
    }
    let lengths = reader.byte()?;
    let min = reader.double(lengths & 15)?;
    let max = if lengths >> 4 == SAME { min } else { reader.double(lengths >> 4)? };
    if (min == max) != (lengths >> 4 == SAME) || min.is_nan() || max.is_nan() || min > max {
        return Err(reader.invalid("the smallest and the largest value contradict each other"));
    }
    // A bucket takes a byte at least: no more memory than that on the word of a length.
    let room = usize::try_from(len).unwrap_or(usize::MAX).min(bytes.len());
    buckets.reserve_exact(room);
    let mut previous = None;
    for _ in 0..len {
        let (gap, count) = reader.bucket()?;
        let key = match previous {
            None => unzigzag(gap).saturating_add(i64::from(KEY_OF_ONE)),
            Some(previous) => i64::saturating_add(previous, gap as i64).saturating_add(1),
        };
        if key.unsigned_abs() > MAX_KEY.unsigned_abs().into() {
            return Err(reader.invalid("a bucket beyond the largest double"));
        }
        if count > MAX_COUNT {
            return Err(reader.invalid("a count beyond 2^46"));
        }
        buckets.push(Bucket::new(key as i32, count));
        previous = Some(key);
    }
    reader.end()?;
    let ends = buckets.first().map(|b| b.key()).zip(buckets.last().map(|b| b.key()));
    let alone = len == 1 && buckets.iter().all(|b| b.count() == 1);
    if ends != Some((key(min), key(max))) || (alone && min != max) {
        return Err(reader.invalid("the buckets do not span from the smallest to the largest value"));
    }
    Ok(Some((min, max)))
}

/// The bytes of a double, first the significant ones, and how many those are.
fn significant(value: f64) -> ([u8; 8], u8) {
    let bits = value.to_bits();
    (bits.to_be_bytes(), 8 - (bits.trailing_zeros() / 8).min(8) as u8)
}

fn zigzag(n: i32) -> u64 {
    u64::from(((n << 1) ^ (n >> 31)) as u32)
}

fn unzigzag(n: u64) -> i64 {
    (n >> 1) as i64 ^ -((n & 1) as i64)
}

/// Seven bits a byte, low ones first; the top bit says that more follow (LEB128).
fn write_varint(out: &mut Vec<u8>, mut n: u64) {
    while n >= 0x80 {
        out.push(n as u8 | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn invalid(&self, what: &'static str) -> SketchError {
        SketchError::Invalid { what, at: self.at }
    }

    fn byte(&mut self) -> Result<u8, SketchError> {
        let byte = *self.bytes.get(self.at).ok_or(SketchError::Truncated(self.at))?;
        self.at += 1;
        Ok(byte)
    }

    /// What stands for the key of a bucket, and its count.
    #[inline]
    fn bucket(&mut self) -> Result<(u64, u64), SketchError> {
        // Both are mostly a byte. Whether a count follows is as good as random, so nothing branches on it.
        if let Some([word, next]) = self.bytes.get(self.at..).and_then(<[u8]>::first_chunk) {
            let counts = word & 1;
            if (word | (next * counts)) < 0x80 {
                self.at += 1 + usize::from(counts);
                return Ok((u64::from(word >> 1), 1 + u64::from(counts) * (1 + u64::from(*next))));
            }
        }
        let word = self.varint()?;
        let count = if word & 1 == 0 { 1 } else { self.varint()?.saturating_add(2) };
        Ok((word >> 1, count))
    }

    #[inline]
    fn varint(&mut self) -> Result<u64, SketchError> {
        // Most numbers are a byte.
        match self.bytes.get(self.at) {
            Some(byte) if *byte < 0x80 => {
                self.at += 1;
                Ok(u64::from(*byte))
            }
            _ => self.long_varint(),
        }
    }

    fn long_varint(&mut self) -> Result<u64, SketchError> {
        let mut n = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            if shift == 63 && byte > 1 {
                break;
            }
            n |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                if byte == 0 && shift > 0 {
                    return Err(self.invalid("a number written longer than needed"));
                }
                return Ok(n);
            }
        }
        Err(self.invalid("a number beyond 64 bits"))
    }

    /// A double of which `len` significant bytes were written.
    fn double(&mut self, len: u8) -> Result<f64, SketchError> {
        let len = usize::from(len);
        if len > 8 {
            return Err(self.invalid("a double of more than eight bytes"));
        }
        let from = self.bytes.get(self.at..self.at + len).ok_or(SketchError::Truncated(self.bytes.len()))?;
        let mut bits = [0; 8];
        bits[..len].copy_from_slice(from);
        self.at += len;
        let value = f64::from_be_bytes(bits);
        if (len > 0 && bits[len - 1] == 0) || (value == 0.0 && value.is_sign_negative()) {
            return Err(self.invalid("a double written in another way than ours"));
        }
        Ok(value)
    }

    fn end(&self) -> Result<(), SketchError> {
        if self.at == self.bytes.len() { Ok(()) } else { Err(SketchError::Trailing(self.at)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn merging_bytes_is_merging_what_they_hold(
            parts in prop::collection::vec(prop::collection::vec(-1e3f64..1e6, 0..300), 1..6)
        ) {
            let (mut whole, mut merged) = (QuantileSketch::new(), QuantileSketch::new());
            for part in &parts {
                part.iter().for_each(|value| whole.insert(*value));
                let bytes = sketch(part).to_bytes();
                prop_assert_eq!(QuantileSketch::holds_values(&bytes), Ok(!part.is_empty()));
                merged.merge_bytes(&bytes).unwrap();
            }
            prop_assert_eq!(merged.to_bytes(), whole.to_bytes());
        }
    }

    fn sketch(values: &[f64]) -> QuantileSketch {
        let mut sketch = QuantileSketch::new();
        values.iter().for_each(|v| sketch.insert(*v));
        sketch
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(values in prop::collection::vec(prop::num::f64::ANY, 0..100), n in 1u64..1 << 40) {
            let mut sketch = sketch(&values);
            sketch.insert_n(values.first().copied().unwrap_or(1.0), n);
            prop_assert_eq!(QuantileSketch::from_bytes(&sketch.to_bytes()), Ok(sketch));
        }

        #[test]
        fn garbage_is_an_error_or_reads_as_exactly_what_it_says(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            if let Ok(sketch) = QuantileSketch::from_bytes(&bytes) {
                prop_assert_eq!(sketch.to_bytes(), bytes);
            }
        }

        #[test]
        fn a_damaged_sketch_is_an_error_or_reads_as_exactly_what_it_says(
            values in prop::collection::vec(-1e3..1e3, 1..20), at in any::<prop::sample::Index>(), byte in any::<u8>()
        ) {
            let mut bytes = sketch(&values).to_bytes();
            let at = at.index(bytes.len());
            prop_assert!(QuantileSketch::from_bytes(&bytes[..at]).is_err());
            bytes[at] = byte;
            if let Ok(sketch) = QuantileSketch::from_bytes(&bytes) {
                prop_assert_eq!(sketch.to_bytes(), bytes);
            }
        }
    }

    #[test]
    fn errors_name_the_place() {
        let text = |bytes: &[u8]| QuantileSketch::from_bytes(bytes).unwrap_err().to_string();
        assert_eq!(text(&[]), "the bytes end at 0, inside the sketch");
        assert_eq!(text(b"hello"), "byte 0 is 104, expected the version 1");
        assert_eq!(text(&[1, 0, 0]), "the sketch ends at byte 2, but more bytes follow");
        assert_eq!(text(&[1, 0x81, 0]), "a number written longer than needed before byte 3");
        assert_eq!(
            text(&[1, 255, 255, 255, 255, 255, 255, 255, 255, 255, 2]),
            "a number beyond 64 bits before byte 11"
        );
    }

    #[test]
    fn a_constant_takes_few_bytes_however_often_it_occurs() {
        assert_eq!(sketch(&[1.0]).to_bytes(), [1, 1, 0xf2, 0x3f, 0xf0, 0]);
        assert_eq!(sketch(&[0.0; 3]).to_bytes().len(), 1 + 1 + 1 + 3 + 1);
        assert_eq!(QuantileSketch::new().to_bytes(), [1, 0]);
    }
}
