//! The bytes of a series.
//!
//! | part | bytes |
//! |---|---|
//! | version, 1 | 1 |
//! | for each interval: `(slot − slot before) · 2`, plus 1 unless it has one sample | varint |
//! | its samples, unless it has one | varint |
//! | the total of its samples | little-endian double |

/// The only version so far.
const VERSION: u8 = 1;

/// Bytes of one interval that has one sample and follows the one before.
pub(super) const USUAL: usize = 9;

/// One interval of a series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// Its number, counted from 0 at the start of a window.
    pub slot: u32,
    /// How many samples it has.
    pub samples: u64,
    /// Their sum.
    pub total: f64,
}

impl Interval {
    /// The mean of its samples; 0 where it has none, as the rest of a total that no double holds alone.
    pub fn mean(&self) -> f64 {
        if self.samples == 1 { self.total } else { self.total / self.samples.max(1) as f64 }
    }
}

/// Bytes that no series function wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{length} bytes that are not a series: {what}")]
pub struct NotASeries {
    /// How many bytes there are.
    pub length: usize,
    /// What is wrong with them.
    pub what: &'static str,
}

/// Writes intervals one after the other, in the order of their slots.
#[derive(Debug, Clone, Default)]
pub(super) struct Packed {
    bytes: Vec<u8>,
    last: u32,
    intervals: usize,
    has_parts: bool,
}

impl Packed {
    /// What [`pack`] wrote, to be continued.
    pub(super) fn of(bytes: &[u8]) -> Result<Packed, NotASeries> {
        let mut packed = Packed { bytes: bytes.to_vec(), ..Packed::default() };
        for interval in intervals(bytes)? {
            packed.count(interval?.slot);
        }
        Ok(packed)
    }

    #[inline]
    fn count(&mut self, slot: u32) {
        self.has_parts |= self.intervals > 0 && slot == self.last;
        self.last = slot;
        self.intervals += 1;
    }

    #[inline]
    pub(super) fn push(&mut self, interval: Interval) {
        // Doubling would leave half of many large buffers empty.
        if self.bytes.capacity() - self.bytes.len() < 4 * USUAL {
            self.bytes.reserve_exact((self.bytes.len() / 4).max(8 * USUAL));
        }
        if self.bytes.is_empty() {
            self.bytes.push(VERSION);
        }
        let gap = u64::from(interval.slot - self.last) << 1;
        write_varint(&mut self.bytes, gap | u64::from(interval.samples != 1));
        if interval.samples != 1 {
            write_varint(&mut self.bytes, interval.samples);
        }
        self.bytes.extend_from_slice(&interval.total.to_le_bytes());
        self.count(interval.slot);
    }

    /// Room for so many bytes more.
    pub(super) fn reserve(&mut self, bytes: usize) {
        self.bytes.reserve_exact(bytes);
    }

    /// The slot of the last interval.
    pub(super) fn last(&self) -> Option<u32> {
        (self.intervals > 0).then_some(self.last)
    }

    pub(super) fn len(&self) -> usize {
        self.intervals
    }

    /// Whether an interval stands in several parts.
    pub(super) fn has_parts(&self) -> bool {
        self.has_parts
    }

    pub(super) fn size(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn heap_size(&self) -> usize {
        self.bytes.capacity()
    }

    pub(super) fn intervals(&self) -> Result<Intervals<'_>, NotASeries> {
        if self.bytes.is_empty() { Ok(Intervals::default()) } else { intervals(&self.bytes) }
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

/// The bytes of intervals in the order of their slots; of none, too.
pub fn pack(intervals: impl IntoIterator<Item = Interval>) -> Vec<u8> {
    let mut packed = Packed { bytes: vec![VERSION], ..Packed::default() };
    intervals.into_iter().for_each(|interval| packed.push(interval));
    packed.bytes
}

/// A series of what `keep` makes of the intervals of another.
pub fn select(bytes: &[u8], keep: impl FnMut(Interval) -> Option<Interval>) -> Result<Vec<u8>, NotASeries> {
    let mut broken = None;
    let read = intervals(bytes)?.map_while(|interval| interval.map_err(|error| broken = Some(error)).ok());
    let kept = pack(read.filter_map(keep));
    broken.map_or(Ok(kept), Err)
}

/// The intervals that [`pack`] wrote, in the order of their slots.
pub fn unpack(bytes: &[u8]) -> Result<Vec<Interval>, NotASeries> {
    let read = intervals(bytes)?;
    let mut all = Vec::with_capacity(bytes.len() / USUAL);
    for interval in read {
        all.push(interval?);
    }
    Ok(all)
}

/// The intervals that [`pack`] wrote, one after the other; nothing comes after an error.
pub fn intervals(bytes: &[u8]) -> Result<Intervals<'_>, NotASeries> {
    let length = bytes.len();
    match bytes.split_first() {
        None => Err(NotASeries { length, what: "there are none" }),
        Some((version, _)) if *version != VERSION => {
            Err(NotASeries { length, what: "the first is not the version 1" })
        }
        Some((_, rest)) => Ok(Intervals { rest, slot: 0, length }),
    }
}

/// The intervals of a series, as they are read.
#[derive(Debug, Clone, Default)]
pub struct Intervals<'a> {
    rest: &'a [u8],
    slot: u32,
    length: usize,
}

impl Intervals<'_> {
    #[inline]
    fn read(&mut self) -> Result<Interval, &'static str> {
        let word = read_varint(&mut self.rest).ok_or("a slot is cut off or too large")?;
        let gap = u32::try_from(word >> 1).ok();
        self.slot = gap.and_then(|gap| self.slot.checked_add(gap)).ok_or("a slot is too large")?;
        let samples = match word & 1 {
            0 => 1,
            _ => read_varint(&mut self.rest).ok_or("a count is cut off or too large")?,
        };
        let (total, after) = self.rest.split_first_chunk::<8>().ok_or("a total is cut off")?;
        self.rest = after;
        Ok(Interval { slot: self.slot, samples, total: f64::from_le_bytes(*total) })
    }
}

impl Iterator for Intervals<'_> {
    type Item = Result<Interval, NotASeries>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        Some(self.read().map_err(|what| {
            self.rest = &[];
            NotASeries { length: self.length, what }
        }))
    }
}

/// Seven bits a byte, low ones first; the top bit says that more follow (LEB128).
#[inline]
pub(super) fn write_varint(out: &mut Vec<u8>, mut n: u64) {
    while n >= 0x80 {
        out.push(n as u8 | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
}

#[inline]
pub(super) fn read_varint(bytes: &mut &[u8]) -> Option<u64> {
    // Nearly all are one byte long.
    if let [byte @ 0..0x80, rest @ ..] = *bytes {
        *bytes = rest;
        return Some(u64::from(*byte));
    }
    let mut n = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        if shift == 63 && *byte > 1 {
            return None;
        }
        n |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(n);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_packed_unpacks(
            gaps in prop::collection::vec((0u32..1000, 1u64..u64::MAX, prop::num::f64::NORMAL), 0..50)
        ) {
            let mut slot = 0;
            let intervals: Vec<_> = gaps
                .into_iter()
                .map(|(gap, samples, total)| {
                    slot += gap;
                    Interval { slot, samples, total }
                })
                .collect();
            let bytes = pack(intervals.iter().copied());
            prop_assert_eq!(unpack(&bytes).unwrap(), intervals);
        }

        #[test]
        fn garbage_is_an_error_and_no_panic(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            let _ = unpack(&bytes);
        }
    }

    #[test]
    fn errors_say_what_is_wrong() {
        let text = |bytes: &[u8]| unpack(bytes).unwrap_err().to_string();
        assert_eq!(text(&[]), "0 bytes that are not a series: there are none");
        assert_eq!(text(&[7]), "1 bytes that are not a series: the first is not the version 1");
        assert_eq!(text(&[1, 2, 0, 0]), "4 bytes that are not a series: a total is cut off");
        assert_eq!(unpack(&pack([])).unwrap(), []);
    }
}
