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
}

impl Packed {
    /// What [`pack`] wrote, to be continued.
    pub(super) fn of(bytes: &[u8]) -> Result<Packed, NotASeries> {
        let all = unpack(bytes)?;
        let last = all.last().map_or(0, |interval| interval.slot);
        Ok(Packed { bytes: bytes.to_vec(), last, intervals: all.len() })
    }

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
        self.last = interval.slot;
        self.intervals += 1;
    }

    /// The slot of the last interval.
    pub(super) fn last(&self) -> Option<u32> {
        (self.intervals > 0).then_some(self.last)
    }

    pub(super) fn len(&self) -> usize {
        self.intervals
    }

    pub(super) fn size(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn heap_size(&self) -> usize {
        self.bytes.capacity()
    }

    pub(super) fn unpack(&self) -> Result<Vec<Interval>, NotASeries> {
        if self.bytes.is_empty() { Ok(Vec::new()) } else { unpack(&self.bytes) }
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

/// The intervals that [`pack`] wrote, in the order of their slots.
pub fn unpack(bytes: &[u8]) -> Result<Vec<Interval>, NotASeries> {
    let broken = |what| NotASeries { length: bytes.len(), what };
    let (version, mut rest) = bytes.split_first().ok_or(broken("there are none"))?;
    if *version != VERSION {
        return Err(broken("the first is not the version 1"));
    }
    let mut intervals = Vec::with_capacity(rest.len() / USUAL);
    let mut slot = 0_u32;
    while !rest.is_empty() {
        let word = read_varint(&mut rest).ok_or(broken("a slot is cut off or too large"))?;
        let gap = u32::try_from(word >> 1).ok();
        slot = gap.and_then(|gap| slot.checked_add(gap)).ok_or(broken("a slot is too large"))?;
        let samples = match word & 1 {
            0 => 1,
            _ => read_varint(&mut rest).ok_or(broken("a count is cut off or too large"))?,
        };
        let (total, after) = rest.split_first_chunk::<8>().ok_or(broken("a total is cut off"))?;
        intervals.push(Interval { slot, samples, total: f64::from_le_bytes(*total) });
        rest = after;
    }
    Ok(intervals)
}

/// Seven bits a byte, low ones first; the top bit says that more follow (LEB128).
fn write_varint(out: &mut Vec<u8>, mut n: u64) {
    while n >= 0x80 {
        out.push(n as u8 | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
}

fn read_varint(bytes: &mut &[u8]) -> Option<u64> {
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
